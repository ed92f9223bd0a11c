import ChatDeliveryService
import ChatModel
import TestSupport
import Testing

private let numbers = (0..<50).map(String.init)

@Test func `a client joins after it has shown that it receives at its address (UDP-3)`() {
    var network = VirtualNetwork()
    let saro = network.addClient()
    network.wait(1) { $0.clients[saro].notices == ["joined"] }
    #expect(network.sent == 4, "hello, challenge, hello with the cookie, welcome")
    #expect(network.relay?.statistics.opened == 1)
}

@Test func `what is published arrives at every subscriber, in order (DS-01, DS-02, DS-12)`() {
    var network = VirtualNetwork()
    let (saro, raya) = (network.addClient(), network.addClient())
    for client in [saro, raya] { network.clients[client].core.subscribe("hall", .now, key: 1, now: network.now) }
    network.wait(2) { $0.clients.allSatisfy { $0.subscribed[1] == true } }
    network.clients[saro].publish(numbers, now: network.now)
    network.wait(2) { $0.clients.allSatisfy { $0.received[1]?.count == 50 } }
    for client in network.clients { #expect(client.received[1] == numbers) }
    #expect(network.clients[saro].taken == 50)
}

@Test(arguments: [1, 2, 3])
func `with 30 % loss, repeats and reordering both ways everything with an answer arrives, in order (DS-04, UDP-10)`(
    seed: UInt64
) {
    var network = VirtualNetwork(seed: seed)
    network.faults = .init(loss: 0.3, duplication: 0.1, jitter: 3)
    var configuration = UDPConfiguration()
    configuration.deadline = .seconds(120)
    let (saro, raya) = (network.addClient(configuration), network.addClient(configuration))
    network.clients[raya].core.subscribe("hall", .earliest, key: 1, now: network.now)
    let texts = (0..<60).map { long($0, bytes: $0 % 7 == 0 ? 5_000 : 40) }
    network.clients[saro].publish(texts, now: network.now)
    network.wait(600) {
        $0.clients[saro].published.count == 60 && $0.clients[raya].received[1]?.count == 60
    }
    #expect(network.clients[saro].taken == 60)
    #expect(network.clients[raya].received[1] == texts)
}
