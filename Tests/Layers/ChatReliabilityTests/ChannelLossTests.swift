import ChatCrypto
import ChatModel
import TestSupport
import Testing

@testable import ChatReliability

private let start = Timestamp(milliseconds: 1_700_000_000_000)

/// Participants of a reliable channel in virtual time; each may be cut off or away.
private struct Room {
    var channels: [ReliableChannel] = []
    var events: [[ReliableChannel.Event]] = []
    var stores: [[String: Bytes]] = []
    var isCut: Set<Int> = []
    var isAway: Set<Int> = []
    private(set) var now = start
    private(set) var published = 0
    private let configuration: ChannelConfiguration
    private var random: any RandomSource = SeededRandom(7)

    init(_ names: [String], _ configuration: ChannelConfiguration = ChannelConfiguration()) throws {
        self.configuration = configuration
        for index in names.indices {
            channels.append(try make(names[index], of: names.count))
            events.append([])
            stores.append([:])
        }
    }

    private mutating func make(_ name: String, of count: Int) throws -> ReliableChannel {
        var channel = try ReliableChannel("c", on: "topic", senderID: name, configuration, random: &random, now: now)
        channel.participants = count
        return channel
    }

    @discardableResult
    mutating func say(_ content: Content, _ index: Int) throws -> ReliableChannel.RequestID {
        try channels[index].send(content, now: now)
    }

    /// Lets time pass in steps.
    mutating func pass(_ time: Duration, step: Duration = .milliseconds(500)) {
        let end = now + time
        while now < end {
            for index in channels.indices where !isAway.contains(index) { work(index) }
            now = now + step
        }
    }

    private mutating func work(_ index: Int) {
        channels[index].wake(now: now)
        for dispatch in channels[index].takeDispatches(now: now) {
            published += 1
            channels[index].didDispatch(dispatch)
            guard !isCut.contains(index) else { continue }
            for other in channels.indices where other != index && !isAway.contains(other) {
                channels[other].receive(dispatch.payload, now: now)
            }
        }
        for record in channels[index].takeChanges() { stores[index][record.key] = record.bytes }
        events[index] += channels[index].takeEvents()
    }

    mutating func restart(_ index: Int) throws {
        let count = channels[index].participants
        channels[index] = try ReliableChannel(restoring: stores[index].map { Record($0, $1) }, configuration)
        channels[index].participants = count
        channels[index].resume(since: now, now: now)
    }

    /// Joins under the same name, without records.
    mutating func rejoin(_ index: Int) throws {
        channels[index] = try make(channels[index].senderID, of: channels.count)
        (events[index], stores[index]) = ([], [:])
    }

    func received(_ index: Int) -> [Content] {
        events[index].compactMap { if case .received(let content, _) = $0 { content } else { nil } }
    }

    func count(_ index: Int, _ isMeant: (ReliableChannel.Event) -> Bool) -> Int { events[index].count { isMeant($0) } }

    func delivered(_ index: Int) -> Int { count(index) { if case .delivered = $0 { true } else { false } } }
    func failed(_ index: Int) -> Int { count(index) { if case .deliveryError = $0 { true } else { false } } }
}

struct ChannelLossTests {
    @Test(arguments: [false, true], [1, 2_000])
    func `equal contents are distinct, and heard as often as they were said (RCH-4, SEG-R7)`(
        parity: Bool, size: Int
    ) throws {
        var configuration = ChannelConfiguration()
        (configuration.segmentSizeBytes, configuration.enableReedSolomon) = (256, parity)
        var room = try Room(["saro", "raya", "pax"], configuration)
        let content = Bytes([UInt8](repeating: 7, count: size))
        for round in 0..<4 {
            try room.say(content, 0)
            room.pass(.seconds(round == 2 ? 700 : 60))
            if round == 1 { try room.restart(1) }
        }
        for index in [1, 2] { #expect(room.received(index) == Array(repeating: content, count: 4)) }
        #expect(room.delivered(0) == 4)
    }

    @Test func `what the own quota holds back is not given up (RC-05, RCH-1)`() throws {
        var configuration = ChannelConfiguration()
        configuration.rateLimit = DeliveryLimits.Rate(payloads: 2, epoch: .seconds(600))
        var room = try Room(["saro", "raya"], configuration)
        for index in 0..<6 { try room.say(Bytes("\(index)"), 0) }
        room.pass(.seconds(6 * 3_600), step: .seconds(1))
        #expect(room.received(1) == (0..<6).map { Bytes("\($0)") })
        #expect(room.failed(0) == 0)
    }

    @Test func `who is there and does not hear it uses up the tries, and nothing else waits for it (RCH-1, SDS-R11)`()
        throws
    {
        var room = try Room(["saro", "raya"])
        try room.say(Bytes("before"), 0)
        room.pass(.seconds(5))
        room.isCut = [0]
        let lost = try room.say(Bytes("lost"), 0)
        for second in 0..<60 {
            if second % 4 == 0 { try room.say(Bytes("raya \(second)"), 1) }
            #expect(room.failed(0) == 0 || second >= 29, "failed after \(second) s")
            room.pass(.seconds(1))
        }
        let words = "sent again and not acknowledged; whether others have it is unknown"
        #expect(room.events[0].filter { $0 == .deliveryError(lost, words) }.count == 1)
        room.isCut = []
        try room.say(Bytes("after"), 0)
        room.pass(.seconds(400))
        #expect(room.received(1) == [Bytes("before"), Bytes("after")])
        #expect(room.delivered(0) == 2)
    }

    @Test(arguments: [40, 600, 86_400], [false, true])
    func `a silence uses up no tries, however long, over a restart or not (RCH-1)`(
        seconds: Int, restarts: Bool
    ) throws {
        var room = try Room(["saro", "raya", "pax"])
        try room.say(Bytes("before"), 0)
        room.pass(.seconds(5))
        room.isCut = [0, 1, 2]
        try room.say(Bytes("in the silence"), 0)
        let before = room.published
        room.pass(.seconds(seconds), step: .seconds(seconds > 1_000 ? 5 : 1))
        #expect(room.published - before < 600, "\(room.published - before) payloads")
        if restarts {
            room.isAway = [0]
            room.pass(.seconds(60))
            room.isAway = []
            try room.restart(0)
        }
        room.isCut = []
        room.pass(.seconds(1_200))
        for index in [1, 2] { #expect(room.received(index) == [Bytes("before"), Bytes("in the silence")]) }
        #expect(room.failed(0) == 0 && room.delivered(0) == 2)
    }

    @Test func `after seven days of silence a content fails, and what follows is heard (RCH-1, SDS-R11)`() throws {
        var room = try Room(["saro", "raya"])
        room.isCut = [0, 1]
        try room.say(Bytes("old"), 0)
        room.pass(.seconds(7 * 86_400 + 700), step: .seconds(60))
        #expect(room.failed(0) == 1)
        room.isCut = []
        try room.say(Bytes("new"), 0)
        room.pass(.seconds(700))
        #expect(room.received(1) == [Bytes("new")] && room.delivered(0) == 1)
    }

    @Test func `a restart and a lost link use up no tries (SDS-R10, RCH-1)`() throws {
        var room = try Room(["saro", "raya"])
        room.isCut = [0]
        try room.say(Bytes("one"), 0)
        room.pass(.seconds(2))
        room.isAway = [0]
        room.pass(.seconds(600))
        room.isAway = []
        try room.restart(0)
        room.channels[0].loseLink(now: room.now)
        try room.say(Bytes("two"), 0)
        room.pass(.seconds(600))
        room.isCut = []
        room.channels[0].resume(since: room.now, now: room.now)
        room.pass(.seconds(60))
        #expect(room.received(1) == [Bytes("one"), Bytes("two")] && room.failed(0) == 0)
    }

    @Test func `acknowledged segments are kept until their content is whole (RCH-5)`() throws {
        var configuration = ChannelConfiguration()
        configuration.segmentSizeBytes = 256
        configuration.rateLimit = DeliveryLimits.Rate(payloads: 1, epoch: .seconds(900))
        var room = try Room(["saro", "raya"], configuration)
        let content = Bytes([UInt8](repeating: 9, count: 700))
        try room.say(content, 0)
        room.pass(.seconds(6 * 3_600), step: .seconds(1))
        #expect(room.received(1) == [content] && room.delivered(0) == 1)
    }

    @Test(arguments: [false, true])
    func `who joins again without records hears what is said next within minutes, for few payloads (SDS-R12)`(
        restarts: Bool
    ) throws {
        var room = try Room(["saro", "raya", "pax"])
        for index in 0..<400 {
            try room.say(Bytes("saro \(index)"), 0)
            try room.say(Bytes("raya \(index)"), 1)
            room.pass(.seconds(2))
        }
        room.pass(.seconds(60))
        try room.rejoin(1)
        room.pass(.milliseconds(500))
        if restarts { try room.restart(1) }
        room.pass(.milliseconds(500))
        let before = room.published
        for index in 0..<10 {
            try room.say(Bytes("new \(index)"), 0)
            room.pass(.seconds(60))
        }
        room.pass(.seconds(300))
        #expect(room.received(1).suffix(10) == (0..<10).map { Bytes("new \($0)") })
        #expect(room.published - before < 500, "\(room.published - before) payloads")
    }
}
