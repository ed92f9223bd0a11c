import ChatCrypto
public import ChatModel

/// How payloads are cut into segments (SEG-01 … SEG-06, SEG-13).
public struct Segmentation: Hashable, Sendable {
    /// The most bytes of a payload in one segment; with parity a multiple of 64.
    public let segmentSize: Int
    /// How much parity is added; nil for none.
    public let parity: ParityRate?

    /// Chooses a segment size in bytes, positive and with parity a multiple of 64.
    public init(segmentSize: Int, parity: ParityRate? = nil) throws(Refusal) {
        guard segmentSize > 0, parity == nil || segmentSize % ParityCode.shardUnit == 0 else {
            throw Refusal(.unable, ReliabilityCause.shardSize(segmentSize))
        }
        (self.segmentSize, self.parity) = (segmentSize, parity)
    }

    /// How much parity is added to data.
    public struct ParityRate: Hashable, Sendable {
        /// Parity segments for a million of data; in integers, because 0.125 · 8 may come out above 1 in others.
        public let millionths: Int

        /// A rate between 1 and 1,000,000 millionths; what lies outside is moved to the nearer end.
        public init(millionths: Int) {
            self.millionths = min(max(millionths, 1), 1_000_000)
        }

        /// 0.125, as the specification has it (SEG-13).
        public static let standard = ParityRate(millionths: 125_000)

        /// Parity segments for a number of data segments, which is at most 255: rounded up, at most as many.
        public func count(data: Int) -> Int {
            min(data, (data * millionths + 999_999) / 1_000_000)
        }
    }

    /// Segments that a payload of a size becomes.
    public func counts(bytes: Int) throws(Refusal) -> (data: Int, parity: Int) {
        let data = max(1, bytes / segmentSize + (bytes % segmentSize == 0 ? 0 : 1))
        let limit = SegmentMessage.maximumTotal
        guard data <= limit else { throw Refusal(.unable, ReliabilityCause.tooManySegments(data, limit: limit)) }
        let parity = parity?.count(data: data) ?? 0
        guard data + parity <= limit else {
            throw Refusal(.unable, ReliabilityCause.tooManySegments(data + parity, limit: limit))
        }
        return (data, parity)
    }

    /// Cuts a payload into encoded segments, data first, then parity; each has head room for the layers below.
    ///
    /// A payload that fits is one segment too (SEG-03), and so is an empty one. One that has head room of its own,
    /// of ``SegmentMessage/overhead`` bytes more than is asked for, and fits, is not copied.
    ///
    /// - Throws: `unable` for a payload that needs more than 255 segments, or parity in a wider field.
    public func split(_ payload: consuming Bytes, headRoom: Int = 0) throws(Refusal) -> [Bytes] {
        let (dataCount, parityCount) = try counts(bytes: payload.count)
        let hash = Bytes(Keccak256.hash(payload.span))
        func segment(_ place: SegmentMessage.Place, _ payload: Bytes) -> SegmentMessage {
            SegmentMessage(hash: hash, place: place, dataCount: dataCount, parityCount: parityCount, payload: payload)
        }
        if dataCount == 1, parityCount == 0 {
            // The segment does not hold the payload: a buffer with two owners is copied when it is written to.
            let (whole, count) = (segment(.data(0), Bytes()), payload.count)
            payload.prepend(whole.headerSize(payload: count)) { whole.writeHeader(payload: count, to: &$0) }
            return [payload]
        }
        let count = payload.count
        let chunks = (0..<dataCount).map { index in
            payload.slice(index * segmentSize..<min(count, (index + 1) * segmentSize))
        }
        var segments = chunks.enumerated().map { segment(.data($0), $1).encoded(headRoom: headRoom) }
        guard parityCount > 0 else { return segments }
        let code = try Self.code(data: dataCount, parity: parityCount)
        for (index, shard) in try code.encode(chunks, shardSize: segmentSize).enumerated() {
            segments.append(segment(.parity(index), shard).encoded(headRoom: headRoom))
        }
        return segments
    }

    private static func code(data: Int, parity: Int) throws(Refusal) -> ParityCode {
        // A payload that cannot be coded is not malformed: the application has to change it.
        do { return try ParityCode(dataCount: data, parityCount: parity) } catch { throw Refusal(.unable, error.cause) }
    }
}
