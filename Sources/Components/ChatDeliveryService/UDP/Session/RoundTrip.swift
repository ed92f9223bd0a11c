/// How long an answer takes (RFC 6298, RFC 9002 section 5), and how long to wait for one.
struct RoundTrip: Hashable, Sendable {
    /// Before anything was measured: a quarter of a second until the first repetition.
    static let initial = MicrosecondSpan(83_000)
    /// A shorter wait would take a busy scheduler for a loss.
    static let shortestWait = MicrosecondSpan(25_000)
    /// Repetitions come at least this often, so that a link that is back is noticed soon.
    static let longestWait = MicrosecondSpan(2_000_000)

    private(set) var smoothed = initial
    private var variation = MicrosecondSpan(initial.count / 2)
    private(set) var latest = initial
    private var isMeasured = false

    /// Takes a measurement into account.
    mutating func measured(_ time: MicrosecondSpan) {
        latest = time
        guard isMeasured else {
            (smoothed, variation, isMeasured) = (time, MicrosecondSpan(time.count / 2), true)
            return
        }
        let difference = smoothed > time ? smoothed.count - time.count : time.count - smoothed.count
        variation = MicrosecondSpan((3 * variation.count + difference) / 4)
        smoothed = MicrosecondSpan((7 * smoothed.count + time.count) / 8)
    }

    /// How long to wait for an acknowledgement when that many waits were in vain.
    func wait(after attempts: Int) -> MicrosecondSpan {
        let wait = MicrosecondSpan(smoothed.count + max(4 * variation.count, 1_000))
        return min(max(wait, Self.shortestWait) * (1 << UInt64(min(attempts, 16))), Self.longestWait)
    }

    /// After this time a packet is lost if a later one arrived.
    var lossDelay: MicrosecondSpan { max(MicrosecondSpan(max(smoothed, latest).count / 8 * 9), MicrosecondSpan(5_000)) }
}
