import ChatModel

/// The rest of one publisher's quota (DS-10): epochs follow one another from the first payload on.
struct Quota: Sendable {
    let rate: DeliveryLimits.Rate
    private var began = Moment.zero
    private var used = 0

    init(_ rate: DeliveryLimits.Rate) {
        self.rate = rate
    }

    /// Whether nothing is used in the current epoch, so that nothing is lost by forgetting this.
    func isFresh(_ now: Moment) -> Bool {
        used == 0 || now >= began + Micros(rate.epoch)
    }

    /// Takes one payload off the quota; the error says when the next epoch begins.
    mutating func take(_ now: Moment) throws(DeliveryError) {
        if isFresh(now) { (began, used) = (now, 0) }
        guard used < rate.payloads else {
            let wait = (began + Micros(rate.epoch)).since(now)
            throw .rateLimited(limit: rate.payloads, retryAfter: wait.duration)
        }
        used += 1
    }
}
