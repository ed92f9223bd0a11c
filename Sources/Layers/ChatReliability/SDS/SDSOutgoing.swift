import ChatModel

/// Own messages that are not acknowledged (SDS-05), oldest first.
struct SDSOutgoing: Sendable {
    struct Entry: Sendable {
        let bytes: Bytes
        /// Its purpose, for the stage above.
        let tag: UInt64
        /// Ids in its causal history.
        let parents: [Identifier]
        var sentAt: Timestamp
        /// How long this side had been away until then.
        var awayBefore: UInt64 = 0
        /// When it is sent again; zero after a restart until the first step of the run says when.
        var due: Timestamp
        let serial: UInt64
        let probe: BloomFilter.Probe?
        /// How often it was sent again since another participant was last heard.
        var tries = 0
        /// How often it was sent again at all, in this run.
        var sends = 0
        /// Of the times it was sent, those after which a participant was heard and did not acknowledge it.
        var ignored = 0
        /// When it was last sent again.
        var resentAt: Timestamp?
        /// In how many filters it was.
        var hits = 0
        /// For what it waits, so that its time has not begun.
        var hold: Hold?
        /// Whether it left before the last restart.
        var isOfEarlierRun = false

        var isHeld: Bool { hold != nil }
    }

    /// The condition under which a message leaves.
    enum Hold: Sendable {
        /// Whoever dispatches it (``SDSChannel/hold(_:)``).
        case dispatch
        /// A link: it has never left (SDS-R13).
        case link
    }

    /// So often a message is sent again sooner because a participant is heard. Who is there and still does not
    /// acknowledge it does not want to, and would otherwise be sent all of the window every few seconds for a few
    /// bytes (SDS-R8).
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
    /// The earliest time at which something may be due if a participant is heard after it was last sent (SDS-R8).
    private var soonest: Timestamp?
    /// How often in a row there was no room to send anything again.
    private var pauses = 0
    /// Copies sent since something was last acknowledged.
    private var vain = 0
    /// How many wait for a link.
    private(set) var unsentCount = 0
    /// When the next of them leave; nil while there is no link, or none waits.
    private(set) var nextRelease: Timestamp?
    /// When another participant was last heard; only where that shows that the recipient is there.
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
        if entry.hold == .link { unsentCount += 1 }
        nextDue = min(nextDue ?? entry.due, entry.due)
        soonest = min(soonest ?? entry.due, entry.due)
    }

    /// Takes out a message, acknowledged or given up.
    mutating func remove(_ id: Identifier) -> Entry? {
        guard let entry = entries.removeValue(forKey: id) else { return nil }
        bytes -= entry.bytes.count
        if entry.hold == .link { leave() }
        while start < order.count, entries[order[start]] == nil { start += 1 }
        if order.count > 2 * entries.count + 64 { (order, start) = (ids, 0) }
        if entries.isEmpty { (order, start, nextDue, soonest) = ([], 0, nil, nil) }
        return entry
    }

    /// Notes that messages are in a participant's filter; returns those that are for the first time.
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
            let latest = index < count ? now : now.later(by: wait)
            let due = entry.due == .zero ? latest : min(entry.due, latest)
            if entry.sends < Self.patience { entries[id]?.tries = 0 }
            entries[id]?.due = due
            nextDue = min(nextDue ?? due, due)
        }
    }

    /// Another participant was heard: messages that wait longer than the first pause wait no longer.
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

    /// Some may have moved up among those that are sent again.
    mutating func review(_ now: Timestamp) {
        if let due = nextDue { nextDue = min(due, now) }
    }

    private func window(_ settings: SDSSettings) -> Int {
        if vain >= Self.vainCopies.one { return min(1, settings.resend.window) }
        return vain >= Self.vainCopies.few ? min(Self.few, settings.resend.window) : settings.resend.window
    }

    /// A message waits to be dispatched.
    mutating func hold(_ id: Identifier) { entries[id]?.hold = .dispatch }

    /// A message was dispatched: from now on an acknowledgement is waited for.
    mutating func didSend(_ id: Identifier, _ now: Timestamp, _ times: SDSTimes) {
        guard let entry = entries[id], entry.isHeld else { return }
        let due = now.later(by: min(times.resendFirst.doubled(entry.tries), times.resendLongest))
        if entry.hold == .link { leave() }
        entries[id]?.hold = nil
        if entry.resentAt == nil { entries[id]?.sentAt = now } else { entries[id]?.resentAt = now }
        entries[id]?.due = due
        nextDue = min(nextDue ?? due, due)
    }

    private mutating func leave() {
        unsentCount -= 1
        if unsentCount == 0 { nextRelease = nil }
    }

    /// The link is there, or there is room: what waits for it leaves at a time.
    mutating func release(at time: Timestamp) { nextRelease = unsentCount > 0 ? time : nil }

    /// The oldest messages that have never left, as many as there is room for and one more at most; those of one
    /// content together.
    func unsent(room: Int) -> [Identifier] {
        var (taken, size, last): ([Identifier], Int, UInt64) = ([], 0, 0)
        for id in order[start...] {
            guard let entry = entries[id], entry.hold == .link else { continue }
            guard size < room || (entry.tag != 0 && entry.tag == last) else { break }
            (size, last) = (size + entry.bytes.count, entry.tag)
            taken.append(id)
        }
        return taken
    }

    /// A message leaves for the first time: its time begins.
    mutating func didLeave(_ id: Identifier, _ now: Timestamp, away: UInt64, _ times: SDSTimes) -> Entry? {
        guard entries[id]?.hold == .link else { return nil }
        entries[id]?.awayBefore = away
        didSend(id, now, times)
        return entries[id]
    }

    /// Messages that were sent as often as is allowed, and waited for as long again, while a participant was there.
    func exhausted(_ now: Timestamp, _ times: SDSTimes, _ settings: SDSSettings) -> [Identifier] {
        guard let most = settings.resend.most else { return [] }
        return ids.filter { id in
            guard let entry = entries[id], !entry.isHeld, due(entry, times, settings) <= now else { return false }
            return entry.ignored + (isIgnored(entry) ? 1 : 0) > most
        }
    }

    /// Whether a participant was heard since a message last left: a silence is an outage, and counts as no try.
    private func isIgnored(_ entry: Entry) -> Bool {
        heard.map { $0 > entry.resentAt ?? entry.sentAt } ?? false
    }

    /// There is no room to send anything again: that waits longer each time.
    mutating func pause(_ now: Timestamp, _ times: SDSTimes) {
        nextDue = now.later(by: min((times.resendFirst / 4).doubled(pauses), times.resendFirst &* 8))
        pauses += 1
    }

    /// There may be room again.
    mutating func endPause(_ now: Timestamp) {
        guard pauses > 0 else { return }
        pauses = 0
        if nextDue != nil { nextDue = now }
    }

    /// When a message is sent again, by what was heard.
    private func due(_ entry: Entry, _ times: SDSTimes, _ settings: SDSSettings) -> Timestamp {
        guard let heard, heard > entry.resentAt ?? entry.sentAt, let early = quick(entry, times, settings) else {
            return entry.due
        }
        return min(entry.due, early)
    }

    /// When a message is sent again if a participant is heard after it was last sent; nil where that changes nothing.
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
        pauses = 0
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
        if isIgnored(entry) { entries[id]?.ignored += 1 }
        entries[id]?.tries += 1
        entries[id]?.sends += 1
        entries[id]?.resentAt = now
        entries[id]?.due = due
        nextDue = min(nextDue ?? due, due)
        if let entry = entries[id], let early = quick(entry, times, settings) { soonest = min(soonest ?? early, early) }
    }
}
