/// Who is to be looked at when: a binary heap. An entry that no longer counts is skipped by whoever takes it.
struct TimerQueue: Sendable {
    private var heap: [(at: MonotonicInstant, owner: Int)] = []

    /// When the next one is due.
    var next: MonotonicInstant? { heap.first?.at }

    mutating func insert(_ owner: Int, at time: MonotonicInstant) {
        heap.append((time, owner))
        var child = heap.count - 1
        while child > 0, heap[child].at < heap[(child - 1) / 2].at {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Takes one that is due.
    mutating func popDue(_ now: MonotonicInstant) -> Int? {
        guard let first = heap.first, first.at <= now, let last = heap.popLast() else { return nil }
        guard !heap.isEmpty else { return first.owner }
        heap[0] = last
        var parent = 0
        while true {
            let children = [2 * parent + 1, 2 * parent + 2].filter { $0 < heap.count }
            guard let least = children.min(by: { heap[$0].at < heap[$1].at }), heap[least].at < heap[parent].at else {
                break
            }
            heap.swapAt(parent, least)
            parent = least
        }
        return first.owner
    }
}
