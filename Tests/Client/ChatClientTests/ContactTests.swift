import ChatClient
import ChatConformance
import ChatModel
import TestSupport
import Testing

/// Asks that its invites be sent again until they are answered.
private struct PersistentInitialization: InitializationProtocol {
    private var toy: ToyInitialization
    init(_ name: String) { toy = ToyInitialization(name) }
    var facts: Facts { toy.facts }
    var listening: [Listening] { toy.listening }
    mutating func restore(_ records: [Record]) throws(Refusal) { try toy.restore(records) }
    mutating func takeChanges() -> [Record] { toy.takeChanges() }
    mutating func introduce(_ count: Int, in step: inout Step) throws(Refusal) -> [IntroductionBundle] {
        try toy.introduce(count, in: &step)
    }
    mutating func begin(
        _ type: ConversationType, with bundle: IntroductionBundle, as contact: ContactID, in step: inout Step
    ) throws(Refusal) -> ConversationSeed? { try toy.begin(type, with: bundle, as: contact, in: &step) }
    mutating func invite(
        _ contact: ContactID, opening: Payload, for content: ContentID?, in step: inout Step
    ) throws(Refusal) {
        var left = try step.lend { (step) throws(Refusal) in
            try toy.invite(contact, opening: opening, for: content, in: &step)
        }.output
        for index in left.sends.indices { left.sends[index].contact = contact }
        step.take(left)
    }
    mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) { try toy.receive(routed, in: &step) }
    mutating func handle(_ signal: Signal, in step: inout Step) { toy.handle(signal, in: &step) }
}

private let start = Timestamp(milliseconds: 1_700_000_000_000)

/// How long after the first sending the others come, in seconds.
private let schedule: [UInt64] =
    [3, 13, 43, 163, 643, 2_563, 10_243, 40_963] + (1...13).map { 40_963 + 86_400 * $0 }

private func persistent(_ name: String) throws -> CorePeer {
    try CorePeer(name, initialization: { PersistentInitialization($0) })
}

/// Lets time pass from alarm to alarm; gives what was sent, and when.
private func run(_ peer: inout CorePeer, wakes: Int = 40) -> [(seconds: UInt64, payload: Addressed)] {
    var sent: [(UInt64, Addressed)] = []
    for _ in 0..<wakes {
        guard peer.sleep() else { break }
        let seconds = (peer.now.milliseconds - start.milliseconds) / 1_000
        sent += peer.publish().map { (seconds, $0) }
    }
    return sent
}

@Suite struct RepeatTests {
    @Test func `an invite that nobody answers is sent again with growing pauses, then given up (CONTACT-5, IBX-8)`()
        throws
    {
        var (saro, raya) = (try persistent("saro"), try persistent("raya"))
        _ = try saro.begin(with: try raya.introduce())
        let first = saro.publish()
        let again = run(&saro)
        #expect(first.count == 1 && again.map(\.seconds) == schedule)
        #expect(again.allSatisfy { $0.payload.payload == first[0].payload }, "the same bytes every time")
        let ids = Set((first + again.map(\.payload)).map(\.id))
        #expect(ids.count == 22, "each time under another payload id")
        #expect(!saro.stored.keys.contains { $0.hasPrefix("repeat/") } && saro.core.nextAlarm == nil)
        raya.receive([again[5].payload])
        #expect(raya.contents == ["hello"], "a late one is as good as the first")
    }

    @Test func `an answer ends it, and only that of the same conversation (CONTACT-5, CORE-14)`() throws {
        var (saro, raya) = (try persistent("saro"), try persistent("raya"))
        for _ in 0..<2 { _ = try saro.begin(with: try raya.introduce()) }
        raya.receive([saro.publish()[0]])
        try raya.send("yes", in: raya.core.conversations[0].id)
        saro.receive(raya.publish())
        #expect(saro.contents == ["yes"])
        #expect(saro.stored.keys.filter { $0.hasPrefix("contact/") || $0.hasPrefix("repeat/") }.count == 2)
        #expect(run(&saro).count == schedule.count)
    }

    @Test func `without a link no invite is sent again, and no alarm rings for it (CONTACT-5, CORE-23)`() throws {
        var (saro, raya) = (try persistent("saro"), try persistent("raya"))
        _ = try saro.begin(with: try raya.introduce())
        _ = saro.publish()
        saro.core.notice(.interrupted("no link"), now: saro.now)
        saro.now = saro.now + .seconds(60)
        saro.core.wake(now: saro.now)
        saro.store()
        #expect(saro.publish().isEmpty)
        #expect(saro.core.nextAlarm.map { $0 > saro.now } ?? true, "an alarm that does nothing")
        saro.core.notice(.resumed(), now: saro.now)
        #expect(saro.sleep() && saro.publish().count == 1)
    }

    @Test func `a restart neither forgets an invite nor repeats it early (CONTACT-5)`() throws {
        var (saro, raya) = (try persistent("saro"), try persistent("raya"))
        _ = try saro.begin(with: try raya.introduce())
        _ = saro.publish()
        var times: [UInt64] = []
        for _ in 0..<24 {
            try saro.restart()
            #expect(saro.publish().isEmpty)
            times += run(&saro, wakes: 1).map(\.seconds)
        }
        #expect(times == schedule)
    }

    @Test func `a client that was away for long sends once and goes on from there (CONTACT-5)`() throws {
        var (saro, raya) = (try persistent("saro"), try persistent("raya"))
        _ = try saro.begin(with: try raya.introduce())
        _ = saro.publish()
        saro.now = start + .seconds(500_000)
        try saro.restart()
        #expect(run(&saro, wakes: 1).count == 1 && saro.core.nextAlarm == saro.now + .seconds(10))
    }

    @Test func `no more payloads are sent again than the limit, and the oldest are given up (CONTACT-5)`() throws {
        var (saro, raya) = (try persistent("saro"), try persistent("raya"))
        for number in 0..<260 {
            if number % 200 == 0 { raya = try persistent("raya \(number)") }
            _ = try saro.begin(with: try raya.introduce())
        }
        _ = saro.publish()
        #expect(saro.stored.keys.filter { $0.hasPrefix("repeat/") }.count == 256)
        try saro.restart()
        #expect(run(&saro, wakes: 1).count == 256)
    }
}

@Suite struct PendingContactTests {
    private func peers(_ limits: CoreLimits = CoreLimits()) throws -> (saro: CorePeer, raya: CorePeer) {
        (
            try CorePeer("saro", limits: limits, initialization: { ToyHandshake($0) }),
            try CorePeer("raya", initialization: { ToyHandshake($0) })
        )
    }

    /// The words for what happened to conversations and contents.
    private func words(_ peer: CorePeer) -> [String] {
        peer.events.compactMap {
            switch $0 {
            case .pending: "pending"
            case .began: "began"
            case .failed(_, let report): "failed \(report.code)"
            case .conversation(_, .status(let content, let status)): "\(content.number) \(status.word)"
            default: nil
            }
        }
    }

    @Test(arguments: [false, true])
    func `contents wait for a first contact of two round trips, over restarts, and arrive in order (CONTACT-6)`(
        restarts: Bool
    ) throws {
        var (saro, raya) = try peers()
        let id = try saro.begin(with: try raya.introduce())
        #expect(saro.core.pending == [id] && saro.core.conversations.isEmpty)
        try saro.send("two", in: id)
        if restarts { try saro.restart() }
        try saro.send("three", in: id)
        #expect(saro.core.pending == [id] && words(saro) == ["pending"])
        for _ in 0..<3 {
            raya.receive(saro.publish())
            if restarts { try raya.restart() }
            saro.receive(raya.publish())
            if restarts { try saro.restart() }
        }
        #expect(raya.contents == ["hello", "two", "three"])
        #expect(saro.core.pending.isEmpty && saro.core.conversations.map(\.id) == [id])
        #expect(words(saro) == ["pending", "began", "1 sent", "2 sent", "3 sent"])
        #expect(!saro.stored.keys.contains { $0.hasPrefix("waiting/") })
        // It goes on under the id that the application was given first.
        let theirs = try #require(raya.core.conversations.first?.id)
        try raya.send("yes", in: theirs)
        saro.receive(raya.publish())
        if restarts { try saro.restart() }
        try saro.send("four", in: id)
        raya.receive(saro.publish())
        #expect(saro.contents == ["yes"] && raya.contents.last == "four")
        #expect(saro.reports.isEmpty && raya.reports.isEmpty)
        #expect(!saro.stored.keys.contains { $0.hasPrefix("contact/") || $0.hasPrefix("repeat/") })
        #expect(saro.core.nextAlarm == nil)
    }

    @Test func `each message is sent again until the next one comes; whatever is lost, it begins once (CONTACT-5)`()
        throws
    {
        var (saro, raya) = try peers()
        let id = try saro.begin(with: try raya.introduce())
        _ = saro.publish()  // lost
        saro.sleep()
        raya.receive(saro.publish())
        _ = raya.publish()  // lost
        saro.sleep()
        let knock = saro.publish()
        raya.receive(knock)
        raya.receive(knock.map { Addressed($0.address, payload: $0.payload, id: PayloadID(high: 9, low: 9)) })
        let answers = raya.publish()
        saro.receive(answers)
        #expect(answers.count == 2 && saro.core.conversations.map(\.id) == [id])
        _ = saro.publish()  // lost
        saro.sleep()
        let invites = saro.publish()
        #expect(invites.count == 1, "what led to the answer is not sent again")
        raya.receive(invites)
        #expect(raya.contents == ["hello"] && words(saro).filter { $0 == "began" }.count == 1)
    }

    @Test func `a contact that is refused fails its contents with the reason, and leaves nothing (CONTACT-7)`() throws {
        var (saro, raya) = try peers()
        let bundle = try raya.introduce()
        _ = try saro.begin(with: bundle)
        for _ in 0..<3 {
            raya.receive(saro.publish())
            saro.receive(raya.publish())
        }
        var pax = try CorePeer("pax", initialization: { ToyHandshake($0) })
        let before = pax.stored.keys.sorted()
        let id = try pax.begin(with: bundle)
        try pax.send("anybody?", in: id)
        raya.receive(pax.publish())
        pax.receive(raya.publish())
        #expect(words(pax) == ["pending", "1 failed", "2 failed", "failed refused"])
        #expect(pax.core.pending.isEmpty && pax.core.nextAlarm == nil)
        #expect(throws: Refusal(.unable, ClientCause.unknownConversation(id))) { try pax.send("again", in: id) }
        #expect(pax.stored.keys.sorted() == before)
    }

    @Test func `a contact that nobody answers fails in the end, with that reason (CONTACT-7)`() throws {
        var (saro, raya) = try peers()
        _ = try saro.begin(with: try raya.introduce())
        _ = saro.publish()
        #expect(run(&saro).count == schedule.count)
        #expect(words(saro) == ["pending", "1 failed", "failed unanswered"])
        #expect(!saro.stored.keys.contains { $0.hasPrefix("contact/") || $0.hasPrefix("waiting/") })
    }

    @Test func `a forged answer changes nothing (CONTACT-2, MODEL-2)`() throws {
        var (saro, raya) = try peers()
        let id = try saro.begin(with: try raya.introduce())
        let before = saro.stored
        for forged: [UInt8] in [[2, 1, 99] + Array("yes".utf8), [2, 7, 1] + Array("no".utf8), [2, 1, 1, 0]] {
            saro.receive([Addressed("inbox", payload: Bytes([4] + Array("saro".utf8) + forged))])
        }
        #expect(saro.reports == Array(repeating: "invalid malformed", count: 3))
        #expect(saro.core.pending == [id])
        #expect(saro.stored.filter { $0.key != "numbers" } == before.filter { $0.key != "numbers" })
    }

    @Test
    func `what waits is bounded, and a pending conversation takes content alone and can be forgotten (CONTACT-6)`()
        throws
    {
        var limits = CoreLimits()
        (limits.waitingContents, limits.waitingContentBytes) = (3, 100)
        var (saro, raya) = try peers(limits)
        let before = saro.stored.keys.sorted()
        let id = try saro.begin(with: try raya.introduce())
        try saro.send("two", in: id)
        #expect(throws: Refusal.self) { try saro.send(String(repeating: "x", count: 100), in: id) }
        try saro.send("three", in: id)
        #expect(throws: Refusal(.unable, ClientCause.tooMany("contents wait for an answer", limit: 3))) {
            try saro.send("four", in: id)
        }
        #expect(throws: Refusal(.unable, ClientCause.pendingConversation(id))) {
            _ = try saro.core.perform(.leave, in: id, now: saro.now)
        }
        try saro.core.forget(id, now: saro.now)
        saro.store()
        _ = saro.publish()
        #expect(saro.core.pending.isEmpty && saro.stored.keys.sorted() == before)
    }

    @Test func `a conversation can begin without content; its invite leaves with the first (CONTACT-3)`() throws {
        var (saro, raya) = (try persistent("saro"), try persistent("raya"))
        let bundle = try raya.introduce()
        let id = try saro.core.begin("toy", with: bundle, saying: nil, now: saro.now).0
        saro.store()
        #expect(saro.publish().isEmpty)
        try saro.restart()
        try saro.send("late", in: id)
        raya.receive(saro.publish())
        #expect(raya.contents == ["late"])
        #expect(run(&saro).count == schedule.count)
    }

    @Test func `an initialization of two round trips passes its suite`() {
        let report = Conformance.check(initialization: { ToyHandshake("client \($0)") })
        #expect(report.isPassed, "\(report)")
    }
}
