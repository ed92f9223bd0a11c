import ChatClient
import ChatModel

/// What it costs to make a bundle, and to begin a conversation with one: from the bundle to the first content at the
/// other side, in the cores of two clients, without the delivery service; no floor.
enum ContactBench {
    private static let suites = [
        "links/inbox-v1/ratchet/memory/envelope-v1",
        "links/inbox-v1-libchat/private-v1-libchat/memory/envelope-v1-libchat",
        "links/open-invite/plain/memory/plain",
    ]
    /// Contacts in a round.
    private static let count = 32

    static func run(_ plan: Bench.Plan) async throws {
        guard plan.includes("contact") else { return }
        for text in suites {
            let name = try SuiteName(parsing: text)
            let (saros, rayas) = try await CompositionBench.pair(name)
            try await plan.row("contact/introduce/\(name.initialization)") { effort in
                try row("contact/introduce/\(name.initialization)", effort) {
                    var raya = try core(rayas, 2)
                    return try time { consume(try raya.introduce(count, now: now)) }
                }
            }
            try await plan.row("contact/first-content/\(name.initialization)") { effort in
                try row("contact/first-content/\(name.initialization)", effort) {
                    var (saro, raya) = (try core(saros, 1), try core(rayas, 2))
                    let bundles = try raya.introduce(count, now: now)
                    return try time {
                        for bundle in bundles { try contact(&saro, &raya, bundle, saros.conversations[0].name) }
                    }
                }
            }
        }
    }

    private static var now: Timestamp { Timestamp(milliseconds: 1_700_000_000_000) }
    private static let content = Bytes([UInt8](repeating: 1, count: SuiteTrial.contentSize))

    private static func core(_ suite: ChatSuite, _ seed: UInt64) throws(Refusal) -> ChatCore {
        try ChatCore(
            suite.initialization, conversations: suite.conversations, framing: suite.framing,
            delivery: suite.delivery.limits, random: RepeatableRandom(seed: seed), now: now)
    }

    private static func row(_ name: String, _ effort: Effort, _ round: () throws -> Duration) throws -> Row {
        let times = try (0..<effort.rounds).map { _ in try round() / .nanoseconds(count) }
        return Row(name: name, values: [.init("ns", median(times))])
    }

    private static func contact(
        _ saro: inout ChatCore, _ raya: inout ChatCore, _ bundle: IntroductionBundle, _ type: ConversationType
    ) throws {
        _ = try saro.begin(type, with: bundle, saying: content, now: now)
        let sent = saro.takeOutbox(now: now)
        saro.settle(sent, sent.map { _ in .success(Receipt()) }, now: now)
        for payload in sent { _ = raya.offer(payload.addressed, now: now) }
        _ = (saro.takeRecords(), raya.takeRecords())
        var arrived = 0
        while let batch = raya.nextBatch {
            for case .conversation(_, .content) in batch.events { arrived += 1 }
            raya.confirm(batchesUpTo: batch.number)
        }
        guard arrived == 1 else { throw NotBegun() }
    }

    private struct NotBegun: Error, CustomStringConvertible {
        let description = "the first content of a contact did not arrive"
    }
}
