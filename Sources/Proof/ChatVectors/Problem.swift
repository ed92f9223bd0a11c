import ChatCodec
import ChatConversation
import ChatCrypto
import ChatDeliveryService
import ChatDiscovery
import ChatModel

/// Why a case could not be compared, or did not agree.
enum Problem: Error, CustomStringConvertible {
    /// Something is another value than the file has.
    case differs(String, Values? = nil)
    /// The file lacks something, or has something of another type.
    case unreadable(String)
    /// The case is about something that this package does not do.
    case notApplicable(String)

    /// One line.
    var description: String {
        switch self {
        case .differs(let what, _), .unreadable(let what), .notApplicable(let what): what
        }
    }

    /// The whole values that differ.
    struct Values {
        let actual, expected: JSON
    }

    /// The same, of a part of a case.
    func at(_ place: String) -> Problem {
        switch self {
        case .differs(let what, let values): .differs("\(place): \(what)", values)
        case .unreadable(let what): .unreadable("\(place): \(what)")
        case .notApplicable: self
        }
    }
}

/// What an operation under test refused, in the words that the files use.
struct Refused: Error, Equatable {
    /// The class of the error: `malformed`, `authentication_failed` …
    let code: String
    /// One line for people.
    let reason: String

    init(_ code: String, _ reason: String) {
        (self.code, self.reason) = (code, reason)
    }

    /// Nil for an error that is no refusal of bytes.
    init?(_ error: any Error) {
        switch error {
        case let refused as Refused: self = refused
        case let refusal as Refusal: self.init(refusal.cause.code, refusal.description)
        case let cause as any RefusalCause: self.init(cause.code, cause.description)
        case let error as DiscoveryError: self.init(error)
        case let error as DirectoryRejection: self.init(error)
        case let error as UDPError: self.init(error)
        default: return nil
        }
    }

    private init(_ error: DiscoveryError) {
        let code =
            switch error {
            case .malformed, .notFound: "malformed"
            case .unsupported, .delivery, .unavailable: "unsupported"
            case .forged: "authentication_failed"
            case .tooLarge: "too_large"
            }
        self.init(code, error.description)
    }

    private init(_ error: DirectoryRejection) {
        let code =
            switch error {
            case .malformed, .tooMany: "malformed"
            case .unsupported, .otherName, .otherPublisher: "unsupported"
            case .expired: "expired"
            case .stale, .repeated: "replay"
            case .forged: "authentication_failed"
            }
        self.init(code, error.rawValue)
    }

    private init(_ error: UDPError) {
        let code =
            switch error {
            case .unknownVersion, .unknownKind, .unknownMessage: "unsupported"
            case .tooLong(_, let limit) where limit == UDPFormat.maximumDatagram: "too_large"
            default: "malformed"
            }
        self.init(code, error.description)
    }
}
