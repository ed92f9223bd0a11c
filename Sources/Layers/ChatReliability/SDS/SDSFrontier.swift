/// Where the causal order ends, at one place or several: delivered messages that no delivered message names.
///
/// Beside them those that came again: their sender does not know that they came. They are named when
/// there is room for them, because without the others a message would be delivered too early.
struct SDSFrontier: Sendable {
    /// Beyond this the oldest are not named; their successors reveal that they are missing.
    private static let limit = 64
    /// Oldest first.
    private(set) var ends: [Identifier] = []
    /// Oldest first.
    private var repeats: [Identifier] = []
    /// Where the next message goes on, so that all are named in turn.
    private var turn = 0

    /// A message is in the log, and names others; returns which of them were an end until now.
    mutating func insert(_ id: Identifier, naming named: [Identifier]) -> [Identifier] {
        let ended = ends.filter { named.contains($0) }
        if !ended.isEmpty { ends.removeAll { ended.contains($0) } }
        if !repeats.isEmpty { repeats.removeAll { named.contains($0) } }
        ends.append(id)
        if ends.count > Self.limit { ends.removeFirst() }
        return ended
    }

    /// A message that was in the log came again.
    mutating func insertAgain(_ id: Identifier) {
        guard !ends.contains(id), !repeats.contains(id) else { return }
        repeats.append(id)
        if repeats.count > Self.limit { repeats.removeFirst() }
    }

    /// So many that are not named otherwise, ends first; and how many of them are in turn.
    func next(_ count: Int, except isNamed: (Identifier) -> Bool) -> (ids: [Identifier], inTurn: Int) {
        let first = ends.filter { !isNamed($0) }
        guard first.count <= count else { return (part(count, of: first), count) }
        guard !repeats.isEmpty else { return (first, 0) }
        let again = repeats.filter { !isNamed($0) }
        let more = part(count - first.count, of: again)
        return (first + more, more.count < again.count ? more.count : 0)
    }

    private func part(_ count: Int, of all: [Identifier]) -> [Identifier] {
        guard all.count > count else { return all }
        return (0..<count).map { all[(turn + $0) % all.count] }
    }

    /// So many of those in turn were named.
    mutating func didName(_ count: Int) { turn += count }
}
