/// How does a sender learn of other clients?
///
/// A discovery carries introduction bundles from the one who made them to those who look for them,
/// and reads no more of them than it needs to. It does its own I/O. For implementers: whatever comes
/// from outside is untrusted (DISC-05); verify what your scheme can verify and say what it cannot.
public protocol DiscoveryProtocol: Sendable {
    /// Name, claims and needs.
    var facts: Facts { get }

    /// Makes bundles known under a name, and returns the texts by which they can be found.
    func publish(_ bundles: [IntroductionBundle], as name: String) async throws(DiscoveryError) -> [String]

    /// Looks for the introductions behind a text; may go on giving better answers.
    func find(_ text: String) async throws(DiscoveryError) -> Introductions
}

/// A client that was found.
public struct Introduction: Sendable, Hashable {
    /// The name that the discovery gives it; only as trustworthy as the discovery says.
    public let name: String
    /// The key that vouches for the name, where there is one.
    public let publisher: PublicKey?
    /// How to reach it: any one of these.
    public let bundles: [IntroductionBundle]

    /// Describes a client that was found.
    public init(name: String, publisher: PublicKey? = nil, bundles: [IntroductionBundle]) {
        (self.name, self.publisher, self.bundles) = (name, publisher, bundles)
    }
}

/// Why a discovery could not publish or find.
public enum DiscoveryError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The text is not of a form that this discovery reads: what was expected, and at which character it broke.
    case malformed(String, at: Int)
    /// A well-formed text of a kind or version that this discovery does not know.
    case unsupported(String)
    /// A signature does not verify.
    case forged(String)
    /// More than a limit allows.
    case tooLarge(String, count: Int, limit: Int)
    /// Nothing is known under that text.
    case notFound(String)
    /// The delivery service underneath lacks a capability or failed.
    case delivery(DeliveryError)
    /// The file or server behind the discovery failed: the operation, and the system's words.
    case unavailable(String, reason: String)

    /// One line that a person can act on.
    public var description: String {
        switch self {
        case .malformed(let what, let offset): "\(what), at character \(offset)"
        case .unsupported(let what): "\(what) is not supported here"
        case .forged(let what): "the signature of \(what) does not verify; ask for a new one over a channel you trust"
        case .tooLarge(let what, let count, let limit): "\(what): \(count), at most \(limit) allowed"
        case .notFound(let text): "nothing is published under \(text)"
        case .delivery(let error): "the delivery service of the directory failed: \(error)"
        case .unavailable(let what, let reason): "\(what): \(reason)"
        }
    }
}
