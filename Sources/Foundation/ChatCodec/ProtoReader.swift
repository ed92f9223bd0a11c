/// Reads the fields of a proto3 message where they lie, copying nothing.
///
/// ```swift
/// var reader = ProtoReader(payload.span)
/// while let field = try reader.next() {
///     switch field {
///     case 1: salt = try reader.uint64()
///     case 2: body = payload.slice(try reader.range())
///     default: continue  // unknown fields are skipped
///     }
/// }
/// ```
/// A field that comes twice is read twice, so the last one wins; a group is skipped as an unknown field
/// (WIRE-9); see `Specs/wire.md`. Every read is
/// bounded by the bytes there are, and nothing is allocated except by ``string(limit:)``.
public struct ProtoReader: ~Escapable {
    /// The deepest nesting that is read; the deepest message in use has five levels.
    public static let maximumDepth = 16
    /// The largest field number that protobuf allows.
    public static let maximumField = (1 << 29) - 1

    private let bytes: Span<UInt8>
    private let end: Int
    private let depth: Int
    /// The next byte to read, counted from the start of the outermost message.
    public private(set) var offset: Int
    private var field = 0
    private var type: WireType?

    private enum WireType: UInt8 {
        case varint = 0
        case fixed64 = 1
        case lengthDelimited = 2
        case startGroup = 3
        case endGroup = 4
        case fixed32 = 5
    }

    /// Reads a whole message.
    @_lifetime(copy bytes)
    public init(_ bytes: Span<UInt8>) {
        self.init(bytes, 0..<bytes.count, depth: 1)
    }

    @_lifetime(copy bytes)
    private init(_ bytes: Span<UInt8>, _ range: Range<Int>, depth: Int) {
        (self.bytes, self.offset, self.end, self.depth) = (bytes, range.lowerBound, range.upperBound, depth)
    }

    /// Goes to the next field and returns its number, or nil at the end; a value that was not read is skipped.
    @_lifetime(self: copy self)
    public mutating func next() throws(WireError) -> Int? {
        if type != nil { try skip() }
        guard offset < end else { return nil }
        let start = offset
        let (number, type) = try tag()
        guard type != .endGroup else { throw .badWireType(WireType.endGroup.rawValue, field: number, at: start) }
        (field, self.type) = (number, type)
        return number
    }

    @_lifetime(self: copy self)
    private mutating func tag() throws(WireError) -> (field: Int, type: WireType) {
        let start = offset
        let tag = try varint()
        let number = tag >> 3
        guard number > 0, number <= UInt64(Self.maximumField) else { throw .badFieldNumber(number, at: start) }
        guard let type = WireType(rawValue: UInt8(tag & 7)) else {
            throw .badWireType(UInt8(tag & 7), field: Int(number), at: start)
        }
        return (Int(number), type)
    }

    /// The wire type of the value that comes next; nil where there is none. For formats that skip a field whose wire
    /// type is not the one they know.
    public var wireType: UInt8? { type?.rawValue }

    /// The value of a `uint64` field.
    @_lifetime(self: copy self)
    public mutating func uint64() throws(WireError) -> UInt64 {
        try take(.varint)
        return try varint()
    }

    /// The value of a `uint32` field; of a larger number the low 32 bits, as protobuf has it.
    @_lifetime(self: copy self)
    public mutating func uint32() throws(WireError) -> UInt32 {
        UInt32(truncatingIfNeeded: try uint64())
    }

    /// The value of an `int64` field.
    @_lifetime(self: copy self)
    public mutating func int64() throws(WireError) -> Int64 {
        Int64(bitPattern: try uint64())
    }

    /// The value of a `bool` field.
    @_lifetime(self: copy self)
    public mutating func bool() throws(WireError) -> Bool {
        try uint64() != 0
    }

    /// The value of a `fixed64` field.
    @_lifetime(self: copy self)
    public mutating func fixed64() throws(WireError) -> UInt64 {
        try take(.fixed64)
        return try littleEndian(8)
    }

    /// The value of a `fixed32` field.
    @_lifetime(self: copy self)
    public mutating func fixed32() throws(WireError) -> UInt32 {
        try take(.fixed32)
        return UInt32(truncatingIfNeeded: try littleEndian(4))
    }

    /// Where the bytes of a `bytes`, `string` or message field lie, counted from the start of the outermost message.
    @_lifetime(self: copy self)
    public mutating func range() throws(WireError) -> Range<Int> {
        try take(.lengthDelimited)
        return try delimited()
    }

    /// Where the fields of a group lie, between its two tags: for those who show what others skip.
    @_lifetime(self: copy self)
    public mutating func group() throws(WireError) -> Range<Int> {
        try take(.startGroup)
        let start = offset
        return start..<(try skipGroup(field, depth: depth))
    }

    /// The bytes of a `bytes` field, read in place.
    @_lifetime(copy self)
    @_lifetime(self: copy self)
    public mutating func span() throws(WireError) -> Span<UInt8> {
        bytes.extracting(try range())
    }

    /// The text of a `string` field, which must be UTF-8 and no longer than a limit in bytes.
    @_lifetime(self: copy self)
    public mutating func string(limit: Int) throws(WireError) -> String {
        let range = try range(limit: limit)
        return try text(bytes.extracting(range), at: range.lowerBound)
    }

    /// Where the text of a `string` field lies, which must be UTF-8 too.
    @_lifetime(self: copy self)
    public mutating func textRange(limit: Int) throws(WireError) -> Range<Int> {
        let range = try range(limit: limit)
        _ = try utf8(bytes.extracting(range), at: range.lowerBound)
        return range
    }

    @_lifetime(self: copy self)
    private mutating func range(limit: Int) throws(WireError) -> Range<Int> {
        let range = try range()
        guard range.count <= limit else { throw .tooLong("field \(field)", bytes: range.count, limit: limit) }
        return range
    }

    /// A reader of a message field; its offsets count from the start of the outermost message too.
    @_lifetime(copy self)
    @_lifetime(self: copy self)
    public mutating func message() throws(WireError) -> ProtoReader {
        guard depth < Self.maximumDepth else { throw .tooDeep(limit: Self.maximumDepth, at: offset) }
        let range = try range()
        return ProtoReader(bytes, range, depth: depth + 1)
    }

    @_lifetime(self: copy self)
    private mutating func take(_ expected: WireType) throws(WireError) {
        guard let found = type else { throw .missing("value of field \(field)") }
        guard found == expected else { throw .badWireType(found.rawValue, field: field, at: offset) }
        type = nil
    }

    @_lifetime(self: copy self)
    private mutating func skip() throws(WireError) {
        if let type { try skip(type, field, depth: depth) }
        type = nil
    }

    @_lifetime(self: copy self)
    private mutating func skip(_ type: WireType, _ field: Int, depth: Int) throws(WireError) {
        switch type {
        case .varint: _ = try varint()
        case .fixed64: try advance(8)
        case .fixed32: try advance(4)
        case .lengthDelimited: _ = try delimited()
        case .startGroup: _ = try skipGroup(field, depth: depth)
        case .endGroup: break  // the end of a group is no field: whoever read its tag saw to it
        }
    }

    /// Goes behind the end of a group whose first tag was read, and returns where the tag of its end begins.
    ///
    /// A group is one level of nesting, as a message is.
    @_lifetime(self: copy self)
    private mutating func skipGroup(_ field: Int, depth: Int) throws(WireError) -> Int {
        guard depth < Self.maximumDepth else { throw .tooDeep(limit: Self.maximumDepth, at: offset) }
        while offset < end {
            let start = offset
            let (number, type) = try tag()
            if type == .endGroup {
                guard number == field else { throw .badWireType(type.rawValue, field: number, at: start) }
                return start
            }
            try skip(type, number, depth: depth + 1)
        }
        throw .truncated(needed: 1, at: end)
    }

    @_lifetime(self: copy self)
    private mutating func advance(_ count: Int) throws(WireError) {
        guard count <= end - offset else { throw .truncated(needed: count - (end - offset), at: end) }
        offset += count
    }

    @_lifetime(self: copy self)
    private mutating func delimited() throws(WireError) -> Range<Int> {
        let length = try varint()
        guard length <= UInt64(end - offset) else {
            throw .truncated(needed: Int(clamping: length - UInt64(end - offset)), at: end)
        }
        defer { offset += Int(length) }
        return offset..<offset + Int(length)
    }

    @_lifetime(self: copy self)
    private mutating func varint() throws(WireError) -> UInt64 {
        let start = offset
        // Nearly all are of one byte.
        if offset < end, bytes[offset] < 0x80 {
            offset += 1
            return UInt64(bytes[start])
        }
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard offset < end else { throw .truncated(needed: 1, at: end) }
            let byte = bytes[offset]
            guard shift < 63 || byte <= 1 else { throw .badVarint(at: start) }
            offset += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { break }
        }
        return value
    }

    @_lifetime(self: copy self)
    private mutating func littleEndian(_ count: Int) throws(WireError) -> UInt64 {
        let start = offset
        try advance(count)
        var value: UInt64 = 0
        for index in 0..<count { value |= UInt64(bytes[start + index]) << UInt64(8 * index) }
        return value
    }
}

/// The text of bytes that must be UTF-8.
func text(_ bytes: Span<UInt8>, at offset: Int) throws(WireError) -> String {
    String(copying: try utf8(bytes, at: offset))
}

/// Bytes that must be UTF-8.
@_lifetime(copy bytes)
private func utf8(_ bytes: Span<UInt8>, at offset: Int) throws(WireError) -> UTF8Span {
    do {
        return try UTF8Span(validating: bytes)
    } catch {
        throw .notUTF8(at: offset + error.byteOffsets.lowerBound)
    }
}
