import ChatModel

/// The time in which something could be sent and received: what is given up is given up after so much of it, and not
/// while a process, its link or its machine was off (SDS-R10).
struct SDSPresence: Sendable {
    /// Milliseconds of absence since the channel was made.
    private(set) var away: UInt64
    /// When a step last happened; stored now and then, so that a restart knows.
    private(set) var seen: Timestamp?
    /// The link is lost.
    private(set) var isLinkLost = false
    /// Until when nothing is given up: the first while after each return.
    private(set) var grace = Timestamp.zero
    private var stored = Timestamp.zero
    /// The next step is the first of a run.
    private var isRestored = false

    /// Begins a channel.
    init() { away = 0 }

    /// Goes on after a restart.
    init(away: UInt64, seen: Timestamp?) {
        (self.away, self.seen, isRestored) = (away, seen, seen != nil)
    }

    /// A step happens; returns whether it ends an absence: a restart, or more time without a step than any pause has.
    mutating func advance(to now: Timestamp, longestPause: UInt64) -> Bool {
        defer {
            seen = max(seen ?? now, now)
            isRestored = false
        }
        guard let seen, now > seen else { return isRestored }
        let time = now.milliseconds - seen.milliseconds
        let isAbsence = isRestored || time > longestPause.doubled(1)
        if isAbsence || isLinkLost { away &+= time }
        return isAbsence && !isLinkLost
    }

    mutating func loseLink() { isLinkLost = true }

    /// The link is there again, or the process; nothing is given up for a while.
    mutating func resume(grace time: UInt64, _ now: Timestamp) {
        isLinkLost = false
        grace = now.later(by: time)
    }

    /// How much of the time since a moment, at which there had been some absence, was none.
    func time(since start: Timestamp, away before: UInt64, _ now: Timestamp) -> UInt64 {
        let (all, missed) = (now.milliseconds &- min(start, now).milliseconds, away &- min(before, away))
        return all - min(all, missed)
    }

    /// When so much of it will have passed, as far as one can tell now.
    func moment(_ time: UInt64, since start: Timestamp, away before: UInt64) -> Timestamp {
        max(grace, start.later(by: time).later(by: away &- min(before, away)))
    }

    /// Whether it is time to store this again: once an hour is near enough.
    mutating func isToBeStored(_ now: Timestamp) -> Bool {
        guard now >= stored.later(by: 3_600_000) else { return false }
        stored = now
        return true
    }
}
