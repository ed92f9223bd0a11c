import ChatCodec
public import ChatModel

/// Puts packets together whose binary frames come in chunks, in any order (SA-51, PS-6).
///
/// What is refused changes nothing. The bytes that are held are copies, so that no chunk keeps alive the message that
/// brought it.
public struct Reassembly: Hashable, Sendable {
    /// What a session holds at most.
    public struct Limits: Hashable, Sendable {
        /// Packets of which some chunks are there.
        public var assemblies: Int
        /// Bytes of one chunk.
        public var chunk: Int
        /// Bytes of all chunks that are held, the one that comes included.
        public var inFlight: Int
        /// Bytes of metadata and structures that are held.
        public var headers: Int
        /// How long a packet waits for its next chunk.
        public var idle: Duration

        /// Limits; those of the contract unless something else is said.
        public init(
            assemblies: Int = 256, chunk: Int = Bounds.maximumFrame, inFlight: Int = Int(Bounds.maximumTotal),
            headers: Int = 16 << 20, idle: Duration = .seconds(120)
        ) {
            (self.assemblies, self.chunk, self.inFlight) = (assemblies, chunk, inFlight)
            (self.headers, self.idle) = (headers, idle)
        }
    }

    /// What a chunk led to.
    public enum Outcome: Hashable, Sendable {
        /// Others are still missing.
        case collecting
        /// It was there already, and is not looked at.
        case duplicate
        /// It was the last one: the packet, without the fields of a chunk.
        case assembled(WirePacket)
    }

    private typealias Exact = ChatCodec.ExactText

    private struct Key: Hashable {
        let stream, partition, chunkID: Exact
    }

    private struct Assembly: Hashable {
        let count, total: UInt32
        let mimeType: String
        let metadata: Metadata
        let headerBytes: Int
        /// The packet that brought index 0, without its bytes.
        var first: WirePacket?
        var pieces: [UInt32: Bytes] = [:]
        var bytes = 0
        var touched: Timestamp
    }

    private let limits: Limits
    private var assemblies: [Key: Assembly] = [:]
    private var bytes = 0
    private var headerBytes = 0

    /// A reassembly that holds nothing yet.
    public init(_ limits: Limits = Limits()) {
        self.limits = limits
    }

    /// The same limits, and nothing held.
    var emptied: Reassembly { Reassembly(limits) }

    /// How many packets wait for chunks, and how many bytes they hold.
    public var waiting: (packets: Int, bytes: Int) { (assemblies.count, bytes) }

    /// When the oldest packet will have waited too long.
    public var nextWake: Timestamp? {
        // One millisecond behind the limit, which itself is not too long.
        assemblies.values.map(\.touched).min().map { $0 + limits.idle + .milliseconds(1) }
    }

    /// Forgets packets that waited too long for a chunk.
    public mutating func evict(_ now: Timestamp) {
        for (key, assembly) in assemblies where now.since(assembly.touched) > limits.idle {
            bytes -= assembly.bytes
            headerBytes -= assembly.headerBytes
            assemblies[key] = nil
        }
    }

    /// Takes a chunk.
    public mutating func receive(_ chunk: PacketChunk, now: Timestamp) throws(PacketViolation) -> Outcome {
        evict(now)
        let (stream, size) = (chunk.stream, chunk.frame.payload.count)
        let key = Key(
            stream: Exact(stream.stream), partition: Exact(stream.partition), chunkID: Exact(stream.chunkID))
        try check(chunk, against: assemblies[key])
        if assemblies[key]?.pieces[stream.chunkIndex] != nil {
            assemblies[key]?.touched = now
            return .duplicate
        }
        let isLast = UInt32((assemblies[key]?.pieces.count ?? 0) + 1) == stream.chunkCount
        if isLast, stream.totalBytes > 0, (assemblies[key]?.bytes ?? 0) + size != Int(stream.totalBytes) {
            throw PacketViolation(
                .chunk, "is \(stream.totalBytes), the chunks have \((assemblies[key]?.bytes ?? 0) + size) bytes",
                at: ".envelope.total_bytes")
        }
        var assembly = assemblies.removeValue(forKey: key) ?? begin(chunk, now)
        assembly.touched = now
        assembly.bytes += size
        bytes += size
        assembly.pieces[stream.chunkIndex] = Bytes(copying: chunk.frame.payload.span)
        if stream.chunkIndex == 0 { assembly.first = Self.header(chunk) }
        guard isLast, let packet = Self.joined(assembly) else {
            assemblies[key] = assembly
            return .collecting
        }
        bytes -= assembly.bytes
        headerBytes -= assembly.headerBytes
        return .assembled(packet)
    }

    private func check(_ chunk: PacketChunk, against assembly: Assembly?) throws(PacketViolation) {
        let size = chunk.frame.payload.count
        guard size <= limits.chunk else {
            throw PacketViolation(.chunk, "has \(size) bytes; at most \(limits.chunk) allowed", at: ".binary.payload")
        }
        guard let assembly else {
            guard assemblies.count < limits.assemblies else {
                throw PacketViolation(.chunk, "is of one packet more than the \(limits.assemblies) that may wait")
            }
            guard headerBytes + Self.size(ofHeadersOf: chunk.packet) <= limits.headers else {
                throw PacketViolation(.chunk, "has more headers than the \(limits.headers) bytes that may be held")
            }
            return try checkRoom(for: size)
        }
        guard chunk.stream.chunkCount == assembly.count else {
            throw PacketViolation(
                .chunk, "is \(chunk.stream.chunkCount), was \(assembly.count)", at: ".envelope.chunk_count")
        }
        guard chunk.stream.totalBytes == assembly.total else {
            throw PacketViolation(
                .chunk, "is \(chunk.stream.totalBytes), was \(assembly.total)", at: ".envelope.total_bytes")
        }
        guard chunk.frame.mimeType.hasSameBytes(as: assembly.mimeType) else {
            throw PacketViolation(.chunk, "differs from that of other chunks", at: ".binary.mime_type")
        }
        guard chunk.packet.metadata == assembly.metadata else {
            throw PacketViolation(.chunk, "differs from that of other chunks", at: ".metadata")
        }
        if assembly.pieces[chunk.stream.chunkIndex] == nil { try checkRoom(for: size) }
    }

    private func checkRoom(for size: Int) throws(PacketViolation) {
        guard bytes + size <= limits.inFlight else {
            throw PacketViolation(.chunk, "would make more than the \(limits.inFlight) bytes that may be held")
        }
    }

    private mutating func begin(_ chunk: PacketChunk, _ now: Timestamp) -> Assembly {
        let size = Self.size(ofHeadersOf: chunk.packet)
        headerBytes += size
        return Assembly(
            count: chunk.stream.chunkCount, total: chunk.stream.totalBytes, mimeType: chunk.frame.mimeType,
            metadata: chunk.packet.metadata, headerBytes: size, touched: now)
    }

    /// Metadata, MIME type and structures: what is held besides the bytes.
    private static func size(ofHeadersOf packet: WirePacket) -> Int {
        var rest = packet
        if case .binary(var frame)? = packet.frame {
            frame.payload = []
            rest.frame = .binary(frame)
        }
        return rest.encoded(as: .dataPacket).count
    }

    private static func header(_ chunk: PacketChunk) -> WirePacket {
        var (packet, frame) = (chunk.packet, chunk.frame)
        frame.payload = []
        packet.frame = .binary(frame)
        packet.stream = chunk.stream.whole
        return packet
    }

    private static func joined(_ assembly: Assembly) -> WirePacket? {
        guard var packet = assembly.first, case .binary(var frame)? = packet.frame else { return nil }
        frame.payload = Bytes(headRoom: 0, count: assembly.bytes) { output in
            for index in 0..<assembly.count {
                if let piece = assembly.pieces[index] { output.append(bytes: piece.span) }
            }
        }
        packet.frame = .binary(frame)
        return packet
    }
}
