import ChatCodec
public import ChatModel

/// The eight fields of a packet as protobuf has them, before any rule but SA-00 was asked.
public struct WirePacket: Hashable, Sendable {
    /// One of the three frames.
    public enum Frame: Hashable, Sendable {
        /// Sound.
        case audio(AudioFrame)
        /// Pictures.
        case video(VideoFrame)
        /// An envelope or opaque bytes.
        case binary(BinaryFrame)
    }

    /// Names and values.
    public var metadata: Metadata
    /// The packet's own structures, which belong beside audio and video alone.
    public var payload, inputs: PacketObject?
    /// The transports of the workflow.
    public var transports: [TransportDescriptor]
    /// The frame that came last.
    public var frame: Frame?
    /// Where the packet stands in a stream.
    public var stream: StreamEnvelope?
    /// Whether more than one of the three frames came, which a library hides (SA-05).
    public private(set) var hasSeveralFrames = false

    /// A packet.
    public init(
        metadata: Metadata = [:], payload: PacketObject? = nil, inputs: PacketObject? = nil,
        transports: [TransportDescriptor] = [], frame: Frame? = nil, stream: StreamEnvelope? = nil
    ) {
        (self.metadata, self.payload, self.inputs) = (metadata, payload, inputs)
        (self.transports, self.frame, self.stream) = (transports, frame, stream)
    }

    /// Decodes a message of ``Bounds/maximumMessage`` bytes at most (SA-00, SA-04); bytes of frames are slices of it.
    public init(decoding bytes: Bytes, as message: PacketMessage) throws(PacketViolation) {
        self.init()
        try Bounds.check(message: bytes)
        var reader = ProtoReader(bytes.span)
        do { try merge(&reader, of: bytes, as: message.numbers) } catch {
            throw PacketViolation(error, in: message.rawValue)
        }
    }

    /// The encoding: fields in the order of their numbers, defaults omitted.
    public func encoded(as message: PacketMessage) -> Bytes {
        let measure = measured(message.numbers)
        return Bytes(headRoom: 0, count: measure.size) { write(measure, to: &$0) }
    }
}

// Reading.
extension WirePacket {
    /// Reads the fields of a packet that is empty yet.
    @_lifetime(reader: copy reader)
    mutating func merge(
        _ reader: inout ProtoReader, of bytes: Bytes, as numbers: PacketMessage.Numbers
    ) throws(WireError) {
        var pairs: [(String, String)] = []
        var (payloadReader, inputsReader): (StructReader?, StructReader?)
        while let field = try reader.next() {
            guard reader.wireType == WireForm.delimited else { continue }
            switch field {
            case numbers.metadata: try pairs.append(entryOf: &reader)
            case numbers.payload: try Self.merge(&payloadReader, bytes.slice(try reader.range()))
            case numbers.inputs: try Self.merge(&inputsReader, bytes.slice(try reader.range()))
            case numbers.transports:
                var transport = TransportDescriptor()
                try transport.merge(field: &reader, of: bytes)
                guard transports.count < Bounds.maximumTransports else {
                    throw .tooLong("transports", bytes: transports.count + 1, limit: Bounds.maximumTransports)
                }
                transports.append(transport)
            case numbers.audio:
                var merged = AudioFrame()
                if case .audio(let earlier)? = frame { merged = earlier } else { hasSeveralFrames = hasFrame }
                try merged.merge(field: &reader, of: bytes)
                frame = .audio(merged)
            case numbers.video:
                var merged = VideoFrame()
                if case .video(let earlier)? = frame { merged = earlier } else { hasSeveralFrames = hasFrame }
                try merged.merge(field: &reader, of: bytes)
                frame = .video(merged)
            case numbers.binary:
                var merged = BinaryFrame()
                if case .binary(let earlier)? = frame { merged = earlier } else { hasSeveralFrames = hasFrame }
                try merged.merge(field: &reader, of: bytes)
                frame = .binary(merged)
            case numbers.envelope:
                var merged = stream ?? StreamEnvelope()
                try merged.merge(field: &reader, of: bytes)
                stream = merged
            default: continue
            }
        }
        metadata = Metadata(pairs)
        payload = payloadReader.map { PacketObject($0.object) }
        inputs = inputsReader.map { PacketObject($0.object) }
    }

    /// Asked by a pattern: the comparison with nil copies the frame.
    private var hasFrame: Bool { if case nil = frame { false } else { true } }

    private static func merge(_ reader: inout StructReader?, _ bytes: Bytes) throws(WireError) {
        var merged = reader ?? StructReader()
        reader = nil  // so that nothing is copied
        try merged.merge(bytes)
        reader = merged
    }
}

// Writing: sizes first, then all fields in the order of their numbers.
extension WirePacket {
    /// The sizes of a packet's parts in one layout, and what had to be encoded to know them.
    struct Measure {
        let numbers: PacketMessage.Numbers
        let payload, inputs: Bytes?
        let frame, stream: Int
        /// Bytes of the whole packet.
        let size: Int
    }

    func measured(_ numbers: PacketMessage.Numbers) -> Measure {
        let payload = payload?.encodedStruct
        let inputs = inputs?.encodedStruct
        var size = metadata.isEmpty ? 0 : ProtoSize.field(numbers.metadata, metadata)
        if let payload { size += ProtoSize.present(numbers.payload, count: payload.count) }
        if let inputs { size += ProtoSize.present(numbers.inputs, count: inputs.count) }
        for one in transports { size += ProtoSize.present(numbers.transports, count: one.size) }
        let (frameSize, streamSize) = (frameSize, stream?.size)
        // In every layout the numbers of the three frames have tags of one size.
        if let frameSize { size += ProtoSize.present(numbers.audio, count: frameSize) }
        if let streamSize { size += ProtoSize.present(numbers.envelope, count: streamSize) }
        return Measure(
            numbers: numbers, payload: payload, inputs: inputs, frame: frameSize ?? 0, stream: streamSize ?? 0,
            size: size)
    }

    /// Bytes of the frame's message; nil where there is none.
    private var frameSize: Int? {
        switch frame {
        case .audio(let frame): frame.size
        case .video(let frame): frame.size
        case .binary(let frame): frame.size
        case nil: nil
        }
    }

    @_lifetime(output: copy output)
    func write(_ measure: Measure, to output: inout OutputSpan<UInt8>) {
        let numbers = measure.numbers
        // Frames have numbers below those of the structures in one layout, and above them in the others.
        if numbers.audio < numbers.metadata { writeFrame(measure, to: &output) }
        if !metadata.isEmpty { output.append(field: numbers.metadata, metadata) }
        if let payload = measure.payload {
            output.append(present: numbers.payload, count: payload.count)
            output.append(bytes: payload.span)
        }
        if let inputs = measure.inputs {
            output.append(present: numbers.inputs, count: inputs.count)
            output.append(bytes: inputs.span)
        }
        if numbers.metadata < numbers.audio, numbers.audio < numbers.transports { writeFrame(measure, to: &output) }
        for transport in transports { output.append(present: numbers.transports, wire: transport) }
        if numbers.transports < numbers.audio { writeFrame(measure, to: &output) }
        guard let stream else { return }
        output.append(present: numbers.envelope, count: measure.stream)
        stream.write(to: &output)
    }

    @_lifetime(output: copy output)
    private func writeFrame(_ measure: Measure, to output: inout OutputSpan<UInt8>) {
        switch frame {
        case .audio(let frame):
            output.append(present: measure.numbers.audio, count: measure.frame)
            frame.write(to: &output)
        case .video(let frame):
            output.append(present: measure.numbers.video, count: measure.frame)
            frame.write(to: &output)
        case .binary(let frame):
            output.append(present: measure.numbers.binary, count: measure.frame)
            frame.write(to: &output)
        case nil: break
        }
    }
}
