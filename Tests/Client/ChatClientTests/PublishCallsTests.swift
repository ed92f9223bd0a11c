import ChatModel
import TestSupport
import Testing

@testable import ChatClient

/// A service whose calls for one inbox return only when a gate is opened, and then fail or not.
private final class SlowService: DeliveryService {
    let facts = Facts(name: "slow-service", summary: "one address is slow")
    let limits = DeliveryLimits(maximumPayload: 1_000)
    let service = ToyService()
    /// Calls that wait, and how many began.
    let calls = Lock<(waiting: [CheckedContinuation<Bool, Never>], begun: Int)>(([], 0))

    func publish(_ payloads: [Addressed]) async -> [Result<Receipt, DeliveryError>] {
        let isSlow = payloads.contains { $0.address.text.hasPrefix("slow") }
        guard isSlow else { return await service.publish(payloads) }
        let succeeds = await withCheckedContinuation { continuation in
            calls.withLock { calls in
                calls.waiting.append(continuation)
                calls.begun += 1
            }
        }
        guard succeeds else { return payloads.map { _ in .failure(.unreachable("slow", after: .zero)) } }
        return await service.publish(payloads)
    }

    func open(_ succeeds: Bool) {
        let waiting = calls.withLock { calls in
            defer { calls.waiting = [] }
            return calls.waiting
        }
        for call in waiting { call.resume(returning: succeeds) }
    }

    func subscribe(_ addresses: [DeliveryAddress: Since], into mailbox: Mailbox) async throws(DeliveryError) {
        try await service.subscribe(addresses, into: mailbox)
    }

    func unsubscribe(_ addresses: [DeliveryAddress], from mailbox: Mailbox) async {
        await service.unsubscribe(addresses, from: mailbox)
    }
}

/// The toy's framing, but for contents that end in `slow` and a letter: those go to an address of that name.
private struct SlowFraming: FramingStrategy {
    let facts = Facts(name: "slow-framing", summary: "the toy's")
    private var toy = ToyFraming()
    var headRoom: Int { toy.headRoom }

    mutating func listen(_ listening: [Listening], for owner: Owner) { toy.listen(listening, for: owner) }

    func wrap(
        _ routed: consuming Routed, of owner: Owner, random: inout any RandomSource
    ) throws(Refusal) -> Addressed {
        let word = String(decoding: routed.payload.array.suffix(5), as: UTF8.self)
        var addressed = try toy.wrap(routed, of: owner, random: &random)
        if word.hasPrefix("slow") { addressed.address = DeliveryAddress(word) }
        return addressed
    }

    func unwrap(_ addressed: Addressed) throws(Refusal) -> Unwrapped { try toy.unwrap(addressed) }
}

struct PublishCallsTests {
    private func client(_ name: String, _ service: SlowService) async throws -> Client {
        try await Client(
            ChatSuite(
                discovery: ToyDiscovery(), initialization: ToyInitialization(name),
                conversations: [ToyConversation.type], delivery: service, framing: SlowFraming()))
    }

    @Test(.timeLimit(.minutes(30)))
    func `a call of the service that does not return holds up its own addresses only (CORE-10)`() async throws {
        let service = SlowService()
        let (saro, raya) = (try await client("saro", service), try await client("raya", service))
        let (id, _) = try await saro.accept(try await raya.introduce()[0], saying: Bytes("hello"))
        var events = raya.events.makeAsyncIterator()
        func contents(_ count: Int) async -> [String] {
            var found: [String] = []
            while found.count < count, let batch = await events.next() {
                for case .conversation(_, .content(let received)) in batch.events {
                    found.append(String(decoding: received.content.array, as: UTF8.self))
                }
            }
            return found
        }
        #expect(await contents(1) == ["hello"])
        // One call hangs; what goes elsewhere arrives.
        try await saro.send(Bytes("never mind: slow1"), in: id)
        while service.calls.withLock({ $0.begun }) == 0 { try await Task.sleep(for: .milliseconds(1)) }
        let other = try await saro.accept(try await raya.introduce()[0], saying: Bytes("other")).0
        #expect(await contents(1) == ["other"])
        for number in 0..<20 { try await saro.send(Bytes("\(number)"), in: other) }
        #expect(await contents(20) == (0..<20).map(String.init))
        #expect(service.calls.withLock { $0.begun } == 1, "what waits behind it waits")
        // It fails, is tried again, and nothing else was touched by it.
        service.open(false)
        while service.calls.withLock({ $0.begun }) == 1 { try await Task.sleep(for: .milliseconds(1)) }
        service.open(true)
        #expect(await saro.flush(within: .seconds(600)))
        await saro.close()
        await raya.close()
    }

    @Test(.timeLimit(.minutes(30)))
    func `eight calls run at once, and each that returns makes room for another (CORE-10)`() async throws {
        let service = SlowService()
        let (saro, raya) = (try await client("saro", service), try await client("raya", service))
        let (id, _) = try await saro.accept(try await raya.introduce()[0], saying: Bytes("hello"))
        #expect(await saro.flush(within: .seconds(600)))
        for number in 0..<12 {
            try await saro.send(Bytes("slow\(Character(UnicodeScalar(UInt8(97 + number))))"), in: id)
            let expected = min(number + 1, 8)
            while service.calls.withLock({ $0.begun }) < expected { try await Task.sleep(for: .milliseconds(1)) }
        }
        try await Task.sleep(for: .milliseconds(100))
        #expect(service.calls.withLock { $0.begun } == 8)
        while await saro.waiting.payloads > 0 {
            service.open(true)
            try await Task.sleep(for: .milliseconds(1))
        }
        #expect(service.calls.withLock { $0.begun } > 8)
        await saro.close()
        await raya.close()
    }
}
