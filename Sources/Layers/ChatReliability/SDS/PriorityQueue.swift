import ChatModel

/// Gives the smallest entry first, whatever the order in which entries were put in.
///
/// An entry that is obsolete stays in until it comes up; the owner knows whether it is.
struct PriorityQueue<Entry: Comparable & Sendable>: Sendable {
    /// A binary heap.
    private var entries: [Entry] = []

    /// The smallest.
    var first: Entry? { entries.first }

    mutating func insert(_ entry: Entry) {
        entries.append(entry)
        var index = entries.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            guard entries[index] < entries[parent] else { return }
            entries.swapAt(index, parent)
            index = parent
        }
    }

    /// Takes out the smallest.
    mutating func popFirst() -> Entry? {
        guard let first = entries.first, let last = entries.popLast() else { return nil }
        guard !entries.isEmpty else { return first }
        entries[0] = last
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < entries.count {
                if entries[child] < entries[least] { least = child }
            }
            guard least != index else { return first }
            entries.swapAt(index, least)
            index = least
        }
    }

    /// Drops what is of no interest, if that may be most of it.
    mutating func compact(live: Int, isLive: (Entry) -> Bool) {
        guard entries.count > 2 * live + 64 else { return }
        let kept = entries.filter(isLive)
        entries = []
        for entry in kept { insert(entry) }
    }
}

/// Something that is to happen for a message at a time; of several at one time, the first of the ids, byte by byte, comes
/// first, so that two implementations do the same.
struct SDSDue: Comparable, Sendable {
    let time: Timestamp
    let id: Identifier

    init(_ id: Identifier, _ time: Timestamp) { (self.time, self.id) = (time, id) }

    static func < (left: SDSDue, right: SDSDue) -> Bool {
        left.time != right.time ? left.time < right.time : left.id < right.id
    }
}
