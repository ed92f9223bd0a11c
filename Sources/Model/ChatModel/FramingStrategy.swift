/// How are payloads encoded and told apart?
///
/// A framing answers one question, so that a conversation never learns how it is carried: which
/// state machine are these bytes for? It is not stored: what machines listen to makes its tables
/// again. For implementers: `unwrap` sees hostile bytes; it returns or throws and never traps, and
/// changes nothing, because what it found is not yet authentic. It knows whose payload it wraps and draws
/// randomness; it sends nothing.
public protocol FramingStrategy: Sendable {
    /// Name, claims and needs.
    var facts: Facts { get }

    /// The most bytes that ``wrap(_:of:random:)`` puts in front of a payload, for any route.
    var headRoom: Int { get }

    /// The largest payload in bytes that fits, wrapped, into a number of bytes.
    func maximumPayload(within bytes: Int) -> Int

    /// Replaces what an owner listens to; an empty list ends it.
    mutating func listen(_ listening: [Listening], for owner: Owner)

    /// Wraps a payload for the wire.
    ///
    /// - Parameters:
    ///   - routed: the payload, with its address and route.
    ///   - owner: whose payload it is, on this side.
    ///   - random: for salts; what is drawn is never drawn again, also where this throws.
    mutating func wrap(
        _ routed: consuming Routed, of owner: Owner, random: inout any RandomSource
    ) throws(Refusal) -> Addressed

    /// Finds the payload in bytes off the wire, and whose it is.
    func unwrap(_ addressed: Addressed) throws(Refusal) -> Unwrapped

    /// Learns that the owner authenticated a payload, so that its identifier is used up.
    ///
    /// - Returns: whether the framing can tell more now; then what was foreign is offered again. One that
    ///   says so for every payload makes its client try all foreign payloads each time.
    mutating func accepted(_ routed: Routed, for owner: Owner) -> Bool
}

extension FramingStrategy {
    /// For framings that only put a header in front.
    public func maximumPayload(within bytes: Int) -> Int { max(0, bytes - headRoom) }

    /// False, for framings whose identifiers are not used up.
    public mutating func accepted(_ routed: Routed, for owner: Owner) -> Bool { false }
}

/// The meaning of well-formed bytes off the wire.
public enum Unwrapped: Sendable, Hashable {
    /// A payload for a machine of this client.
    case payload(Routed, for: Owner)
    /// A payload for no machine of this client (ENV-03).
    case foreign
    /// A sign of life that carries nothing.
    case idle
}

/// The listenings of one client's machines, by delivery address and route: the table that most framings need.
public struct ListeningTable: Sendable {
    /// One machine's interest in a route.
    public struct Entry: Sendable, Hashable {
        /// The route.
        public let route: Route
        /// Whose it is.
        public let owner: Owner
    }

    /// By address and route id; an id has several entries while a route changes its secret.
    private var entries: [DeliveryAddress: [String: [Entry]]] = [:]
    private var listenings: [Owner: [Listening]] = [:]

    /// An empty table.
    public init() {}

    /// Replaces what an owner listens to; costs what the owner listens to, however many others there are.
    public mutating func listen(_ listening: [Listening], for owner: Owner) {
        for old in listenings.removeValue(forKey: owner) ?? [] {
            entries[old.address]?[old.route.id]?.removeAll { $0.owner == owner }
            if entries[old.address]?[old.route.id]?.isEmpty == true { entries[old.address]?[old.route.id] = nil }
            if entries[old.address]?.isEmpty == true { entries[old.address] = nil }
        }
        guard !listening.isEmpty else { return }
        listenings[owner] = listening
        for one in listening {
            entries[one.address, default: [:]][one.route.id, default: []].append(Entry(route: one.route, owner: owner))
        }
    }

    /// Everybody who listens on an address, in no order.
    public subscript(address: DeliveryAddress) -> [Entry] {
        entries[address]?.values.flatMap(\.self) ?? []
    }

    /// The first who listens on an address for a route by its id, compared byte for byte.
    public subscript(address: DeliveryAddress, id: String) -> Entry? {
        // A dictionary takes two spellings of one accented letter for the same text.
        entries[address]?[id]?.first { $0.route.id.hasSameBytes(as: id) }
    }

    /// An entry on an address whose route meets a condition; the condition is asked at most once for each.
    public func first<E: Error>(on address: DeliveryAddress, where picks: (Route) throws(E) -> Bool) throws(E) -> Entry?
    {
        guard let routes = entries[address] else { return nil }
        for (_, candidates) in routes {
            for candidate in candidates where try picks(candidate.route) { return candidate }
        }
        return nil
    }
}
