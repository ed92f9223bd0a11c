internal import ChatModel

/// The time that machines see: it never goes back, and goes on where the system's clock was set back (CORE-13).
///
/// A clock that is set back by a day must not stop every timer for a day. So time goes on by what the
/// system's clock advances, a little slower as long as it is ahead of that, until the two meet again.
struct CoreClock: Sendable, Hashable {
    /// What machines see; stored, so that it goes on after a restart.
    private(set) var now: Timestamp
    /// What the system's clock showed last in this run.
    private var reading: Timestamp?

    init(now: Timestamp = .zero) {
        self.now = now
    }

    /// Takes a reading of the system's clock.
    mutating func advance(to reading: Timestamp) {
        let last = self.reading ?? reading
        self.reading = reading
        guard reading < now else { return now = reading }
        let elapsed = reading > last ? reading.milliseconds - last.milliseconds : 0
        now = Timestamp(milliseconds: max(reading.milliseconds, now.milliseconds + elapsed - elapsed / 8))
    }

    /// What machines would see at a reading of the system's clock.
    func time(at reading: Timestamp) -> Timestamp {
        var later = self
        later.advance(to: reading)
        return later.now
    }

    /// About when the system's clock will show that a time has come; whoever comes too early may ask again.
    func reading(of time: Timestamp) -> Timestamp {
        guard let reading, now > reading else { return time }
        let ahead = now.milliseconds - reading.milliseconds
        return Timestamp(milliseconds: time.milliseconds - min(ahead, time.milliseconds))
    }
}
