/// What is to happen, earliest first; what is due at the same time happens in the order of entering.
///
/// A heap with four children for each node: half as deep as one with two, and siblings share a cache line.
struct Agenda: Sendable {
    /// Something that is to happen.
    struct Item: Sendable {
        let time: VirtualTime
        fileprivate let order: UInt32
        let kind: Kind
        /// Whom it happens to.
        let peer: Int32
        /// What it is about, by kind.
        let index: Int32
    }

    /// What can happen.
    enum Kind: UInt8, Sendable {
        /// A copy of a payload reaches a peer; index: the copy's payload.
        case arrival
        /// A peer deals with what waits for it.
        case step
        /// A peer's alarm.
        case alarm
        /// The service's answers to what a peer published; index: which.
        case answer
        /// Somebody meets somebody; index: the thread.
        case meet
        /// Somebody says something.
        case speak
        /// Something goes wrong; index: which disturbance.
        case disturb
        /// Something that went wrong ends; index: which disturbance.
        case mend
        /// A process starts again.
        case start
        /// The run enters its next phase.
        case phase
    }

    private var items: [Item] = []
    private var order: UInt32 = 0

    var count: Int { items.count }

    mutating func add(_ kind: Kind, at time: VirtualTime, peer: Int = 0, index: Int = 0) {
        let item = Item(
            time: time, order: order, kind: kind, peer: Int32(truncatingIfNeeded: peer),
            index: Int32(truncatingIfNeeded: index))
        order &+= 1
        items.append(item)
        rise(items.count - 1, item)
    }

    mutating func next() -> Item? {
        guard let last = items.popLast() else { return nil }
        guard let first = items.first else { return last }
        sink(last)
        return first
    }

    private mutating func rise(_ start: Int, _ item: Item) {
        var place = start
        while place > 0 {
            let parent = (place - 1) / 4
            guard item.precedes(items[parent]) else { break }
            items[place] = items[parent]
            place = parent
        }
        items[place] = item
    }

    /// Lets an item take the place of the first one and sink to where it belongs.
    private mutating func sink(_ item: Item) {
        var place = 0
        while true {
            let child = 4 * place + 1
            guard child < items.count else { break }
            var least = child
            var other = child + 1
            while other < min(child + 4, items.count) {
                if items[other].precedes(items[least]) { least = other }
                other += 1
            }
            guard items[least].precedes(item) else { break }
            items[place] = items[least]
            place = least
        }
        items[place] = item
    }
}

extension Agenda.Item {
    /// Numbers go round after 2³² items; those of items that wait at the same time are never half of that apart.
    fileprivate func precedes(_ other: Agenda.Item) -> Bool {
        time == other.time ? Int32(bitPattern: order &- other.order) < 0 : time < other.time
    }
}
