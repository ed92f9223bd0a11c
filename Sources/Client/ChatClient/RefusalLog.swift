internal import ChatModel

/// Which refusals were told, so that the same again and again is told seldom (CORE-19).
///
/// Of one conversation and one code the first three are told as they come, then one in ten minutes, which says how
/// many there were meanwhile. Kept in memory alone.
struct RefusalLog: Sendable {
    /// How many are told as they come.
    static let shown = 3
    /// The time between two others.
    static let pause = Duration.seconds(600)
    /// How many kinds are remembered; beyond it the one told longest ago is forgotten.
    static let capacity = 1_024

    private struct Key: Hashable {
        let conversation: ConversationID?
        let code: String
    }

    private struct Entry {
        var shown = 0
        var folded = 0
        var next = Timestamp.zero
    }

    private var entries: [Key: Entry] = [:]

    /// How many kinds are remembered.
    var count: Int { entries.count }

    /// Notes a refusal.
    ///
    /// - Returns: how many before it were not told; nil where this one is not to be told either.
    mutating func note(_ refusal: Refusal, in conversation: ConversationID?, at now: Timestamp) -> Int? {
        let key = Key(conversation: conversation, code: refusal.cause.code)
        if entries[key] == nil, entries.count >= Self.capacity,
            let oldest = entries.min(by: { $0.value.next < $1.value.next })?.key
        {
            entries[oldest] = nil
        }
        var entry = entries[key, default: Entry()]
        defer { entries[key] = entry }
        guard entry.shown < Self.shown || now >= entry.next else {
            entry.folded += 1
            return nil
        }
        defer { (entry.shown, entry.folded, entry.next) = (entry.shown + 1, 0, now + Self.pause) }
        return entry.folded
    }
}
