import ChatCodec
import ChatModel
import TestSupport
import Testing

@testable import ChatConversation
@testable import ChatReliability

private func name(_ text: String) -> Identifier { Identifier(text) ?? Identifier() }
private let start = Timestamp(milliseconds: 1_700_000_000_000)
private let day = Duration.seconds(86_400)

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
