import ChatCodec
import ChatCrypto
import ChatModel
import ChatReliability

extension FuzzTarget {
    /// A channel of SDS, with and without a filter: messages that contradict, repeat, loop and lie about time.
    static func sds() -> [FuzzTarget] {
        [("sds", SDSSettings()), ("sds-plain", .plain)].map { name, settings in
            generated(name) { choices, steps in
                var run = SDSRun(settings)
                for _ in 0..<steps where !choices.isOver { try run.step(&choices) }
            }
        }
    }

    /// A reassembler: segments of a few payloads that disagree about counts, places and sizes.
    static let segments = generated("segments") { choices, steps in
        var run = SegmentRun()
        for _ in 0..<steps where !choices.isOver { try run.step(&choices) }
    }
}

extension SDSSettings {
    /// Without filter and repair, and with bounds that are soon reached.
    fileprivate static var plain: SDSSettings {
        var settings = SDSSettings()
        (settings.filter, settings.repair) = (nil, nil)
        (settings.limits.log, settings.limits.outgoing, settings.limits.waiting) = (16, 4, 8)
        (settings.limits.missing, settings.limits.kept, settings.limits.keptBytes) = (8, 4, 64)
        return settings
    }
}

/// One participant of a channel, and what others might say in it.
private struct SDSRun {
    private var channel: SDSChannel
    private let settings: SDSSettings
    private var now = Timestamp(milliseconds: 1_700_000_000_000)
    private var stored: [String: Record] = [:]
    private var heard: [Bytes] = []
    private var own = 0
    private static let names = ["saro", "raya", "pax", "zoe"].compactMap { Identifier($0) }
    private static let ids = ["a", "b", "c", "d", "e", "f", "m1", "m2", "m3"].compactMap { Identifier($0) }

    init(_ settings: SDSSettings) {
        self.settings = settings
        channel = SDSChannel(Self.names[0], channel: Self.names[3], settings: settings, now: now)
    }

    mutating func step(_ choices: inout Choices) throws {
        var step = SDSStep(now: now, room: choices.isOne(of: 4) ? choices.below(100) : .max)
        switch choices.below(16) {
        case 0:
            own += 1
            guard let id = Identifier("m\(own)") else { return }
            try? channel.send(Bytes(choices.bytes(choices.one(of: 0, 1, 40))), id: id, in: &step)
        case 1, 2:
            now = now.later(choices.wait())
            step = SDSStep(now: now)
            channel.wake(in: &step)
        case 3: channel.hurry(in: &step)
        case 4: channel.loseLink(now: now)
        case 5: choices.one(of: Self.ids).map { channel.withdraw($0) }
        case 6: choices.one(of: Self.ids).map { channel.setHint(Bytes(choices.bytes(choices.below(4))), for: $0) }
        case 7: try restart()
        default:
            let again = choices.isOne(of: 5) ? choices.one(of: heard).map { Bytes(choices.nearly($0.array)) } : nil
            let bytes = again ?? message(&choices).encoded()
            heard.append(bytes)
            try receive(bytes, in: &step)
        }
        store()
    }

    private mutating func receive(_ bytes: Bytes, in step: inout SDSStep) throws {
        store()
        do throws(Refusal) {
            try channel.receive(bytes, in: &step)
        } catch {
            try demand(step.broadcasts.isEmpty && step.events.isEmpty, "a refused message left something in the step")
            try demand(channel.takeChanges().isEmpty, "a refused message changed the state: \(error)")
        }
    }

    private func message(_ choices: inout Choices) -> SDSMessage {
        func one(_ list: [Identifier], _ choices: inout Choices) -> Identifier { choices.one(of: list) ?? list[0] }
        func entries(_ choices: inout Choices) -> [SDSMessage.HistoryEntry] {
            (0..<choices.one(of: 0, 0, 1, 2, 3, 8)).map { _ in
                let hint = choices.isOne(of: 4) ? Bytes(choices.bytes(choices.one(of: 0, 3))) : nil
                return .init(
                    one(Self.ids, &choices), hint: hint, sender: choices.isOne(of: 2) ? one(Self.names, &choices) : nil)
            }
        }
        let clock = choices.isOne(of: 3) ? choices.number(near: channel.lamport, 1 << 62, 1 << 63) : channel.lamport
        return SDSMessage(
            sender: one(Self.names, &choices), id: one(Self.ids, &choices),
            channel: choices.isOne(of: 12) ? Self.names[1] : Self.names[3],
            lamport: choices.isOne(of: 10) ? nil : clock &+ UInt64(choices.below(4)), history: entries(&choices),
            filter: choices.isOne(of: 3) ? filter(&choices) : nil, repairs: entries(&choices),
            gone: choices.isOne(of: 3) ? entries(&choices) : [],
            content: choices.isOne(of: 6) ? nil : Bytes(choices.bytes(choices.one(of: 0, 1, 9))))
    }

    /// A filter whose numbers fit together, or nearly.
    private func filter(_ choices: inout Choices) -> Bytes {
        let size = choices.one(of: 8, 8, 16, 0, 7, 3_600)
        let bits = choices.isOne(of: 4) ? choices.number(near: UInt64(8 * size)) : UInt64(8 * size)
        let values = [
            (2, choices.number()), (3, choices.number()),
            (4, choices.isOne(of: 4) ? choices.number(near: 32) : UInt64(1 + choices.below(32))), (5, bits),
        ]
        let fill: UInt8 = choices.one(of: 0, 0xFF, 0x55)
        return Bytes(headRoom: 0, count: size + 64) { output in
            output.append(field: 1, Bytes([UInt8](repeating: fill, count: size)))
            for (field, value) in values { output.append(field: field, value) }
        }
    }

    private mutating func store() {
        for record in channel.takeChanges() { stored[record.key] = record.bytes == nil ? nil : record }
    }

    private mutating func restart() throws {
        store()
        let waiting = channel.unacknowledged
        channel = try SDSChannel(restoring: Array(stored.values), settings: settings)
        try demand(channel.unacknowledged == waiting, "after a restart other messages are not acknowledged")
        var step = SDSStep(now: now)
        channel.hurry(in: &step)
    }
}

/// One reassembler, and segments for it.
private struct SegmentRun {
    private var reassembler: Reassembler
    private let limits: ReassemblyLimits
    private var now = Timestamp(milliseconds: 1_700_000_000_000)
    private var stored: [String: Record] = [:]
    /// Payloads in honest segments.
    private static let honest: [[Bytes]] = [40, 100, 250].compactMap { size in
        let parity = size == 40 ? nil : Segmentation.ParityRate(millionths: 500_000)
        return try? Segmentation(segmentSize: 94, parity: parity).split(
            Bytes([UInt8](repeating: UInt8(size), count: size)))
    }

    init() {
        var limits = ReassemblyLimits()
        (limits.payloadsPerSender, limits.payloads, limits.bytesPerSender, limits.bytes) = (3, 5, 1_500, 3_000)
        limits.finished = 4
        (self.limits, reassembler) = (limits, Reassembler(limits: limits))
    }

    mutating func step(_ choices: inout Choices) throws {
        switch choices.below(12) {
        case 0:
            now = now.later(choices.wait())
            _ = reassembler.sweep(now: now)
        case 1:
            store()
            let load = reassembler.load
            reassembler = try Reassembler(restoring: Array(stored.values), limits: limits)
            try demand(reassembler.load == load, "after a restart other segments are kept")
        default: try receive(choices.nearly(segment(&choices)), &choices)
        }
        store()
        try demand(reassembler.load.payloads <= limits.payloads, "\(reassembler.load.payloads) payloads are kept")
        try demand(reassembler.load.bytes <= limits.bytes, "\(reassembler.load.bytes) bytes are kept")
    }

    private mutating func receive(_ bytes: [UInt8], _ choices: inout Choices) throws {
        guard
            case .complete(let whole)? = try? reassembler.receive(
                Bytes(bytes), from: choices.text(of: "saro", "raya", "pax"), now: now)
        else { return }
        guard let segment = try? SegmentMessage(decoding: Bytes(bytes)) else { return }
        try demand(Bytes(Keccak256.hash(whole.span)) == segment.hash, "a payload with another hash")
    }

    /// One of an honest payload, with some of its numbers changed.
    private func segment(_ choices: inout Choices) -> [UInt8] {
        guard let segments = choices.one(of: Self.honest), let bytes = choices.one(of: segments),
            var segment = try? SegmentMessage(decoding: bytes)
        else { return [] }
        guard !choices.isOne(of: 2) else { return bytes.array }
        let index = choices.one(of: 0, 1, 2, 3, 4, 254, 255, 256, Int(UInt32.max))
        switch choices.below(5) {
        case 0: segment.dataCount = choices.one(of: 0, 1, 2, 3, 254, 255, 256, Int(UInt32.max))
        case 1: segment.parityCount = choices.one(of: 0, 1, 2, 3, 200, 254, 255, Int(UInt32.max))
        case 2: segment.place = choices.isOne(of: 2) ? .parity(index) : .data(index)
        case 3: segment.payload = Bytes(choices.bytes(choices.one(of: 0, 1, 29, 30, 31, 64, 65)))
        default: segment.hash = Bytes(choices.nearly(segment.hash.array))
        }
        return segment.encoded().array
    }

    private mutating func store() {
        for record in reassembler.takeChanges() { stored[record.key] = record.bytes == nil ? nil : record }
    }
}
