import ChatModel

/// The times of a channel's settings in milliseconds: calculating with them costs nothing, with durations a lot.
struct SDSTimes: Sendable {
    let resendFirst, resendLongest: UInt64
    let giveUpAfter, lostAfter: UInt64?
    let acknowledgeWithin, syncInterval, syncLongest: UInt64
    let repairShortest, repairLongest: UInt64
    /// The longest time from one request to the next, however often own messages are sent again (SDSR-05).
    var askLongest: UInt64 { max(600_000, resendLongest) }

    init(_ settings: SDSSettings) {
        (resendFirst, resendLongest) = (settings.resend.first.milliseconds, settings.resend.longest.milliseconds)
        (giveUpAfter, lostAfter) = (settings.resend.giveUpAfter?.milliseconds, settings.lostAfter?.milliseconds)
        acknowledgeWithin = settings.sync.acknowledgeWithin.milliseconds
        (syncInterval, syncLongest) = (settings.sync.interval.milliseconds, settings.sync.longest.milliseconds)
        repairShortest = settings.repair?.shortest.milliseconds ?? 0
        repairLongest = settings.repair?.longest.milliseconds ?? 0
    }
}

extension Timestamp {
    /// A later moment; stays at the last representable one instead of overflowing.
    func later(by milliseconds: UInt64) -> Timestamp {
        let (sum, overflow) = self.milliseconds.addingReportingOverflow(milliseconds)
        return Timestamp(milliseconds: overflow ? .max : sum)
    }
}

extension UInt64 {
    /// Doubled a number of times, at most 16.
    func doubled(_ times: Int) -> UInt64 {
        let (product, overflow) = multipliedReportingOverflow(by: 1 << UInt64(Swift.min(times, 16)))
        return overflow ? .max : product
    }
}

extension Duration {
    /// Whole milliseconds; none of a negative time.
    fileprivate var milliseconds: UInt64 { (Timestamp.zero + self).milliseconds }
}
