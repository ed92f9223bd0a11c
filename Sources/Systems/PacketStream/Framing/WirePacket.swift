public import ChatModel
import ChatWire

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
        Writer(self, message.numbers).encoded
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
                if case .audio(let earlier)? = frame { merged = earlier } else { hasSeveralFrames = frame != nil }
                try merged.merge(field: &reader, of: bytes)
                frame = .audio(merged)
            case numbers.video:
                var merged = VideoFrame()
                if case .video(let earlier)? = frame { merged = earlier } else { hasSeveralFrames = frame != nil }
                try merged.merge(field: &reader, of: bytes)
                frame = .video(merged)
            case numbers.binary:
                var merged = BinaryFrame()
                if case .binary(let earlier)? = frame { merged = earlier } else { hasSeveralFrames = frame != nil }
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

    private static func merge(_ reader: inout StructReader?, _ bytes: Bytes) throws(WireError) {
        var merged = reader ?? StructReader()
        reader = nil  // so that nothing is copied
        try merged.merge(bytes)
        reader = merged
    }
}

extension WirePacket {
    /// Encodes a packet: sizes first, then all fields in the order of their numbers.
    struct Writer {
        private let packet: WirePacket
        private let numbers: PacketMessage.Numbers
        private let payload, inputs: Bytes?

        init(_ packet: WirePacket, _ numbers: PacketMessage.Numbers) {
            (self.packet, self.numbers) = (packet, numbers)
            (payload, inputs) = (packet.payload?.encodedStruct, packet.inputs?.encodedStruct)
        }

        var encoded: Bytes { Bytes(headRoom: 0, count: size) { write(to: &$0) } }

        var size: Int {
            var size = ProtoSize.field(numbers.metadata, packet.metadata)
            if let payload { size += ProtoSize.present(numbers.payload, count: payload.count) }
            if let inputs { size += ProtoSize.present(numbers.inputs, count: inputs.count) }
            for one in packet.transports { size += ProtoSize.present(numbers.transports, count: one.size) }
            switch packet.frame {
            case .audio(let frame): size += ProtoSize.present(numbers.audio, count: frame.size)
            case .video(let frame): size += ProtoSize.present(numbers.video, count: frame.size)
            case .binary(let frame): size += ProtoSize.present(numbers.binary, count: frame.size)
            case nil: break
            }
            if let stream = packet.stream { size += ProtoSize.present(numbers.envelope, count: stream.size) }
            return size
        }

        @_lifetime(output: copy output)
        func write(to output: inout OutputSpan<UInt8>) {
            // Frames have numbers below those of the structures in one layout, and above them in the others.
            if numbers.audio < numbers.metadata { writeFrame(to: &output) }
            output.append(field: numbers.metadata, packet.metadata)
            if let payload {
                output.append(present: numbers.payload, count: payload.count)
                output.append(bytes: payload.span)
            }
            if let inputs {
                output.append(present: numbers.inputs, count: inputs.count)
                output.append(bytes: inputs.span)
            }
            if numbers.metadata < numbers.audio, numbers.audio < numbers.transports { writeFrame(to: &output) }
            for transport in packet.transports { output.append(present: numbers.transports, wire: transport) }
            if numbers.transports < numbers.audio { writeFrame(to: &output) }
            if let stream = packet.stream { output.append(present: numbers.envelope, wire: stream) }
        }

        @_lifetime(output: copy output)
        private func writeFrame(to output: inout OutputSpan<UInt8>) {
            switch packet.frame {
            case .audio(let frame): output.append(present: numbers.audio, wire: frame)
            case .video(let frame): output.append(present: numbers.video, wire: frame)
            case .binary(let frame): output.append(present: numbers.binary, wire: frame)
            case nil: break
            }
        }
    }
}
