internal import ChatCodec
public import ChatModel

/// A framing as lines of JSON: `{"payload":"<base64url>","route":"<id>"}` and a line feed.
public struct LineFraming: FramingStrategy {
    /// The longest line in bytes that is looked at: a payload of 64 KiB in base64, and some more.
    public static let maximumLine = 128 << 10
    /// Everything around the payload: 26 bytes of JSON, and a route of 255 bytes, each escaped in six.
    static let overhead = 26 + 6 * Route.maximumID
    private var table = ListeningTable()

    /// Makes the framing; it has no options.
    public init() {}

    /// Name `lines`.
    public var facts: Facts {
        Facts(
            name: "lines", summary: "One line of JSON for each payload, for people who read along.",
            claims: [Claim(.unlinkability, "LINES-1", holds: false, "the route is in plain")])
    }

    /// None: a line is written anew.
    public var headRoom: Int { 0 }

    /// Three bytes become four characters.
    public func maximumPayload(within bytes: Int) -> Int {
        max(0, (min(bytes, Self.maximumLine) - Self.overhead) / 4 * 3)
    }

    /// Replaces what an owner listens to.
    public mutating func listen(_ listening: [Listening], for owner: Owner) {
        table.listen(listening, for: owner)
    }

    /// Writes a line; what a line cannot carry is refused.
    public mutating func wrap(
        _ routed: consuming Routed, of owner: Owner, random: inout any RandomSource
    ) throws(Refusal) -> Addressed {
        if let header = routed.headers.first {
            throw Refusal(.unsupported, CommonCause.unsupportedHeader(header.name, framing: facts.name))
        }
        guard (1...Route.maximumID).contains(routed.route.id.utf8.count) else {
            throw Self.malformed("route of \(routed.route.id.utf8.count) bytes", at: 0)
        }
        let (size, limit) = (routed.payload.count, maximumPayload(within: Self.maximumLine))
        guard size <= limit else {
            throw Refusal(.unable, CommonCause.tooLarge("payload", bytes: size, limit: limit))
        }
        let line: JSON = [
            "payload": .string(Base64URL.encode(routed.payload.array)), "route": .string(routed.route.id),
        ]
        return Addressed(
            routed.address, payload: Bytes(line.printed() + "\n"), replyAddress: routed.replyAddress,
            ending: routed.ending)
    }

    /// Reads a line; a route that nobody here listens for is foreign.
    public func unwrap(_ addressed: Addressed) throws(Refusal) -> Unwrapped {
        let (route, payload) = try Self.parse(addressed.payload)
        guard let entry = table[addressed.address, route] else { return .foreign }
        let routed = Routed(
            addressed.address, entry.route, payload: payload, replyAddress: addressed.replyAddress,
            ending: addressed.ending)
        return .payload(routed, for: entry.owner)
    }

    private static func parse(_ line: Bytes) throws(Refusal) -> (route: String, payload: Payload) {
        let bytes = line.array
        guard bytes.firstIndex(of: 10) == bytes.count - 1 else { throw malformed("end of a line", at: bytes.count) }
        let json: JSON
        do throws(WireError) { json = try JSON(parsing: bytes, maximumBytes: maximumLine) } catch {
            throw malformed("line (\(error))", at: 0)
        }
        guard let route = json["route"]?.text, let text = json["payload"]?.text else {
            throw Refusal(.unsupported, LineCause.otherKind)
        }
        do throws(WireError) { return (route, Bytes(try Base64URL.decode(text))) } catch {
            throw malformed("payload (\(error))", at: 0)
        }
    }

    private static func malformed(_ what: String, at offset: Int) -> Refusal {
        Refusal(.invalid, CommonCause.malformed(what, at: offset))
    }
}

/// What can be wrong with a line beside its form.
enum LineCause: RefusalCause {
    case otherKind

    var code: String { "unsupported" }
    var description: String { "a line of JSON without route and payload" }
}
