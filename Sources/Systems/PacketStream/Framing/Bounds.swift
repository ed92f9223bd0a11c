import ChatModel

/// The bounds of the contract (SA-04, SA-05, SA-50), all in one place. Characters are Unicode scalars.
public enum Bounds {
    /// The largest message in bytes: a frame of the largest size and what belongs to it.
    public static let maximumMessage = 12 << 20
    /// The largest frame, and the largest envelope, in bytes.
    public static let maximumFrame = 10_485_760
    /// The most chunks of one packet, and their size together in bytes.
    public static let maximumChunks: UInt32 = 256, maximumTotal: UInt32 = 67_108_864
    /// The most pairs of metadata, and the most characters of their keys and values.
    public static let maximumPairs = 100, maximumKey = 128, maximumValue = 1_024
    /// The most characters of a message id: it has to fit into metadata.
    public static let maximumMessageID = maximumValue
    /// The most transports of a packet.
    public static let maximumTransports = 10
    /// The most characters of a transport's name, kind and mode, and of its two settings.
    public static let maximumName = 128, maximumReference = 253, maximumReason = 512
    /// The most characters of a codec's name and of a MIME type.
    public static let maximumCodec = 32, maximumMIMEType = 255
    /// The most characters of a stream, partition or chunk id.
    public static let maximumStream = 128
    /// Samples in a second.
    public static let sampleRates: ClosedRange<Int32> = 8_000...192_000
    /// Channels of audio.
    public static let channels: ClosedRange<Int32> = 1...8
    /// The most pixels in a row, and the most rows.
    public static let maximumPixels: UInt32 = 16_384
    /// The most acknowledgements of partitions in one message of flow control.
    public static let maximumPartitions = 256
    /// The most pairs of details, and characters of the message, of a control error.
    public static let maximumDetails = 50, maximumErrorMessage = 2_048
    /// The largest timestamp: 2⁶³ − 1 milliseconds.
    public static let maximumTimestamp = UInt64(Int64.max)
    /// How many entries of a map are read, those of one key included, before they are counted.
    static let maximumEntries = 4_096

    static func check(message: Bytes) throws(PacketViolation) {
        guard message.count <= maximumMessage else {
            throw PacketViolation(.bounds, "has \(message.count) bytes; at most \(maximumMessage) allowed")
        }
    }

    static func check(_ text: String, _ limit: Int, at place: String) throws(PacketViolation) {
        // A character has one to four bytes, so most texts need not be counted.
        guard text.utf8.count > limit else { return }
        guard text.utf8.count <= 4 * limit, text.unicodeScalars.count <= limit else {
            throw PacketViolation(.bounds, "has more than \(limit) characters", at: place)
        }
    }

    static func check(_ metadata: Metadata, pairs: Int = maximumPairs) throws(PacketViolation) {
        guard metadata.count <= pairs else {
            throw PacketViolation(.bounds, "has \(metadata.count) pairs; at most \(pairs) allowed", at: ".metadata")
        }
        for entry in metadata.entries {
            guard !entry.key.isEmpty else { throw PacketViolation(.bounds, "has an empty key", at: ".metadata") }
            try check(entry.key, maximumKey, at: ".metadata key")
            try check(entry.value, maximumValue, at: ".metadata value")
        }
    }

    static func check(_ transports: [TransportDescriptor]) throws(PacketViolation) {
        guard transports.count <= maximumTransports else {
            throw PacketViolation(
                .bounds, "are \(transports.count); at most \(maximumTransports) allowed", at: ".transports")
        }
        for transport in transports { try check(transport) }
    }

    static func check(_ transport: TransportDescriptor) throws(PacketViolation) {
        try check(transport.name, maximumName, at: ".transports.name")
        try check(transport.kind, maximumName, at: ".transports.kind")
        try check(transport.mode, maximumName, at: ".transports.mode")
        guard let settings = transport.settings else { return }
        try check(settings.reference, maximumReference, at: ".transports.typed_config.transport_ref")
        try check(settings.modeReason, maximumReason, at: ".transports.typed_config.mode_reason")
    }
}

// Frames.
extension Bounds {
    /// What a validator of the schema checks of an audio frame; that it is not empty stands apart.
    static func check(_ frame: AudioFrame) throws(PacketViolation) {
        try check(bytes: frame.pcm.count, at: ".audio.pcm")
        guard sampleRates.contains(frame.sampleRate) else {
            throw PacketViolation(.bounds, "is \(frame.sampleRate)", at: ".audio.sample_rate_hz")
        }
        guard channels.contains(frame.channels) else {
            throw PacketViolation(.bounds, "is \(frame.channels)", at: ".audio.channels")
        }
        try check(frame.codec, maximumCodec, at: ".audio.codec")
    }

    static func check(_ frame: VideoFrame) throws(PacketViolation) {
        try check(bytes: frame.payload.count, at: ".video.payload")
        try check(frame.codec, maximumCodec, at: ".video.codec")
        guard frame.width <= maximumPixels, frame.height <= maximumPixels else {
            throw PacketViolation(.bounds, "has \(frame.width) × \(frame.height) pixels", at: ".video")
        }
    }

    static func check(_ frame: BinaryFrame) throws(PacketViolation) {
        try check(bytes: frame.payload.count, at: ".binary.payload")
        try check(frame.mimeType, maximumMIMEType, at: ".binary.mime_type")
    }

    private static func check(bytes count: Int, at place: String) throws(PacketViolation) {
        guard count <= maximumFrame else {
            throw PacketViolation(.bounds, "has \(count) bytes; at most \(maximumFrame) allowed", at: place)
        }
    }
}

// A whole packet.
extension Bounds {
    /// The bounds of every field. Of an assembled packet the frame may be as long as all its pieces.
    static func check(_ packet: WirePacket, isAssembled: Bool = false) throws(PacketViolation) {
        try check(packet.metadata)
        for entry in packet.metadata.entries where Text.isPadded(entry.key) {
            throw PacketViolation(.blanks, "has blanks around a key", at: ".metadata")
        }
        try check(packet.transports)
        guard !packet.hasSeveralFrames else { throw PacketViolation(.frame, "has several frames") }
        switch packet.frame {
        case .audio(let frame):
            guard !frame.pcm.isEmpty else { throw PacketViolation(.frame, "is empty", at: ".audio.pcm") }
            try check(frame)
        case .video(let frame):
            guard !frame.payload.isEmpty else { throw PacketViolation(.frame, "is empty", at: ".video.payload") }
            try check(frame)
            guard frame.isRaw || !frame.codec.isEmpty else {
                throw PacketViolation(.bounds, "is missing; only raw frames need none", at: ".video.codec")
            }
            guard !frame.isRaw || frame.width > 0 && frame.height > 0 else {
                throw PacketViolation(.bounds, "is raw, without width or height", at: ".video")
            }
        case .binary(var frame):
            guard !frame.payload.isEmpty else { throw PacketViolation(.frame, "is empty", at: ".binary.payload") }
            if isAssembled { frame.payload = [] }
            try check(frame)
        case nil: break
        }
        guard let stream = packet.stream else { return }
        try check(stream)
        guard stream.chunkCount > 0 else { return }
        guard case .binary(let frame)? = packet.frame else {
            throw PacketViolation(.stream, "only binary frames come in chunks", at: ".envelope")
        }
        guard stream.chunkBytes == 0 || Int(stream.chunkBytes) == frame.payload.count else {
            throw PacketViolation(
                .chunk, "is \(stream.chunkBytes), the chunk has \(frame.payload.count) bytes",
                at: ".envelope.chunk_bytes")
        }
    }

    /// The fields of a stream envelope, each and together (SA-04, SA-50).
    static func check(_ stream: StreamEnvelope) throws(PacketViolation) {
        try check(stream.stream, maximumStream, at: ".envelope.stream_id")
        try check(stream.partition, maximumStream, at: ".envelope.partition")
        try check(stream.chunkID, maximumStream, at: ".envelope.chunk_id")
        guard stream.chunkCount <= maximumChunks else {
            throw PacketViolation(.bounds, "is \(stream.chunkCount)", at: ".envelope.chunk_count")
        }
        guard Int(stream.chunkBytes) <= maximumFrame else {
            throw PacketViolation(.bounds, "is \(stream.chunkBytes)", at: ".envelope.chunk_bytes")
        }
        guard stream.totalBytes <= maximumTotal else {
            throw PacketViolation(.bounds, "is \(stream.totalBytes)", at: ".envelope.total_bytes")
        }
        guard stream.chunkCount > 0 else {
            guard stream == stream.whole else {
                throw PacketViolation(.stream, "has fields of a chunk and no chunk_count", at: ".envelope")
            }
            return
        }
        guard !stream.stream.isEmpty, !stream.chunkID.isEmpty else {
            throw PacketViolation(.stream, "is a chunk without stream_id or chunk_id", at: ".envelope")
        }
        guard stream.chunkIndex < stream.chunkCount else {
            throw PacketViolation(
                .stream, "is \(stream.chunkIndex) of \(stream.chunkCount)", at: ".envelope.chunk_index")
        }
    }
}

extension WirePacket {
    /// Checks what a validator of the schema checks, and nothing else: an empty frame, or a MIME type of another form,
    /// passes it.
    public func checkSchema() throws(PacketViolation) {
        try Bounds.check(metadata)
        try Bounds.check(transports)
        switch frame {
        case .audio(let frame): try Bounds.check(frame)
        case .video(let frame): try Bounds.check(frame)
        case .binary(let frame): try Bounds.check(frame)
        case nil: break
        }
        if let stream { try Bounds.check(stream) }
    }
}
