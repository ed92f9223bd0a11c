import ChatModel

/// The rate limit of messages made for repair alone: who names thousands of ids that were never sent, or asks for
/// everything, gets no more for it than this (SDS-R7).
struct SDSRepairLimiter: Sendable {
    /// The shortest time between two messages that are sent only to ask, in milliseconds.
    private static let pause: UInt64 = 50
    /// After so many in vain, the pause is doubled: no participant seems to have the message.
    private static let patience = 16

    /// The earliest time of the next message that is sent only to ask.
    private(set) var nextAsk = Timestamp.zero
    private var inVain = 0
    /// When the second began in which answers are counted.
    private var second = Timestamp.zero
    private var answers = 0

    /// A message was sent only to ask.
    mutating func didAsk(_ now: Timestamp, longest: UInt64) {
        nextAsk = now.later(by: min(Self.pause.doubled(inVain / Self.patience), longest))
        inVain += 1
    }

    /// A missing message came, or a participant is back: requests are worth while again.
    mutating func encourage(_ now: Timestamp) {
        inVain = 0
        nextAsk = min(nextAsk, now.later(by: Self.pause))
    }

    /// Whether one more own message may be sent again on request; so many in a second.
    mutating func mayAnswer(_ now: Timestamp, limit: Int) -> Bool {
        if second.later(by: 1_000) <= now { (second, answers) = (now, 0) }
        guard answers < limit else { return false }
        answers += 1
        return true
    }
}
