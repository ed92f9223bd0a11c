/// Why a step did not happen: an outcome and a cause. What refused is unchanged.
public struct Refusal: Error, Sendable, CustomStringConvertible {
    /// The kind of a refusal; kinds are never folded into one.
    public enum Outcome: String, Sendable, Hashable {
        /// Malformed, or fails authentication.
        case invalid
        /// Well-formed, but of a kind, version or capability that is not known here.
        case unsupported
        /// For no machine here.
        case foreign
        /// Good as far as one can see, but something must come first; may be offered again.
        case early
        /// A request by the application or by this client that cannot be met in this state.
        case unable
    }

    /// The kind of refusal.
    public let outcome: Outcome
    /// The reason, with numbers.
    public let cause: any RefusalCause

    /// Refuses for a cause.
    public init(_ outcome: Outcome, _ cause: any RefusalCause) {
        (self.outcome, self.cause) = (outcome, cause)
    }

    /// One line: the outcome and the cause.
    public var description: String { "\(outcome.rawValue): \(cause)" }
}

extension Refusal: Hashable {
    /// Whether outcome and cause say the same.
    public static func == (left: Refusal, right: Refusal) -> Bool {
        left.outcome == right.outcome && left.cause.code == right.cause.code
            && left.cause.description == right.cause.description
    }

    /// Hashes the outcome and the cause's code.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(outcome)
        hasher.combine(cause.code)
    }
}

/// The reason of a refusal: a small enumeration in each module, since outsiders cannot extend ours.
public protocol RefusalCause: Sendable, CustomStringConvertible {
    /// A stable word for programs, for example `malformed`, `authentication_failed` or `replay`.
    var code: String { get }
}

/// Causes that several modules share.
public enum CommonCause: RefusalCause, Hashable {
    /// Bytes that do not decode: what was read and at which byte it broke.
    case malformed(String, at: Int)
    /// More bytes than a limit allows.
    case tooLarge(String, bytes: Int, limit: Int)
    /// A scheme of introduction bundles that the named initialization does not understand.
    case unsupportedScheme(String, initialization: String)
    /// A conversation type that the named initialization or client does not know.
    case unsupportedConversationType(String, by: String)
    /// A header that the named framing cannot carry.
    case unsupportedHeader(String, framing: String)
    /// An action that the named conversation type does not have.
    case unsupportedAction(String, type: String)
    /// A seed that lacks what the named conversation type needs.
    case incompleteSeed(String, type: String)
    /// A stored record of a version or form that the named machine does not read.
    case unreadableRecord(String, machine: String)

    /// The words of the interoperability shim.
    public var code: String {
        switch self {
        case .malformed: "malformed"
        case .tooLarge: "too_large"
        case .unsupportedScheme, .unsupportedConversationType, .unsupportedHeader, .unsupportedAction: "unsupported"
        case .incompleteSeed: "incomplete_seed"
        case .unreadableRecord: "unreadable_record"
        }
    }

    /// One line that a person can act on.
    public var description: String {
        switch self {
        case .malformed(let what, let offset): "\(what) is malformed at byte \(offset)"
        case .tooLarge(let what, let bytes, let limit): "\(what) has \(bytes) bytes; at most \(limit) allowed"
        case .unsupportedScheme(let scheme, let name): "\(name) does not understand bundles of scheme \(scheme)"
        case .unsupportedConversationType(let type, let name): "\(name) does not know conversation type \(type)"
        case .unsupportedHeader(let header, let name): "\(name) cannot carry header \(header)"
        case .unsupportedAction(let action, let type): "\(type) has no action \(action)"
        case .incompleteSeed(let what, let type): "\(type) cannot begin without \(what)"
        case .unreadableRecord(let key, let machine): "\(machine) cannot read stored record \(key)"
        }
    }
}
