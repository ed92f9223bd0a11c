/// A run of bytes that is cheap to slice and cheap to put a header in front of.
///
/// Content, frames and payloads travel through the layers in this form. Outbound, each layer writes
/// its header into the head room that the first one reserved, so wrapping copies nothing; inbound,
/// each layer hands on a slice of the datagram. Copies share storage until one of them is changed.
public struct Bytes: Sendable {
    // Not private, so that reading and writing are compiled where they are used.
    @usableFromInline var storage: [UInt8]
    @usableFromInline var lower: Int
    @usableFromInline var upper: Int

    /// No bytes.
    public init() {
        self.init([])
    }

    /// All bytes of an array; nothing is copied.
    public init(_ array: [UInt8]) {
        (storage, lower, upper) = (array, 0, array.count)
    }

    /// A copy of the bytes of a span.
    public init(copying span: Span<UInt8>) {
        self.init(unsafe span.withUnsafeBufferPointer { unsafe Array($0) })
    }

    /// The UTF-8 form of a text.
    public init(_ text: String) {
        self.init(Array(text.utf8))
    }

    /// Writes bytes once, behind head room for the layers below.
    ///
    /// - Parameters:
    ///   - count: the most bytes that `write` appends.
    ///   - write: appends the bytes.
    ///   - headRoom: bytes kept free in front, for ``prepend(_:_:)``.
    @inlinable public init<E: Error>(
        headRoom: Int, count: Int, _ write: (inout OutputSpan<UInt8>) throws(E) -> Void
    ) throws(E) {
        // Reserving is compiled for bytes; the initializers of an array look their type up at run time. At least one byte
        // is reserved: an array without capacity would write its count to the storage that all empty arrays share.
        let capacity = Swift.max(headRoom + count, 1)
        var array: [UInt8] = []
        array.reserveCapacity(capacity)
        try array.append(addingCapacity: capacity) { (output: inout OutputSpan<UInt8>) throws(E) in
            output.append(repeating: 0, count: headRoom)
            try write(&output)
        }
        (storage, lower, upper) = (array, headRoom, array.count)
    }

    /// How many bytes there are, without head room.
    @inlinable public var count: Int { upper - lower }

    /// Whether there are no bytes.
    @inlinable public var isEmpty: Bool { lower == upper }

    /// The bytes, read in place.
    @inlinable public var span: Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get { storage.span.extracting(lower..<upper) }
    }

    /// The bytes as an array; copies unless this is a whole array.
    public var array: [UInt8] {
        count == storage.count ? storage : Array(storage[lower..<upper])
    }

    /// The byte at an index that must lie inside; an index from outside bytes is checked by the caller.
    @inlinable public subscript(index: Int) -> UInt8 { span[index] }

    /// A part of these bytes that shares their storage, with offsets from the first byte.
    @inlinable public func slice(_ range: Range<Int>) -> Bytes {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "slice \(range) of \(count) bytes")
        var part = self
        part.lower = lower + range.lowerBound
        part.upper = lower + range.upperBound
        return part
    }

    /// Puts a header of exactly `size` bytes in front; in place while head room lasts and the buffer has no other
    /// reference.
    ///
    /// - Parameters:
    ///   - size: bytes of the header.
    ///   - write: appends exactly `size` bytes.
    public mutating func prepend(_ size: Int, _ write: (inout OutputSpan<UInt8>) -> Void) {
        if size > lower { self = moved(behind: size) }
        lower -= size
        let range = lower..<lower + size
        var whole = storage.mutableSpan
        var header = whole._mutatingExtracting(range)
        unsafe header.withUnsafeMutableBufferPointer { memory in
            var output = unsafe OutputSpan(buffer: memory, initializedCount: 0)
            write(&output)
            let written = unsafe output.finalize(for: memory)
            precondition(written == size, "a header of \(size) bytes got \(written)")
        }
    }

    private func moved(behind headRoom: Int) -> Bytes {
        Bytes(headRoom: headRoom, count: count) { output in
            for index in lower..<upper { output.append(storage[index]) }
        }
    }

    /// Changes bytes in place, after a copy where the storage is shared.
    public mutating func withMutableSpan<R, E: Error>(
        _ body: (inout MutableSpan<UInt8>) throws(E) -> R
    ) throws(E) -> R {
        let range = lower..<upper
        var whole = storage.mutableSpan
        var part = whole._mutatingExtracting(range)
        return try body(&part)
    }
}

extension Bytes: Hashable {
    /// Whether both hold the same bytes; not in constant time.
    public static func == (left: Bytes, right: Bytes) -> Bool {
        left.count == right.count && left.storage[left.lower..<left.upper] == right.storage[right.lower..<right.upper]
    }

    /// Hashes the bytes and not the head room.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(storage[lower..<upper])
    }
}

extension Bytes: ExpressibleByArrayLiteral, CustomStringConvertible {
    /// The bytes of a literal.
    public init(arrayLiteral elements: UInt8...) {
        self.init(elements)
    }

    /// The number of bytes alone: content does not belong in logs.
    public var description: String { "Bytes(\(count))" }
}

/// The bytes that an application sends and receives; opaque to every component (CT-14).
public typealias Content = Bytes

/// An encoded frame: what conversations hand to the framing and services carry without looking (DS-07).
public typealias Payload = Bytes
