import ChatCodec
import ChatModel
import TestSupport
import Testing

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
