import ChatModel

/// How many steps of a chain payloads may still cost that turn out not to be authentic (DR-13).
///
/// Whoever knows a conversation's route can name any number in a header. Gaps of which all keys are kept are not
/// counted here; longer ones are, and the whole is given back at a slow rate. An authentic payload costs nothing.
struct ChainEffort: Sendable {
    /// Steps given back in a second.
    static let perSecond = 1_024

    private let most: Int
    private var spent = 0
    private var since = Timestamp.zero

    init(_ most: Int) {
        self.most = most
    }

    /// Steps that one more payload may cost.
    func left(_ now: Timestamp) -> Int { most - spent(now) }

    /// A payload that cost so many steps was not authentic.
    mutating func spend(_ steps: Int, _ now: Timestamp) {
        (spent, since) = (min(most, spent(now) + steps), max(since, now))
    }

    private func spent(_ now: Timestamp) -> Int {
        guard spent > 0, now > since else { return spent }
        // A time so long that the product would not fit gives back everything anyhow.
        let seconds = min((now.milliseconds - since.milliseconds) / 1_000, UInt64(UInt32.max))
        return max(0, spent - Int(clamping: seconds * UInt64(Self.perSecond)))
    }
}
