/// The name of a broadcast domain: every subscriber of it receives a copy of a payload (DS-02).
///
/// Two addresses are one where their bytes of UTF-8 are the same (DS-15): nothing is normalized.
public struct DeliveryAddress: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The address as services see it.
    public let text: String

    /// Any text; services state their own limits.
    public init(_ text: String) {
        self.text = text
    }

    /// An address from a literal.
    public init(stringLiteral text: String) {
        self.init(text)
    }

    /// Whether both have the same bytes.
    public static func == (left: DeliveryAddress, right: DeliveryAddress) -> Bool {
        left.text.hasSameBytes(as: right.text)
    }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) { text.hashBytes(into: &hasher) }

    /// The address itself.
    public var description: String { text }
}

/// Names one conversation on one client (CT-03): 128 bits in lowercase hex (CT-02), 144 in profile `libchat`.
public struct ConversationID: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Lowercase hex.
    public let text: String

    /// An id that a conversation type derived.
    public init(_ text: String) {
        self.text = text
    }

    /// An id from its bytes.
    public init(bytes: [UInt8]) {
        self.init(hex(bytes))
    }

    /// Whether both have the same bytes.
    public static func == (left: ConversationID, right: ConversationID) -> Bool {
        left.text.hasSameBytes(as: right.text)
    }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) { text.hashBytes(into: &hasher) }

    /// Orders ids by their bytes.
    public static func < (left: ConversationID, right: ConversationID) -> Bool {
        left.text.precedesInBytes(right.text)
    }

    /// The hex text.
    public var description: String { text }
}

/// The name of an immutable specification of conversations (CT-08), for example `private-v1-libchat`.
public struct ConversationType: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The name in lowercase, without `/` and `+`.
    public let name: String

    /// A type by its name.
    public init(_ name: String) {
        self.name = name
    }

    /// A type from a literal.
    public init(stringLiteral name: String) {
        self.init(name)
    }

    /// Whether both have the same bytes.
    public static func == (left: ConversationType, right: ConversationType) -> Bool {
        left.name.hasSameBytes(as: right.name)
    }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) { name.hashBytes(into: &hasher) }

    /// The name itself.
    public var description: String { name }
}

/// Names one payload, 16 random bytes; a payload that is published again keeps its id.
public struct PayloadID: Hashable, Sendable, CustomStringConvertible {
    /// The first eight bytes as a big-endian number.
    public let high: UInt64
    /// The last eight bytes as a big-endian number.
    public let low: UInt64

    /// An id from its two halves.
    public init(high: UInt64, low: UInt64) {
        (self.high, self.low) = (high, low)
    }

    /// Lowercase hex, 32 digits.
    public var description: String {
        hex(high.bigEndianBytes + low.bigEndianBytes)
    }
}

/// Names one content that an application sent; drawn by the client and never used twice on it.
public struct ContentID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Counts up from 1.
    public let number: UInt64

    /// An id by its number.
    public init(_ number: UInt64) {
        self.number = number
    }

    /// Orders by age, oldest first.
    public static func < (left: ContentID, right: ContentID) -> Bool {
        left.number < right.number
    }

    /// The number in decimal.
    public var description: String { String(number) }
}

/// Which machine of a client a payload is for.
public enum Owner: Hashable, Sendable {
    /// The initialization: invites.
    case initialization
    /// One conversation.
    case conversation(ConversationID)
}
