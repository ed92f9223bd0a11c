import ChatConversation
import ChatCrypto
import ChatFraming
import ChatInitialization
import ChatModel
import ChatReliability
import TestSupport
import Testing

@testable import ChatClient

/// Saro and Raya, and the link of Saro's client.
private struct Link {
    var cores: [ChatCore]
    var events: [[ClientEvent]] = [[], []]
    var stores: [[String: Bytes]] = [[:], [:]]
    private(set) var now = Timestamp(milliseconds: 1_700_000_000_000)
    private(set) var published = [0, 0]
    private(set) var isLost = false
    /// Payloads that the service takes in a step.
    var pace = Int.max
    private let types = [PrivateV1.Compact.type]

    init() throws {
        cores = []
        for number in 0..<2 { cores.append(try core(number, [:])) }
    }

    private func core(_ side: Int, _ records: [String: Bytes]) throws -> ChatCore {
        let seed = UInt64(side + 1) << 32 | UInt64(records.count)
        return try ChatCore(
            InboxV1(identity: try X25519.keyPair(Secret(count: 32) { $0[1] = UInt8(side + 1) })), conversations: types,
            framing: EnvelopeV1(), delivery: DeliveryLimits(maximumPayload: 60_000), random: SeededRandom(seed),
            restoring: records.map { Record($0, $1) }, now: now)
    }

    mutating func begin(_ text: Content) throws -> ConversationID {
        let bundle = try cores[1].introduce(1, now: now)[0]
        return try cores[0].begin(PrivateV1.Compact.type.name, with: bundle, saying: text, now: now).0
    }

    mutating func lose() {
        isLost = true
        cores[0].notice(.interrupted("no link"), now: now)
    }

    mutating func comeBack() {
        isLost = false
        cores[0].notice(.resumed(), now: now)
    }

    mutating func restart() throws {
        keep(0)
        cores[0] = try core(0, stores[0])
    }

    /// Lets time pass, a step at a time.
    mutating func pass(_ time: Duration, step: Duration = .milliseconds(200)) {
        let end = now + time
        while now < end {
            now = now + step
            for side in 0..<2 {
                cores[side].wake(now: now)
                guard side == 1 || !isLost else {
                    keep(side)
                    continue
                }
                let payloads = cores[side].takeOutbox(now: now)
                let taken = payloads.prefix(pace)
                published[side] += taken.count
                let results = payloads.indices.map { index -> Result<Receipt, DeliveryError> in
                    index < taken.count ? .success(Receipt()) : .failure(.rateLimited(limit: pace, retryAfter: .zero))
                }
                cores[side].settle(payloads, results, now: now)
                if !isLost { cores[1 - side].receive(taken.map { Delivery($0.addressed) }, now: now) }
                for index in 0..<2 { keep(index) }
            }
        }
    }

    private mutating func keep(_ side: Int) {
        for record in cores[side].takeRecords() { stores[side][record.key] = record.bytes }
        while let batch = cores[side].nextBatch {
            events[side] += batch.events
            cores[side].confirm(batchesUpTo: batch.number)
            for record in cores[side].takeRecords() { stores[side][record.key] = record.bytes }
        }
    }

    var heard: [Content] {
        events[1].compactMap { if case .conversation(_, .content(let received)) = $0 { received.content } else { nil } }
    }

    func statuses(of content: ContentID) -> [ContentStatus] {
        events[0].compactMap { if case .conversation(_, .status(content, let status)) = $0 { status } else { nil } }
    }
}

struct LostLinkTests {
    private let texts = (0..<20).map { Bytes("line \($0)") }

    @Test(arguments: [false, true])
    func `what is said without a link waits unencrypted, counts as waiting, and is sent once (CORE-23, SDS-R13)`(
        restarts: Bool
    ) throws {
        var link = try Link()
        let id = try link.begin(Bytes("hello"))
        link.pass(.seconds(10))
        link.lose()
        let large = Bytes([UInt8](repeating: 7, count: 300_000))
        let contents = try (texts + [large]).map { try link.cores[0].send($0, in: id, now: link.now) }
        link.pass(.seconds(86_400), step: .seconds(60))
        let waiting = link.cores[0].waiting
        #expect(waiting.payloads == 21 && waiting.bytes == texts.reduce(300_000) { $0 + $1.count })
        #expect(link.cores[0].load.outboxPayloads == 0)
        if restarts {
            try link.restart()
            link.lose()
        }
        let before = link.published[0]
        link.comeBack()
        link.pass(.seconds(60))
        #expect(link.heard == [Bytes("hello")] + texts + [large])
        for content in contents { #expect(link.statuses(of: content) == [.sent, .delivered]) }
        #expect(link.cores[0].waiting.payloads == 0)
        #expect(link.published[0] - before < 40, "\(link.published[0] - before) payloads for 26 segments")
    }

    @Test
    func `a content that waited for a link is sent when the service has all of it, and only then (CORE-11, REL-10)`()
        throws
    {
        var link = try Link()
        let id = try link.begin(Bytes("hello"))
        link.pass(.seconds(10))
        link.lose()
        let large = Bytes([UInt8](repeating: 7, count: 2_500_000))
        let content = try link.cores[0].send(large, in: id, now: link.now)
        link.comeBack()
        link.pass(.seconds(60))
        #expect(link.heard == [Bytes("hello"), large])
        #expect(link.statuses(of: content) == [.sent, .delivered])
    }

    @Test func `what waits for room leaves as soon as the service takes something (REL-10)`() throws {
        var link = try Link()
        let id = try link.begin(Bytes("hello"))
        link.pass(.seconds(10))
        link.lose()
        let contents = (0..<6).map { Bytes([UInt8](repeating: UInt8($0), count: 1_100_000)) }
        for content in contents { _ = try link.cores[0].send(content, in: id, now: link.now) }
        link.comeBack()
        link.pass(.seconds(1), step: .milliseconds(50))
        #expect(link.heard.count == 7, "\(link.heard.count - 1) of 6 in a second")
    }

    @Test func `a conversation begun without a link says its invite, and keeps the rest until there is one (CORE-23)`()
        throws
    {
        var link = try Link()
        link.lose()
        let id = try link.begin(Bytes("hello"))
        for text in texts { _ = try link.cores[0].send(text, in: id, now: link.now) }
        link.pass(.seconds(5 * 86_400), step: .seconds(3_600))
        #expect(link.cores[0].load.outboxPayloads == 1, "the invite, and no copy of it")
        link.comeBack()
        link.pass(.seconds(120))
        #expect(link.heard == [Bytes("hello")] + texts)
        #expect(!link.events[0].contains { if case .broken = $0 { true } else { false } })
    }

    @Test func `a conversation that is forgotten leaves nothing that waits for a link (CORE-23)`() throws {
        var link = try Link()
        let id = try link.begin(Bytes("hello"))
        link.pass(.seconds(10))
        link.lose()
        _ = try link.cores[0].send(Bytes("never"), in: id, now: link.now)
        #expect(link.cores[0].waiting.payloads == 1)
        try link.cores[0].forget(id, now: link.now)
        #expect(link.cores[0].waiting == (0, 0))
    }

    @Test func `on a slow service what waits for it is not sent again behind itself (REL-10)`() throws {
        var link = try Link()
        let id = try link.begin(Bytes("hello"))
        link.pass(.seconds(10))
        link.pace = 1
        let before = link.published[0]
        let lines = (0..<100).map { Bytes("line \($0)") }
        for line in lines { _ = try link.cores[0].send(line, in: id, now: link.now) }
        link.pass(.seconds(200), step: .seconds(1))
        #expect(link.heard == [Bytes("hello")] + lines)
        #expect(link.published[0] - before < 130, "\(link.published[0] - before) payloads for 100 lines")
    }
}
