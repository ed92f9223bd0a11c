import ChatModel

/// Own messages that nobody has acknowledged (SDS-05), oldest first.
struct SDSOutgoing: Sendable {
    struct Entry: Sendable {
        let bytes: Bytes
        /// What it is for, to the stage above.
        let tag: UInt64
        /// Ids in its causal history.
        let parents: [Identifier]
        let sentAt: Timestamp
        /// How long this side had been away until then.
        var awayBefore: UInt64 = 0
        /// When it is sent again.
        var due: Timestamp
        let serial: UInt64
        let probe: BloomFilter.Probe?
        /// How often it was sent again since somebody was last heard.
        var tries = 0
        /// How often it was sent again at all, in this run.
        var sends = 0
        /// When it was last sent again.
        var resentAt: Timestamp?
        /// In how many filters it was.
        var hits = 0
        /// It waits for whoever dispatches it; its time has not begun (``SDSChannel/hold(_:)``).
        var isHeld = false
    }

    /// So often a message is sent again sooner because somebody is heard. Who is there and still does not acknowledge
    /// it does not want to, and would otherwise be sent all of the window every few seconds for a few bytes (SDS-R8).
    private static let patience = 64
    /// After so many copies of which none led to an acknowledgement, only the oldest few are sent again, then one:
    /// whoever does not answer will not answer more for it, and numbers of the stage below are used up (SDS-R9).
    private static let vainCopies = (few: 512, one: 1_024)
    private static let few = 8

    private(set) var entries: [Identifier: Entry] = [:]
    private(set) var bytes = 0
    /// In the order of sending; those that were acknowledged stay in until they come up.
    private var order: [Identifier] = []
    private var start = 0
    /// When something is due, perhaps.
    private(set) var nextDue: Timestamp?
    /// When something is due if somebody is heard after it was last sent (SDS-R8), perhaps.
    private var soonest: Timestamp?
    /// Copies sent since something was last acknowledged.
    private var vain = 0
    /// When somebody else was last heard; only where that says that whoever is meant is there.
    private(set) var heard: Timestamp?

    var isEmpty: Bool { entries.isEmpty }
    var ids: [Identifier] { order[start...].filter { entries[$0] != nil } }

    /// The first to be given up.
    var oldest: Entry? { start < order.count ? entries[order[start]] : nil }

    subscript(id: Identifier) -> Entry? { entries[id] }

    /// Refuses one more message of a size beyond the limits.
    func check(_ size: Int, _ limits: SDSSettings.Limits) throws(Refusal) {
        guard entries.count < limits.outgoing else {
            let (count, limit) = (entries.count + 1, limits.outgoing)
            throw Refusal(.unable, ReliabilityCause.noRoom("unacknowledged messages", needed: count, limit: limit))
        }
        guard bytes + size <= limits.outgoingBytes else {
            let (count, limit) = (bytes + size, limits.outgoingBytes)
            throw Refusal(.unable, ReliabilityCause.noRoom("unacknowledged bytes", needed: count, limit: limit))
        }
    }

    mutating func insert(_ id: Identifier, _ entry: Entry) {
        entries[id] = entry
        order.append(id)
        bytes += entry.bytes.count
        nextDue = min(nextDue ?? entry.due, entry.due)
        soonest = min(soonest ?? entry.due, entry.due)
    }

    /// Takes out a message, acknowledged or given up.
    mutating func remove(_ id: Identifier) -> Entry? {
        guard let entry = entries.removeValue(forKey: id) else { return nil }
        bytes -= entry.bytes.count
        while start < order.count, entries[order[start]] == nil { start += 1 }
        if order.count > 2 * entries.count + 64 { (order, start) = (ids, 0) }
        if entries.isEmpty { (order, start, nextDue, soonest) = ([], 0, nil, nil) }
        return entry
    }

    /// Notes that messages are in somebody's filter; returns those that are for the first time.
    mutating func noteHits(_ filter: BloomFilter) -> [Identifier] {
        var first: [Identifier] = []
        for id in ids {
            guard let probe = entries[id]?.probe, filter.contains(probe) else { continue }
            entries[id]?.hits += 1
            if entries[id]?.hits == 1 { first.append(id) }
        }
        return first
    }

    /// Lets everything that is sent again wait no longer than for the first time, from now on; some of the oldest
    /// not at all.
    mutating func hurry(_ now: Timestamp, within wait: UInt64, atOnce count: Int = 0) {
        nextDue = nil
        for (index, id) in ids.enumerated() {
            guard let entry = entries[id] else { continue }
            let due = min(entry.due, index < count ? now : now.later(by: wait))
            if entry.sends < Self.patience { entries[id]?.tries = 0 }
            entries[id]?.due = due
            nextDue = min(nextDue ?? due, due)
        }
    }

    /// Somebody else was heard: what waits longer than for the first time does so no more.
    mutating func hear(_ now: Timestamp, first: UInt64) {
        heard = now
        if let due = nextDue { nextDue = min(due, soonest ?? now.later(by: first)) }
    }

    /// Something was acknowledged: who is meant is there.
    mutating func noteProgress(_ now: Timestamp) {
        guard vain > 0 else { return }
        if vain >= Self.vainCopies.few, nextDue != nil { nextDue = now }
        vain = 0
    }

    private func window(_ settings: SDSSettings) -> Int {
        if vain >= Self.vainCopies.one { return min(1, settings.resend.window) }
        return vain >= Self.vainCopies.few ? min(Self.few, settings.resend.window) : settings.resend.window
    }

    /// A message waits to be dispatched.
    mutating func hold(_ id: Identifier) { entries[id]?.isHeld = true }

    /// A message was dispatched: from now on an acknowledgement is waited for.
    mutating func didSend(_ id: Identifier, _ now: Timestamp, _ times: SDSTimes) {
        guard let entry = entries[id], entry.isHeld else { return }
        let due = now.later(by: min(times.resendFirst.doubled(entry.tries), times.resendLongest))
        entries[id]?.isHeld = false
        entries[id]?.due = due
        nextDue = min(nextDue ?? due, due)
    }

    /// Messages that were sent again as often as is allowed, and waited for as long again.
    func exhausted(_ now: Timestamp, sends: Int) -> [Identifier] {
        ids.filter { id in entries[id].map { !$0.isHeld && $0.sends >= sends && $0.due <= now } ?? false }
    }

    /// There is no room to send anything again before a time.
    mutating func pause(until time: Timestamp) { nextDue = time }

    /// When a message is sent again, by what was heard.
    private func due(_ entry: Entry, _ times: SDSTimes, _ settings: SDSSettings) -> Timestamp {
        guard let heard, heard > entry.resentAt ?? entry.sentAt, let early = quick(entry, times, settings) else {
            return entry.due
        }
        return min(entry.due, early)
    }

    /// When a message is sent again if somebody is heard after it was last sent; nil where that changes nothing.
    private func quick(_ entry: Entry, _ times: SDSTimes, _ settings: SDSSettings) -> Timestamp? {
        guard !settings.resend.doublesWhileHeard, entry.sends < Self.patience else { return nil }
        return (entry.resentAt ?? entry.sentAt).later(by: times.resendFirst &* Self.factor(entry, settings))
    }

    private static func factor(_ entry: Entry, _ settings: SDSSettings) -> UInt64 {
        UInt64(entry.hits > 0 ? max(1, settings.resend.possibleFactor) : 1)
    }

    /// The oldest messages that may be sent again, and when.
    mutating func takeDue(_ now: Timestamp, _ times: SDSTimes, _ settings: SDSSettings) -> [Identifier] {
        var (due, seen): ([Identifier], Int) = ([], 0)
        var (next, soonest): (Timestamp?, Timestamp?) = (nil, nil)
        let window = window(settings)
        for id in order[start...] {
            guard let entry = entries[id] else { continue }
            if let hits = settings.hitsToPresume, entry.hits >= hits { continue }
            seen += 1
            guard !entry.isHeld else {
                if seen == window { break }
                continue
            }
            let time = self.due(entry, times, settings)
            if time <= now, due.count < settings.limits.burst {
                // Rescheduling it says when it is due next.
                due.append(id)
            } else {
                next = min(next ?? time, time)
                if let early = quick(entry, times, settings) { soonest = min(soonest ?? early, early) }
            }
            if seen == window { break }
        }
        (nextDue, self.soonest) = (next, soonest)
        return due
    }

    /// Sets when a message is sent again after it was.
    mutating func reschedule(_ id: Identifier, _ now: Timestamp, _ times: SDSTimes, _ settings: SDSSettings) {
        guard let entry = entries[id] else { return }
        let factor = Self.factor(entry, settings)
        let due = now.later(by: min(times.resendFirst.doubled(entry.tries + 1) &* factor, times.resendLongest))
        vain += 1
        entries[id]?.tries += 1
        entries[id]?.sends += 1
        entries[id]?.resentAt = now
        entries[id]?.due = due
        nextDue = min(nextDue ?? due, due)
        if let entry = entries[id], let early = quick(entry, times, settings) { soonest = min(soonest ?? early, early) }
    }
}
