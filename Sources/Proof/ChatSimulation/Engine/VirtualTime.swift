import ChatModel

/// A moment of a simulation, or a span of it: microseconds since the run began.
public struct VirtualTime: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Microseconds since the run began.
    public let microseconds: UInt64

    /// A moment from its microseconds.
    public init(microseconds: UInt64) {
        self.microseconds = microseconds
    }

    /// A span; a negative one is none.
    public init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        microseconds = overflow ? .max : UInt64(max(0, product)) + UInt64(max(0, attoseconds / 1_000_000_000_000))
    }

    /// When the run begins.
    public static let zero = VirtualTime(microseconds: 0)
    /// Later than anything that happens.
    public static let never = VirtualTime(microseconds: .max)

    /// Whether one moment is before another.
    public static func < (left: VirtualTime, right: VirtualTime) -> Bool { left.microseconds < right.microseconds }

    /// A later moment; stays at the last one instead of overflowing.
    public static func + (moment: VirtualTime, span: VirtualTime) -> VirtualTime {
        let (sum, overflow) = moment.microseconds.addingReportingOverflow(span.microseconds)
        return overflow ? .never : VirtualTime(microseconds: sum)
    }

    /// The span since an earlier moment; none where that one is later.
    func since(_ earlier: VirtualTime) -> VirtualTime {
        VirtualTime(microseconds: self > earlier ? microseconds - earlier.microseconds : 0)
    }

    /// Seconds with three digits, and hours and minutes where there are any: `1:02:03.004`.
    public var description: String {
        let milliseconds = microseconds / 1_000
        let (seconds, rest) = (milliseconds / 1_000, milliseconds % 1_000)
        let tail = "\(seconds % 60).\(Self.padded(rest, 3))"
        guard seconds >= 60 else { return tail }
        let short = "\(seconds / 60 % 60):" + (seconds % 60 < 10 ? "0" : "") + tail
        return seconds < 3_600 ? short : "\(seconds / 3_600):" + (seconds / 60 % 60 < 10 ? "0" : "") + short
    }

    static func padded(_ number: UInt64, _ digits: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    /// The span in seconds.
    public var seconds: Double { Double(microseconds) / 1e6 }
}

/// The clock of one peer: it may be wrong by an offset, and go too fast or too slow.
struct PeerClock: Sendable {
    /// What a correct clock shows when a run begins: 2023-11-14T22:13:20Z.
    static let origin: UInt64 = 1_700_000_000_000
    /// In milliseconds; the clock shows that much more than a correct one.
    var offset: Int64 = 0
    /// What it jumped by since the device was made, in milliseconds; stays over restarts.
    var jumped: Int64 = 0
    /// Microseconds that it gains in a second.
    var drift: Int64 = 0

    /// What it shows.
    func reading(at time: VirtualTime) -> Timestamp {
        let elapsed = Int64(clamping: time.microseconds)
        let gained = elapsed / 1_000_000 * drift
        return Timestamp(
            milliseconds: UInt64(max(0, Int64(Self.origin) + offset + jumped + (elapsed + gained) / 1_000)))
    }

    /// The first moment, not before another one, at which it shows a time or a later one.
    func moment(of reading: Timestamp, from now: VirtualTime) -> VirtualTime {
        let shown = self.reading(at: now)
        guard reading > shown else { return now }
        let missing = reading.milliseconds - shown.milliseconds
        guard missing < 1 << 40 else { return .never }
        // A drift of at most a thousandth is made up for by looking again when the guess comes too early.
        let boundary = now.microseconds / 1_000 * 1_000
        var guess = VirtualTime(microseconds: boundary + missing * 1_000)
        while self.reading(at: guess) < reading {
            let short = reading.milliseconds - self.reading(at: guess).milliseconds
            guess = guess + VirtualTime(microseconds: short * 1_000)
        }
        return guess
    }
}
