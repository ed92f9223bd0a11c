internal import ChatCodec
internal import ChatCrypto
public import ChatModel

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
    public mutating func wrap(
        _ routed: consuming Routed, of owner: Owner, random: inout any RandomSource
    ) throws(Refusal) -> Addressed {
        try check(routed, framing: facts.name)
        switch profile {
        case .reference:
            let salt = Salt(from: &random)
            let digest = salt.hash(of: routed.route.id)
            routed.payload.putEnvelope(hint: 2 * digest.count, salt.number) { header in
                for byte in digest {
                    header.append(Self.digit(byte >> 4))
                    header.append(Self.digit(byte & 15))
                }
            }
        case .libchat:
            let id = routed.route.id.utf8
            routed.payload.putEnvelope(hint: id.count, 0) { header in
                for byte in id { header.append(byte) }
            }
        }
        return Addressed(
            routed.address, payload: routed.payload, replyAddress: routed.replyAddress,
            ending: routed.ending)
    }

    /// Finds whom a payload is for: at most a hash for each route on its address, whatever the bytes say.
    ///
    /// An envelope without a hint, or with a hint that fits no route here, is foreign (ENV-03); one without a
    /// payload carries an empty one, because proto3 does not tell them apart.
    public func unwrap(_ addressed: Addressed) throws(Refusal) -> Unwrapped {
        let bytes = addressed.payload
        let (hint, salt, payload) = try Self.fields(of: bytes)
        // A hint of another protocol may be longer than any route: not ours, and no copy of it is made.
        guard hint.count <= Route.maximumID else { return .foreign }
        var entry = hashed(bytes.slice(hint), Salt(salt), on: addressed.address)
        if entry == nil { entry = try plain(bytes.slice(hint), at: hint.lowerBound, on: addressed.address) }
        guard let entry else { return .foreign }
        let routed = Routed(
            addressed.address, entry.route, payload: bytes.slice(payload), replyAddress: addressed.replyAddress,
            ending: addressed.ending)
        return .payload(routed, for: entry.owner)
    }

    /// The fields of an envelope; those that are absent are empty or 0.
    static func fields(
        of bytes: Bytes
    ) throws(Refusal) -> (hint: Range<Int>, salt: UInt64, payload: Range<Int>) {
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
        return (hint, salt, payload)
    }

    /// Whose route has this hash under this salt.
    private func hashed(_ hint: Bytes, _ salt: Salt, on address: DeliveryAddress) -> ListeningTable.Entry? {
        guard profile == .reference, hint.count == 2 * BLAKE2s.digestSize else { return nil }
        return table.first(on: address) { route in
            let digest = salt.hash(of: route.id)
            return digest.indices.allSatisfy { index in
                hint[2 * index] == Self.digit(digest[index] >> 4)
                    && hint[2 * index + 1] == Self.digit(digest[index] & 15)
            }
        }
    }

    /// Whose route this is.
    private func plain(
        _ hint: Bytes, at offset: Int, on address: DeliveryAddress
    ) throws(Refusal) -> ListeningTable.Entry? {
        guard let entry = table[address, try text(hint, at: offset)] else { return nil }
        guard acceptsPlainHints else { throw Refusal(.unsupported, FramingError.plainHint) }
        return entry
    }

    /// A lowercase hex digit.
    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}

/// The salt of one envelope: a number on the wire, 8 bytes with the least significant first under the hash.
private struct Salt {
    private var bytes = InlineArray<8, UInt8>(repeating: 0)

    /// Draws a salt.
    init(from random: inout any RandomSource) {
        var span = bytes.mutableSpan
        random.fill(&span, for: .salt)
    }

    /// A salt off the wire.
    init(_ number: UInt64) {
        for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: number >> (8 * UInt64(index))) }
    }

    var number: UInt64 {
        bytes.indices.reversed().reduce(0) { $0 << 8 | UInt64(bytes[$1]) }
    }

    /// BLAKE2s-256 of the salt and the route's UTF-8.
    func hash(of id: String) -> [UInt8] {
        BLAKE2s.hash { input in
            input.update(bytes.span)
            input.update(id.utf8Span.span)
        }
    }
}

extension Payload {
    /// Puts an envelope's fields in front; an empty payload is the default of its field and is not written.
    fileprivate mutating func putEnvelope(hint: Int, _ salt: UInt64, _ writeHint: (inout OutputSpan<UInt8>) -> Void) {
        let count = count
        let size =
            ProtoSize.present(1, count: hint) + ProtoSize.field(2, salt) + ProtoSize.field(5, count: count) - count
        prepend(size) { header in
            header.append(present: 1, count: hint)
            writeHint(&header)
            header.append(field: 2, salt)
            if count > 0 { header.append(present: 5, count: count) }
        }
    }
}
