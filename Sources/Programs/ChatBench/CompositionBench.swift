import ChatClient
import ChatCrypto
import ChatDeliveryService
import ChatModel
import ChatVariants

/// The cost of a content in one composition, by its name: bytes as `chat-peer describe` has them, and the time in two
/// cores, from sending to the event, without the delivery service; no floor.
enum CompositionBench {
    /// Two compositions of one name, with identities of their own.
    static func pair(
        _ name: SuiteName, _ additions: @escaping Variants.Additions = { _, _ in }
    ) async throws -> (saros: ChatSuite, rayas: ChatSuite) {
        let memory = InMemoryDeliveryService()
        var suites: [ChatSuite] = []
        for peer in 0..<2 {
            let seed = BLAKE2b.hash(count: X25519.size, Array("chat-bench peer \(peer)".utf8))
            let identity = try X25519.keyPair(Secret(copying: seed.span))
            let variants = Variants(identity: identity, memory: memory, adding: additions)
            suites.append(try await variants.registry.suite(name))
        }
        return (suites[0], suites[1])
    }

    static func run(_ text: String, _ plan: Bench.Plan, _ additions: @escaping Variants.Additions) async throws {
        let name = try SuiteName(parsing: text)
        let (saros, rayas) = try await pair(name, additions)
        try await plan.row("\(name)/wire/64") { _ in try wire("\(name)/wire/64", SuiteTrial(saros, rayas)) }
        try await plan.row("\(name)/content/64") { effort in
            var pair = try CorePair(saros, rayas)
            var times: [Double] = []
            for _ in 0..<effort.rounds {
                times.append(try time { for _ in 0..<256 { try pair.talk() } } / .nanoseconds(256))
            }
            return Row(name: "\(name)/content/64", values: [.init("ns", median(times))])
        }
    }

    /// Bytes of payloads for each content of 64, acknowledgements and framing included.
    private static func wire(_ name: String, _ trial: SuiteTrial) -> Row {
        Row(
            name: name,
            values: [
                .init("bytes-first", Double(trial.first)),
                .init("bytes-one-way", Double(trial.oneWay)),
                .init("bytes-ping-pong", Double(trial.inTurns)),
                .init("round-trips", Double(trial.roundTrips)),
            ])
    }
}

/// Two clients' cores that hand each other what they send, in turns.
private struct CorePair {
    private var cores: [ChatCore]
    private var ids: [ConversationID] = []
    private var now = Timestamp(milliseconds: 1_700_000_000_000)
    private var isSaros = false

    /// The two did not meet: there was no bundle, or no conversation after twenty exchanges.
    private struct Unmet: Error, CustomStringConvertible {
        let description = "the two clients began no conversation"
    }

    private let content = Bytes([UInt8](repeating: 1, count: SuiteTrial.contentSize))

    init(_ saros: ChatSuite, _ rayas: ChatSuite) throws {
        let now = now
        cores = try [saros, rayas].enumerated().map { seed, suite in
            try ChatCore(
                suite.initialization, conversations: suite.conversations, framing: suite.framing,
                delivery: saros.delivery.limits, random: RepeatableRandom(seed: UInt64(seed) + 2), now: now)
        }
        guard let bundle = try cores[1].introduce(1, now: now).first else { throw Unmet() }
        _ = try cores[0].begin(saros.conversations[0].name, with: bundle, saying: content, now: now)
        for _ in 0..<20 where ids.count < 2 {
            fly()
            ids = cores.compactMap { $0.conversations.first?.id }
        }
        guard ids.count == 2 else { throw Unmet() }
    }

    /// Sends a content, and hands over all that is said until both are silent.
    mutating func talk() throws {
        let sender = isSaros ? 0 : 1
        isSaros.toggle()
        now = now + .milliseconds(20)
        _ = try cores[sender].send(content, in: ids[sender], now: now)
        fly()
    }

    private mutating func fly() {
        for _ in 0..<4 {
            var isSilent = true
            for sender in 0..<2 {
                let sent = cores[sender].takeOutbox(now: now)
                guard !sent.isEmpty else { continue }
                isSilent = false
                cores[sender].settle(sent, sent.map { _ in .success(Receipt()) }, now: now)
                for payload in sent { _ = cores[1 - sender].offer(payload.addressed, now: now) }
            }
            for index in 0..<2 {
                _ = cores[index].takeRecords()
                while let batch = cores[index].nextBatch { cores[index].confirm(batchesUpTo: batch.number) }
            }
            if isSilent { return }
        }
    }
}
