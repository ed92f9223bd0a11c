public import ChatModel
public import ChatStorage

/// Why a client did not do what was asked; the step did not happen.
public enum ClientError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A component refused: which outcome, and what was wrong.
    case refused(Refusal)
    /// State could not be stored or read.
    case storage(StorageError)
    /// Discovery could not publish or find.
    case discovery(DiscoveryError)
    /// The delivery service could not subscribe.
    case delivery(DeliveryError)
    /// The client was closed.
    case closed

    /// Whether what was to be stored exceeds a limit: then the same again never succeeds, and a part of it may.
    var isTooLarge: Bool {
        if case .storage(.tooLarge) = self { true } else { false }
    }

    /// One line that a person can act on.
    public var description: String {
        switch self {
        case .refused(let refusal): refusal.description
        case .storage(let error): error.description
        case .discovery(let error): error.description
        case .delivery(let error): error.description
        case .closed: "the client is closed"
        }
    }
}
