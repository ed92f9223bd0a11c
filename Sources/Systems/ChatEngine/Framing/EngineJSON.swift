public import ChatCodec

/// The codec: one JSON object in UTF-8 for a body, one for each line of a stream.
///
/// Decoding is total: a value, or the rule that was broken. What was decoded encodes to an equal value, with the keys
/// always in the same order; what the protocol leaves open, metadata and durations, keeps its own order and every
/// digit of its numbers.
public struct EngineJSON: Hashable, Sendable {
    /// The largest body of a request in bytes.
    public static let maximumBody = 1 << 20
    /// The longest line of a stream in bytes, its line feed not counted, and the largest whole reply (CE-02).
    public static let maximumLine = 10 << 20
    /// The deepest nesting of a body or line, its own object included.
    public static let maximumDepth = 128

    /// What is let pass.
    public let tolerance: Tolerance

    /// A codec.
    public init(_ tolerance: Tolerance = .strict) {
        self.tolerance = tolerance
    }

    /// Reads an object.
    public func decode<Value: EngineObject>(
        _ type: Value.Type = Value.self, from bytes: Span<UInt8>, maximumBytes: Int = maximumBody
    ) throws(Violation) -> Value {
        try Value(try Self.parse(bytes, maximumBytes), tolerance)
    }

    /// Reads an object of a text that was parsed already.
    public func decode<Value: EngineValue>(_ type: Value.Type = Value.self, from json: JSON) throws(Violation) -> Value
    {
        try Value(json, tolerance)
    }

    /// The text of a value, without a line feed.
    public func encode(_ value: some EngineValue) -> [UInt8] {
        var writer = JSONWriter(capacity: 256)
        value.write(to: &writer)
        return writer.bytes
    }

    /// The line of an event: its text and a line feed.
    public func line(_ value: some EngineObject) -> [UInt8] {
        encode(value) + [UInt8(ascii: "\n")]
    }

    /// One object (CE-01).
    static func parse(_ bytes: Span<UInt8>, _ maximumBytes: Int) throws(Violation) -> JSON {
        let json: JSON
        do {
            json = try JSON(parsing: bytes, maximumBytes: maximumBytes, maximumDepth: maximumDepth)
        } catch {
            throw Violation(.json, error.description)
        }
        guard json.members != nil else { throw Violation(.json, "is no object") }
        return json
    }
}
