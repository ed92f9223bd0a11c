import ChatDeliveryService
import ChatModel
import TestSupport
import Testing

/// A client whose relay is the test, which may say anything.
struct LiedTo {
    var client: VirtualClient
    var now = MonotonicInstant(microseconds: 1_000_000)
    private(set) var session: UInt64 = 0
    private var number: UInt64 = 0
    private var messages: UInt64 = 0

    init(_ configuration: UDPConfiguration = UDPConfiguration()) {
        client = VirtualClient(1, configuration, seed: 1, now: now)
        session = takeSent().first.map { hello in (2..<10).reduce(0) { $0 << 8 | UInt64(hello[$1]) } } ?? 0
    }

    mutating func takeSent() -> [[UInt8]] {
        client.handleEvents()
        var batch = DatagramBatch()
        client.core.write(into: &batch, now: now)
        return (0..<batch.count).map { batch.datagram($0) }
    }

    mutating func receive(_ bytes: [UInt8], from peer: NetworkAddress = VirtualNetwork.relayAddress) {
        client.core.receive(bytes.span, from: peer, now: now)
        client.handleEvents()
    }

    mutating func welcome(epoch: UInt64 = 5, largest: UInt64 = 1_000, idle: UInt64 = 30_000) {
        let limits = Craft.big(largest, 4) + Craft.big(1 << 20, 4) + Craft.big(idle, 4) + Craft.big(0, 8)
        receive(
            Craft.header(3, session: session) + Craft.big(epoch, 8) + limits + Craft.big(10, 4) + Craft.big(1_000, 16))
    }

    /// Lets time pass until a moment, and returns what is sent meanwhile, with the times in milliseconds since then.
    mutating func wait(_ seconds: Double) -> [(after: UInt64, datagram: [UInt8])] {
        let (start, end) = (now, now + MicrosecondSpan(UInt64(seconds * 1_000_000)))
        var sent: [(after: UInt64, datagram: [UInt8])] = []
        repeat {
            sent += takeSent().map { (now.since(start).milliseconds, $0) }
            guard let wake = client.core.wake, wake < end else { break }
            now = max(now, wake)
            client.core.tick(now)
        } while true
        now = end
        return sent
    }

    /// The session that the client seeks now, if it does.
    mutating func follow(_ sent: [[UInt8]]) {
        guard let hello = sent.last(where: { $0[1] == 1 }) else { return }
        (session, number, messages) = (hello[2..<10].reduce(0) { $0 << 8 | UInt64($1) }, 0, 0)
    }

    /// A message in a packet of its own.
    mutating func say(_ message: [UInt8]) {
        receive(Craft.data(session: session, number: number, Craft.message(messages, message)))
        (number, messages) = (number + 1, messages + 1)
    }

    /// Answers a request with a code and two numbers.
    mutating func answer(_ message: UInt64, _ code: UInt8, _ first: UInt64 = 0, _ second: UInt64 = 0) {
        say([0x81] + Craft.big(message, 8) + [code] + Craft.big(first, 8) + Craft.big(second, 8))
    }

    /// Lets the relay agree to the first request.
    mutating func agree(_ sequence: UInt64 = 0) {
        answer(0, 0, sequence)
    }

    mutating func subscribe() {
        welcome()
        client.core.subscribe("hall", .now, key: 1, now: now)
        agree()
    }
}
