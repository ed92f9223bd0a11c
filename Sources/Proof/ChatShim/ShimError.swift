internal import ChatClient
internal import ChatModel

/// Why an operation failed: a code of the interoperability shim, and a line for people.
struct ShimError: Error {
    let code: String
    let message: String
    /// The most letters of a message.
    private static let longest = 300

    init(_ code: String, _ message: String) {
        // It may quote what came, which may be long.
        (self.code, self.message) = (code, String(message.prefix(Self.longest)))
    }

    init(_ refusal: Refusal) {
        self.init(refusal.cause.code, refusal.description)
    }

    init(_ error: DiscoveryError) {
        let code =
            switch error {
            case .malformed: "malformed"
            case .unsupported: "unsupported"
            case .forged: "authentication_failed"
            case .tooLarge: "malformed"
            case .notFound: "malformed"
            case .delivery, .unavailable: "unsupported"
            }
        self.init(code, error.description)
    }

    static let noIdentity = ShimError("invalid_state", "create_identity or restore comes first")

    static func badRequest(_ message: String) -> ShimError { ShimError("bad_request", message) }
}
