/// Payloads that are done with, in the order in which they were; the oldest are forgotten first.
struct FinishedPayloads: Sendable {
    struct Entry: Sendable {
        var serial: UInt64
        /// Where each segment comes once: those that have not come, by index (parity behind the data), and how many of each.
        var left: [UInt8: Int] = [:]
    }

    private(set) var entries: [Reassembler.Key: Entry] = [:]
    /// A ring once it is full.
    private var order: [Reassembler.Key] = []
    private var oldest = 0
    private var nextSerial: UInt64 = 0

    init() {}

    /// Takes up stored keys, whose serials differ.
    init(_ stored: [(key: Reassembler.Key, entry: Entry)]) {
        for (key, entry) in stored.sorted(by: { $0.entry.serial < $1.entry.serial }) {
            (entries[key], nextSerial) = (entry, entry.serial + 1)
            order.append(key)
        }
    }

    func contains(_ key: Reassembler.Key) -> Bool { entries[key] != nil }

    /// Adds a key; returns its entry, and the serial of the one that is forgotten for it.
    mutating func insert(
        _ key: Reassembler.Key, left: [UInt8] = [], limit: Int
    ) -> (entry: Entry, forgotten: UInt64?) {
        if var known = entries[key] {
            for index in left { known.left[index, default: 0] += 1 }
            entries[key] = known
            return (known, nil)
        }
        let entry = Entry(serial: nextSerial, left: Dictionary(left.map { ($0, 1) }) { $0 + $1 })
        nextSerial += 1
        entries[key] = entry
        guard order.count >= limit else {
            order.append(key)
            return (entry, nil)
        }
        let forgotten = entries.removeValue(forKey: order[oldest])?.serial
        order[oldest] = key
        oldest = (oldest + 1) % order.count
        return (entry, forgotten)
    }

    /// Takes a segment that a finished payload had left; nil where none had. An entry without any left is gone.
    mutating func take(_ index: UInt8, of key: Reassembler.Key) -> Entry? {
        guard var entry = entries[key], let count = entry.left[index] else { return nil }
        entry.left[index] = count > 1 ? count - 1 : nil
        entries[key] = entry.left.isEmpty ? nil : entry
        if entry.left.isEmpty { order.removeAll { $0 == key } }
        if oldest >= order.count { oldest = 0 }
        return entry
    }
}
