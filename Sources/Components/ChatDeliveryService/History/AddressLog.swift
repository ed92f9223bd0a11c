import ChatModel

/// The payloads of one address that are kept, and up to where they are gone.
struct AddressLog: Sendable {
    private var entries = Queue<History.Entry>()
    private(set) var bytes = 0
    private(set) var evictedThrough: UInt64
    /// Who published its first payload, as a relay tells its clients apart.
    let host: UInt64

    init(evictedThrough: UInt64, host: UInt64) {
        (self.evictedThrough, self.host) = (evictedThrough, host)
    }

    var count: Int { entries.count }
    var lastSequence: UInt64 { entries.last?.sequence ?? evictedThrough }
    subscript(place: Int) -> History.Entry? { place < entries.count ? entries[place] : nil }

    /// Adds an entry and gives up others as the bounds demand; returns by how much the bytes changed.
    mutating func append(_ entry: History.Entry, _ retention: DeliveryLimits.Retention, _ maximumAge: MicrosecondSpan)
        -> Int
    {
        let before = bytes
        entries.append(entry)
        bytes += History.size(entry.addressed)
        _ = expire(entry.at, maximumAge)
        while !entries.isEmpty, entries.count > retention.payloads || bytes > retention.bytes { dropFirst() }
        return bytes - before
    }

    /// Gives up what is too old; returns the bytes.
    mutating func expire(_ now: MonotonicInstant, _ maximumAge: MicrosecondSpan) -> Int {
        let before = bytes
        while let first = entries.first, first.at + maximumAge < now { dropFirst() }
        return before - bytes
    }

    /// Gives up a quarter if there are that many bytes; returns the bytes.
    mutating func shrink(from enough: Int) -> Int {
        let before = bytes
        guard before >= enough else { return 0 }
        while !entries.isEmpty, bytes > before / 4 * 3 { dropFirst() }
        return before - bytes
    }

    private mutating func dropFirst() {
        guard let first = entries.popFirst() else { return }
        bytes -= History.size(first.addressed)
        evictedThrough = first.sequence
    }

    /// The place of the first entry after a sequence, found by halving.
    func place(after sequence: UInt64) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if let entry = entries[middle], entry.sequence <= sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
