import ChatConversation
import ChatCrypto
import ChatFraming
import ChatInitialization
import ChatModel
import TestSupport
import Testing

@testable import ChatClient

/// Two clients on a service that takes less than it said.
private struct StricterService {
    var cores: [ChatCore]
    var events: [[ClientEvent]] = [[], []]
    var limit = Int.max
    /// The limit that it names, if not that.
    var named: Int?
    /// Who gets nothing.
    var deaf: Int?
    private(set) var now = Timestamp(milliseconds: 1_700_000_000_000)
    let conversation: ConversationID

    init() throws {
        cores = try (1...2).map { number in
            try ChatCore(
                InboxV1(identity: try X25519.keyPair(Secret(count: 32) { $0[1] = UInt8(number) })),
                conversations: [PrivateV1.Compact.type], framing: EnvelopeV1(),
                delivery: DeliveryLimits(maximumPayload: 60_000), random: SeededRandom(UInt64(number)),
                now: Timestamp(milliseconds: 1_700_000_000_000))
        }
        let bundle = try cores[1].introduce(1, now: now)[0]
        conversation = try cores[0].begin(PrivateV1.Compact.type.name, with: bundle, saying: Bytes("hello"), now: now).0
        pass()
    }

    /// A minute, a second at a time, or more.
    mutating func pass(_ steps: Int = 60, of step: Duration = .seconds(1)) {
        for _ in 0..<steps {
            now = now + step
            for side in 0..<2 {
                cores[side].wake(now: now)
                let payloads = cores[side].takeOutbox(now: now)
                let results = payloads.map { payload -> Result<Receipt, DeliveryError> in
                    let size = payload.addressed.payload.count
                    return size > limit ? .failure(.tooLarge(bytes: size, limit: named ?? limit)) : .success(Receipt())
                }
                cores[side].settle(payloads, results, now: now)
                let taken = zip(payloads, results).filter { (try? $0.1.get()) != nil }.map { Delivery($0.0.addressed) }
                if deaf != 1 - side { cores[1 - side].receive(taken, now: now) }
                for index in 0..<2 { keep(index) }
            }
        }
    }

    private mutating func keep(_ side: Int) {
        _ = cores[side].takeRecords()
        while let batch = cores[side].nextBatch {
            events[side] += batch.events
            cores[side].confirm(batchesUpTo: batch.number)
            _ = cores[side].takeRecords()
        }
    }

    func statuses(of content: ContentID) -> [ContentStatus] {
        events[0].compactMap { if case .conversation(_, .status(content, let status)) = $0 { status } else { nil } }
    }

    var heard: [Content] {
        events[1].compactMap { if case .conversation(_, .content(let received)) = $0 { received.content } else { nil } }
    }
}

@Test(arguments: [false, true], [40_000, 250_000])
func `a content that a service with a smaller limit refuses is cut anew and never failed (REL-12)`(
    isBack: Bool, size: Int
) throws {
    var service = try StricterService()
    service.limit = 5_000
    let text = Bytes([UInt8](repeating: 0x61, count: size))
    let large = try service.cores[0].send(text, in: service.conversation, now: service.now)
    _ = try service.cores[0].send(Bytes("next"), in: service.conversation, now: service.now)
    // The refusal may come before the word that the link is back.
    if isBack { service.cores[0].notice(.interrupted("no link"), now: service.now) }
    service.pass()
    if isBack { service.cores[0].notice(.resumed(), now: service.now) }
    service.pass()
    // What was said in between does not wait for it.
    #expect(service.heard == [Bytes("hello"), Bytes("next"), text])
    let statuses = service.statuses(of: large)
    #expect(statuses.last == .delivered)
    #expect(!statuses.contains { if case .failed = $0 { true } else { false } })
}

@Test(arguments: [0, 1, 150])
func `a limit at which nothing can be said fails what was refused, with the reason, and nothing else (CORE-11, REL-12)`(
    limit: Int
) throws {
    var service = try StricterService()
    (service.limit, service.named) = (5_000, limit)
    let text = Bytes([UInt8](repeating: 0x61, count: 40_000))
    let large = try service.cores[0].send(text, in: service.conversation, now: service.now)
    service.pass()
    guard case .failed(let reason) = service.statuses(of: large).last else {
        Issue.record("\(service.statuses(of: large))")
        return
    }
    #expect(reason.hasSuffix("the service takes \(limit)"))
    // Texts of some length as well: later contents are not cut to next to nothing.
    let texts = [Bytes("next"), Bytes([UInt8](repeating: 0x62, count: 4_000))]
    let next = try texts.map { try service.cores[0].send($0, in: service.conversation, now: service.now) }
    service.pass()
    #expect(service.heard == [Bytes("hello")] + texts)
    for content in next { #expect(service.statuses(of: content) == [.sent, .delivered]) }
}

/// What was lost on its way must be sent again, but the service takes less by then; or it was heard, and nobody said so.
@Test(arguments: [1, 0], [20_000, 66_000])
func `what has become too large to be sent again is cut anew, and heard once (REL-12)`(deaf: Int, size: Int) throws {
    var service = try StricterService()
    service.deaf = deaf
    let text = Bytes([UInt8](repeating: 0x61, count: size))
    let large = try service.cores[0].send(text, in: service.conversation, now: service.now)
    service.pass()
    service.limit = 8_000
    let next = try service.cores[0].send(Bytes("next"), in: service.conversation, now: service.now)
    // The first copy is refused, the second one is cut anew.
    for _ in 0..<20 { service.pass() }
    service.deaf = nil
    for _ in 0..<30 { service.pass() }
    #expect(service.heard.count { $0 == text } == 1 && service.heard.count == 3)
    for content in [large, next] {
        #expect(service.statuses(of: content).last == .delivered)
        #expect(!service.statuses(of: content).contains { if case .failed = $0 { true } else { false } })
    }
}

@Test(arguments: [30_000, 50_000])
func `a piece that came before its content was cut anew confuses nothing and is no gap (REL-12, SEG-R8)`(
    limit: Int
) throws {
    var service = try StricterService()
    service.limit = limit
    let text = Bytes([UInt8](repeating: 0x61, count: 66_000))
    let large = try service.cores[0].send(text, in: service.conversation, now: service.now)
    service.pass()
    #expect(service.heard == [Bytes("hello"), text])
    #expect(service.statuses(of: large).last == .delivered)
    service.pass(9 * 24, of: .seconds(3_600))
    #expect(!service.events[1].contains { if case .conversation(_, .gap(let gap)) = $0 { gap.isFinal } else { false } })
}
