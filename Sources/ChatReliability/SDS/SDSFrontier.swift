/// Delivered messages that no delivered message names: where the causal order ends, at one place or several.
///
/// Those that came again are put in too, because their sender does not know that they came.
struct SDSFrontier: Sendable {
    /// More than this, and the oldest are named by nobody; they are found out by their successors.
    private static let limit = 64
    /// Oldest first.
    private(set) var ids: [Identifier]
    /// Where the next sync message goes on, so that all are named in turn.
    private var turn = 0

    init(_ ids: [Identifier] = []) {
        self.ids = ids
    }

    /// A message is in the log, and names others.
    mutating func insert(_ id: Identifier, naming named: [Identifier]) {
        if !ids.isEmpty, !named.isEmpty { ids.removeAll { named.contains($0) } }
        insertAgain(id)
    }

    /// A message that was in the log came again.
    mutating func insertAgain(_ id: Identifier) {
        guard !ids.contains(id) else { return }
        ids.append(id)
        if ids.count > Self.limit { ids.removeFirst() }
    }

    /// So many of them that are not named otherwise; others once ``didName(_:)`` was told.
    func next(_ count: Int, except isNamed: (Identifier) -> Bool) -> [Identifier] {
        guard ids.contains(where: { !isNamed($0) }) else { return [] }
        let others = ids.filter { !isNamed($0) }
        guard others.count > count else { return others }
        return (0..<count).map { others[(turn + $0) % others.count] }
    }

    /// So many were named.
    mutating func didName(_ count: Int) { turn += count }
}
