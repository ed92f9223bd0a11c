import ChatCrypto
import ChatModel
import TestSupport
import Testing

@testable import ChatReliability

private let start = Timestamp(milliseconds: 1_700_000_000_000)

/// Some participants of one channel over an address that loses, with a clock of their own.
private struct ChannelNetwork {
    var channels: [ReliableChannel] = []
    var events: [[ReliableChannel.Event]] = []
    var stores: [[String: Bytes]] = []
    var now = start
    var loss = 0
    private(set) var published: [(at: Timestamp, payload: Payload)] = []
    private var dice: SplitMix64
    private let configuration: ChannelConfiguration

    init(_ names: [String?], _ configuration: ChannelConfiguration = ChannelConfiguration(), seed: UInt64 = 1) throws {
        dice = SplitMix64(seed: seed)
        self.configuration = configuration
        var random: any RandomSource = SeededRandom(seed)
        for name in names {
            var channel = try ReliableChannel(
                "c", on: "topic", senderID: name, configuration, random: &random, now: now)
            channel.participants = names.count
            channels.append(channel)
            events.append([])
            stores.append([:])
        }
    }

    mutating func send(_ content: Content, from index: Int) throws -> ReliableChannel.RequestID {
        try channels[index].send(content, now: now)
    }

    /// Lets time pass in steps of 250 ms.
    mutating func run(_ time: Duration) {
        let end = now + time
        while now < end {
            for index in channels.indices {
                channels[index].wake(now: now)
                for dispatch in channels[index].takeDispatches(now: now) { publish(dispatch, from: index) }
            }
            for index in channels.indices { keep(index) }
            now = now + .milliseconds(250)
        }
    }

    private mutating func publish(_ dispatch: ReliableChannel.Dispatch, from index: Int) {
        published.append((now, dispatch.payload))
        channels[index].didDispatch(dispatch, hint: Bytes(SHA256.hash(dispatch.payload.span)))
        for other in channels.indices where dice.below(100) >= loss {
            channels[other].receive(dispatch.payload, now: now)
        }
    }

    mutating func keep(_ index: Int) {
        for record in channels[index].takeChanges() { stores[index][record.key] = record.bytes }
        events[index] += channels[index].takeEvents()
    }

    /// Stores, forgets and makes one again.
    mutating func restart(_ index: Int) throws {
        keep(index)
        let count = channels[index].participants
        channels[index] = try ReliableChannel(restoring: stores[index].map { Record($0, $1) }, configuration)
        channels[index].participants = count
        channels[index].resume(since: now, now: now)
    }

    func received(_ index: Int) -> [Content] {
        events[index].compactMap { if case .received(let content, _) = $0 { content } else { nil } }
    }

    func count(_ index: Int, _ isMeant: (ReliableChannel.Event) -> Bool) -> Int { events[index].count { isMeant($0) } }
}

private func content(_ count: Int, _ byte: UInt8) -> Content { Bytes([UInt8](repeating: byte, count: count)) }

struct ReliableChannelTests {
    private var small: ChannelConfiguration {
        var configuration = ChannelConfiguration()
        configuration.segmentSizeBytes = 640
        return configuration
    }

    @Test(arguments: 1...4)
    func `contents of any size reach all participants, over losses and restarts (RC-01, RC-03)`(seed: UInt64) throws {
        var configuration = small
        (configuration.maxRetransmissions, configuration.enableReedSolomon) = (200, seed % 2 == 0)
        var network = try ChannelNetwork(["saro", "raya", "pax"], configuration, seed: seed)
        network.loss = 25
        var sent: [Content] = []
        for round in 0..<8 {
            sent.append(content(100 + 700 * (round % 3), UInt8(round)))
            _ = try network.send(sent[round], from: round % 3)
            network.run(.seconds(3))
            try network.restart(Int(seed) % 3)
        }
        network.loss = 0
        network.run(.seconds(700))
        for index in 0..<3 {
            let expected = sent.enumerated().filter { $0.offset % 3 != index }.map(\.element)
            #expect(Set(network.received(index)) == Set(expected) && network.received(index).count == expected.count)
            let delivered = network.count(index) { if case .delivered = $0 { true } else { false } }
            #expect(delivered == sent.enumerated().count { $0.offset % 3 == index })
        }
    }

    @Test func `equal contents have different ids, and each segment its own (RC-02)`() throws {
        var network = try ChannelNetwork(["saro"], small)
        _ = try network.send(content(1_500, 7), from: 0)
        _ = try network.send(content(1_500, 7), from: 0)
        let dispatches = network.channels[0].takeDispatches(now: start)
        #expect(dispatches.compactMap(\.id) == ["1:1", "1:2", "1:3", "2:1", "2:2", "2:3"])
        #expect(Set(dispatches.map(\.message)).count == 6)
        #expect(dispatches.allSatisfy { $0.message.count == 64 })
    }

    @Test func `an identifier is Keccak-256 of sender, nanoseconds and segment (RC-02)`() throws {
        var network = try ChannelNetwork(["saro"], small)
        _ = try network.send(content(3, 7), from: 0)
        let dispatch = try #require(network.channels[0].takeDispatches(now: start).first)
        let segment = try #require(try SDSMessage(decoding: dispatch.payload).content)
        let nanoseconds: [UInt8] = [0x17, 0x97, 0x9c, 0xfe, 0x36, 0x2a, 0x00, 0x00]
        let expected = Keccak256.hash((Array("saro".utf8) + nanoseconds + segment.array).span)
        #expect(dispatch.message.text == hex(expected))
    }

    @Test func `what is dispatched is encrypted after SDS, and nothing else is understood (RC-04)`() throws {
        var configuration = small
        let key: UInt8 = 0x5A
        let flip: @Sendable (Bytes) throws(Refusal) -> Bytes = { bytes in Bytes(bytes.array.map { $0 ^ key }) }
        configuration.encryption = .init(encrypt: flip, decrypt: flip)
        var network = try ChannelNetwork(["saro", "raya"], configuration)
        _ = try network.send(content(1_000, 7), from: 0)
        network.run(.seconds(5))
        #expect(network.received(1) == [content(1_000, 7)])
        let clear = Bytes(network.published[0].payload.array.map { $0 ^ key })
        #expect(try SDSMessage(decoding: clear).sender.text == "saro")
        var other = try ChannelNetwork(["pax"])
        other.channels[0].receive(network.published[0].payload, now: start)
        other.keep(0)
        #expect(other.received(0).isEmpty)
    }

    @Test func `an epoch takes no more than its quota, also over a restart (RC-05)`() throws {
        var configuration = small
        configuration.rateLimit = .init(payloads: 4, epoch: .seconds(600))
        configuration.acknowledgementTimeout = .seconds(4_000)
        var network = try ChannelNetwork(["saro", "raya"], configuration)
        for byte in 0..<10 as Range<UInt8> { _ = try network.send(content(10, byte), from: 0) }
        network.run(.seconds(1))
        try network.restart(0)
        network.run(.seconds(2_400))
        let epochs = Dictionary(grouping: network.published) { $0.at.milliseconds / 600_000 }
        #expect(epochs.values.allSatisfy { $0.count <= 8 }, "two participants, four each")
        #expect(network.received(1).count == 10)
        #expect(try network.channels[0].sendEphemeral(content(1, 1), now: network.now))
        for byte in 0..<4 as Range<UInt8> { _ = try network.send(content(20, byte), from: 0) }
        _ = network.channels[0].takeDispatches(now: network.now)
        #expect(try !network.channels[0].sendEphemeral(content(1, 1), now: network.now), "regular contents go first")
    }

    @Test func `a gap is named with the hint that helps to find it (RC-06)`() throws {
        var network = try ChannelNetwork(["saro", "raya"], small)
        network.loss = 100
        _ = try network.send(content(10, 1), from: 0)
        network.run(.milliseconds(250))
        let lost = network.published[0].payload
        let hint = Bytes(SHA256.hash(lost.span))
        network.loss = 0
        _ = try network.send(content(10, 2), from: 0)
        network.run(.milliseconds(250))
        let hints = network.events[1].compactMap { event -> Bytes? in
            if case .missing(_, let hint) = event { hint } else { nil }
        }
        #expect(hints == [hint])
        #expect(network.channels[1].status == .syncing(received: 0, missing: 1, lost: 0))
        // Found in the service by its hint.
        network.channels[1].receive(lost, now: network.now)
        network.keep(1)
        #expect(network.received(1) == [content(10, 1), content(10, 2)])
        #expect(network.channels[1].status == .synced)
    }

    @Test func `a channel asks for what was missed, at first and after a restart (RC-07)`() throws {
        var network = try ChannelNetwork(["saro"])
        network.run(.seconds(1))
        try network.restart(0)
        network.keep(0)
        #expect(network.events[0] == [.fetch(since: start), .fetch(since: network.now)])
    }

    @Test func `a name that is drawn is unique and is kept (RC-08)`() throws {
        var network = try ChannelNetwork([nil, nil])
        let names = network.channels.map(\.senderID)
        #expect(Set(names).count == 2 && names.allSatisfy { $0.utf8.count == 32 })
        try network.restart(0)
        #expect(network.channels[0].senderID == names[0])
    }

    @Test func `a request ends in one of three ways, and says how far it came`() throws {
        var network = try ChannelNetwork(["saro", "raya"], small)
        network.loss = 100
        let request = try network.send(content(1_500, 1), from: 0)
        network.run(.seconds(1))
        #expect(network.channels[0].progress(of: request) == .init(dispatched: 3, acknowledged: 0, total: 3))
        for _ in 0..<12 {
            let words = SDSMessage(sender: Identifier("raya")!, id: Identifier("sync")!, channel: Identifier("c")!)
            var said = words
            said.lamport = start.milliseconds
            network.channels[0].receive(said.encoded(), now: network.now)
            network.run(.seconds(5))
        }
        let times = "sent again and not acknowledged; whether others have it is unknown"
        #expect(network.events[0].contains(.deliveryError(request, times)))
        #expect(network.channels[0].progress(of: request) == nil)

        let refused = try network.send(content(1_500, 2), from: 0)
        let dispatch = try #require(network.channels[0].takeDispatches(now: network.now).first)
        network.channels[0].didFail(dispatch, "too large")
        network.keep(0)
        #expect(network.events[0].last == .sendError(refused, "too large"))
        #expect(network.channels[0].takeDispatches(now: network.now).isEmpty)
        #expect(throws: Refusal.self) { try network.channels[0].send([], now: network.now) }
    }

    @Test func `records of another version or form are refused (RC-03)`() throws {
        var network = try ChannelNetwork(["saro"], small)
        _ = try network.send(content(1_500, 1), from: 0)
        network.keep(0)
        for (key, bytes) in network.stores[0] {
            var bad = network.stores[0]
            bad[key] = Bytes([9] + bytes.array.dropFirst())
            #expect(throws: Refusal.self, "\(key)") {
                try ReliableChannel(restoring: bad.map { Record($0, $1) }, small)
            }
        }
    }

    @Test func `hostile payloads change nothing but what they may (RC-01)`() throws {
        var network = try ChannelNetwork(["saro", "raya"], small)
        _ = try network.send(content(100, 1), from: 0)
        let valid = try #require(network.channels[0].takeDispatches(now: start).first).payload
        var inputs = HostileInputs(seed: 4, valid: [valid.array])
        var raya = network.channels[1]
        var count = 0
        inputs.forEach(10_000) { bytes in
            raya.receive(Bytes(bytes), now: start)
            count += raya.takeEvents().count
            _ = raya.takeChanges()
        }
        #expect(count > 100 && raya.waitingCount <= SDSSettings.Limits().waiting)
    }
}

extension ReliableChannel {
    fileprivate var waitingCount: Int { channel.waiting.count }
}
