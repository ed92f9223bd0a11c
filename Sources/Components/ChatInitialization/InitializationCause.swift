import ChatCodec
public import ChatModel

/// Why an initialization refused.
public enum InitializationCause: RefusalCause, Hashable {
    /// An invite to a single-use key that was never ours, or was forgotten.
    case unknownKey(String)
    /// An invite to a single-use key that an earlier invite used up (INBOX-05).
    case usedKey(String)
    /// An invite to a single-use key whose time is over (INBOX-06).
    case expiredKey(String)
    /// An invite that was received before.
    case seenBefore
    /// A payload of another kind than the named initialization takes.
    case unexpectedPayload(String)
    /// A well-formed frame of a kind that the named initialization does not know.
    case unknownFrame(String)
    /// More introductions are outstanding than the limit allows.
    case tooManyKeys(Int, limit: Int)
    /// A new key whose short name an older one has; one draw in some millions.
    case takenName(String)
    /// A bundle that its maker no longer accepts.
    case expiredBundle(Timestamp)
    /// A conversation type whose name an invite cannot carry.
    case unfitName(String)
    /// A contact that never began here, or that has ended or was invited already.
    case unknownContact(ContactID)
    /// More contacts wait for their invites than the limit allows.
    case tooManyContacts(limit: Int)

    /// The words of the interoperability shim, where it has one.
    public var code: String {
        switch self {
        case .unknownKey: "unknown_ephemeral_key"
        case .usedKey, .seenBefore: "replay"
        case .expiredKey, .expiredBundle: "expired"
        case .unexpectedPayload, .unknownFrame, .unfitName: "unsupported"
        case .tooManyKeys, .tooManyContacts: "too_many"
        case .takenName: "taken"
        case .unknownContact: "invalid_state"
        }
    }

    /// One line that a person can act on.
    public var description: String {
        switch self {
        case .unknownKey(let key): "no introduction with key \(key) is outstanding here"
        case .usedKey(let key): "the introduction with key \(key) was used before; it is good for one conversation"
        case .expiredKey(let key): "the introduction with key \(key) has expired; ask for a new one"
        case .seenBefore: "the invite was received before"
        case .unexpectedPayload(let name): "\(name) does not take payloads of this kind"
        case .unknownFrame(let name): "an invite of a kind that \(name) does not know; the other side may be newer"
        case .tooManyKeys(let count, let limit): "\(count) introductions would be outstanding; at most \(limit) allowed"
        case .takenName(let name): "short key name \(name) collides with an older introduction; create another bundle"
        case .expiredBundle(let time): "the introduction expired at \(time); ask for a new one"
        case .unfitName(let name): "an invite cannot carry conversation type \(name.prefix(64))"
        case .unknownContact(let contact): "contact \(contact) waits for no invite"
        case .tooManyContacts(let limit): "\(limit) contacts wait for their first content; no more are begun"
        }
    }
}

/// Does something that may fail in its own words, and refuses with them.
func refusing<Result, Cause: Error & RefusalCause>(
    as outcome: Refusal.Outcome = .invalid, _ operation: () throws(Cause) -> Result
) throws(Refusal) -> Result {
    do {
        return try operation()
    } catch {
        throw Refusal(outcome, error)
    }
}

/// The same of what does not decode, which may be of a later version (WIRE-7).
func refusing<Result>(_ operation: () throws(WireError) -> Result) throws(Refusal) -> Result {
    do {
        return try operation()
    } catch {
        throw Refusal(error)
    }
}
