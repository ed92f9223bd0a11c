internal import ChatCrypto
public import ChatModel
internal import ChatWire

/// The common envelope of the Logos chat protocols: a hint of the conversation, and the payload (ENV-01).
///
/// In the reference profile the hint is a salted hash of the route, so that a stranger cannot tell
/// which payloads belong together by it; in profile `libchat` it is the route itself. An envelope
/// says nothing of its sender (ENV-04). See `Specs/envelope-v1.md`.
public struct EnvelopeV1: FramingStrategy {
    /// How the hint is made.
    public enum Profile: String, Sendable, Hashable, CaseIterable {
        /// A salted BLAKE2s-256 of the route with a fresh salt for each envelope (ENV-02, ENV-06).
        case reference
        /// The route in plain and no salt, as the existing libchat writes it.
        case libchat
    }

    /// How hints are made.
    public let profile: Profile
    /// Whether the reference profile also takes hints in plain; profile `libchat` always does.
    public let acceptsPlainHints: Bool
    private var table = ListeningTable()

    /// Makes the framing of a profile.
    public init(_ profile: Profile = .reference, acceptsPlainHints: Bool = false) {
        self.profile = profile
        self.acceptsPlainHints = acceptsPlainHints || profile == .libchat
    }

    /// Name `envelope-v1`, or `envelope-v1-libchat`.
    public var facts: Facts {
        switch profile {
        case .reference:
            Facts(
                name: "envelope-v1", summary: "EnvelopeV1 with a salted hash of the route as hint.",
                claims: Self.claims + [
                    Claim(.unlinkability, "ENV-02", "of hints; a delivery address of its own still links payloads")
                ])
        case .libchat:
            Facts(
                name: "envelope-v1-libchat", summary: "EnvelopeV1 with the route in plain as hint.",
                claims: Self.claims + [Claim(.unlinkability, "ENV-02", holds: false, "the route is in plain")])
        }
    }

    private static let claims = [
        Claim(.senderPrivacy, "ENV-04", "no field of the envelope depends on the sender"),
        Claim(.recipientPrivacy, "ENV-05", holds: false, "whoever knows a route recognizes its envelopes"),
    ]

    /// The longest hint, salt and length field: 83 bytes, in profile `libchat` 264.
    public var headRoom: Int {
        let length = 5  // of a payload below 32 GiB
        return switch profile {
        case .reference: ProtoSize.present(1, count: 64) + ProtoSize.field(2, UInt64.max) + ProtoSize.tag(5) + length
        case .libchat: ProtoSize.present(1, count: Route.maximumID) + ProtoSize.tag(5) + length
        }
    }

    /// Replaces what an owner listens to.
    public mutating func listen(_ listening: [Listening], for owner: Owner) {
        table.listen(listening, for: owner)
    }

    /// Puts hint and salt into the payload's head room; refuses headers, which it cannot carry.
    public mutating func wrap(_ routed: consuming Routed, in turn: inout Turn) throws(Refusal) -> Addressed {
        try check(routed, framing: facts.name)
        let salt = profile == .reference ? drawSalt(from: &turn) : 0
        let id = routed.route.id
        let hint = profile == .reference ? Hex.encode(Self.hash(id, salt: salt)) : id
        let count = routed.payload.count
        // An empty payload is the default of its field and is not written.
        let field = ProtoSize.field(5, count: count) - count
        routed.payload.prepend(
            ProtoSize.field(1, count: hint.utf8.count) + ProtoSize.field(2, salt) + field
        ) { header in
            header.append(field: 1, hint)
            header.append(field: 2, salt)
            if count > 0 { header.append(present: 5, count: count) }
        }
        return Addressed(routed.address, payload: routed.payload, replyAddress: routed.replyAddress)
    }

    /// Finds whom a payload is for: at most a hash for each route on its address, whatever the bytes say.
    ///
    /// An envelope without a hint, or with one of nobody here, is foreign (ENV-03); one without a
    /// payload carries an empty one, because proto3 does not tell them apart.
    public func unwrap(_ addressed: Addressed) throws(Refusal) -> Unwrapped {
        let bytes = addressed.payload
        var (hint, salt, payload) = (0..<0, UInt64(0), 0..<0)
        do {
            var reader = ProtoReader(bytes.span)
            while let field = try reader.next() {
                switch field {
                case 1: hint = try reader.range()
                case 2: salt = try reader.uint64()
                case 5: payload = try reader.range()
                default: continue
                }
            }
        } catch {
            throw Refusal(error)
        }
        // A hint of another protocol may be longer than any route: not ours, and no copy of it is made.
        guard hint.count <= Route.maximumID else { return .foreign }
        let text = try text(bytes.slice(hint), at: hint.lowerBound)
        guard let entry = try entry(on: addressed.address, hint: text, salt: salt) else { return .foreign }
        let routed = Routed(
            addressed.address, entry.route, payload: bytes.slice(payload), replyAddress: addressed.replyAddress)
        return .payload(routed, for: entry.owner)
    }

    private func entry(
        on address: DeliveryAddress, hint: String, salt: UInt64
    ) throws(Refusal) -> ListeningTable.Entry? {
        if profile == .reference, let digest = Self.digest(hint) {
            if let entry = table.first(on: address, where: { Self.hash($0.id, salt: salt) == digest }) { return entry }
        }
        guard let entry = table[address, hint] else { return nil }
        guard acceptsPlainHints else { throw Refusal(.unsupported, FramingError.plainHint) }
        return entry
    }

    /// The hash behind a hint, if it is one: 64 lowercase digits.
    private static func digest(_ hint: String) -> [UInt8]? {
        guard hint.utf8.count == 64, let digest = try? Hex.decode(hint), Hex.encode(digest) == hint else { return nil }
        return digest
    }

    /// BLAKE2s-256 of the salt as 8 bytes, least significant first, and the route's UTF-8.
    private static func hash(_ id: String, salt: UInt64) -> [UInt8] {
        let input = [UInt8](capacity: 8 + id.utf8.count) { output in
            for shift in stride(from: UInt64(0), to: 64, by: 8) {
                output.append(UInt8(truncatingIfNeeded: salt >> shift))
            }
            for byte in id.utf8 { output.append(byte) }
        }
        return BLAKE2s.hash(input.span)
    }

    private func drawSalt(from turn: inout Turn) -> UInt64 {
        turn.random.bytes(8, for: .salt).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
