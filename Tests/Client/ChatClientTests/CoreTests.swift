import ChatClient
import ChatModel
import TestSupport
import Testing

/// A second type, so that one client may know what another does not.
struct OtherConversation: SimpleConversation {
    static let facts = Facts(name: "other", summary: "a toy by another name")
    private var toy: ToyConversation

    var id: ConversationID { toy.id }
    var listening: [Listening] { toy.listening }
    init(_ seed: ConversationSeed, in step: inout Step) throws(Refusal) { toy = try ToyConversation(seed, in: &step) }
    init(restoring records: [Record]) throws(Refusal) { toy = try ToyConversation(restoring: records) }
    mutating func takeChanges() -> [Record] { toy.takeChanges() }
    mutating func perform(_ action: Action, as id: ContentID, in step: inout Step) throws(Refusal) {
        try toy.perform(action, as: id, in: &step)
    }
    mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) { try toy.receive(routed, in: &step) }
}

@Suite struct CoreTests {
    /// Saro has invited Raya; the invite is on its way.
    private func met() throws -> (saro: CorePeer, raya: CorePeer, id: ConversationID) {
        var (saro, raya) = (try CorePeer("saro"), try CorePeer("raya"))
        let id = try saro.begin(with: try raya.introduce())
        return (saro, raya, id)
    }

    @Test func `an unknown conversation type is reported and costs no single-use key (INIT-04, INBOX-14)`() throws {
        var saro = try CorePeer("saro", types: [OtherConversation.type, ToyConversation.type])
        var raya = try CorePeer("raya")
        let bundle = try raya.introduce()
        _ = try saro.begin(with: bundle, "other")
        let before = raya.stored
        raya.receive(saro.publish())
        #expect(raya.reports == ["unsupported unsupported"])
        #expect(raya.contents.isEmpty && raya.core.conversations.isEmpty)
        #expect(raya.stored.filter { $0.key != "numbers" } == before.filter { $0.key != "numbers" })
        _ = try saro.begin(with: bundle, "toy")
        raya.receive(saro.publish())
        #expect(raya.contents == ["hello"])
    }

    @Test func `a bad opening costs no single-use key (INBOX-14)`() throws {
        var (saro, raya) = (try CorePeer("saro"), try CorePeer("raya"))
        let bundle = try raya.introduce()
        let bad = Bytes([4] + Array("raya".utf8) + [1, 3] + Array("toy".utf8) + [9])
        raya.receive([Addressed("inbox", payload: bad)])
        #expect(raya.reports == ["invalid malformed"])
        _ = try saro.begin(with: bundle)
        raya.receive(saro.publish())
        #expect(raya.contents == ["hello"])
    }

    @Test func `the same invite again is refused and harms nothing (INBOX-05)`() throws {
        var (saro, raya, id) = try met()
        let invite = saro.publish()
        raya.receive(invite)
        raya.receive(invite.map { Addressed($0.address, payload: $0.payload, id: PayloadID(high: 7, low: 7)) })
        #expect(raya.reports == ["invalid used"])
        try saro.send("again", in: id)
        raya.receive(saro.publish())
        #expect(raya.contents == ["hello", "again"])
    }

    @Test func `what overtakes its invite is kept and delivered after it (DS-05)`() throws {
        var (saro, raya, id) = try met()
        let invite = saro.publish()
        for word in ["one", "two", "three"] { try saro.send(word, in: id) }
        let rest = saro.publish()
        raya.receive(rest.reversed())
        #expect(raya.contents.isEmpty && raya.reports.isEmpty)
        try raya.restart()
        raya.receive(invite)
        #expect(raya.contents == ["hello", "one", "two", "three"])
        #expect(!raya.stored.keys.contains { $0.hasPrefix("parked/") })
    }

    @Test(arguments: 0..<20)
    func `any order arrives, over restarts at any point (DS-05)`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        func draw(_ bound: Int) -> Int { Int(random.bytes(1, for: .identifier)[0]) % bound }
        var (saro, raya, id) = try met()
        let invite = saro.publish()
        let words = (0..<20).map { "content \($0)" }
        for word in words {
            try saro.send(word, in: id)
            if draw(4) == 0 { try saro.restart() }
        }
        var rest = invite + saro.publish()
        while !rest.isEmpty {
            let next = rest.remove(at: draw(rest.count))
            raya.receive(draw(5) == 0 ? [next, next] : [next])
            if draw(4) == 0 { try raya.restart() }
        }
        #expect(raya.contents == ["hello"] + words)
    }

    @Test func `what is kept is bounded and the oldest go first`() throws {
        var limits = CoreLimits()
        limits.deferredPayloads = 3
        var raya = try CorePeer("raya", limits: limits)
        for number in UInt8(0)..<10 {
            raya.receive([
                Addressed("inbox", payload: [3, 1, 1, 1, number], id: PayloadID(high: 0, low: UInt64(number)))
            ])
        }
        #expect(raya.stored.keys.filter { $0.hasPrefix("parked/") }.count == 3)
        #expect(raya.stored.keys.contains("parked/00000000000000000010"))
    }

    @Test func `a payload the service does not take now is kept in order and tried again (DS-06, DS-10)`() throws {
        var (saro, raya, id) = try met()
        for word in ["one", "two"] { try saro.send(word, in: id) }
        let wait = Duration.seconds(5)
        let first = saro.core.takeOutbox(now: saro.now)
        #expect(first.count == 3)
        #expect(saro.core.takeOutbox(now: saro.now).isEmpty, "they are on their way")
        let refusal = DeliveryError.rateLimited(limit: 1, retryAfter: wait)
        saro.core.settle(first, [.success(Receipt()), .failure(refusal), .failure(refusal)], now: saro.now)
        saro.store()
        #expect(saro.core.takeOutbox(now: saro.now).isEmpty)
        #expect(saro.core.nextPublish == saro.now + wait)
        raya.receive([first[0].addressed])
        saro.now = saro.now + wait
        let again = saro.publish()
        #expect(again.map(\.id) == first.dropFirst().map(\.addressed.id), "a payload published again keeps its id")
        raya.receive(again)
        #expect(raya.contents == ["hello", "one", "two"])
    }

    @Test func `a payload refused for good fails its content, with the numbers (DS-09)`() throws {
        var (saro, _, id) = try met()
        _ = saro.publish()
        let content = try saro.core.send(Bytes("too large"), in: id, now: saro.now)
        let payloads = saro.core.takeOutbox(now: saro.now)
        saro.core.settle(payloads, [.failure(.tooLarge(bytes: 2_000, limit: 1_000))], now: saro.now)
        saro.store()
        let reason = "payload has 2000 bytes; the service takes 1000"
        #expect(saro.events.last == .conversation(id, .status(content, .failed(reason))))
        #expect(!saro.stored.keys.contains { $0.hasPrefix("outbox/") })
    }

    @Test func `a content is sent when the service has every payload of it`() throws {
        var (saro, _, id) = try met()
        let content = try saro.core.send(Bytes("one"), in: id, now: saro.now)
        #expect(!saro.events.contains(.conversation(id, .status(content, .sent))))
        _ = saro.publish()
        #expect(saro.events.contains(.conversation(id, .status(content, .sent))))
    }

    @Test func `what was accepted is published after a restart, under the same id`() throws {
        var (saro, raya, id) = try met()
        try saro.send("one", in: id)
        let before = saro.core.takeOutbox(now: saro.now).map(\.addressed)
        try saro.restart()
        let after = saro.publish()
        #expect(after == before)
        raya.receive(after)
        #expect(raya.contents == ["hello", "one"])
    }

    @Test func `events that were not dealt with are shown again after a restart, under their number`() throws {
        var (saro, raya, _) = try met()
        raya.core.receive(saro.publish().map { Delivery($0) }, now: raya.now)
        for record in raya.core.takeRecords() { raya.stored[record.key] = record.bytes }
        let shown = raya.core.nextBatch
        try raya.restart()
        #expect(raya.seen.last == shown)
        #expect(raya.contents == ["hello"])
        try raya.restart()
        #expect(raya.contents == ["hello"], "dealt with")
    }

    @Test func `a conversation that is forgotten leaves no record and hears nothing more`() throws {
        var (saro, raya, id) = try met()
        raya.receive(saro.publish())
        let back = raya.core.conversations[0].id
        try raya.core.forget(back, now: raya.now)
        raya.store()
        #expect(!raya.stored.keys.contains { $0.contains(back.text) })
        try saro.send("anybody there?", in: id)
        raya.receive(saro.publish())
        #expect(raya.contents == ["hello"])
        #expect(throws: Refusal(.unable, ClientCause.unknownConversation(back))) { try raya.send("no", in: back) }
    }

    @Test func `one id names one conversation (CT-03)`() throws {
        var raya = try CorePeer("raya")
        let bundles = [try raya.introduce(), try raya.introduce()]
        for bundle in bundles {
            let invite = [bundle.bytes[0], 3] + Array("toy".utf8) + [1, 2, 3, 4, 1, 33]
            raya.receive([Addressed("inbox", payload: Bytes([4] + Array("raya".utf8) + invite))])
        }
        #expect(raya.contents == ["!"])
        #expect(raya.reports == ["invalid duplicate_conversation"])
    }

    @Test func `malformed, foreign and unsupported payloads leave the state as it was (FR-02)`() throws {
        var raya = try CorePeer("raya")
        let before = raya.stored.filter { $0.key != "numbers" }
        raya.receive([Addressed("inbox", payload: []), Addressed("inbox", payload: [9, 1])])
        #expect(raya.reports == ["invalid malformed", "invalid malformed"])
        #expect(raya.stored.filter { $0.key != "numbers" } == before)
    }

    @Test func `a record of another version is a typed error`() throws {
        var (saro, _, id) = try met()
        saro.stored["conversation/\(id)"] = [9, 9]
        #expect(throws: Refusal(.unsupported, CommonCause.unreadableRecord("conversation/\(id)", machine: "client"))) {
            try saro.restart()
        }
    }

    @Test func `every truncation of every record is a typed error or harmless`() throws {
        var (saro, raya, id) = try met()
        try saro.send("one", in: id)
        raya.core.receive([Delivery(Addressed("inbox", payload: [1, 65, 7]))], now: raya.now)
        let whole = saro.stored
        for (key, bytes) in whole {
            for count in 0..<bytes.count {
                saro.stored = whole
                saro.stored[key] = bytes.slice(0..<count)
                do { try saro.restart() } catch is Refusal {}
            }
        }
    }

    @Test func `sending is refused when too much waits, and nothing is lost by it`() throws {
        var limits = CoreLimits()
        limits.outboxPayloads = 2
        var (saro, raya) = (try CorePeer("saro", limits: limits), try CorePeer("raya"))
        let id = try saro.begin(with: try raya.introduce())
        try saro.send("one", in: id)
        let cause = ClientCause.tooMany("payloads wait for the service", limit: 2)
        #expect(throws: Refusal(.unable, cause)) { try saro.send("two", in: id) }
        raya.receive(saro.publish())
        try saro.send("two", in: id)
        raya.receive(saro.publish())
        #expect(raya.contents == ["hello", "one", "two"])
    }
}

/// Sends its invites again after a second, as one does whose service loses some.
private struct PatientInitialization: InitializationProtocol {
    private var toy = ToyInitialization("saro")
    private(set) var nextWake: Timestamp?

    var facts: Facts { toy.facts }
    var listening: [Listening] { toy.listening }
    mutating func introduce(_ count: Int, in step: inout Step) throws(Refusal) -> [IntroductionBundle] {
        try toy.introduce(count, in: &step)
    }
    mutating func begin(
        _ type: ConversationType, with bundle: IntroductionBundle, as contact: ContactID, in step: inout Step
    ) throws(Refusal) -> ConversationSeed? {
        try toy.begin(type, with: bundle, as: contact, in: &step)
    }
    mutating func invite(
        _ contact: ContactID, opening: Payload, for content: ContentID?, in step: inout Step
    ) throws(Refusal) {
        try toy.invite(contact, opening: opening, for: content, in: &step)
        nextWake = step.now + .seconds(1)
    }
    mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) { try toy.receive(routed, in: &step) }
    mutating func handle(_ signal: Signal, in step: inout Step) {
        guard signal == .due else { return }
        step.send(Routed("inbox", Route("raya"), payload: Bytes("again")))
        nextWake = nil
    }
}

@Test func `an invite that is to be sent again wakes the initialization and not the conversation`() throws {
    let now = Timestamp(milliseconds: 1_700_000_000_000)
    var core = try ChatCore(
        PatientInitialization(), conversations: [ToyConversation.type], framing: ToyFraming(),
        delivery: DeliveryLimits(maximumPayload: 1_000), random: SeededRandom(1), now: now)
    let bundle = IntroductionBundle(scheme: "toy", bytes: Bytes([1] + Array("raya".utf8)))
    _ = try core.begin("toy", with: bundle, saying: Bytes("hello"), now: now)
    let invite = core.takeOutbox(now: now)
    core.settle(invite, [.success(Receipt())], now: now)
    #expect(core.nextAlarm == now + .seconds(1))
    core.wake(now: now + .seconds(1))
    #expect(core.takeOutbox(now: now + .seconds(1)).map(\.addressed.payload) == [Bytes("\u{4}rayaagain")])
}

@Test func `a clock that is set back stops no timer, and time never goes back (CORE-13)`() throws {
    let (day, start) = (UInt64(86_400_000), UInt64(1_700_000_000_000))
    func at(_ milliseconds: UInt64) -> Timestamp { Timestamp(milliseconds: start + milliseconds) }
    var core = try ChatCore(
        PatientInitialization(), conversations: [ToyConversation.type], framing: ToyFraming(),
        delivery: DeliveryLimits(maximumPayload: 1_000), random: SeededRandom(1), now: at(day))
    let bundle = IntroductionBundle(scheme: "toy", bytes: Bytes([1] + Array("raya".utf8)))
    _ = try core.begin("toy", with: bundle, saying: Bytes("hello"), now: at(day))
    #expect(core.nextAlarm == at(day + 1_000))
    // The clock is set back by a day: the alarm is due a second later all the same, or a little more.
    core.wake(now: at(0))
    #expect(core.now == at(day))
    #expect(core.nextAlarm == at(1_142))
    core.wake(now: at(1_000))
    #expect(core.now == at(day + 875), "time runs slower until the clocks meet")
    #expect(core.nextAlarm == at(1_142), "the first moment at which it is due: earlier would be in vain")
    // After a restart it is the same; once the system's clock is right again, so is this one.
    var again = try ChatCore(
        PatientInitialization(), conversations: [ToyConversation.type], framing: ToyFraming(),
        delivery: DeliveryLimits(maximumPayload: 1_000), random: SeededRandom(1),
        restoring: core.takeRecords().filter { $0.bytes != nil }, now: at(1_500))
    #expect(again.now == at(day + 875))
    again.wake(now: at(2_000))
    #expect(again.now == at(day + 1_313))
    again.wake(now: at(10 * day))
    #expect(again.now == at(10 * day))
}

@Test func `whoever comes back when the core says so comes neither in vain nor too late (CORE-13)`() throws {
    let start = UInt64(1_700_000_000_000)
    for ahead in stride(from: UInt64(0), to: 20_000, by: 97) {
        var core = try ChatCore(
            PatientInitialization(), conversations: [ToyConversation.type], framing: ToyFraming(),
            delivery: DeliveryLimits(maximumPayload: 1_000), random: SeededRandom(1),
            now: Timestamp(milliseconds: start + ahead))
        let bundle = IntroductionBundle(scheme: "toy", bytes: Bytes([1] + Array("raya".utf8)))
        _ = try core.begin("toy", with: bundle, saying: Bytes("hello"), now: Timestamp(milliseconds: start + ahead))
        core.wake(now: Timestamp(milliseconds: start))
        let alarm = try #require(core.nextAlarm)
        var early = core
        early.wake(now: Timestamp(milliseconds: alarm.milliseconds - 1))
        #expect(early.nextAlarm == alarm, "a millisecond earlier it is not due")
        core.wake(now: alarm)
        #expect(core.nextAlarm.map { $0 > alarm + .seconds(86_400) } ?? true, "it is due, \(ahead) ms ahead")
    }
}

@Test func `a content that is delivered is not sent afterwards`() throws {
    struct Boasting: SimpleConversation {
        static let facts = Facts(name: "boasting", summary: "says delivered when it hears anything")
        private var toy: ToyConversation
        var id: ConversationID { toy.id }
        var listening: [Listening] { toy.listening }
        init(_ seed: ConversationSeed, in step: inout Step) throws(Refusal) { toy = try .init(seed, in: &step) }
        init(restoring records: [Record]) throws(Refusal) { toy = try ToyConversation(restoring: records) }
        mutating func takeChanges() -> [Record] { toy.takeChanges() }
        mutating func perform(_ action: Action, as id: ContentID, in step: inout Step) throws(Refusal) {
            try toy.perform(action, as: id, in: &step)
        }
        mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
            step.report(.status(ContentID(2), .delivered))
        }
    }
    var saro = try CorePeer("saro", types: [Boasting.type])
    var raya = try CorePeer("raya")
    let id = try saro.begin(with: try raya.introduce(), "boasting")
    try saro.send("two", in: id)
    // The payloads are with the service, a crash comes before its answer, and an acknowledgement after it.
    _ = saro.core.takeOutbox(now: saro.now)
    try saro.restart()
    saro.receive([Addressed("inbox", payload: Bytes([UInt8(id.text.utf8.count)] + Array(id.text.utf8) + [1]))])
    try saro.restart()
    _ = saro.publish()
    let statuses = saro.events.compactMap { event -> ContentStatus? in
        guard case .conversation(_, .status(ContentID(2), let status)) = event else { return nil }
        return status
    }
    #expect(statuses == [.delivered])
    #expect(!saro.stored.keys.contains { $0.hasPrefix("outbox/") })
}
