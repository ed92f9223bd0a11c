internal import ChatModel

/// The time that machines see: it never goes back, and goes on where the system's clock was set back (CORE-13).
///
/// A clock that is set back by a day must not stop every timer for a day. So time goes on by what the
/// system's clock advances, a little slower as long as it is ahead of that, until the two meet again.
struct CoreClock: Sendable, Hashable {
    /// The time that machines see; stored, so that it goes on after a restart.
    private(set) var now: Timestamp
    /// The last reading of the system's clock in this run.
    private var reading: Timestamp?

    init(now: Timestamp = .zero) {
        self.now = now
    }

    /// Takes a reading of the system's clock.
    mutating func advance(to reading: Timestamp) {
        let last = self.reading ?? reading
        self.reading = reading
        let elapsed = reading > last ? reading.milliseconds - last.milliseconds : 0
        // A reading may be anything, also the last moment there is.
        let (sum, isBeyond) = now.milliseconds.addingReportingOverflow(elapsed - elapsed / 8)
        now = Timestamp(milliseconds: isBeyond ? .max : max(reading.milliseconds, sum))
    }

    /// The time that machines would see at a reading of the system's clock.
    func time(at reading: Timestamp) -> Timestamp {
        var later = self
        later.advance(to: reading)
        return later.now
    }

    /// The first reading of the system's clock at which machines see that a time has come.
    ///
    /// One that came too early would find nothing to do and ask again at once, and again.
    func reading(of time: Timestamp) -> Timestamp {
        guard let reading, now > reading else { return time }
        let (ahead, due) = (now.milliseconds - reading.milliseconds, max(time, now).milliseconds)
        let missing = due - now.milliseconds
        let delay = missing > 0 ? (missing - 1) / 7 : 0
        return Timestamp(milliseconds: due - ahead + min(delay, ahead))
    }
}
