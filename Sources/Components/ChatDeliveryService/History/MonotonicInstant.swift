package import ChatModel
import ChatPlatform

/// A moment in microseconds since an origin that does not change while the process runs.
package struct MonotonicInstant: Hashable, Comparable, Sendable {
    package let microseconds: UInt64

    package init(microseconds: UInt64) {
        self.microseconds = microseconds
    }

    package init(_ time: Timestamp) {
        let (product, overflow) = time.milliseconds.multipliedReportingOverflow(by: 1_000)
        microseconds = overflow ? .max : product
    }

    package static let zero = MonotonicInstant(microseconds: 0)

    /// The system's clock that never goes back.
    package static var now: MonotonicInstant {
        MonotonicInstant(microseconds: SystemClock.monotonicNanoseconds / 1_000)
    }

    package static func < (left: MonotonicInstant, right: MonotonicInstant) -> Bool {
        left.microseconds < right.microseconds
    }

    package static func + (moment: MonotonicInstant, span: MicrosecondSpan) -> MonotonicInstant {
        let (sum, overflow) = moment.microseconds.addingReportingOverflow(span.count)
        return MonotonicInstant(microseconds: overflow ? .max : sum)
    }

    /// The time since an earlier moment; zero where that one is later.
    package func since(_ earlier: MonotonicInstant) -> MicrosecondSpan {
        MicrosecondSpan(self > earlier ? microseconds - earlier.microseconds : 0)
    }
}

/// A span of time in microseconds: what a protocol counts in, cheaper than `Duration`.
package struct MicrosecondSpan: Hashable, Comparable, Sendable {
    package let count: UInt64

    package init(_ count: UInt64) {
        self.count = count
    }

    /// Rounds down; a negative duration is none.
    package init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        count = overflow ? .max : UInt64(max(0, product)) &+ UInt64(max(0, attoseconds / 1_000_000_000_000))
    }

    package static func < (left: MicrosecondSpan, right: MicrosecondSpan) -> Bool { left.count < right.count }
    package static func * (span: MicrosecondSpan, factor: UInt64) -> MicrosecondSpan {
        let (product, overflow) = span.count.multipliedReportingOverflow(by: factor)
        return MicrosecondSpan(overflow ? .max : product)
    }

    package var duration: Duration { .microseconds(Int64(clamping: count)) }
    /// Rounded up, so that who waits that long does not come too early.
    package var milliseconds: UInt64 { count / 1_000 + (count % 1_000 == 0 ? 0 : 1) }
}
