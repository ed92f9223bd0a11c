import ChatModel

/// How many payloads may still be dispatched in an epoch (RC-05).
///
/// Epochs are counted from 1970, so that all who share a limit begin them together.
struct EpochQuota: Sendable {
    private let rate: DeliveryLimits.Rate
    /// The epoch that the count is of.
    private(set) var epoch: UInt64 = 0
    private(set) var used = 0

    init(_ rate: DeliveryLimits.Rate, epoch: UInt64 = 0, used: Int = 0) {
        (self.rate, self.epoch, self.used) = (rate, epoch, used)
    }

    private var length: UInt64 { max(1, (Timestamp.zero + rate.epoch).milliseconds) }

    /// Takes one of those left; false if there is none.
    mutating func take(_ now: Timestamp) -> Bool {
        let current = now.milliseconds / length
        // A clock that is set back does not give a second quota.
        if current > epoch { (epoch, used) = (current, 0) }
        guard used < rate.payloads else { return false }
        used += 1
        return true
    }

    /// Whether nine tenths are used: then what may be lost is not sent.
    func isNearlyUsed(_ now: Timestamp) -> Bool {
        now.milliseconds / length <= epoch && used * 10 >= rate.payloads * 9
    }

    /// When there is one again.
    func next(_ now: Timestamp) -> Timestamp {
        guard now.milliseconds / length <= epoch, used >= rate.payloads else { return now }
        let (start, overflow) = (epoch &+ 1).multipliedReportingOverflow(by: length)
        return Timestamp(milliseconds: overflow ? .max : start)
    }
}
