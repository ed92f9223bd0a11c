import ChatModel

// Numbers are big-endian everywhere in the datagram protocol.

/// Reads fields one after the other; every step is checked.
struct FieldReader: ~Escapable {
    private let bytes: Span<UInt8>
    private(set) var offset = 0
    var rest: Int { bytes.count - offset }

    @_lifetime(copy bytes) init(_ bytes: Span<UInt8>) { self.bytes = bytes }

    /// A number of a fixed width.
    @_lifetime(self: copy self)
    mutating func number<Number: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _: Number.Type = Number.self
    ) throws(UDPError) -> Number {
        let range = try take(Number.bitWidth / 8)
        // `take` has checked the place.
        return Number(
            bigEndian: unsafe bytes.bytes.unsafeLoadUnaligned(fromByteOffset: range.lowerBound, as: Number.self))
    }

    /// The place of some bytes, which are then behind the reader.
    @_lifetime(self: copy self)
    mutating func take(_ count: Int) throws(UDPError) -> Range<Int> {
        guard count <= rest else { throw .truncated(needed: count - rest, at: bytes.count) }
        defer { offset += count }
        return offset..<offset + count
    }

    /// Some bytes.
    @_lifetime(self: copy self)
    mutating func bytes(_ count: Int) throws(UDPError) -> [UInt8] {
        [UInt8](copying: bytes.extracting(try take(count)))
    }

    /// A text behind one byte that says its length.
    ///
    /// - Parameter known: a text that it may well be, which is then not made anew.
    @_lifetime(self: copy self)
    mutating func text(_ field: String, known: String = "") throws(UDPError) -> String {
        let range = try take(Int(number(UInt8.self)))
        if range.isEmpty { return "" }
        if isEqual(range, known) { return known }
        let text = unsafe bytes.extracting(range).withUnsafeBufferPointer {
            unsafe String(validating: $0, as: UTF8.self)
        }
        guard let text else { throw .malformed(field, at: range.lowerBound) }
        return text
    }

    private func isEqual(_ range: Range<Int>, _ text: String) -> Bool {
        let (own, other) = (bytes.extracting(range), text.utf8.span)
        guard own.count == other.count else { return false }
        for index in own.indices where own[index] != other[index] { return false }
        return true
    }

    /// Bytes behind one byte that says their number.
    @_lifetime(self: copy self)
    mutating func shortBytes(limit: Int) throws(UDPError) -> [UInt8] {
        let count = Int(try number(UInt8.self))
        guard count <= limit else { throw .tooLong(count, limit: limit) }
        return [UInt8](copying: bytes.extracting(try take(count)))
    }
}

extension [UInt8] {
    /// The bytes of a span.
    init(copying span: Span<UInt8>) {
        self = unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
    }

    /// Appends the bytes of a span.
    mutating func append(_ span: Span<UInt8>) {
        unsafe span.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    /// Appends a text behind one byte that says its length; the caller has checked that it fits.
    mutating func append(short text: String) {
        append(UInt8(truncatingIfNeeded: text.utf8.count))
        append(contentsOf: text.utf8)
    }

    /// Appends bytes behind one byte that says their number.
    mutating func append(short bytes: [UInt8]) {
        append(UInt8(truncatingIfNeeded: bytes.count))
        append(contentsOf: bytes)
    }
}
