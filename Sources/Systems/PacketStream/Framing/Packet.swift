public import ChatModel

/// A packet as the contract means it: headers, and one carrier for what it says.
public struct Packet: Hashable, Sendable {
    /// What carries the content.
    public enum Carrier: Hashable, Sendable {
        /// Payload and inputs, in a JSON envelope.
        case structured
        /// Sound; payload, inputs and transports are its context (SA-41).
        case audio(AudioFrame)
        /// Pictures, with the same context.
        case video(VideoFrame)
        /// Bytes that nobody on the way looks into, and nothing beside them (D5, SA-40).
        case opaque(OpaqueBytes)
    }

    /// Bytes and what they are.
    public struct OpaqueBytes: Hashable, Sendable {
        /// The MIME type, which must be there (D2, SA-14) and is not the reserved one.
        public var mimeType: String
        /// The bytes; a packet of more than 10 MiB has to be split, one of more than 64 MiB cannot be sent.
        public var bytes: Bytes
        /// Media time in milliseconds; 0 where there is none.
        public var timestamp: UInt64

        /// Bytes of a type.
        public init(_ bytes: Bytes, mimeType: String, timestamp: UInt64 = 0) {
            (self.bytes, self.mimeType, self.timestamp) = (bytes, mimeType, timestamp)
        }
    }

    /// What the packet is, in characters of `[A-Za-z0-9._-]`.
    public var kind: PacketKind
    /// What de-duplication compares where the packet is not counted; at most 1,024 characters, no blanks around it.
    public var messageID: String?
    /// Milliseconds since 1970, from 1 to 2⁶³ − 1.
    public var timestamp: UInt64?
    /// Names and values of the application; keys do not begin with `bubu.`.
    public var metadata: Metadata
    /// What the packet says.
    public var payload: PacketObject?
    /// What a step was given to work on.
    public var inputs: PacketObject?
    /// The transports of the workflow, for those who look.
    public var transports: [TransportDescriptor]
    /// Where it stands in a stream.
    public var stream: StreamEnvelope?
    /// What carries the content.
    public var carrier: Carrier

    /// A packet.
    public init(
        _ kind: PacketKind = .data, messageID: String? = nil, timestamp: UInt64? = nil, metadata: Metadata = [:],
        payload: PacketObject? = nil, inputs: PacketObject? = nil, transports: [TransportDescriptor] = [],
        stream: StreamEnvelope? = nil, carrier: Carrier = .structured
    ) {
        (self.kind, self.messageID, self.timestamp, self.metadata) = (kind, messageID, timestamp, metadata)
        (self.payload, self.inputs, self.transports) = (payload, inputs, transports)
        (self.stream, self.carrier) = (stream, carrier)
    }

    /// Whether it goes to the application: heartbeats and noops end where they are received.
    public var isDelivered: Bool { kind != .heartbeat && kind != .noop }

    /// Whether it has what business data must have: payload, inputs, or a frame of its own (D4, SA-30).
    var hasContent: Bool { payload != nil || inputs != nil || carrier != .structured }
}

/// What a packet is (D4); those that the contract knows by name, and any other.
public struct PacketKind: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral {
    /// The word on the wire.
    public let rawValue: String

    /// A kind; ``PacketV1`` checks its form (SA-27).
    public init(rawValue: String) { self.rawValue = rawValue }

    /// A kind.
    public init(stringLiteral text: String) { rawValue = text }

    /// Data, what a packet is unless it says otherwise.
    public static let data: PacketKind = "data"
    /// A sign of life that carries nothing.
    public static let heartbeat: PacketKind = "heartbeat"
    /// Nothing.
    public static let noop: PacketKind = "noop"
    /// An event of the session, with or without a payload that names it.
    public static let hook: PacketKind = "hook"
    /// A ``StructuredError``.
    public static let error: PacketKind = "error"
    /// A user's text.
    public static let chatMessage: PacketKind = "chat.message.v1"
    /// A bot's reply.
    public static let chatResponse: PacketKind = "chat.response.v1"

    /// The kinds that have rules of their own.
    static let reserved: [PacketKind] = [.heartbeat, .noop, .hook, .error]

    /// Compares the bytes.
    public static func == (left: Self, right: Self) -> Bool { left.rawValue.hasSameBytes(as: right.rawValue) }
}

/// A piece of a packet whose binary frame was cut (SA-50, SA-51); what it is a piece of shows when all are there.
public struct PacketChunk: Hashable, Sendable {
    /// The packet as protobuf has it: a binary frame, and a stream envelope with the fields of a chunk.
    public let packet: WirePacket
    /// The stream envelope.
    public let stream: StreamEnvelope
    /// The binary frame.
    public let frame: BinaryFrame

    /// A piece; nil unless it has both.
    init?(_ packet: WirePacket) {
        guard let stream = packet.stream, stream.chunkCount > 0, case .binary(let frame)? = packet.frame else {
            return nil
        }
        (self.packet, self.stream, self.frame) = (packet, stream, frame)
    }
}
