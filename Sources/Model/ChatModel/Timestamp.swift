/// A moment in milliseconds since the Unix epoch, as the protocols write it.
public struct Timestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    public let milliseconds: UInt64

    /// A moment from its milliseconds.
    public init(milliseconds: UInt64) {
        self.milliseconds = milliseconds
    }

    /// The earliest moment.
    public static let zero = Timestamp(milliseconds: 0)

    /// Whether one moment is before another.
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.milliseconds < right.milliseconds
    }

    /// A later moment; stays at the last representable one instead of overflowing.
    public static func + (moment: Timestamp, duration: Duration) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        guard seconds >= 0, attoseconds >= 0 else { return moment }
        let (scaled, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000)
        guard !overflow else { return Timestamp(milliseconds: .max) }
        let (sum, carry) = moment.milliseconds.addingReportingOverflow(scaled)
        let (total, second) = sum.addingReportingOverflow(UInt64(attoseconds / 1_000_000_000_000_000))
        return Timestamp(milliseconds: carry || second ? .max : total)
    }

    /// The time since an earlier moment; zero where that one is later.
    public func since(_ earlier: Timestamp) -> Duration {
        guard self > earlier else { return .zero }
        return .milliseconds(Int64(clamping: milliseconds - earlier.milliseconds))
    }

    /// The earlier of two moments that need not be there.
    public static func earliest(_ first: Timestamp?, _ second: Timestamp?) -> Timestamp? {
        guard let first, let second else { return first ?? second }
        return min(first, second)
    }

    /// The milliseconds in decimal.
    public var description: String { String(milliseconds) }
}
