import ChatModel
import ChatWire
import TestSupport
import Testing

@testable import ChatConversation
@testable import ChatReliability

private func name(_ text: String) -> Identifier { Identifier(text) ?? Identifier() }
private let start = Timestamp(milliseconds: 1_700_000_000_000)
private let day = Duration.seconds(86_400)

/// One side of a channel against whatever is sent to it; notes what comes of it.
private struct Target {
    var channel: SDSChannel
    var now = start
    var events: [SDSEvent] = []
    var sent: [SDSStep.Broadcast] = []
    /// Steps without time in between: who wakes to do nothing does so for ever.
    private(set) var idleWakes = 0

    init(_ settings: SDSSettings = .two) {
        channel = SDSChannel(name("saro"), channel: name("0"), settings: settings, now: start)
    }

    mutating func send(_ id: String) throws {
        var step = SDSStep(now: now)
        try channel.send(Bytes(id), id: name(id), in: &step)
        take(step)
    }

    mutating func hear(
        _ id: String, from sender: String = "raya", lamport: UInt64 = 1_700_000_000_001, after: [String] = [],
        repairs: [String] = [], filter: Bytes? = nil, content: Bytes? = Bytes("content")
    ) throws(Refusal) {
        let message = SDSMessage(
            sender: name(sender), id: name(id), channel: name("0"), lamport: lamport,
            history: after.map { .init(name($0)) }, filter: filter, repairs: repairs.map { .init(name($0)) },
            content: content)
        var step = SDSStep(now: now)
        try channel.receive(message.encoded(), in: &step)
        take(step)
    }

    private mutating func take(_ step: SDSStep) {
        events += step.events
        sent += step.broadcasts
    }

    /// Lets time pass, waking whenever asked for.
    mutating func pass(_ time: Duration) {
        let end = now + time
        while let wake = channel.nextWake, wake <= end {
            idleWakes = wake <= now ? idleWakes + 1 : 0
            guard idleWakes < 200 else { break }
            now = max(now, wake)
            var step = SDSStep(now: now)
            channel.wake(in: &step)
            take(step)
        }
        now = max(now, end)
    }

    mutating func restart(_ records: inout [String: Bytes]) throws {
        for record in channel.takeChanges() { records[record.key] = record.bytes }
        channel = try SDSChannel(restoring: records.map { Record($0, $1) }, settings: channel.settings)
        var step = SDSStep(now: now)
        channel.hurry(in: &step)
        take(step)
    }

    var delivered: [String] {
        events.compactMap { if case .delivered(let delivery) = $0 { delivery.id.text } else { nil } }
    }
}

struct HostileMessageTests {
    @Test func `thousands of ids that nobody sent make few sync messages, and no busy loop (SDSR-05, SDS-R7)`() throws {
        var saro = Target()
        for index in 0..<10 { try saro.hear("m\(index)", after: (0..<200).map { "x\(index)-\($0)" }) }
        #expect(saro.channel.missing.count == 2_000)
        saro.pass(.seconds(60))
        #expect(saro.sent.count < 130 && saro.idleWakes < 4, "\(saro.sent.count) sync messages in a minute")
        saro.pass(.seconds(3_600))
        #expect(saro.sent.count < 250 && saro.idleWakes < 4, "\(saro.sent.count) sync messages in an hour")
        // The other side is back, and asking has a point again.
        let before = saro.sent.count
        try saro.hear("x0-0")
        saro.pass(.seconds(1))
        #expect(saro.sent.count > before)
        saro.pass(day * 2)
        #expect(saro.delivered.count == 11 && saro.channel.missing.isEmpty && saro.channel.waiting.isEmpty)
        #expect(saro.sent.count < 1_000, "\(saro.sent.count) sync messages in two days")
    }

    @Test func `messages that nobody waits with name no more than a quarter of what may be missing (SDS-R5)`() throws {
        var saro = Target(SDSSettings())
        try saro.hear("known")
        for index in 0..<12 {
            try saro.hear("sync", after: (0..<200).map { "x\(index)-\($0)" }, content: nil)
            try saro.hear("known", after: (0..<200).map { "y\(index)-\($0)" })
        }
        #expect(saro.channel.missing.count == 2_048)
        try saro.hear("waits", from: "pax", after: (0..<200).map { "z\($0)" })
        #expect(saro.channel.waiting == [name("waits")], "another participant is shut out")
    }

    @Test func `what waits is charged with everything that came with it (SDS-R5)`() throws {
        var saro = Target()
        saro.channel = SDSChannel(
            name("saro"), channel: name("0"),
            settings: {
                var settings = SDSSettings.two
                settings.limits.waitingBytes = 400_000
                return settings
            }(), now: start)
        let padding = Bytes([UInt8](repeating: 0, count: 60_000))
        try saro.hear("m1", after: ["x"], filter: padding)
        let error = #expect(throws: Refusal.self) {
            try saro.hear("m2", after: ["x"], filter: padding)
        }
        #expect(error?.outcome == .unable && saro.channel.waiting == [name("m1")])
    }

    @Test(arguments: [false, true])
    func `messages that wait for each other are delivered in the end (SDS-10, SDS-R9)`(isRestarted: Bool) throws {
        var saro = Target()
        var records: [String: Bytes] = [:]
        for (id, other) in [("a", "b"), ("b", "c"), ("c", "a")] { try saro.hear(id, after: [other]) }
        try saro.hear("d", lamport: 1_700_000_000_009, after: ["a", "b", "c"])
        if isRestarted { try saro.restart(&records) }
        #expect(saro.channel.waiting.count == 4)
        saro.pass(day)
        if isRestarted { try saro.restart(&records) }
        saro.pass(day * 3)
        #expect(saro.delivered.sorted() == ["a", "b", "c", "d"] && saro.delivered.last == "d")
        #expect(saro.channel.waiting.isEmpty && saro.channel.missing.isEmpty && saro.idleWakes < 4)
        if isRestarted {
            try saro.restart(&records)
            #expect(saro.channel.waiting.isEmpty)
        }
    }

    @Test func `a message that the other side may have given up counts as arrived only by its name (SDS-09)`() throws {
        var saro = Target()
        try saro.send("early")
        saro.pass(day * 2)
        try saro.send("between")
        saro.pass(.seconds(60))
        try saro.send("late")
        try saro.hear("sync", after: ["late"], content: nil)
        #expect(saro.events.filter { $0 == .acknowledged(name("early")) }.isEmpty)
        #expect(saro.channel.unacknowledged == [name("early")], "the others are acknowledged by the last one")
        let before = saro.sent.count
        saro.pass(.seconds(1_200))
        #expect(saro.sent[before...].contains { $0.id == name("early") }, "it is not sent again")
        try saro.hear("sync", after: ["early"], content: nil)
        #expect(saro.channel.unacknowledged.isEmpty)
    }

    @Test func `filters with everything in them stop no message of two from being sent again (SDS-09, SDS-11)`() throws
    {
        var settings = SDSSettings.two
        settings.filter = .standard
        var saro = Target(settings)
        try saro.send("a")
        var filter = BloomFilter()
        filter.insert(name("a"))
        for _ in 0..<5 { try saro.hear("sync", filter: filter.encoded(), content: nil) }
        saro.pass(day)
        #expect(saro.sent.filter { $0.reason == .again && $0.id == name("a") }.count > 100)
        saro.pass(day * 7)
        #expect(saro.events.contains(.gaveUp(name("a"))) && !saro.events.contains(.acknowledged(name("a"))))
    }

    @Test func `what is presumed to have arrived does not block sending for ever (SDS-11)`() throws {
        var settings = SDSSettings()
        settings.limits.outgoing = 8
        var saro = Target(settings)
        var filter = BloomFilter()
        for index in 0..<8 {
            try saro.send("a\(index)")
            filter.insert(name("a\(index)"))
        }
        for _ in 0..<2 { try saro.hear("sync", filter: filter.encoded(), content: nil) }
        #expect(throws: Refusal.self) { try saro.send("more") }
        saro.pass(day * 8)
        #expect(saro.channel.unacknowledged.isEmpty)
        try saro.send("more")
    }

    @Test func `requests for everything are answered at a bounded rate, however they come (SDSR-06, SDS-R7)`() throws {
        var saro = Target()
        for index in 0..<1_000 { try saro.send("a\(index)") }
        let before = saro.sent.count
        for round in 0..<31 { try saro.hear("sync", repairs: (0..<32).map { "a\(round * 32 + $0)" }, content: nil) }
        #expect(saro.sent.count - before == 256)
        saro.now = saro.now + .seconds(1)
        try saro.hear("sync", repairs: ["a999"], content: nil)
        #expect(saro.sent.last?.id == name("a999"))
    }

    @Test func `clocks at the limits trap nothing, and neither does the end of time (SDS-R4)`() throws {
        for lamport in [0, 1, UInt64.max >> 2, UInt64.max >> 2 + 1, UInt64.max >> 1] {
            var saro = Target()
            try saro.hear("m", lamport: lamport)
            try saro.send("a")
            try saro.hear("n", lamport: lamport, after: ["a", "m"])
            #expect(saro.delivered == ["m", "n"] && saro.channel.lamport <= UInt64.max >> 2 + 2)
        }
        for time in [UInt64.max - 1, .max] {
            var saro = Target()
            saro.now = Timestamp(milliseconds: time)
            for id in ["a", "b", "c"] { try saro.send(id) }
            try saro.hear("m", after: ["x", "c"])
            var step = SDSStep(now: saro.now)
            saro.channel.wake(in: &step)
            saro.channel.hurry(in: &step)
        }
    }

    @Test func `an own message that was named before it was sent is no loss (SDS-10)`() throws {
        var saro = Target()
        try saro.hear("m", after: ["a"])
        try saro.send("a")
        saro.pass(day * 2)
        #expect(saro.delivered == ["m"])
        #expect(!saro.events.contains { if case .lost = $0 { true } else { false } })
    }

    @Test func `without a link nothing is given up as lost, and time is left when it is back (SDS-10)`() throws {
        var saro = Target()
        try saro.hear("m", after: ["x"])
        saro.channel.loseLink(now: saro.now)
        saro.pass(day * 3)
        #expect(saro.channel.missing == [name("x")] && saro.delivered.isEmpty && saro.idleWakes < 4)
        try saro.hear("sync", content: nil)
        saro.pass(.seconds(86_000))
        #expect(saro.channel.missing == [name("x")])
        saro.pass(.seconds(500))
        #expect(saro.delivered == ["m"] && saro.channel.missing.isEmpty)
    }

    @Test func `who is there and acknowledges nothing is not sent everything every few seconds (SDS-R8)`() throws {
        var saro = Target()
        for index in 0..<64 { try saro.send("a\(index)") }
        for _ in 0..<150 {
            try saro.hear("sync", content: nil)
            saro.pass(.seconds(2))
        }
        let before = saro.sent.count
        for _ in 0..<150 {
            try saro.hear("sync", content: nil)
            saro.pass(.seconds(2))
        }
        #expect(saro.sent.count - before < 64 * 4, "\(saro.sent.count - before) in five minutes")
    }
}

/// Saro's whole conversation, and Raya's end of the ratchet in the hands of somebody who means ill.
private struct Ambush {
    var saro: PrivateV1.Compact
    var raya: PrivateV1.Ratchet
    let names: ReliableNames
    var now = start
    var alarm: Timestamp? { saro.nextWake }
    var events: [Event] = []
    var payloads = 0
    var bytes = 0
    var refusals = 0
    var records: [String: Record] = [:]
    private var nextContent: UInt64 = 2
    private(set) var idleWakes = 0
    private let random = SeededRandom(11)

    init() throws {
        let pair = try Pair<PrivateV1.Compact>()
        (saro, raya, names) = (pair.saro, pair.raya.stage.inner, pair.raya.stage.names)
        store()
        wake(.published(ContentID(1)))
    }

    private mutating func store() {
        for record in saro.takeChanges() { records[record.key] = record.bytes == nil ? nil : record }
    }

    private mutating func take(_ turn: inout Step) {
        store()
        events += turn.events
        payloads += turn.sends.count
        bytes += turn.sends.reduce(0) { $0 + $1.routed.payload.count }
    }

    mutating func wake(_ signal: Signal) {
        var turn = Step(now: now, headRoom: 5, random: random)
        saro.handle(signal, in: &turn)
        take(&turn)
    }

    mutating func say(_ content: Content) throws(Refusal) {
        var turn = Step(now: now, maximumPayload: 2_000, headRoom: 5, random: random)
        try saro.perform(.send(content), as: ContentID(nextContent), in: &turn)
        nextContent += 1
        take(&turn)
    }

    /// Raya encrypts whatever it is, and Saro gets it.
    mutating func hear(raw bytes: Bytes) throws {
        var turn = Step(now: now, random: random)
        try raya.perform(.send(bytes), as: ContentID(1), in: &turn)
        let routed = try #require(turn.sends.first?.routed)
        var saros = Step(now: now, headRoom: 5, random: random)
        try saro.receive(routed, in: &saros)
        take(&saros)
        // Replayed by a stranger, it changes nothing.
        var again = Step(now: now, headRoom: 5, random: random)
        #expect(throws: Refusal.self) { try saro.receive(routed, in: &again) }
        #expect(again.events.isEmpty && again.sends.isEmpty && saro.takeChanges().isEmpty)
    }

    mutating func hear(_ message: SDSMessage) throws { try hear(raw: message.encoded()) }

    mutating func hear(
        _ id: String, lamport: UInt64? = 1_700_000_000_001, after: [String] = [], repairs: [String] = [],
        _ content: Bytes?
    ) throws {
        try hear(
            SDSMessage(
                sender: names.own, id: name(id), channel: names.channel, lamport: lamport,
                history: after.map { .init(name($0)) }, repairs: repairs.map { .init(name($0)) }, content: content))
    }

    mutating func pass(_ time: Duration) {
        let end = now + time
        while let next = alarm, next <= end {
            idleWakes = next <= now ? idleWakes + 1 : 0
            guard idleWakes < 200 else { break }
            now = max(now, next)
            wake(.due)
        }
        now = max(now, end)
    }

    mutating func restart() throws {
        saro = try PrivateV1.Compact(restoring: Array(records.values))
        wake(.restored)
    }

    var own: [String] { saro.stage.channel.unacknowledged.map(\.text) }
    var contents: [Content] { ChatConversationTests.contents(events) }
    var refused: [String] {
        events.compactMap { if case .refused(let refusal) = $0 { refusal.cause.code } else { nil } }
    }

    /// Final statuses of each content.
    var final: [ContentID: [ContentStatus]] {
        events.reduce(into: [:]) { statuses, event in
            guard case .status(let id, let status) = event else { return }
            switch status {
            case .delivered, .cancelled, .failed: statuses[id, default: []].append(status)
            default: return
            }
        }
    }
}

private func frame(_ text: String, at time: UInt64 = 1) -> Bytes {
    ReliableFrame(timestamp: time, .content(Bytes(text))).encoded()
}

private func segments(_ frame: Bytes, size: Int) throws -> [SegmentMessage] {
    try Segmentation(segmentSize: size).split(frame).map { bytes throws in try SegmentMessage(decoding: bytes) }
}

struct HostilePeerTests {
    @Test func `segments that contradict each other are refused, and what is whole still arrives (SEG-R3, SEG-09)`()
        throws
    {
        var saro = try Ambush()
        let good = try segments(frame("as it should be"), size: 5)
        var (more, beyond, forged, empty) = (good[1], good[1], good[2], good[1])
        more.dataCount += 1
        beyond.place = .data(beyond.dataCount)
        forged.payload = "wrong"
        empty.payload = Bytes()
        try saro.hear("g0", good[0].encoded())
        for (index, segment) in [more, beyond, empty].enumerated() { try saro.hear("bad\(index)", segment.encoded()) }
        try saro.hear("junk", Bytes([0xFF, 0xFF, 0xFF]))
        try saro.hear(raw: Bytes([0xFF, 0xFF, 0xFF]))
        try saro.hear(raw: Bytes())
        // One more segment is another cut of the same frame, which never gets whole (SEG-R8).
        #expect(saro.refused.count == 5 && saro.contents.isEmpty)
        for (index, segment) in good.dropFirst().enumerated() { try saro.hear("g\(index + 1)", segment.encoded()) }
        #expect(saro.contents == ["as it should be"])
        // The forged one comes first this time: nothing is delivered, and all of them are forgotten.
        let next = try segments(frame("another one here"), size: 5)
        forged.hash = next[2].hash
        try saro.hear("f", forged.encoded())
        for (index, segment) in next.enumerated() where index != 2 { try saro.hear("n\(index)", segment.encoded()) }
        #expect(saro.contents.count == 1 && saro.refused.count == 6 && saro.saro.stage.reassembler.load.payloads == 0)
    }

    @Test func `a forged sender, channel or clock is refused, and the conversation goes on (PV1-12, SDS-R3)`() throws {
        var saro = try Ambush()
        let segment = try segments(frame("hello"), size: 100)[0].encoded()
        let (own, channel) = (saro.names.own, saro.names.channel)
        for message in [
            SDSMessage(sender: saro.names.peer, id: name("a"), channel: channel, lamport: 5, content: segment),
            SDSMessage(sender: name("pax"), id: name("a"), channel: channel, lamport: 5, content: segment),
            SDSMessage(sender: own, id: name("a"), channel: name("other"), lamport: 5, content: segment),
            SDSMessage(sender: own, id: name("a"), channel: channel, lamport: .max, content: segment),
            SDSMessage(sender: own, id: name(saro.own[0]), channel: channel, lamport: 5, content: segment),
        ] { try saro.hear(message) }
        #expect(saro.refused.count == 5 && saro.contents.isEmpty && saro.final.isEmpty)
        try saro.hear("a", segment)
        #expect(saro.contents == ["hello"])
    }

    @Test func `a clock at the limit keeps times unequal, and each side's parity (REL-2, SDS-R4)`() throws {
        var saro = try Ambush()
        for lamport in [UInt64.max >> 2, UInt64.max >> 1] {
            try saro.hear("m\(lamport)", lamport: lamport, try segments(frame("\(lamport)"), size: 100)[0].encoded())
        }
        for _ in 0..<3 { try saro.say("equal") }
        let order = saro.saro.stage.channel.order.suffix(4).map(\.lamport)
        #expect(Set(saro.own).count == 4 && order.dropLast().allSatisfy { $0 >= UInt64.max >> 2 && $0 & 1 == 0 })
    }

    @Test func `a tiny message makes us send a bounded number of bytes, however often it comes (SDSR-06, SDS-R7)`()
        throws
    {
        var saro = try Ambush()
        for index in 0..<64 { try saro.say(Bytes([UInt8](repeating: UInt8(index), count: 1_000))) }
        let before = saro.bytes
        for round in 0..<50 {
            try saro.hear("sync", repairs: saro.own.suffix(60).shuffled(), nil)
            saro.pass(.milliseconds(round % 10 == 9 ? 1_000 : 0))
        }
        // In five seconds: each once in a second because of requests, and what is sent again anyway.
        #expect(saro.bytes - before < (6 * 65 + 3 * 65) * 1_500, "\(saro.bytes - before) bytes")
        #expect(saro.idleWakes < 4)
    }

    @Test func `what the other side does not acknowledge fails once, and late acknowledgements change nothing (REL-8)`()
        throws
    {
        var saro = try Ambush()
        try saro.say(Bytes([UInt8](repeating: 1, count: 3_000)))
        try saro.say("second")
        let ids = saro.own
        #expect(ids.count > 3)
        try saro.hear("sync", after: [ids[1]], nil)
        saro.pass(day * 8)
        try saro.hear("sync", lamport: 1_800_000_000_000, after: ids, nil)
        try saro.restart()
        try saro.hear("sync", lamport: 1_800_000_000_000, after: ids, nil)
        #expect(saro.final[ContentID(1)] == [.delivered], "the ancestor of a segment")
        for content in [ContentID(2), ContentID(3)] {
            #expect(saro.final[content]?.count == 1)
            guard case .failed? = saro.final[content]?.first else { throw Unexpected() }
        }
        #expect(saro.own.isEmpty)
    }

    private struct Unexpected: Error {}

    @Test(arguments: 1...2)
    func `whatever a peer sends, work is bounded, statuses are said once and nothing comes twice (SDS-06, REL-8)`(
        seed: UInt64
    ) throws {
        var saro = try Ambush()
        var dice = SplitMix64(seed: seed)
        var pool = ["sync", "I", "x", String(repeating: "y", count: 255)]
        for round in 0..<75 {
            func some(_ count: Int) -> [String] {
                (0..<count).map { _ in dice.below(3) == 0 ? "u\(dice.below(5_000))" : pool[dice.below(pool.count)] }
            }
            let lamports = [nil, 0, 1, UInt64.max >> 2, UInt64.max >> 1, .max, saro.now.milliseconds]
            let text = "content \(round)"
            let cut = try segments(frame(text, at: UInt64(round)), size: [4, 100][dice.below(2)])
            var segment = cut[dice.below(cut.count)]
            if dice.below(5) == 0 { segment.dataCount = 1 + dice.below(255) }
            let id = dice.below(4) == 0 ? pool[dice.below(pool.count)] : "m\(round)"
            let (events, payloads) = (saro.events.count, saro.payloads)
            try saro.hear(
                id, lamport: lamports[dice.below(lamports.count)], after: some(dice.below(12) * dice.below(12)),
                repairs: some(dice.below(40)), dice.below(4) == 0 ? nil : segment.encoded())
            #expect(saro.events.count - events < 600 && saro.payloads - payloads <= 32)
            pool.append(id)
            if dice.below(3) == 0 {
                try saro.say(Bytes("own \(round)"))
                pool += saro.own.suffix(1)
            }
            if dice.below(4) == 0 { saro.pass(.milliseconds(dice.below(30_000))) }
            if dice.below(30) == 0 { saro.pass(.seconds(dice.below(90_000))) }
            if dice.below(30) == 0 { try saro.restart() }
            if dice.below(50) == 0 { saro.wake(.linkLost(on: nil)) }
            if dice.below(50) == 0 { saro.wake(.linkBack(on: nil)) }
            if pool.count > 120 { pool.removeFirst(40) }
        }
        saro.pass(day * 10)
        #expect(saro.idleWakes < 4)
        #expect(saro.saro.stage.channel.waiting.isEmpty && saro.saro.stage.channel.missing.isEmpty && saro.own.isEmpty)
        #expect(saro.final.values.allSatisfy { $0.count == 1 })
        let references = saro.events.compactMap { event in
            if case .content(let received) = event { received.reference } else { nil }
        }
        #expect(Set(references).count == references.count, "a message came twice")
        // The stored state is the state.
        let restored = try PrivateV1.Compact(restoring: Array(saro.records.values))
        #expect(restored.messageOrder == saro.saro.messageOrder)
    }
}
