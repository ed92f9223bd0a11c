import ChatModel

/// The rest of one publisher's quota (DS-10): epochs follow one another from the first payload on.
struct Quota: Sendable {
    let rate: DeliveryLimits.Rate
    private var began = MonotonicInstant.zero
    private var used = 0

    init(_ rate: DeliveryLimits.Rate) {
        self.rate = rate
    }

    /// Whether nothing is used in the current epoch, so that nothing is lost by forgetting this.
    func isFresh(_ now: MonotonicInstant) -> Bool {
        used == 0 || now >= began + MicrosecondSpan(rate.epoch)
    }

    /// Takes one payload off the quota; the error says when the next epoch begins.
    mutating func take(_ now: MonotonicInstant) throws(DeliveryError) {
        if isFresh(now) { (began, used) = (now, 0) }
        guard used < rate.payloads else {
            let wait = (began + MicrosecondSpan(rate.epoch)).since(now)
            throw .rateLimited(limit: rate.payloads, retryAfter: wait.duration)
        }
        used += 1
    }
}
