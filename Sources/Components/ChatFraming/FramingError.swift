public import ChatModel

/// Why a framing refuses; offsets count from the first byte off the wire.
public enum FramingError: Error, RefusalCause, Hashable {
    /// It ends too early: how many more bytes were expected, and where.
    case truncated(needed: Int, at: Int)
    /// Bytes behind the end: how many, and where they begin.
    case trailing(Int, at: Int)
    /// Text that is not UTF-8.
    case notUTF8(at: Int)
    /// A route of no bytes, or of more than a limit.
    case badRoute(bytes: Int, limit: Int)
    /// More bytes in a payload than its length field can say.
    case tooLarge(bytes: Int, limit: Int)
    /// A version of the named framing that is not known here.
    case unsupportedVersion(UInt8, framing: String)
    /// A route without the secret from which the named framing derives identifiers, and whose it is.
    case noSecret(of: String, framing: String)
    /// A route of ours in plain, where only salted hints are accepted.
    case plainHint

    /// A stable word for programs.
    public var code: String {
        switch self {
        case .truncated, .trailing, .notUTF8, .badRoute: "malformed"
        case .tooLarge: "too_large"
        case .unsupportedVersion, .plainHint, .noSecret: "unsupported"
        }
    }

    /// One line that a person can act on.
    public var description: String {
        switch self {
        case .truncated(let needed, let offset): "bytes end at \(offset); \(needed) more expected"
        case .trailing(let count, let offset): "\(count) trailing \(count == 1 ? "byte" : "bytes") at offset \(offset)"
        case .notUTF8(let offset): "invalid UTF-8 at byte \(offset)"
        case .badRoute(let count, let limit): "route has \(count) bytes; 1 to \(limit) allowed"
        case .tooLarge(let count, let limit): "payload has \(count) bytes; at most \(limit) allowed"
        case .unsupportedVersion(let version, let framing): "version \(version) of \(framing) is not known here"
        case .noSecret(let owner, let framing):
            "\(owner) gives its route no secret, from which \(framing) derives identifiers"
        case .plainHint: "the hint is a route in plain; only acceptsPlainHints allows it"
        }
    }
}

/// The checks before wrapping, for framings that carry no headers.
func check(_ routed: borrowing Routed, framing: @autoclosure () -> String) throws(Refusal) {
    if let header = routed.headers.first {
        throw Refusal(.unsupported, CommonCause.unsupportedHeader(header.name, framing: framing()))
    }
    try checkRoute(of: routed)
}

/// The check of a route before wrapping, for every framing here.
func checkRoute(of routed: borrowing Routed) throws(Refusal) {
    let count = routed.route.id.utf8.count
    guard (1...Route.maximumID).contains(count) else {
        throw Refusal(.unable, FramingError.badRoute(bytes: count, limit: Route.maximumID))
    }
}
