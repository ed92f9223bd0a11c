public import ChatCodec

/// The codec: one JSON object in UTF-8 for each text frame.
///
/// The direction is part of what a frame means, because `run` and `cancel` exist in both; so there is a decoder for
/// each direction, and a third for what stands alone. Decoding is total: a value, or the rule that was broken. A
/// value that was decoded encodes to an equal value (AC-35), always in the same order of keys; what the protocol
/// leaves open, inputs, outputs, data and metadata, keeps its own order and every digit of its numbers.
public struct AgentJSON: Hashable, Sendable {
    /// The largest frame in bytes; one of this size is read.
    public static let maximumFrame = 1 << 20
    /// The deepest nesting of a frame, its own object included.
    public static let maximumDepth = 128

    /// What is let pass.
    public let mode: Mode

    /// A codec.
    public init(_ mode: Mode = .strict) {
        self.mode = mode
    }

    /// Reads a frame from a client.
    public func command(_ bytes: Span<UInt8>) throws(Violation) -> Command {
        try Command(try Self.parse(bytes), mode)
    }

    /// Reads a frame from the agent's service.
    public func serverMessage(_ bytes: Span<UInt8>) throws(Violation) -> ServerMessage {
        if let delta = DeltaFrame(bytes)?.stream(in: bytes) { return .stream(delta) }
        return try ServerMessage(try Self.parse(bytes), mode)
    }

    /// Refuses a frame from the agent's service that breaks a rule, as reading it would.
    func check(serverMessage bytes: Span<UInt8>) throws(Violation) {
        guard DeltaFrame(bytes) == nil else { return }
        _ = try ServerMessage(try Self.parse(bytes), mode)
    }

    /// Reads a message that stands alone.
    public func message(_ bytes: Span<UInt8>) throws(Violation) -> Message {
        try Message(try Self.parse(bytes), mode)
    }

    /// Reads a part that stands alone.
    public func part(_ bytes: Span<UInt8>) throws(Violation) -> MessagePart {
        try MessagePart(try Self.parse(bytes), mode)
    }

    /// Reads a part of a text that was parsed already.
    public func part(_ json: JSON) throws(Violation) -> MessagePart {
        try MessagePart(json, mode)
    }

    /// Reads a message of a text that was parsed already.
    public func message(_ json: JSON) throws(Violation) -> Message {
        try Message(json, mode)
    }

    /// Refuses a binary frame, whatever it holds.
    public static var binaryFrame: Violation {
        Violation(.frame, "binary frames have no place here", closeCode: 1003)
    }

    private static func parse(_ bytes: Span<UInt8>) throws(Violation) -> JSON {
        let json: JSON
        do {
            json = try JSON(parsing: bytes, maximumBytes: maximumFrame, maximumDepth: maximumDepth)
        } catch {
            throw Violation(.frame, error.description, closeCode: closeCode(of: error))
        }
        guard json.members != nil else { throw Violation(.frame, "is no object") }
        return json
    }

    /// RFC 6455, section 7.4.1.
    private static func closeCode(of error: WireError) -> UInt16? {
        switch error {
        case .tooLong: 1009
        case .notUTF8: 1007
        default: nil
        }
    }
}

// Encoding.
extension AgentJSON {
    /// The frame of a command.
    public func encode(_ command: Command) -> [UInt8] {
        var writer = JSONWriter(capacity: 256)
        command.write(into: &writer)
        return writer.bytes
    }

    /// The frame of a server message.
    public func encode(_ message: ServerMessage) -> [UInt8] {
        if case .stream(let stream) = message, let frame = DeltaFrame.frame(of: stream) { return frame }
        var writer = JSONWriter(capacity: 256)
        message.write(into: &writer)
        return writer.bytes
    }

    /// A message that stands alone.
    public func encode(_ message: Message) -> [UInt8] {
        var writer = JSONWriter(capacity: 256)
        message.write(into: &writer)
        return writer.bytes
    }

    /// A part that stands alone.
    public func encode(_ part: MessagePart) -> [UInt8] {
        var writer = JSONWriter(capacity: 256)
        part.write(into: &writer)
        return writer.bytes
    }
}
