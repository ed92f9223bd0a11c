import ChatModel

/// Payloads of a conversation that could not be opened, since one last could: how a machine notices that its keys
/// no longer fit, for example because an old copy of its records was put back (DR-14).
///
/// Not stored, and no part of what two machines are compared by: a refused payload changes no state.
struct UnopenedPayloads: Sendable, Equatable {
    /// So many, over so many milliseconds, are no accident: repeats and forgeries of a moment are fewer or shorter.
    static let (patience, shortest) = (6, UInt64(60_000))

    private var count = 0
    private var first = Timestamp.zero

    /// A payload was opened.
    mutating func wasOpened() { count = 0 }

    /// A payload was refused; gives the refusal to throw.
    mutating func note(_ refusal: Refusal, now: Timestamp) -> Refusal {
        switch refusal.cause.code {
        case "authentication_failed", "replay", "too_many_skipped", "invalid_header": break
        default: return refusal
        }
        if count == 0 { first = now }
        count += 1
        guard count >= Self.patience, now.milliseconds >= first.milliseconds,
            now.milliseconds - first.milliseconds >= Self.shortest
        else { return refusal }
        return Refusal(.invalid, ConversationCause.keysDoNotFit(payloads: count, last: refusal.cause.code))
    }

    static func == (left: UnopenedPayloads, right: UnopenedPayloads) -> Bool { true }
}
