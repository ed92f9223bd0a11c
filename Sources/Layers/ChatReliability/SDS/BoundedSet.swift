/// A set that forgets its oldest member when it has too many.
struct BoundedSet<Element: Hashable & Sendable>: Sendable {
    private var members: Set<Element> = []
    /// Oldest first; members that were removed stay in until they come up.
    private var order: [Element] = []

    func contains(_ element: Element) -> Bool { members.contains(element) }

    /// Adds an element; returns the one that is forgotten for it.
    mutating func insert(_ element: Element, limit: Int) -> Element? {
        guard members.insert(element).inserted else { return nil }
        order.append(element)
        guard members.count > limit, let index = order.firstIndex(where: { members.contains($0) }) else { return nil }
        let oldest = order[index]
        order.removeFirst(index + 1)
        members.remove(oldest)
        return oldest
    }

    /// Removes an element; false if it was not in it.
    mutating func remove(_ element: Element) -> Bool {
        guard members.remove(element) != nil else { return false }
        if order.count > 2 * members.count + 64 { order.removeAll { !members.contains($0) } }
        return true
    }
}
