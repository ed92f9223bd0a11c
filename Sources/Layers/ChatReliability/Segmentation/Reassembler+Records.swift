import ChatCodec
public import ChatModel
import ChatRecords

// How unfinished and finished payloads are stored: a record for each segment, and one for each payload done with.
extension Reassembler {
    private static let stored = RecordCodec(machine: "reassembler")
    private static let segmentPrefix = "segment/"
    private static let finishedPrefix = "finished/"

    /// Takes up all records of an earlier run; those of another version or form are refused.
    public init(restoring records: [Record], limits: ReassemblyLimits = ReassemblyLimits()) throws(Refusal) {
        self.init(limits: limits)
        var done: [(key: Key, entry: FinishedPayloads.Entry)] = []
        for record in records {
            let message: StoredSegment = try Self.stored.message(record)
            if record.key.hasPrefix(Self.finishedPrefix) {
                let serial = try Self.stored.count(in: record.key, behind: Self.finishedPrefix)
                let bytes = message.bytes.array
                let (hash, left) = (bytes.prefix(Self.hashSize), bytes.dropFirst(Self.hashSize))
                done.append(
                    (
                        Key(sender: message.sender, hash: Bytes(Array(hash))),
                        .init(serial: serial, left: Dictionary(left.map { ($0, 1) }) { $0 + $1 })
                    ))
            } else {
                try restore(message, record.key)
            }
        }
        finished = FinishedPayloads(done)
    }

    private mutating func restore(_ message: StoredSegment, _ name: String) throws(Refusal) {
        let parts = name.split(separator: "/")
        guard name.hasPrefix(Self.segmentPrefix), parts.count == 3, let serial = UInt64(parts[1]),
            serial <= RecordCodec.largestCount,
            let segment = try? SegmentMessage(decoding: message.bytes)
        else { throw Self.stored.unreadable(name) }
        let cut = limits.takesCutAnew ? segment.dataCount : 0
        let key = Key(sender: message.sender, hash: Bytes(copying: segment.hash.span), cut: cut)
        if let known = pending[key] {
            guard known.serial == serial, case .some(false) = try? known.has(segment) else {
                throw Self.stored.unreadable(name)
            }
        }
        insert(segment, key, serial: serial, now: message.time)
    }

    /// The records that changed since the last call.
    public mutating func takeChanges() -> [Record] {
        defer { changes.removeAll() }
        return changes
    }

    mutating func store(_ segment: SegmentMessage, _ key: Key, _ serial: UInt64, _ now: Timestamp) {
        let message = StoredSegment(sender: key.sender, time: now, bytes: segment.encoded())
        changes.append(Self.stored.record(Self.key(serial, segment.place), message))
    }

    mutating func unstore(_ payload: PendingPayload) {
        for (index, segment) in payload.data.enumerated() where segment != nil {
            changes.append(Record(Self.key(payload.serial, .data(index)), nil))
        }
        for (index, segment) in payload.parity.enumerated() where segment != nil {
            changes.append(Record(Self.key(payload.serial, .parity(index)), nil))
        }
    }

    /// Bytes of a payload's hash; in a record, the indices of segments that have not come follow.
    private static let hashSize = 32

    mutating func store(_ key: Key, finished entry: FinishedPayloads.Entry) {
        let left = entry.left.sorted { $0.key < $1.key }.flatMap { [UInt8](repeating: $0.key, count: $0.value) }
        let bytes = left.isEmpty ? key.hash : Bytes(key.hash.array + left)
        let message = StoredSegment(sender: key.sender, time: .zero, bytes: bytes)
        changes.append(Self.stored.record(Self.finishedKey(entry.serial), message))
    }

    static func finishedKey(_ serial: UInt64) -> String { finishedPrefix + String(serial) }

    private static func key(_ serial: UInt64, _ place: SegmentMessage.Place) -> String {
        switch place {
        case .data(let index): "\(segmentPrefix)\(serial)/\(index)"
        case .parity(let index): "\(segmentPrefix)\(serial)/p\(index)"
        }
    }
}

/// A segment as it is stored, or the hash of a payload done with.
private struct StoredSegment: ProtoMessage {
    /// Field 1.
    var sender: String
    /// Field 2: when it came.
    var time: Timestamp
    /// Field 3: the encoded segment, or the hash.
    var bytes: Bytes

    init(sender: String, time: Timestamp, bytes: Bytes) {
        (self.sender, self.time, self.bytes) = (sender, time, bytes)
    }

    init(decoding bytes: Bytes) throws(WireError) {
        self.init(sender: "", time: .zero, bytes: [])
        var reader = ProtoReader(bytes.span)
        while let field = try reader.next() {
            switch field {
            case 1: sender = try reader.string(limit: ReassemblyLimits.maximumSender)
            case 2: time = Timestamp(milliseconds: try reader.uint64())
            case 3: self.bytes = bytes.slice(try reader.range())
            default: continue
            }
        }
    }

    var size: Int {
        ProtoSize.field(1, count: sender.utf8.count) + ProtoSize.field(2, time.milliseconds)
            + ProtoSize.field(3, count: bytes.count)
    }

    @_lifetime(output: copy output)
    func write(to output: inout OutputSpan<UInt8>) {
        output.append(field: 1, sender)
        output.append(field: 2, time.milliseconds)
        output.append(field: 3, bytes)
    }
}
