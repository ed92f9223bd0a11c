import ChatModel

/// One frame of a `DATA` datagram; what is long stays in the datagram and is named by its place there.
package enum Frame: Hashable, Sendable {
    /// One byte that means nothing.
    case padding
    /// Asks for an acknowledgement and says nothing else.
    case ping
    /// The sender received packets.
    case acknowledgement(Acknowledgement)
    /// A fragment of a message.
    case message(Fragment, bytes: Range<Int>)

    /// Codes of frames on the wire.
    enum Code {
        static let padding: UInt8 = 0, ping: UInt8 = 1, acknowledgement: UInt8 = 2, message: UInt8 = 3
    }

    /// Whether the packet that has it must be acknowledged.
    var isEliciting: Bool {
        switch self {
        case .ping, .message: true
        case .padding, .acknowledgement: false
        }
    }
}

/// Packets that were received, the newest first; never empty, and no two ranges touch.
package struct Acknowledgement: Hashable, Sendable {
    /// Microseconds from the receipt of the newest packet until this was sent.
    package var delay: UInt32
    /// Packet numbers.
    package var ranges: [ClosedRange<UInt64>]
}

/// A piece of a message.
package struct Fragment: Hashable, Sendable {
    /// The message's number; counts from 0 in each direction of a session.
    package var message: UInt64
    /// How many messages before it the one is that must be handed on first; 0 if there is none.
    package var distance: UInt32
    /// Bytes of the whole message.
    package var total: Int
    /// Which piece it is.
    package var index: Int

    /// How many pieces the message has.
    var count: Int { UDPFormat.fragments(of: total) }
}

/// Reads the frames of a datagram one after the other.
struct FrameReader: ~Escapable {
    private var reader: FieldReader

    /// - Parameter bytes: the whole datagram.
    @_lifetime(copy bytes) init(_ bytes: Span<UInt8>, at offset: Int) throws(UDPError) {
        reader = FieldReader(bytes)
        _ = try reader.take(offset)
    }

    /// The next frame; nil at the end.
    @_lifetime(self: copy self)
    mutating func next() throws(UDPError) -> Frame? {
        guard reader.rest > 0 else { return nil }
        switch try reader.number(UInt8.self) {
        case Frame.Code.padding: return .padding
        case Frame.Code.ping: return .ping
        case Frame.Code.acknowledgement: return .acknowledgement(try acknowledgement())
        case Frame.Code.message: return try message()
        case let code: throw .unknownFrame(code)
        }
    }

    @_lifetime(self: copy self)
    private mutating func acknowledgement() throws(UDPError) -> Acknowledgement {
        let delay: UInt32 = try reader.number()
        let offset = reader.offset
        let count = Int(try reader.number(UInt8.self))
        guard (1...UDPFormat.maximumRanges).contains(count) else { throw .malformed("number of ranges", at: offset) }
        var ranges: [ClosedRange<UInt64>] = []
        ranges.reserveCapacity(count)
        for _ in 0..<count {
            let offset = reader.offset
            let (first, last) = (try reader.number(UInt64.self), try reader.number(UInt64.self))
            // Each range lies below the one before, with at least one packet between them.
            let isBelow = ranges.last.map { last < $0.lowerBound && $0.lowerBound - last > 1 } ?? (last < .max)
            guard first <= last, isBelow else { throw .malformed("range", at: offset) }
            ranges.append(first...last)
        }
        return Acknowledgement(delay: delay, ranges: ranges)
    }

    @_lifetime(self: copy self)
    private mutating func message() throws(UDPError) -> Frame {
        let number: UInt64 = try reader.number()
        let offset = reader.offset
        let distance: UInt32 = try reader.number()
        guard UInt64(distance) <= number else { throw .malformed("distance", at: offset) }
        let total = Int(try reader.number(UInt32.self))
        let index = Int(try reader.number(UInt16.self))
        guard total > 0, index < UDPFormat.fragments(of: total) else { throw .malformed("fragment", at: offset + 4) }
        let bytes = try reader.take(UDPFormat.range(ofFragment: index, of: total).count)
        return .message(Fragment(message: number, distance: distance, total: total, index: index), bytes: bytes)
    }
}

extension [UInt8] {
    mutating func append(_ acknowledgement: Acknowledgement) {
        append(Frame.Code.acknowledgement)
        append(big: acknowledgement.delay)
        append(UInt8(truncatingIfNeeded: acknowledgement.ranges.count))
        for range in acknowledgement.ranges {
            append(big: range.lowerBound)
            append(big: range.upperBound)
        }
    }

    /// Appends the header of a fragment; its bytes follow.
    mutating func append(_ fragment: Fragment) {
        append(Frame.Code.message)
        append(big: fragment.message)
        append(big: fragment.distance)
        append(big: UInt32(truncatingIfNeeded: fragment.total))
        append(big: UInt16(truncatingIfNeeded: fragment.index))
    }
}
