import ChatConversation
import ChatCrypto
import ChatDeliveryService
import ChatDiscovery
import ChatFraming
import ChatInitialization
import ChatModel
import TestSupport
import Testing

@testable import ChatClient

/// A service that has room for a few subscriptions.
private final class NarrowService: DeliveryService {
    let service: InMemoryDeliveryService
    let room: Int
    let taken = Lock<Set<DeliveryAddress>>([])

    init(_ service: InMemoryDeliveryService, room: Int) {
        (self.service, self.room) = (service, room)
    }

    var facts: Facts { service.facts }
    var limits: DeliveryLimits { service.limits }

    func publish(_ payloads: [Addressed]) async -> [Result<Receipt, DeliveryError>] { await service.publish(payloads) }

    func subscribe(_ addresses: [DeliveryAddress: Since], into mailbox: Mailbox) async throws(DeliveryError) {
        let good = taken.withLock { taken in
            addresses.filter { address, _ in
                if taken.count < room { taken.insert(address) }
                return taken.contains(address)
            }
        }
        try await service.subscribe(good, into: mailbox)
        if good.count < addresses.count { throw .overloaded("subscriptions", retryAfter: .seconds(3_600)) }
    }

    func unsubscribe(_ addresses: [DeliveryAddress], from mailbox: Mailbox) async {
        taken.withLock { $0.subtract(addresses) }
        await service.unsubscribe(addresses, from: mailbox)
    }
}

private func client(_ number: UInt8, _ service: any DeliveryService) async throws -> Client {
    let identity = try X25519.keyPair(Secret(count: 32) { $0[31] = number })
    let suite = try ChatSuite(
        discovery: IntroLinks(), initialization: InboxV1(identity: identity), conversations: [PrivateV1.Compact.type],
        delivery: service, framing: EnvelopeV1())
    return try await Client(suite, random: SeededRandom(UInt64(number)))
}

/// The events of a client.
private struct Listener {
    var batches: Client.Events.Iterator
    var events: [ChatClient.ClientEvent] = []

    init(_ client: Client) {
        batches = client.events.makeAsyncIterator()
    }

    /// Waits until one of some texts was heard.
    mutating func hear(_ texts: String...) async {
        while !texts.contains(where: { heard.contains($0) }), let batch = await batches.next() {
            events += batch.events
        }
    }

    var heard: Set<String> {
        Set(
            events.compactMap {
                guard case .conversation(_, .content(let received)) = $0 else { return nil }
                return String(decoding: received.content.array, as: UTF8.self)
            })
    }
}

@Test(.timeLimit(.minutes(30)))
func `one subscription that the service refuses is no lost link, and is asked for again (CORE-24)`() async throws {
    let shared = InMemoryDeliveryService()
    // Room for the inbox and two conversations.
    let raya = try await client(1, NarrowService(shared, room: 3))
    let saro = try await client(2, shared)
    var (atRaya, atSaro) = (Listener(raya), Listener(saro))
    var saros: [ConversationID] = []
    var rayas: [ConversationID] = []
    for (index, link) in try await raya.introduce(count: 4).enumerated() {
        saros.append(try await saro.accept(link, saying: Bytes("hello \(index)")).0)
        await atRaya.hear("hello \(index)")
        let known = await raya.conversations.map(\.id)
        rayas.append(try #require(known.first { !rayas.contains($0) }))
    }
    // What Raya says in every conversation arrives.
    for (index, id) in rayas.enumerated() { try await raya.send(Bytes("back \(index)"), in: id) }
    for index in rayas.indices { await atSaro.hear("back \(index)") }
    // What is said in the two that have a subscription is heard, and in one of the others once there is room.
    for (index, id) in saros.enumerated() { try await saro.send(Bytes("again \(index)"), in: id) }
    await atRaya.hear("again 0")
    await atRaya.hear("again 1")
    #expect(atRaya.heard.isDisjoint(with: ["again 2", "again 3"]))
    try await raya.forget(rayas[0])
    await atRaya.hear("again 2", "again 3")
    #expect(
        atRaya.events.contains {
            if case .refused(nil, let report) = $0 { report.code == "not_subscribed" } else { false }
        })
    #expect(!atRaya.events.contains { if case .link(.interrupted) = $0 { true } else { false } })
    await saro.close()
    await raya.close()
}
