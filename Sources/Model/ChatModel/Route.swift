/// Picks the state machine that a payload is for.
///
/// The id is stable and is the recipient's where the two roles have different ones. The framing
/// decides what a stranger sees of it: the id, a salted hash, or identifiers derived from the secret.
/// One object per route, shared by reference, because every payload carries it.
public final class Route: Sendable {
    /// Text without meaning to the framing, at most 255 bytes of UTF-8.
    public let id: String
    /// Known to both ends and replaced when the conversation ratchets; nil where a type has none.
    public let secret: Secret?

    /// Makes a route.
    public init(_ id: String, secret: Secret? = nil) {
        (self.id, self.secret) = (id, secret)
    }

    /// The longest id in bytes; the longest in use has 128.
    public static let maximumID = 255
}

extension Route: Hashable, CustomStringConvertible {
    /// Whether id and secret are the same.
    public static func == (left: Route, right: Route) -> Bool {
        left === right || (left.id == right.id && left.secret == right.secret)
    }

    /// Hashes the id alone.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(id)
    }

    /// The id.
    public var description: String { id }
}

/// What a machine wants to hear: payloads on an address that carry a route.
public struct Listening: Hashable, Sendable {
    /// Where payloads arrive.
    public let address: DeliveryAddress
    /// Which of them are meant.
    public let route: Route
    /// The first sequence that is still of interest, for framings that derive identifiers.
    public let from: UInt64

    /// Listens for a route on an address.
    public init(_ address: DeliveryAddress, _ route: Route, from: UInt64 = 0) {
        (self.address, self.route, self.from) = (address, route, from)
    }
}
