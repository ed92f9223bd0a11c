public import ChatModel

/// A framing that any language parses in ten lines: version, route, length, payload.
///
/// It hides nothing: whoever sees a payload sees its route. For tests, for closed systems and as the
/// first framing of a new implementation; see `Specs/plain-framing.md`.
public struct PlainFraming: FramingStrategy {
    /// The only version there is; the first byte of every payload (PLAINFRAMING-1).
    public static let version: UInt8 = 1
    /// The largest payload in bytes, which its length field of four bytes can say.
    public static let maximumPayload = Int(UInt32.max)

    private var table = ListeningTable()

    /// Makes the framing; it has no options.
    public init() {}

    /// Name `plain`; it claims nothing.
    public var facts: Facts {
        Facts(
            name: "plain", summary: "Puts the route and the length in front of a payload, in plain.",
            claims: [
                Claim(.unlinkability, "PLAINFRAMING-2", holds: false, "the route is in plain"),
                Claim(.senderPrivacy, "PLAINFRAMING-2", "nothing is said of the sender"),
            ])
    }

    /// Version, route length, the longest route and the payload's length: 261 bytes.
    public var headRoom: Int { 2 + Route.maximumID + 4 }

    /// Replaces what an owner listens to.
    public mutating func listen(_ listening: [Listening], for owner: Owner) {
        table.listen(listening, for: owner)
    }

    /// Puts its header into the payload's head room, and hands the payload's headers to the service.
    public mutating func wrap(
        _ routed: consuming Routed, of owner: Owner, random: inout any RandomSource
    ) throws(Refusal) -> Addressed {
        try checkRoute(of: routed)
        let count = routed.payload.count
        guard count <= Self.maximumPayload else {
            throw Refusal(.unable, FramingError.tooLarge(bytes: count, limit: Self.maximumPayload))
        }
        let id = routed.route.id.utf8
        routed.payload.prepend(2 + id.count + 4) { header in
            header.append(Self.version)
            header.append(UInt8(id.count))
            for byte in id { header.append(byte) }
            for shift in [24, 16, 8, 0] { header.append(UInt8(truncatingIfNeeded: count >> shift)) }
        }
        return Addressed(
            routed.address, payload: routed.payload, replyAddress: routed.replyAddress, headers: routed.headers,
            ending: routed.ending)
    }

    /// Finds whom a payload is for; another version is unsupported, an unknown route foreign.
    public func unwrap(_ addressed: Addressed) throws(Refusal) -> Unwrapped {
        let (id, payload) = try parse(addressed.payload)
        guard let entry = table[addressed.address, id] else { return .foreign }
        let routed = Routed(
            addressed.address, entry.route, payload: payload, headers: addressed.headers,
            replyAddress: addressed.replyAddress, ending: addressed.ending)
        return .payload(routed, for: entry.owner)
    }

    func parse(_ bytes: Bytes) throws(Refusal) -> (route: String, payload: Payload) {
        guard bytes.count > 0 else { throw invalid(.truncated(needed: 1, at: 0)) }
        guard bytes[0] == Self.version else {
            throw Refusal(.unsupported, FramingError.unsupportedVersion(bytes[0], framing: facts.name))
        }
        guard bytes.count > 1 else { throw invalid(.truncated(needed: 1, at: 1)) }
        let route = 2..<2 + Int(bytes[1])
        let start = route.upperBound + 4
        let rest = bytes.count - start
        guard rest >= 0 else { throw invalid(.truncated(needed: -rest, at: bytes.count)) }
        let length = Int(bytes.span.bigEndian(route.upperBound..<start))
        guard rest >= length else { throw invalid(.truncated(needed: length - rest, at: bytes.count)) }
        guard rest == length else { throw invalid(.trailing(rest - length, at: start + length)) }
        guard !route.isEmpty else { throw invalid(.badRoute(bytes: 0, limit: Route.maximumID)) }
        return (try text(bytes.slice(route), at: route.lowerBound), bytes.slice(start..<bytes.count))
    }
}

/// Refuses bytes off the wire.
func invalid(_ error: FramingError) -> Refusal { Refusal(.invalid, error) }

/// A run of bytes that must be UTF-8.
func text(_ bytes: Bytes, at offset: Int) throws(Refusal) -> String {
    do {
        return String(copying: try UTF8Span(validating: bytes.span))
    } catch {
        throw invalid(.notUTF8(at: offset + error.byteOffsets.lowerBound))
    }
}
