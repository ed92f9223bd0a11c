// Numbers as bytes, most significant first: the one implementation for all formats and records.

extension Sequence<UInt8> {
    /// The number that the bytes are; of more than eight the last eight count.
    @inlinable package var bigEndian: UInt64 { reduce(0) { $0 << 8 | UInt64($1) } }
}

extension Span<UInt8> {
    /// The number that some of the bytes are, which must lie inside; of more than eight the last eight count.
    @inlinable package func bigEndian(_ range: Range<Int>) -> UInt64 {
        range.reduce(0) { $0 << 8 | UInt64(self[$1]) }
    }
}

extension FixedWidthInteger where Self: UnsignedInteger {
    /// The bytes of the number.
    @inlinable package var bigEndianBytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(big: self)
        return bytes
    }
}

extension [UInt8] {
    /// Appends a number.
    @inlinable package mutating func append(big number: some FixedWidthInteger & UnsignedInteger) {
        unsafe Swift.withUnsafeBytes(of: number.bigEndian) { unsafe append(contentsOf: $0) }
    }
}

extension OutputSpan<UInt8> {
    /// Appends a number.
    @inlinable @_lifetime(self: copy self) package mutating func append(big number: UInt64) {
        for shift in stride(from: UInt64(56), through: 0, by: -8) { append(UInt8(truncatingIfNeeded: number >> shift)) }
    }
}
