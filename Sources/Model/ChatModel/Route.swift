/// Picks the state machine that a payload is for.
///
/// The id is stable and is the recipient's where the two roles have different ones. The framing
/// decides what a stranger sees of it: the id, a salted hash, or identifiers derived from the secret.
/// One object per route, shared by reference, because every payload carries it.
public final class Route: Sendable {
    /// Text without meaning to the framing, at most 255 bytes of UTF-8.
    public let id: String
    /// Known to both ends and replaced when the conversation ratchets; nil where a type has none.
    ///
    /// A new secret is listened to before it is used, and the old one until it is used up. It does not restart
    /// the sequence.
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
        left === right || (left.id.hasSameBytes(as: right.id) && left.secret == right.secret)
    }

    /// Hashes the id alone.
    public func hash(into hasher: inout Hasher) {
        id.hashBytes(into: &hasher)
    }

    /// The id.
    public var description: String { id }
}

/// A machine's interest in the payloads on an address that carry a route.
public struct Listening: Hashable, Sendable {
    /// Where payloads arrive.
    public let address: DeliveryAddress
    /// Which of them are meant.
    public let route: Route
    /// Whether the own payloads on the address are wanted back, in their place in the total order.
    public let wantsEcho: Bool
    /// Which of their sequences are of interest, for framings that derive identifiers.
    public var window: SequenceWindow

    /// Listens for a route on an address.
    public init(
        _ address: DeliveryAddress, _ route: Route, wantsEcho: Bool = false, window: SequenceWindow = SequenceWindow()
    ) {
        (self.address, self.route, self.wantsEcho, self.window) = (address, route, wantsEcho, window)
    }

    /// Whether address, route and echo are the same; a window that moved is no change of what is listened to.
    public static func == (left: Listening, right: Listening) -> Bool {
        left.route == right.route && left.address == right.address && left.wantsEcho == right.wantsEcho
    }

    /// Hashes address and route.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(address)
        hasher.combine(route)
    }
}

/// Which sequences of a sender on a route a machine is still interested in.
///
/// A framing reads the window when address or route change and after a restart, and moves its own in between, with
/// each payload that is accepted. So a machine makes its windows at those times, and announces no change of one.
public struct SequenceWindow: Hashable, Sendable {
    /// The lowest sequence that is wanted: all below it arrived or were given up. 0 where the type does not count;
    /// a type that counts begins with 1.
    public var lowestWanted: UInt64
    /// The highest sequence that was accepted; nil before the first one.
    public var highestSeen: UInt64?

    /// A window; the default is that of a type that does not count.
    public init(lowestWanted: UInt64 = 0, highestSeen: UInt64? = nil) {
        (self.lowestWanted, self.highestSeen) = (lowestWanted, highestSeen)
    }
}
