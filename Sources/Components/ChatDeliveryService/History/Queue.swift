/// First in, first out, with access by place: an array whose front is given back now and then.
struct Queue<Element: Sendable>: Sendable {
    private var storage: [Element?] = []
    private var head = 0

    var count: Int { storage.count - head }
    var isEmpty: Bool { head == storage.count }
    var first: Element? { isEmpty ? nil : storage[head] }
    var last: Element? { isEmpty ? nil : storage[storage.count - 1] }

    mutating func append(_ element: Element) {
        storage.append(element)
    }

    @discardableResult mutating func popFirst() -> Element? {
        guard head < storage.count else { return nil }
        let element = storage[head].take()
        head += 1
        // Moving what is left is paid for by what was taken since the last time.
        if head >= 32, head * 2 >= storage.count {
            storage.removeFirst(head)
            head = 0
        }
        return element
    }

    /// The element at a place from the front, which must be one.
    subscript(place: Int) -> Element? {
        _read { yield storage[head + place] }
        _modify { yield &storage[head + place] }
    }

    mutating func removeAll() {
        (storage, head) = ([], 0)
    }
}
