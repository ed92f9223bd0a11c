internal import ChatCrypto
public import ChatModel

/// Ratcheting private identifiers: 16 bytes in front of each payload that only the two ends of a route can tell.
///
/// An identifier is derived from the route's secret and the payload's sequence, and is used up once the payload is
/// authenticated. The recipient keeps a few identifiers for each route in one table, so finding whose a payload is
/// takes one look-up whatever the number of conversations. See `Specs/rpi-v1.md`.
public struct RPIV1: FramingStrategy {
    static let name = "rpi-v1"
    private var table = IdentifierTable()
    /// The key of the route to which an owner sent last, for the next payload.
    private var sending: [Owner: Sending] = [:]

    private struct Sending: Sendable {
        let address: DeliveryAddress
        let route: Route
        let key: RouteIdentifier.Key
    }

    /// Makes the framing; it has no options.
    public init() {}

    /// Name `rpi-v1`.
    public var facts: Facts {
        Facts(
            name: Self.name, summary: "Identifiers that only the two ends of a route can derive, one for each payload.",
            claims: [
                Claim(
                    .unlinkability, "RPIV1-1", "of identifiers; a delivery address of its own still links payloads"),
                Claim(.senderPrivacy, "ENV-04", "nothing is said of the sender"),
                Claim(
                    .recipientPrivacy, "RPIV1-4", holds: false,
                    "whoever knows the route of an inbox recognizes first contacts"),
            ])
    }

    /// The identifier: 16 bytes.
    public var headRoom: Int { RouteIdentifier.size }

    /// How many identifiers are kept, of all routes.
    public var identifierCount: Int { table.count }

    /// Replaces what an owner listens to; identifiers of what stays are kept as they are.
    ///
    /// A conversation's route without a secret is not listened to, because nothing can be sent to it (RPIV1-5).
    public mutating func listen(_ listening: [Listening], for owner: Owner) {
        if listening.isEmpty { sending[owner] = nil }
        table.listen(listening.filter { $0.route.secret != nil || owner == .initialization }, for: owner)
    }

    /// Puts the identifier into the payload's head room; refuses headers, and a conversation's route without a secret.
    public mutating func wrap(
        _ routed: consuming Routed, of owner: Owner, random: inout any RandomSource
    ) throws(Refusal) -> Addressed {
        try check(routed, framing: Self.name)
        if case .conversation(let id) = owner, routed.route.secret == nil {
            throw Refusal(.unsupported, FramingError.noSecret(of: "conversation \(id)", framing: Self.name))
        }
        let key = key(routed.address, routed.route, of: owner)
        let identifier =
            routed.sequence > 0 && routed.route.secret != nil
            ? key.identifier(routed.sequence) : key.identifier(salt: Self.salt(from: &random))
        routed.payload.prepend(RouteIdentifier.size) { identifier.write(to: &$0) }
        return Addressed(
            routed.address, payload: routed.payload, replyAddress: routed.replyAddress,
            ending: routed.ending)
    }

    /// Finds the owner of a payload; an unknown identifier is foreign.
    ///
    /// One look-up, and after that a hash for each route on the address whose payloads are not counted: an inbox.
    public func unwrap(_ addressed: Addressed) throws(Refusal) -> Unwrapped {
        let bytes = addressed.payload
        guard bytes.count >= RouteIdentifier.size else {
            throw invalid(.truncated(needed: RouteIdentifier.size - bytes.count, at: bytes.count))
        }
        let identifier = RouteIdentifier(bytes.span)
        guard let found = table.find(identifier, on: addressed.address) else { return .foreign }
        let routed = Routed(
            addressed.address, found.route, payload: bytes.slice(RouteIdentifier.size..<bytes.count),
            sequence: found.sequence, replyAddress: addressed.replyAddress, ending: addressed.ending)
        return .payload(routed, for: found.owner)
    }

    /// Uses up the identifier of a payload and moves the windows of its route.
    ///
    /// - Returns: whether identifiers were added, so that a payload that was foreign may be found now.
    public mutating func accepted(_ routed: Routed, for owner: Owner) -> Bool { table.accept(routed, for: owner) }

    private mutating func key(_ address: DeliveryAddress, _ route: Route, of owner: Owner) -> RouteIdentifier.Key {
        if let known = sending[owner], known.route === route, known.address == address { return known.key }
        let key = RouteIdentifier.Key(address, route)
        // Those who send to many, as initializations do, gain nothing from it.
        if owner != .initialization { sending[owner] = Sending(address: address, route: route, key: key) }
        return key
    }

    private static func salt(from random: inout any RandomSource) -> UInt64 {
        var bytes = InlineArray<8, UInt8>(repeating: 0)
        var span = bytes.mutableSpan
        random.fill(&span, for: .salt)
        return bytes.span.bigEndian(0..<8)
    }
}
