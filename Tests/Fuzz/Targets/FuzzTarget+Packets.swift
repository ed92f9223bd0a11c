import ChatDeliveryService
import ChatModel

extension FuzzTarget {
    /// A relay and a client, each with a session in which packets of well-formed frames contradict one another.
    static func packets() -> [FuzzTarget] {
        let meeting = Meeting()
        return [
            generated("udp-relay") { choices, steps in
                var run = RelayRun(meeting)
                for _ in 0..<steps where !choices.isOver { try run.step(&choices) }
            },
            generated("udp-client") { choices, steps in
                var run = ClientRun(meeting)
                for _ in 0..<steps where !choices.isOver { try run.step(&choices) }
            },
        ]
    }
}

/// A relay that is sent what a maker makes.
private struct RelayRun {
    private var relay: RelayCore
    private var now: MonotonicInstant
    private var maker: PacketMaker
    private let honest: [[UInt8]]
    private var (toStrangers, fromStrangers) = (0, 0)

    init(_ meeting: Meeting) {
        (relay, now, honest) = (meeting.relay, meeting.now, meeting.toRelay)
        maker = PacketMaker(session: meeting.toRelay.first.flatMap { Datagram.session($0.span) } ?? 0)
    }

    mutating func step(_ choices: inout Choices) throws {
        now = now + MicrosecondSpan(1_000)
        let before = relay.statistics.malformed
        switch choices.below(10) {
        case 0:
            now = now + MicrosecondSpan(choices.wait() & 0xFFFF_FFFF)
            relay.tick(now)
        case 1:
            let datagram = maker.greeting(&choices)
            fromStrangers += datagram.count
            relay.receive(datagram.span, from: Meeting.stranger, now: now)
        case 2:
            let datagram = choices.nearly(choices.one(of: honest) ?? [])
            relay.receive(datagram.span, from: Meeting.saro, now: now)
        default:
            let datagram = maker.packet(&choices) { choices in MessageMaker.request(&choices) }
            relay.receive(datagram.span, from: Meeting.saro, now: now)
        }
        for datagram in try Meeting.written(by: { relay.write(into: &$0, now: now) }) {
            if datagram.peer == Meeting.stranger { toStrangers += datagram.bytes.count }
            maker.note(sent: datagram.bytes)
        }
        try demand(toStrangers <= fromStrangers, "\(toStrangers) bytes to strangers for \(fromStrangers)")
        try demand(relay.statistics.malformed >= before, "a counter went back")
    }
}

/// A client that hears what a maker makes, and that publishes and subscribes meanwhile.
private struct ClientRun {
    private var client: ClientCore
    private var now: MonotonicInstant
    private var maker: PacketMaker
    private let honest: [[UInt8]]
    private var tokens: UInt64 = 100

    init(_ meeting: Meeting) {
        (client, now, honest) = (meeting.client, meeting.now, meeting.toClient)
        maker = PacketMaker(session: meeting.toClient.first.flatMap { Datagram.session($0.span) } ?? 0)
    }

    mutating func step(_ choices: inout Choices) throws {
        now = now + MicrosecondSpan(1_000)
        switch choices.below(12) {
        case 0:
            now = now + MicrosecondSpan(choices.wait() & 0xFFFF_FFFF)
            client.tick(now)
        case 1: client.receive(maker.welcoming(&choices).span, from: Meeting.relay, now: now)
        case 2: client.receive(choices.nearly(choices.one(of: honest) ?? []).span, from: Meeting.relay, now: now)
        case 3: try act(&choices)
        default:
            let datagram = maker.packet(&choices) { choices in MessageMaker.answer(&choices) }
            client.receive(datagram.span, from: Meeting.relay, now: now)
        }
        _ = client.takeEvents()
        for datagram in try Meeting.written(by: { client.write(into: &$0, now: now) }) {
            maker.note(sent: datagram.bytes)
        }
    }

    private mutating func act(_ choices: inout Choices) throws {
        let (address, key) = (DeliveryAddress(choices.text(of: "hall", "yard")), choices.below(4))
        switch choices.below(5) {
        case 0: client.subscribe(address, choices.isOne(of: 2) ? .now : .earliest, key: key, now: now)
        case 1: client.unsubscribe(key)
        case 2: client.stall(key, at: HistoryPosition(epoch: choices.number(), sequence: choices.number()))
        case 3: client.resume(key)
        default:
            tokens += 1
            let payload = Addressed(address, payload: Bytes(choices.bytes(choices.one(of: 0, 1, 64))))
            client.publish(payload, token: tokens, now: now)
        }
    }
}

/// Makes datagrams: the fields are where they belong, and what they say may be anything.
struct PacketMaker {
    let session: UInt64
    private var packet: UInt64 = 1_000
    /// The number of the last packet that the machine sent.
    private var lastSent: UInt64 = 0
    /// A cookie that the machine gave, or that it asked for.
    private var cookie: [UInt8] = []
    /// Whether fields have values that no decoder takes; of others only what they say together may be wrong.
    private var isWild = false

    init(session: UInt64) {
        self.session = session
    }

    /// Learns from what the machine sends.
    mutating func note(sent datagram: [UInt8]) {
        switch try? Datagram(datagram.span) {
        case .data(let number, _): lastSent = number
        case .challenge(let cookie): self.cookie = cookie
        default: break
        }
    }

    /// A packet of the session with several frames; what messages hold comes from a maker of messages.
    mutating func packet(_ choices: inout Choices, _ message: (inout Choices) -> [UInt8]) -> [UInt8] {
        isWild = choices.isOne(of: 5)
        packet = choices.isOne(of: 16) ? choices.number(near: packet) : packet &+ UInt64(1 + choices.below(3))
        var bytes = header(kind: 5, isWild && choices.isOne(of: 4) ? choices.number() : session)
        bytes.append(big: packet)
        for _ in 0...choices.below(6) {
            var frame: [UInt8] = []
            switch choices.below(10) {
            case 0: frame = [1]
            case 1: frame = [0]
            case 2, 3: frame = acknowledgement(&choices)
            case 4, 5: frame = whole(message(&choices), &choices)
            default: frame = fragment(&choices)
            }
            guard bytes.count + frame.count <= UDPFormat.maximumDatagram else { break }
            bytes += frame
        }
        return isWild ? choices.nearly(bytes) : bytes
    }

    /// What somebody who has no session sends.
    mutating func greeting(_ choices: inout Choices) -> [UInt8] {
        let known = choices.isOne(of: 2)
        guard !choices.isOne(of: 4) else { return header(kind: UInt8(choices.below(8)), known ? session : 9) }
        var bytes = header(kind: 1, known ? session : choices.number())
        bytes.append(big: UInt32(truncatingIfNeeded: choices.number()))
        bytes.append(short: choices.nearly(cookie))
        return padded(bytes, &choices)
    }

    /// What a relay says to somebody who asks to be let in.
    mutating func welcoming(_ choices: inout Choices) -> [UInt8] {
        let kind: UInt8 = choices.one(of: 2, 3, 3, 4)
        var bytes = header(kind: kind, choices.isOne(of: 4) ? choices.number() : session)
        switch kind {
        case 2: bytes.append(short: choices.bytes(choices.one(of: 0, 8, 64, 65)))
        case 4: bytes += [UInt8(choices.below(6)), 1, 1]
        default:
            bytes.append(big: choices.number())
            for _ in 0..<6 { bytes.append(big: UInt32(truncatingIfNeeded: choices.number())) }
            for _ in 0..<2 { bytes.append(big: choices.number()) }
        }
        return padded(bytes, &choices)
    }

    private func padded(_ bytes: [UInt8], _ choices: inout Choices) -> [UInt8] {
        guard !choices.isOne(of: 6) else { return choices.nearly(bytes) }
        return bytes + [UInt8](repeating: 0, count: max(0, UDPFormat.maximumDatagram - bytes.count))
    }

    private func header(kind: UInt8, _ session: UInt64) -> [UInt8] {
        var bytes = [UDPFormat.version, kind]
        bytes.append(big: session)
        return bytes
    }

    private func acknowledgement(_ choices: inout Choices) -> [UInt8] {
        var frame: [UInt8] = [2]
        frame.append(big: UInt32(truncatingIfNeeded: choices.number()))
        var ranges: [(first: UInt64, last: UInt64)] = []
        var highest = isWild ? choices.number(near: lastSent) : lastSent - min(lastSent, UInt64(choices.below(3)))
        for _ in 0..<(isWild ? choices.one(of: 0, 1, 16, 17) : 1 + choices.below(3)) {
            let length = UInt64(choices.isOne(of: 8) ? choices.below(1 << 20) : choices.below(3))
            let lowest = isWild ? highest &- length : highest - min(highest, length)
            ranges.append((lowest, highest))
            guard isWild || lowest >= 4 else { break }
            highest = lowest &- 2 &- UInt64(choices.below(3))
        }
        frame.append(UInt8(ranges.count))
        for range in ranges {
            frame.append(big: range.first)
            frame.append(big: range.last)
        }
        return frame
    }

    /// A message in one piece.
    private func whole(_ message: [UInt8], _ choices: inout Choices) -> [UInt8] {
        guard message.count <= UDPFormat.fragmentSize else { return [] }
        let number = number(&choices)
        return fragment(number, distance(number, &choices), total: message.count, index: 0, message)
    }

    /// A piece of a message: often of one of which another piece came, with another size or distance.
    private func fragment(_ choices: inout Choices) -> [UInt8] {
        let number = number(&choices)
        let distance = distance(number, &choices)
        guard !isWild else {
            let total = Int(UInt32(truncatingIfNeeded: choices.number()))
            let index = Int(UInt16(truncatingIfNeeded: choices.number(near: UInt64(UDPFormat.fragments(of: total)))))
            return fragment(number, distance, total: total, index: index, choices.bytes(choices.below(8)))
        }
        let total = choices.one(of: 1_121, 2_241, 11_201, 20, 1, 1_120, 3_361, 1 << 19, 1 << 20, (1 << 20) + 500)
        let count = UDPFormat.fragments(of: total)
        let index = choices.one(of: count - 1, count - 1, count - 1, 0, choices.below(count))
        let length = UDPFormat.range(ofFragment: index, of: total).count
        return fragment(number, distance, total: total, index: index, [UInt8](repeating: 7, count: length))
    }

    private func number(_ choices: inout Choices) -> UInt64 {
        isWild ? choices.number(near: 4_096) : UInt64(choices.below(12))
    }

    private func distance(_ number: UInt64, _ choices: inout Choices) -> UInt32 {
        guard choices.isOne(of: 3) else { return 0 }
        return UInt32(
            truncatingIfNeeded: isWild ? choices.number(near: number) : UInt64(choices.below(Int(number) + 1)))
    }

    private func fragment(_ number: UInt64, _ distance: UInt32, total: Int, index: Int, _ piece: [UInt8]) -> [UInt8] {
        var frame: [UInt8] = [3]
        frame.append(big: number)
        frame.append(big: distance)
        frame.append(big: UInt32(truncatingIfNeeded: total))
        frame.append(big: UInt16(truncatingIfNeeded: index))
        return frame + piece
    }
}

/// Makes what messages of the relay's protocol say.
enum MessageMaker {
    static func request(_ choices: inout Choices) -> [UInt8] {
        var bytes: [UInt8] = []
        switch choices.below(4) {
        case 0, 1:
            bytes = [1]
            for _ in 0..<2 { bytes.append(big: UInt64(choices.below(4))) }
            bytes.append(short: choices.text(of: "hall", "yard"))
            bytes.append(short: choices.isOne(of: 2) ? "" : choices.text(of: "reply"))
            bytes += choices.bytes(choices.one(of: 0, 1, 16, 500))
        case 2:
            bytes = [2]
            bytes.append(
                big: UInt32(truncatingIfNeeded: choices.isOne(of: 4) ? choices.number() : UInt64(choices.below(4))))
            bytes.append(UInt8(choices.below(4)))
            for _ in 0..<2 { bytes.append(big: choices.number()) }
            bytes.append(short: choices.text(of: "hall", "yard"))
        default:
            bytes = [3]
            bytes.append(big: UInt32(choices.below(4)))
        }
        return choices.nearly(bytes)
    }

    static func answer(_ choices: inout Choices) -> [UInt8] {
        var bytes: [UInt8] = []
        let number = UInt32(truncatingIfNeeded: choices.isOne(of: 4) ? choices.number() : UInt64(choices.below(4)))
        switch choices.below(4) {
        case 0, 1:
            bytes = [0x81]
            for _ in 0..<choices.below(5) {
                bytes.append(big: choices.isOne(of: 4) ? choices.number() : UInt64(choices.below(8)))
                bytes.append(UInt8(choices.below(7)))
                for _ in 0..<2 { bytes.append(big: choices.number()) }
            }
        case 2:
            bytes = [0x82]
            bytes.append(big: number)
            bytes.append(big: choices.number())
            for _ in 0..<2 { bytes.append(big: UInt64(choices.below(4))) }
            bytes.append(short: choices.text(of: "", "reply"))
            bytes += choices.bytes(choices.one(of: 0, 1, 16))
        default:
            bytes = [0x83]
            bytes.append(big: number)
            bytes.append(big: choices.number())
        }
        return choices.nearly(bytes)
    }
}

extension [UInt8] {
    /// Appends a number, most significant byte first.
    mutating func append(big number: some FixedWidthInteger & UnsignedInteger) {
        for shift in stride(from: number.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    /// Appends bytes behind one byte that says how many, or seems to.
    mutating func append(short bytes: [UInt8]) {
        append(UInt8(truncatingIfNeeded: bytes.count))
        self += bytes
    }

    /// The same of a text.
    mutating func append(short text: String) { append(short: Array(text.utf8)) }
}
