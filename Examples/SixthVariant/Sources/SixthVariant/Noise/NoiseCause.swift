internal import ChatModel

/// Why a first contact of ``NoiseXK`` was refused, beside the form of its messages and their seals.
enum NoiseCause: RefusalCause {
    case unknownTicket
    case ticketRefused
    case unknownContact
    case answeredBefore

    var code: String {
        switch self {
        case .unknownTicket: "unknown_key"
        case .ticketRefused: "refused"
        case .unknownContact: "invalid_state"
        case .answeredBefore: "replay"
        }
    }
    var description: String {
        switch self {
        case .unknownTicket: "the ticket was used before or was not made here"
        case .ticketRefused: "the other side refuses the bundle: it was used before or is no longer good"
        case .unknownContact: "the contact waits for no invite"
        case .answeredBefore: "the contact has its answer already"
        }
    }
}

extension NoiseError {
    /// The refusal of a message, or of a bundle, that a handshake did not take.
    var refusal: Refusal {
        switch self {
        case .truncated(let offset, _): Refusal(.invalid, CommonCause.malformed("handshake", at: offset))
        case .outOfTurn: Refusal(.unable, NoiseCause.unknownContact)
        case .crypto(let error): Refusal(.invalid, error)
        }
    }
}

/// Runs a step of a handshake and refuses what it throws.
func refusing<Value>(_ step: () throws(NoiseError) -> Value) throws(Refusal) -> Value {
    do throws(NoiseError) { return try step() } catch { throw error.refusal }
}
