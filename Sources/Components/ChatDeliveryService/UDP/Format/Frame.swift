package import ChatModel

/// One frame of a `DATA` datagram or of a sealed packet; what is long stays in the datagram and is named by its place
/// there.
package enum Frame: Hashable, Sendable {
    /// One byte that means nothing.
    case padding
    /// Asks for an acknowledgement and says nothing else.
    case ping
    /// The sender received packets.
    case acknowledgement(Acknowledgement)
    /// A fragment of a message.
    case message(Fragment, bytes: Range<Int>)
    /// Sealed hops only: shows that the receiver is reached here, by being sent back.
    case challenge(UInt64)
    /// Sealed hops only: what a challenge said.
    case response(UInt64)
    /// Sealed hops only: a half of an exchange of keys; 32 bytes.
    case key(generation: UInt64, PublicKey)
    /// Sealed hops only: the session is over.
    case close(UDPFormat.ResetReason, milliseconds: UInt32)

    /// Codes of frames on the wire.
    enum Code {
        static let padding: UInt8 = 0, ping: UInt8 = 1, acknowledgement: UInt8 = 2, message: UInt8 = 3
        static let challenge: UInt8 = 7, response: UInt8 = 8, key: UInt8 = 9, close: UInt8 = 11
    }

    /// Whether the packet that has it must be acknowledged.
    var isEliciting: Bool {
        switch self {
        case .ping, .message, .challenge, .response, .key, .close: true
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
    private let isSealed: Bool

    /// - Parameters:
    ///   - bytes: the whole datagram, or the frames of a packet that was opened.
    ///   - isSealed: whether frames that only sealed hops have may occur.
    @_lifetime(copy bytes) init(_ bytes: Span<UInt8>, at offset: Int, isSealed: Bool = false) throws(UDPError) {
        (reader, self.isSealed) = (FieldReader(bytes), isSealed)
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
        case let code: return try sealed(code)
        }
    }

    @_lifetime(self: copy self)
    private mutating func sealed(_ code: UInt8) throws(UDPError) -> Frame {
        guard isSealed else { throw .unknownFrame(code) }
        switch code {
        case Frame.Code.challenge: return .challenge(try reader.number())
        case Frame.Code.response: return .response(try reader.number())
        case Frame.Code.key:
            let generation: UInt64 = try reader.number()
            return .key(generation: generation, PublicKey(try reader.bytes(SealedFormat.keySize)))
        case Frame.Code.close:
            let reason = UDPFormat.ResetReason(rawValue: try reader.number())
            return .close(reason, milliseconds: try reader.number())
        default: throw .unknownFrame(code)
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
    mutating func append(_ half: HopSeal.Half) {
        append(Frame.Code.key)
        append(big: half.generation)
        append(contentsOf: half.key.bytes)
    }

    mutating func append(close reason: UDPFormat.ResetReason, milliseconds: UInt32) {
        append(Frame.Code.close)
        append(reason.rawValue)
        append(big: milliseconds)
    }

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
