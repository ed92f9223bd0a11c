public import ChatModel

/// Sizes of proto3 encodings: a writer computes them first and then writes once, forwards.
public enum ProtoSize {
    /// Bytes of a varint: 1 to 10.
    public static func varint(_ value: UInt64) -> Int {
        value < 0x80 ? 1 : (70 - value.leadingZeroBitCount) / 7
    }

    /// Bytes of a field's tag.
    public static func tag(_ field: Int) -> Int { varint(UInt64(field) << 3) }

    /// Bytes of a varint field; none where it is 0, the default.
    public static func field(_ number: Int, _ value: UInt64) -> Int {
        value == 0 ? 0 : tag(number) + varint(value)
    }

    /// Bytes of a `bytes` or `string` field of a length; none where it is empty, the default.
    public static func field(_ number: Int, count: Int) -> Int {
        count == 0 ? 0 : present(number, count: count)
    }

    /// Bytes of a field that is written even if it is empty: a message, or an arm of a oneof.
    public static func present(_ number: Int, count: Int) -> Int {
        tag(number) + varint(UInt64(count)) + count
    }
}

/// The writer of proto3: appends what ``ProtoSize`` counted. Defaults are omitted unless a name says `present`.
extension OutputSpan<UInt8> {
    /// Appends a varint.
    @_lifetime(self: copy self)
    @inlinable public mutating func append(varint value: UInt64) {
        // Nearly all are of one byte.
        if value < 0x80 { return append(UInt8(truncatingIfNeeded: value)) }
        append(longVarint: value)
    }

    @_lifetime(self: copy self)
    @usableFromInline mutating func append(longVarint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    /// Appends bytes as they are; there must be room for them.
    @_lifetime(self: copy self)
    public mutating func append(bytes: Span<UInt8>) {
        precondition(bytes.count <= freeCapacity, "\(bytes.count) bytes into room for \(freeCapacity)")
        unsafe bytes.withUnsafeBufferPointer { source in
            unsafe withUnsafeMutableBufferPointer { buffer, count in
                guard let from = source.baseAddress, let to = buffer.baseAddress else { return }
                unsafe (to + count).initialize(from: from, count: source.count)
                count += source.count
            }
        }
    }

    /// Appends a `uint64`, `uint32` or (as its bit pattern) `int64` field.
    @_lifetime(self: copy self)
    public mutating func append(field number: Int, _ value: UInt64) {
        guard value != 0 else { return }
        append(varint: UInt64(number) << 3)
        append(varint: value)
    }

    /// Appends a `bytes` field.
    @_lifetime(self: copy self)
    public mutating func append(field number: Int, _ bytes: Bytes) {
        guard !bytes.isEmpty else { return }
        append(present: number, count: bytes.count)
        append(bytes: bytes.span)
    }

    /// Appends a `string` field.
    @_lifetime(self: copy self)
    public mutating func append(field number: Int, _ text: String) {
        guard !text.isEmpty else { return }
        let utf8 = text.utf8.span
        append(present: number, count: utf8.count)
        append(bytes: utf8)
    }

    /// Appends a message field, which is present even if everything in it is default.
    @_lifetime(self: copy self)
    public mutating func append(present number: Int, _ message: some ProtoMessage) {
        append(present: number, count: message.size)
        message.write(to: &self)
    }

    /// Appends tag and length of a field whose bytes the caller appends next.
    @_lifetime(self: copy self)
    public mutating func append(present number: Int, count: Int) {
        append(varint: UInt64(number) << 3 | 2)
        append(varint: UInt64(count))
    }
}

/// A message with a fixed proto3 layout.
public protocol ProtoMessage: Sendable, Hashable {
    /// The size of its encoding in bytes.
    var size: Int { get }

    /// Appends exactly ``size`` bytes: the fields in the order of their numbers, defaults omitted.
    @_lifetime(output: copy output)
    func write(to output: inout OutputSpan<UInt8>)

    /// Decodes a message; what it keeps of the bytes are slices.
    init(decoding bytes: Bytes) throws(WireError)
}

extension ProtoMessage {
    /// The encoding, behind head room for the layers below.
    public func encoded(headRoom: Int = 0) -> Bytes {
        Bytes(headRoom: headRoom, count: size) { write(to: &$0) }
    }
}
