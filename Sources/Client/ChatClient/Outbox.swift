internal import ChatModel

/// Payloads that are stored and not yet with the delivery service, oldest first.
///
/// One queue for the whole client: what cannot be delivered now holds back what came later, so that
/// a service which keeps order is not made to break it.
struct Outbox: Sendable {
    struct Entry: Sendable, Hashable {
        let number: UInt64
        let addressed: Addressed
        /// On whose behalf.
        let conversation: ConversationID?
        var content: ContentID?
    }

    private(set) var entries: [UInt64: Entry] = [:]
    private(set) var bytes = 0
    private(set) var next: UInt64 = 1
    private var oldest: UInt64 = 1
    private var inFlight: Set<UInt64> = []
    private var outstanding: [ContentID: Int] = [:]
    private var notBefore = Timestamp.zero
    private var failures = 0

    /// The longest wait between two attempts.
    static let longestWait = Duration.seconds(30)
    /// The wait after the first failure; doubles up to the longest.
    static let firstWait = Duration.milliseconds(250)

    /// When the next attempt makes sense; nil where nothing waits or all is on its way.
    var nextAttempt: Timestamp? { entries.count > inFlight.count ? notBefore : nil }

    mutating func append(_ addressed: Addressed, conversation: ConversationID?, content: ContentID?) -> Entry {
        let entry = Entry(number: next, addressed: addressed, conversation: conversation, content: content)
        insert(entry)
        return entry
    }

    /// Puts back an entry of an earlier run.
    mutating func insert(_ entry: Entry) {
        next = max(next, entry.number + 1)
        entries[entry.number] = entry
        bytes += entry.addressed.payload.count
        if let content = entry.content { outstanding[content, default: 0] += 1 }
    }

    /// The oldest entries that are not on their way already.
    mutating func take(at now: Timestamp, count: Int, bytes: Int) -> [OutboundPayload] {
        guard let nextAttempt, now >= nextAttempt else { return [] }
        while entries[oldest] == nil, oldest < next { oldest += 1 }
        var taken: [OutboundPayload] = []
        var size = 0
        var number = oldest
        while number < next, taken.count < count {
            defer { number += 1 }
            guard let entry = entries[number], !inFlight.contains(number) else { continue }
            size += entry.addressed.payload.count
            guard size <= bytes || taken.isEmpty else { break }
            taken.append(OutboundPayload(entry: entry))
            inFlight.insert(number)
        }
        return taken
    }

    /// What became of a content's payloads.
    enum Fate: Sendable {
        /// Others are still to come.
        case open
        /// All are with the service.
        case complete
    }

    /// Removes an entry that the service took or refused for good.
    mutating func remove(_ entry: Entry) -> Fate {
        inFlight.remove(entry.number)
        guard entries.removeValue(forKey: entry.number) != nil else { return .open }
        bytes -= entry.addressed.payload.count
        failures = 0
        guard let content = entry.content, let left = outstanding[content] else { return .open }
        outstanding[content] = left > 1 ? left - 1 : nil
        return left > 1 ? .open : .complete
    }

    /// Whether somebody waits to hear that the service has a content.
    func isAwaited(_ content: ContentID) -> Bool { outstanding[content] != nil }

    /// Nobody waits any more to hear of a content; returns what still waits to be published for it, now for nobody.
    mutating func release(_ content: ContentID) -> [Entry] {
        guard outstanding.removeValue(forKey: content) != nil else { return [] }
        var released: [Entry] = []
        for number in oldest..<next where entries[number]?.content == content {
            entries[number]?.content = nil
            if let entry = entries[number] { released.append(entry) }
        }
        return released
    }

    /// Keeps an entry that the service did not take this time.
    mutating func retain(_ entry: Entry, at now: Timestamp, retryAfter: Duration) {
        inFlight.remove(entry.number)
        notBefore = max(notBefore, now + max(retryAfter, Self.firstWait))
    }

    /// Lengthens the wait after an attempt in which the service took nothing.
    mutating func backOff(at now: Timestamp) {
        failures = min(failures + 1, 7)
        notBefore = max(notBefore, now + min(Self.firstWait * (1 << (failures - 1)), Self.longestWait))
    }

    /// Tries again at once: the link is back.
    mutating func hurry() {
        (notBefore, failures) = (.zero, 0)
    }
}
