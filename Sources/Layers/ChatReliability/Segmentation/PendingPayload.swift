import ChatCodec
import ChatCrypto
import ChatModel

/// The segments of one payload as they come in.
struct PendingPayload: Sendable {
    /// Names its records.
    let serial: UInt64
    let dataCount, parityCount: Int
    /// When the last new segment came.
    private(set) var touched: Timestamp
    private(set) var data: [Bytes?]
    private(set) var parity: [Bytes?]
    private(set) var count = 0
    /// The segments' share of the limits.
    private(set) var cost = 0
    /// Bytes of every segment but the last of the data, once known.
    private var fullSize: Int?
    /// The last data segment is needed itself: recovered from parity, it ends in too many zeros to tell where.
    var needsTail = false

    init(_ segment: SegmentMessage, serial: UInt64, now: Timestamp) {
        (self.serial, touched) = (serial, now)
        (dataCount, parityCount) = (segment.dataCount, segment.parityCount)
        data = Array(repeating: nil, count: segment.dataCount)
        parity = Array(repeating: nil, count: segment.parityCount)
    }

    /// Whether a segment is here already; refuses one that contradicts what is here.
    func has(_ segment: SegmentMessage) throws(Refusal) -> Bool {
        guard segment.dataCount == dataCount, segment.parityCount == parityCount else {
            let (data, parity) = (segment.dataCount, segment.parityCount)
            throw Self.conflict("\(data)+\(parity) segments instead of \(dataCount)+\(parityCount)")
        }
        let here: Bytes?
        let isLast: Bool
        switch segment.place {
        case .data(let index): (here, isLast) = (data[index], index == dataCount - 1)
        case .parity(let index): (here, isLast) = (parity[index], false)
        }
        if let here {
            guard here == segment.payload else { throw Self.conflict("other bytes at the same place") }
            return true
        }
        let size = segment.payload.count
        if isLast {
            if let fullSize, size > fullSize { throw Self.conflict("last of \(size) bytes, others of \(fullSize)") }
        } else if let fullSize {
            guard size == fullSize else { throw Self.conflict("\(size) bytes, others \(fullSize)") }
        } else if let last = data[dataCount - 1], last.count > size {
            throw Self.conflict("\(size) bytes, last of \(last.count)")
        }
        return false
    }

    private static func conflict(_ what: String) -> Refusal {
        Refusal(.invalid, ReliabilityCause.conflictingSegment(what))
    }

    /// Puts in a segment that is not here.
    mutating func insert(_ segment: SegmentMessage, now: Timestamp) {
        touched = max(touched, now)
        // A slice would keep a whole datagram alive for it.
        let payload = Bytes(copying: segment.payload.span)
        switch segment.place {
        case .data(let index):
            data[index] = payload
            if index < dataCount - 1 { fullSize = payload.count }
        case .parity(let index):
            parity[index] = payload
            fullSize = payload.count
        }
        count += 1
        cost += Self.cost(segment)
    }

    static func cost(_ segment: SegmentMessage) -> Int { segment.payload.count + ReassemblyLimits.segmentCost }

    /// Whether there are enough segments for the whole payload (SEG-08).
    var isReady: Bool { count >= dataCount && (!needsTail || data[dataCount - 1] != nil) }

    /// Segments that are here, of those needed.
    var have: Int { needsTail ? dataCount - 1 : count }

    /// Indices of the segments that have not come, parity behind the data.
    var indicesLeft: [UInt8] {
        (data + parity).enumerated().filter { $0.element == nil }.map { UInt8(clamping: $0.offset) }
    }

    /// The payload that the segments make.
    enum Assembly: Equatable {
        /// The payload with the hash.
        case whole(Bytes)
        /// Not the payload with the hash.
        case mismatch
        /// Where the last segment ends cannot be told in a bounded time (SEG-R4).
        case undecided
    }

    /// The payload with a Keccak-256, from data and if need be parity.
    func assemble(_ hash: Bytes) throws(Refusal) -> Assembly {
        guard data.contains(where: { $0 == nil }) else { return Self.join(data, hash) }
        guard let fullSize else { return .mismatch }
        let code = try ParityCode(dataCount: dataCount, parityCount: parityCount)
        var data = data
        let isLastLost = data[dataCount - 1] == nil
        for (index, shard) in try code.recover(data: data, parity: parity, shardSize: fullSize) { data[index] = shard }
        return isLastLost ? Self.joinWithoutTail(data, hash) : Self.join(data, hash)
    }

    private static func join(_ parts: [Bytes?], _ hash: Bytes) -> Assembly {
        let whole = concatenate(parts)
        return Bytes(Keccak256.hash(whole.span)) == hash ? .whole(whole) : .mismatch
    }

    /// Lengths that are tried at most: each costs a hash step, and a stranger chooses how many there are.
    static let maximumTries = 4_096

    /// Finds how long the last part was before it was filled up with zeros: no segment says it, the hash does.
    private static func joinWithoutTail(_ parts: [Bytes?], _ hash: Bytes) -> Assembly {
        let whole = concatenate(parts)
        guard let full = parts.last??.count else { return .mismatch }
        let bytes = whole.span
        var count = whole.count
        // The last of several segments has a byte at least.
        let shortest = whole.count - full + (parts.count > 1 ? 1 : 0)
        while count > shortest, bytes[count - 1] == 0 { count -= 1 }
        var hasher = Keccak256.Hasher()
        hasher.absorb(bytes.extracting(..<count))
        let end = min(whole.count, count + Self.maximumTries - 1)
        while Bytes(hasher.digest) != hash {
            guard count < end else { return end < whole.count ? .undecided : .mismatch }
            hasher.absorb(bytes.extracting(count..<count + 1))
            count += 1
        }
        return .whole(whole.slice(0..<count))
    }

    private static func concatenate(_ parts: [Bytes?]) -> Bytes {
        Bytes(headRoom: 0, count: parts.reduce(0) { $0 + ($1?.count ?? 0) }) { output in
            for case let part? in parts { output.append(bytes: part.span) }
        }
    }
}
