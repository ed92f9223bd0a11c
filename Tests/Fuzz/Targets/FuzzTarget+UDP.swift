import ChatDeliveryService
import ChatModel

extension FuzzTarget {
    /// The UDP delivery service: datagrams at the relay and at a client, and the messages in them.
    static func udp() throws -> [FuzzTarget] {
        let meeting = Meeting()
        return [messages(meeting), relay(meeting), client(meeting)]
    }

    /// What a message is, once its fragments are together.
    private static func messages(_ meeting: Meeting) -> FuzzTarget {
        let seeds: [[UInt8]] = [
            [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0x61, 0, 1, 2, 3], [3, 0, 0, 0, 1],
        ]
        return FuzzTarget("udp-message", seeds: seeds) { bytes in
            let request = try? Request(Bytes(bytes))
            let answer = try? Answer(Bytes(bytes))
            try demand(request == nil || answer == nil, "a request that is an answer")
            return request != nil || answer != nil
        }
    }

    /// The relay answers strangers with no more than it got, and stops writing.
    private static func relay(_ meeting: Meeting) -> FuzzTarget {
        FuzzTarget("udp-relay", seeds: meeting.toRelay.map(Meeting.script)) { bytes in
            var (relay, now) = (meeting.relay, meeting.now)
            var fromStranger = 0
            for step in Meeting.steps(of: bytes) {
                now = now + MicrosecondSpan(1_000)
                switch step {
                case .datagram(let datagram): relay.receive(datagram.span, from: Meeting.saro, now: now)
                case .fromStranger(let datagram):
                    fromStranger += datagram.count
                    relay.receive(datagram.span, from: Meeting.stranger, now: now)
                case .wait:
                    now = now + MicrosecondSpan(1_000_000)
                    relay.tick(now)
                }
            }
            let written = try Meeting.written { relay.write(into: &$0, now: now) }
            let toStranger = written.filter { $0.peer == Meeting.stranger }.reduce(0) { $0 + $1.bytes.count }
            try demand(toStranger <= fromStranger, "\(toStranger) bytes to a stranger for \(fromStranger)")
            return relay.statistics.malformed == meeting.relay.statistics.malformed
        }
    }

    /// A client takes what its relay says, and stops writing.
    private static func client(_ meeting: Meeting) -> FuzzTarget {
        FuzzTarget("udp-client", seeds: meeting.toClient.map(Meeting.script)) { bytes in
            var (client, now) = (meeting.client, meeting.now)
            for step in Meeting.steps(of: bytes) {
                now = now + MicrosecondSpan(1_000)
                switch step {
                case .datagram(let datagram): client.receive(datagram.span, from: Meeting.relay, now: now)
                case .fromStranger(let datagram): client.receive(datagram.span, from: Meeting.stranger, now: now)
                case .wait:
                    now = now + MicrosecondSpan(1_000_000)
                    client.tick(now)
                }
                _ = client.takeEvents()
            }
            _ = try Meeting.written { client.write(into: &$0, now: now) }
            return client.statistics.malformed == meeting.client.statistics.malformed
        }
    }
}

/// A relay and a client that met, and datagrams that each has for the other.
struct Meeting: Sendable {
    static let saro = NetworkAddress(v4: 0x0A00_0002, port: 40_000)
    static let relay = NetworkAddress(v4: 0x0A00_0001, port: 9_220)
    static let stranger = NetworkAddress(v4: 0x0A00_0003, port: 40_001)

    private(set) var relay: RelayCore
    private(set) var client: ClientCore
    private(set) var now = MonotonicInstant(microseconds: 1_000_000)
    /// On their way, not delivered.
    private(set) var toRelay: [[UInt8]] = []
    private(set) var toClient: [[UInt8]] = []

    init() {
        relay = RelayCore(RelayLimits(), random: RepeatableRandom(seed: 1))
        client = ClientCore(
            name: "relay", relays: [Self.relay], UDPConfiguration(), random: RepeatableRandom(seed: 2), now: now)
        client.subscribe("hall", .earliest, key: 1, now: now)
        exchange()
        exchange()
        client.publish(Addressed("hall", payload: Bytes("before"), id: PayloadID(high: 1, low: 1)), token: 1, now: now)
        exchange()
        // What each says next stays on the way: the relay has a payload for the client, the client requests.
        var ahead = self
        client.publish(Addressed("hall", payload: Bytes("next"), id: PayloadID(high: 1, low: 2)), token: 2, now: now)
        client.subscribe("yard", .now, key: 2, now: now)
        let requests = (try? Self.written { [now] in client.write(into: &$0, now: now) }) ?? []
        for request in requests { ahead.relay.receive(request.bytes.span, from: Self.saro, now: now) }
        let answers = (try? Self.written { [now] in ahead.relay.write(into: &$0, now: now) }) ?? []
        (toRelay, toClient) = (requests.map(\.bytes), answers.map(\.bytes))
    }

    /// Delivers everything both ways until nobody has more to say.
    private mutating func exchange() {
        for _ in 0..<20 {
            now = now + MicrosecondSpan(30_000)
            client.tick(now)
            relay.tick(now)
            for one in (try? Self.written { [now] in client.write(into: &$0, now: now) }) ?? [] {
                relay.receive(one.bytes.span, from: Self.saro, now: now)
            }
            for one in (try? Self.written { [now] in relay.write(into: &$0, now: now) }) ?? [] {
                client.receive(one.bytes.span, from: Self.relay, now: now)
            }
            _ = client.takeEvents()
        }
    }

    /// Everything that somebody writes, each datagram within its bound; it must come to an end.
    static func written(
        by write: (inout DatagramBatch) -> Void
    ) throws -> [(bytes: [UInt8], peer: NetworkAddress)] {
        var (batch, result) = (DatagramBatch(), [(bytes: [UInt8], peer: NetworkAddress)]())
        for _ in 0..<1_000 {
            batch.removeAll()
            write(&batch)
            for index in 0..<batch.count { result.append((batch.datagram(index), batch.peer(index))) }
            guard batch.isFull else { break }
        }
        try demand(!batch.isFull, "no end of writing")
        let largest = result.map(\.bytes.count).max() ?? 0
        try demand(largest <= UDPFormat.maximumDatagram, "a datagram of \(largest) bytes")
        return result
    }

    enum Step {
        case datagram([UInt8])
        case fromStranger([UInt8])
        case wait
    }

    /// A datagram as an input: a byte that says what it is, two for its length, most significant first, and its bytes.
    static func script(_ datagram: [UInt8]) -> [UInt8] {
        [0, UInt8(datagram.count >> 8), UInt8(datagram.count & 0xFF)] + datagram
    }

    /// What an input says is to happen.
    static func steps(of script: [UInt8]) -> [Step] {
        var (steps, rest) = ([Step](), script[...])
        while let kind = rest.popFirst(), steps.count < 64 {
            guard kind % 4 != 3 else {
                steps.append(.wait)
                continue
            }
            guard let high = rest.popFirst(), let low = rest.popFirst() else { break }
            let bytes = Array(rest.prefix(Int(high) << 8 | Int(low)))
            rest = rest.dropFirst(bytes.count)
            steps.append(kind % 4 == 2 ? .fromStranger(bytes) : .datagram(bytes))
        }
        return steps
    }
}
