/// Gives what has the smallest key first, whatever the order in which it was put in.
///
/// An entry that is obsolete stays in until it comes up; the owner knows whether it is.
struct PriorityQueue<Key: Comparable & Sendable, Element: Sendable>: Sendable {
    /// A binary heap.
    private var entries: [(key: Key, element: Element)] = []

    /// The one with the smallest key.
    var first: (key: Key, element: Element)? { entries.first }

    mutating func insert(_ element: Element, _ key: Key) {
        entries.append((key, element))
        var index = entries.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            guard entries[index].key < entries[parent].key else { return }
            entries.swapAt(index, parent)
            index = parent
        }
    }

    /// Takes out the one with the smallest key.
    mutating func popFirst() -> Element? {
        guard let first = entries.first, let last = entries.popLast() else { return nil }
        guard !entries.isEmpty else { return first.element }
        entries[0] = last
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < entries.count {
                if entries[child].key < entries[least].key { least = child }
            }
            guard least != index else { return first.element }
            entries.swapAt(index, least)
            index = least
        }
    }

    /// Drops what is of no interest, if that may be most of it.
    mutating func compact(live: Int, isLive: (Element, Key) -> Bool) {
        guard entries.count > 2 * live + 64 else { return }
        let kept = entries.filter { isLive($0.element, $0.key) }
        entries = []
        for entry in kept { insert(entry.element, entry.key) }
    }
}
