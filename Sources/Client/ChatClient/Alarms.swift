internal import ChatModel

/// When machines want to be woken, the earliest first.
///
/// A heap. An entry that became wrong stays until it comes up, so a time that only moves later costs nothing.
struct Alarms: Sendable {
    private struct Entry: Sendable {
        let time: Timestamp
        let owner: Owner
    }

    /// The time that an owner wants, and its earliest entry in the heap.
    private struct Wish: Sendable {
        var time: Timestamp?
        var entry: Timestamp?
    }

    private var wishes: [Owner: Wish] = [:]
    private var heap: [Entry] = []

    /// The pause for a machine that, after ``Signal/due``, still states a time that has come.
    static let pause = Duration.seconds(1)

    /// The earliest time that somebody wants.
    var next: Timestamp? { heap.first?.time }

    /// When an owner wants to be woken.
    subscript(owner: Owner) -> Timestamp? { wishes[owner]?.time }

    /// Replaces what an owner wants.
    mutating func set(_ time: Timestamp?, for owner: Owner) {
        wishes[owner, default: Wish()].time = time
        enter(owner)
        dropWrong()
    }

    /// Takes the owners whose time has come, in no order.
    mutating func takeDue(at now: Timestamp) -> [Owner] {
        var due: [Owner] = []
        while let first = heap.first, first.time <= now {
            due.append(first.owner)
            set(nil, for: first.owner)
        }
        return due
    }

    /// Makes sure that the heap has an entry that is not too late.
    private mutating func enter(_ owner: Owner) {
        guard let wish = wishes[owner], let time = wish.time else { return }
        if let entry = wish.entry, entry <= time { return }
        wishes[owner]?.entry = time
        push(Entry(time: time, owner: owner))
    }

    /// Drops entries at the top that are no longer wanted.
    private mutating func dropWrong() {
        while let first = heap.first, wishes[first.owner]?.time != first.time {
            removeFirst()
            guard let wish = wishes[first.owner], wish.entry == first.time else { continue }
            wishes[first.owner]?.entry = nil
            if wish.time == nil { wishes[first.owner] = nil } else { enter(first.owner) }
        }
    }

    private mutating func push(_ entry: Entry) {
        heap.append(entry)
        var index = heap.count - 1
        while index > 0, entry.time < heap[(index - 1) / 2].time {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    private mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var index = 0
        while 2 * index + 1 < heap.count {
            let (left, right) = (2 * index + 1, 2 * index + 2)
            let child = right < heap.count && heap[right].time < heap[left].time ? right : left
            guard heap[child].time < heap[index].time else { return }
            heap.swapAt(index, child)
            index = child
        }
    }
}
