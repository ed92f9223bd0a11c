import ChatModel

/// The retained payloads, by address: bounded in payloads, bytes and age, and in total.
///
/// Sequences count over all addresses and never repeat in an epoch, so an address can be forgotten and
/// come back without a cursor meaning something else.
struct History: Sendable {
    /// One payload that is kept.
    struct Entry: Sendable {
        let sequence: UInt64
        let at: MonotonicInstant
        let addressed: Addressed
    }

    /// Bounds over all addresses.
    struct Totals: Sendable {
        /// Payload bytes with what keeping them costs; see ``History/size(_:)``.
        var bytes = Int.max
        /// Addresses with payloads, or of which it is known what is gone.
        var addresses = 65_536
    }

    let epoch: UInt64
    let retention: DeliveryLimits.Retention?
    let totals: Totals
    private(set) var lastSequence: UInt64 = 0
    private(set) var bytes = 0
    private var logs: [DeliveryAddress: AddressLog] = [:]
    /// No forgotten address had a payload after this.
    private var forgottenThrough: UInt64 = 0
    private var nextSweep = MonotonicInstant.zero
    private let maximumAge: MicrosecondSpan

    init(epoch: UInt64, retention: DeliveryLimits.Retention?, totals: Totals = Totals()) {
        (self.epoch, self.retention, self.totals) = (epoch, retention, totals)
        maximumAge = MicrosecondSpan(retention?.age ?? .zero)
    }

    /// How many payloads are kept.
    var count: Int { logs.values.reduce(0) { $0 + $1.count } }
    /// How many addresses are known.
    var addressCount: Int { logs.count }

    /// The bytes that a payload counts for: its texts too, or a million empty payloads would be free.
    static func size(_ addressed: Addressed) -> Int {
        64 + addressed.payload.count + addressed.address.text.utf8.count
            + (addressed.replyAddress?.text.utf8.count ?? 0)
    }

    /// Gives a payload its sequence and keeps it, if anything is kept.
    ///
    /// - Parameter host: who published it; where addresses are too many, those of who began most are forgotten.
    mutating func append(_ addressed: Addressed, from host: UInt64 = 0, now: MonotonicInstant) -> UInt64 {
        lastSequence += 1
        guard let retention else { return lastSequence }
        sweep(now)
        let entry = Entry(sequence: lastSequence, at: now, addressed: addressed)
        let change = logs[addressed.address]?.append(entry, retention, maximumAge)
        bytes += change ?? begin(addressed.address, with: entry, retention, host)
        if bytes > totals.bytes { shrink() }
        return lastSequence
    }

    private mutating func begin(
        _ address: DeliveryAddress, with entry: Entry, _ retention: DeliveryLimits.Retention, _ host: UInt64
    ) -> Int {
        if logs.count >= totals.addresses { forget() }
        var log = AddressLog(evictedThrough: forgottenThrough, host: host)
        let change = log.append(entry, retention, maximumAge)
        logs[address] = log
        return change
    }

    /// Every address that uses at least half the average loses a quarter, oldest first: more than an eighth of
    /// everything, so this is rare, and who floods one address loses there.
    private mutating func shrink() {
        let enough = bytes / max(1, logs.count) / 2
        for address in logs.keys { bytes -= logs[address]?.shrink(from: enough) ?? 0 }
    }

    /// An eighth of the addresses is forgotten: those without payloads, then those of the host that began most, the ones
    /// that were idle longest first. So who floods the relay with addresses loses there.
    private mutating func forget() {
        var begun: [UInt64: Int] = [:]
        for log in logs.values { begun[log.host, default: 0] += 1 }
        let all = logs.map { address, log in
            (address: address, rank: log.count > 0 ? -(begun[log.host] ?? 0) : Int.min, last: log.lastSequence)
        }
        for one in all.sorted(by: { ($0.rank, $0.last) < ($1.rank, $1.last) }).prefix(logs.count / 8 + 1) {
            bytes -= logs.removeValue(forKey: one.address)?.bytes ?? 0
            forgottenThrough = max(forgottenThrough, one.last)
        }
    }

    /// Gives up what is too old, everywhere; looks only now and then.
    mutating func sweep(_ now: MonotonicInstant) {
        guard retention != nil, now >= nextSweep else { return }
        nextSweep = now + max(MicrosecondSpan(maximumAge.count / 8), MicrosecondSpan(100_000))
        for address in logs.keys { bytes -= logs[address]?.expire(now, maximumAge) ?? 0 }
    }
}

// Reading.
extension History {
    /// Where a subscriber begins, and whether payloads that it wanted may be gone.
    func start(_ address: DeliveryAddress, _ since: Since) -> (after: UInt64, hasGap: Bool) {
        switch since {
        case .now: return (lastSequence, false)
        case .earliest: return (evictedThrough(address), false)
        case .after(let cursor):
            let gone = evictedThrough(address)
            guard let place = HistoryPosition(cursor), place.epoch == epoch, place.sequence <= lastSequence else {
                return (gone, true)
            }
            return (max(place.sequence, gone), place.sequence < gone)
        }
    }

    /// The sequence up to which payloads of an address are gone.
    func evictedThrough(_ address: DeliveryAddress) -> UInt64 {
        logs[address]?.evictedThrough ?? (retention == nil ? lastSequence : forgottenThrough)
    }

    /// The sequence of the newest payload of an address that is kept, or up to which they are gone.
    func newest(_ address: DeliveryAddress) -> UInt64 {
        logs[address]?.lastSequence ?? evictedThrough(address)
    }

    /// Payloads of an address after a sequence, oldest first: some of them, at least one if there is one.
    mutating func entries(
        _ address: DeliveryAddress, after sequence: UInt64, count: Int, bytes most: Int, now: MonotonicInstant
    ) -> [Entry] {
        bytes -= logs[address]?.expire(now, maximumAge) ?? 0
        guard let log = logs[address] else { return [] }
        var result: [Entry] = []
        var sum = 0
        var place = log.place(after: sequence)
        while result.count < count, let entry = log[place] {
            place += 1
            sum += entry.addressed.payload.count
            guard sum <= most || result.isEmpty else { break }
            result.append(entry)
        }
        return result
    }
}
