/// The fixed numbers of the datagram protocol, version 1; each is part of the wire format.
package enum UDPFormat {
    /// The version in front of every datagram.
    package static let version: UInt8 = 1
    /// Bytes of a datagram at most: what every path over IPv6 carries (1,280), less its headers.
    package static let maximumDatagram = 1_200
    /// Version, kind, session.
    package static let headerSize = 10
    /// The header and a packet number.
    package static let dataHeaderSize = 18
    /// The header of a `MESSAGE` frame.
    package static let messageHeaderSize = 19
    /// Bytes of a message in each of its fragments but the last: a datagram less both headers and the room for an
    /// acknowledgement of two ranges.
    package static let fragmentSize = 1_120
    /// Ranges in one acknowledgement at most: 262 bytes. What is older has been acknowledged many times before.
    package static let maximumRanges = 16
    /// Messages beyond the oldest unfinished one at most; bounds the tables of both sides.
    package static let maximumAhead: UInt64 = 4_096
    /// UTF-8 bytes of a delivery address at most, so that its length is one byte.
    package static let maximumAddress = 255
    /// Bytes of a cookie at most.
    package static let maximumCookie = 64
    /// The most bytes that a message adds to a payload: kind, subscription, sequence, id, two addresses.
    package static let maximumMessageHead = 1 + 4 + 8 + 16 + 2 * (1 + maximumAddress)
    /// The largest payload that a relay may promise: 65,535 fragments would be 70 MiB.
    package static let maximumPayload = 16 << 20
    /// Fragments of a message of some bytes.
    package static func fragments(of bytes: Int) -> Int { (bytes + fragmentSize - 1) / fragmentSize }
    /// Where a fragment of a message lies in it.
    package static func range(ofFragment index: Int, of bytes: Int) -> Range<Int> {
        index * fragmentSize..<min(bytes, (index + 1) * fragmentSize)
    }

    /// The kind of the datagram.
    package enum Kind: UInt8, Sendable {
        /// Client to relay: let me in.
        case hello = 1
        /// Relay to client: show that you receive at your address.
        case challenge = 2
        /// Relay to client: you are in.
        case welcome = 3
        /// Either way: there is no such session.
        case reset = 4
        /// Either way: frames of a session.
        case data = 5
    }

    /// Why there is no session; a later version may know more reasons, and each ends the session (UDP-6).
    package struct ResetReason: RawRepresentable, Hashable, Sendable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        /// Unknown or expired: begin a new one.
        package static let unknown = Self(rawValue: 1)
        /// The relay has no room for another one.
        package static let full = Self(rawValue: 2)
        /// The relay does not speak this version.
        package static let version = Self(rawValue: 3)
        /// The other side ends it.
        package static let closed = Self(rawValue: 4)
    }
}

/// Why a datagram, a frame or a message was refused.
package enum UDPError: Error, Hashable, Sendable, CustomStringConvertible {
    /// It ends before a field does.
    case truncated(needed: Int, at: Int)
    /// It is longer than it may be.
    case tooLong(Int, limit: Int)
    /// Another version of the protocol.
    case unknownVersion(UInt8)
    /// A kind of datagram that does not exist.
    case unknownKind(UInt8)
    /// A kind of frame that does not exist.
    case unknownFrame(UInt8)
    /// A kind of message that does not exist.
    case unknownMessage(UInt8)
    /// A field with a value that it cannot have.
    case malformed(String, at: Int)
    /// It acknowledges a packet that was never sent.
    case acknowledgesUnsent(UInt64)
    /// A message number too far ahead.
    case tooFarAhead(UInt64, limit: UInt64)
    /// It says something else about a message than an earlier fragment did.
    case contradiction(message: UInt64)
    /// There is no room for it now.
    case noRoom(bytes: Int)

    /// One line for people.
    package var description: String {
        switch self {
        case .truncated(let needed, let at): "ends at byte \(at); \(needed) more expected"
        case .tooLong(let count, let limit): "\(count) bytes; at most \(limit) allowed"
        case .unknownVersion(let version): "version \(version)"
        case .unknownKind(let kind): "kind \(kind) of datagram"
        case .unknownFrame(let kind): "kind \(kind) of frame"
        case .unknownMessage(let kind): "kind \(kind) of message"
        case .malformed(let field, let at): "\(field) at byte \(at) is malformed"
        case .acknowledgesUnsent(let number): "acknowledges packet \(number), which was not sent"
        case .tooFarAhead(let ahead, let limit): "\(ahead) messages ahead; at most \(limit) allowed"
        case .contradiction(let number): "fragments of message \(number) contradict each other"
        case .noRoom(let bytes): "no room for \(bytes) bytes"
        }
    }
}
