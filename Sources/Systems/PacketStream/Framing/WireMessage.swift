import ChatCodec
import ChatModel

/// A message inside a packet: read onto what is there already, as protobuf merges a message that comes in pieces.
protocol WireMessage: Sendable, Hashable {
    /// The message whose fields are all default.
    init()
    /// The size of its encoding in bytes.
    var size: Int { get }
    /// Appends exactly ``size`` bytes: fields in the order of their numbers, defaults omitted.
    @_lifetime(output: copy output)
    func write(to output: inout OutputSpan<UInt8>)
    /// Reads all fields; a field of another wire type is one that nobody knows.
    @_lifetime(reader: copy reader)
    mutating func merge(_ reader: inout ProtoReader, of bytes: Bytes) throws(WireError)
}

extension WireMessage {
    /// Decodes a whole message.
    init(decodingWire bytes: Bytes) throws(WireError) {
        self.init()
        var reader = ProtoReader(bytes.span)
        try merge(&reader, of: bytes)
    }

    /// The encoding.
    var encodedWire: Bytes { Bytes(headRoom: 0, count: size) { write(to: &$0) } }

    /// Reads one more piece of a message field.
    @_lifetime(reader: copy reader)
    mutating func merge(field reader: inout ProtoReader, of bytes: Bytes) throws(WireError) {
        var inner = try reader.message()
        try merge(&inner, of: bytes)
    }
}

/// The pieces of one message field: one behind the other they mean the same to protobuf.
struct Pieces {
    private var list: [Bytes] = []

    mutating func append(_ piece: Bytes) throws(WireError) {
        guard list.count < Bounds.maximumEntries else {
            throw .tooLong("message in pieces", bytes: list.count + 1, limit: Bounds.maximumEntries)
        }
        list.append(piece)
    }

    /// The whole message; nil where none came.
    var whole: Bytes? {
        list.count > 1 ? Bytes(list.flatMap(\.array)) : list.first
    }
}

/// Wire types of protobuf.
enum WireForm {
    static let varint: UInt8 = 0, fixed64: UInt8 = 1, delimited: UInt8 = 2
}

extension ProtoReader {
    /// The text of a string field, however long the message is.
    @_lifetime(self: copy self)
    mutating func text() throws(WireError) -> String { try string(limit: .max) }

    /// The value of an `int32` or enumeration field: of a larger number the low 32 bits.
    @_lifetime(self: copy self)
    mutating func int32() throws(WireError) -> Int32 { Int32(bitPattern: try uint32()) }

    /// One entry of a map from texts to texts.
    @_lifetime(self: copy self)
    mutating func entry() throws(WireError) -> (String, String) {
        var (key, value) = ("", "")
        var inner = try message()
        while let field = try inner.next() {
            switch (field, inner.wireType) {
            case (1, WireForm.delimited): key = try inner.text()
            case (2, WireForm.delimited): value = try inner.text()
            default: continue
            }
        }
        return (key, value)
    }
}

extension ProtoSize {
    /// Bytes of a string field.
    static func field(_ number: Int, _ text: String) -> Int { field(number, count: text.utf8.count) }

    /// Bytes of an `int32` field: a negative one has ten.
    static func field(_ number: Int, signed value: Int32) -> Int {
        field(number, UInt64(bitPattern: Int64(value)))
    }

    /// Bytes of a map from texts to texts: an entry has its key and value, also where they are empty.
    static func field(_ number: Int, _ map: Metadata) -> Int {
        map.entries.reduce(0) { $0 + present(number, count: entry($1)) }
    }

    static func entry(_ entry: Metadata.Entry) -> Int {
        present(1, count: entry.key.utf8.count) + present(2, count: entry.value.utf8.count)
    }
}

extension OutputSpan<UInt8> {
    @_lifetime(self: copy self)
    mutating func append(field number: Int, signed value: Int32) {
        append(field: number, UInt64(bitPattern: Int64(value)))
    }

    @_lifetime(self: copy self)
    mutating func append(field number: Int, _ map: Metadata) {
        for entry in map.entries {
            append(present: number, count: ProtoSize.entry(entry))
            append(present: 1, text: entry.key)
            append(present: 2, text: entry.value)
        }
    }

    /// Appends a string field that is written even if it is empty.
    @_lifetime(self: copy self)
    mutating func append(present number: Int, text: String) {
        let utf8 = text.utf8.span
        append(present: number, count: utf8.count)
        append(bytes: utf8)
    }

    @_lifetime(self: copy self)
    mutating func append(present number: Int, wire message: some WireMessage) {
        append(present: number, count: message.size)
        message.write(to: &self)
    }
}
