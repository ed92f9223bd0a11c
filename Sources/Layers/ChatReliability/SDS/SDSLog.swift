/// Ids of delivered messages, ordered by Lamport clock and then by id (SDS-08), bounded in number.
struct SDSLog: Sendable {
    struct Entry: Sendable {
        let lamport: UInt64
        let id: Identifier
        let sender: Identifier
        /// Names its record.
        let serial: UInt64
        /// Nil where there is no filter.
        let probe: BloomFilter.Probe?
        /// Serials of messages at which the causal order ended until this one named them.
        var ended: [UInt64] = []
        /// An own message that was given up: it is never sent again.
        var isGone = false
        /// Whether what was in it comes in other messages.
        var isReplaced = false

        var order: Order { Order(lamport: lamport, id: id) }
    }

    /// A place in the order of all messages.
    struct Order: Comparable, Sendable {
        let lamport: UInt64
        let id: Identifier

        static func < (left: Order, right: Order) -> Bool {
            left.lamport != right.lamport ? left.lamport < right.lamport : left.id < right.id
        }
    }

    /// Sorted; what lies before `start` is forgotten.
    private var entries: [Entry] = []
    private var start = 0
    private var lamports: [Identifier: UInt64] = [:]
    /// The last one forgotten: what is not behind it may have been here.
    var floor: Order?

    var count: Int { entries.count - start }

    /// The entries, first to last.
    var all: ArraySlice<Entry> { entries[start...] }

    func contains(_ id: Identifier) -> Bool { lamports[id] != nil }

    /// The entry of an id.
    func entry(_ id: Identifier) -> Entry? {
        guard let lamport = lamports[id] else { return nil }
        return entries[index(of: Order(lamport: lamport, id: id))]
    }

    /// Puts in an entry whose id is not in it; returns the id before it, unless it is the last.
    mutating func insert(_ entry: Entry) -> SDSEvent.Delivery.Place {
        lamports[entry.id] = entry.lamport
        guard let last = entries.last, count > 0, entry.order < last.order else {
            entries.append(entry)
            return .end
        }
        let index = index(of: entry.order)
        entries.insert(entry, at: index)
        return .after(index > start ? entries[index - 1].id : nil)
    }

    /// Notes that an own message was given up, or replaced by others; returns its entry.
    mutating func markGone(_ id: Identifier, isReplaced: Bool) -> Entry? {
        guard let lamport = lamports[id] else { return nil }
        let index = index(of: Order(lamport: lamport, id: id))
        entries[index].isGone = true
        entries[index].isReplaced = isReplaced
        return entries[index]
    }

    /// Forgets the first if there are more than a number; returns it.
    mutating func trim(to limit: Int) -> Entry? {
        guard count > limit else { return nil }
        let first = entries[start]
        start += 1
        lamports[first.id] = nil
        floor = max(floor ?? first.order, first.order)
        if start > 1_024, start > entries.count / 2 {
            entries.removeFirst(start)
            start = 0
        }
        return first
    }

    /// The first index whose entry is not before a place.
    private func index(of place: Order) -> Int {
        var (low, high) = (start, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].order < place { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
