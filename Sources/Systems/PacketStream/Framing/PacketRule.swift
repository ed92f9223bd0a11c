/// A rule of the packet contract, by its id in `Specs/packet-stream.md`.
public enum PacketRule: String, Hashable, Sendable, CaseIterable {
    /// The bytes are an encoding of the protobuf message.
    case wire = "SA-00"
    /// The version of the envelope.
    case version = "SA-01"
    /// An envelope is one JSON object of 10 MiB at most.
    case envelope = "SA-02"
    /// An envelope has no unknown keys.
    case unknownKey = "SA-03"
    /// Bounds of fields.
    case bounds = "SA-04"
    /// One frame at most, and it is not empty.
    case frame = "SA-05"
    /// Bytes of the reserved MIME type are an envelope.
    case reservedType = "SA-06"
    /// The reserved MIME type is written in one way.
    case exactType = "SA-07"
    /// Payload and inputs are objects.
    case objectsOnly = "SA-10"
    /// Numbers of a Struct are doubles.
    case exactNumber = "SA-11"
    /// No structures of the packet beside an envelope.
    case mirror = "SA-12"
    /// Opaque bytes say what they are.
    case mediaType = "SA-14"
    /// The view of an opaque packet has no payload.
    case noPayload = "SA-15"
    /// The envelope's headers are authoritative.
    case shadowConflict = "SA-20"
    /// A header that an envelope lacks is absent.
    case absentHeader = "SA-21"
    /// Shadow keys are the headers of media and opaque bytes.
    case shadowHeader = "SA-22"
    /// Timestamps.
    case timestamp = "SA-23"
    /// Message ids, kinds and metadata keys have no blanks around them.
    case blanks = "SA-24"
    /// The visible metadata.
    case metadata = "SA-25"
    /// Keys of the application do not begin with `bubu.`.
    case reservedKey = "SA-26"
    /// The form of kinds.
    case kind = "SA-27"
    /// Which kinds may come without content.
    case content = "SA-30"
    /// A packet has a frame.
    case noFrame = "SA-31"
    /// Heartbeat and noop carry nothing.
    case emptyKind = "SA-32"
    /// What a hook carries.
    case hook = "SA-33"
    /// What an error carries.
    case error = "SA-34"
    /// Opaque bytes have no structures beside them.
    case opaqueAlone = "SA-40"
    /// Audio and video may have structures beside them.
    case mediaContext = "SA-41"
    /// One carrier for each packet.
    case oneCarrier = "SA-42"
    /// The fields of a stream envelope fit together.
    case stream = "SA-50"
    /// Chunks fit together, and limits hold.
    case chunk = "SA-51"
    /// A sequence that comes again is a duplicate, no error.
    case sequence = "SA-52"
    /// Versions and capabilities of a session's start.
    case handshake = "SA-60"
    /// Nothing comes before the handshake is done.
    case tooEarly = "SA-61"
    /// Encoder and decoder are inverse.
    case inverse = "SA-62"
}
