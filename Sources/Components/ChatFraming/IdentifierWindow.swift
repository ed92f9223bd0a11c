import ChatModel

/// For which sequences of a sender a route has identifiers: a few next ones, those that are missing, and landmarks.
///
/// Pure bookkeeping; who owns it derives the identifiers that a change adds and drops those that it removes.
struct IdentifierWindow: Equatable {
    /// How many next sequences a route begins with, and how many it has once many payloads come.
    static let firstStep: UInt64 = 3
    static let lastStep: UInt64 = 48
    /// How many missing sequences are kept, as many as conversation types here remember; the lowest go first.
    static let maximumMissing = 2_000
    /// A multiple of each is a landmark, each beyond the one before: whatever the length of a loss, a landmark behind
    /// it is recognized, and the window is there again.
    static let distances: [UInt64] = [2, 4, 6, 8, 10, 12, 16, 22, 30, 38, 46, 54].map { 1 << $0 }
    /// Sequences beyond are taken for this one, so that no sum overflows.
    static let maximumSequence = UInt64(1) << 62

    /// Sequences that came or went.
    struct Change: Equatable {
        var added: [UInt64] = []
        var removed: [UInt64] = []
    }

    /// The highest sequence that was accepted, or lies below all that are wanted.
    private(set) var highest: UInt64
    /// Sequences up to it that may still come, ascending.
    private(set) var missing: [UInt64]
    /// The last of the next sequences; ``highest`` in a window that was closed.
    private(set) var reach: UInt64
    private var step = firstStep
    private var isClosed = false

    /// Begins where a machine says it is: all that it still wants may come.
    init(_ window: SequenceWindow) {
        let lowest = max(1, min(window.lowestWanted, Self.maximumSequence))
        highest = min(max(window.highestSeen ?? 0, lowest - 1), Self.maximumSequence)
        missing = Self.newest(lowest, through: highest)
        reach = highest + step
    }

    /// Everything that has an identifier, ascending.
    var active: [UInt64] {
        guard !isClosed else { return missing }
        return missing + Array(highest + 1..<reach + 1) + Self.landmarks(above: reach)
    }

    /// Whether a payload with a sequence may still come, be its identifier kept or not.
    func admits(_ sequence: UInt64) -> Bool {
        guard sequence <= highest else { return !isClosed && sequence <= Self.maximumSequence }
        return missing.contains(sequence)
    }

    /// A payload was accepted: its sequence is used up, and those it overtook are missing.
    mutating func accept(_ sequence: UInt64) -> Change {
        guard sequence > highest, !isClosed else { return drop(sequence) }
        return move(to: sequence, keepsMissing: true)
    }

    /// A payload was accepted under a secret that is used earlier: what is below comes under that one.
    mutating func advance(to sequence: UInt64) -> Change {
        guard sequence > highest, !isClosed else { return drop(sequence) }
        return move(to: sequence, keepsMissing: false)
    }

    /// A payload was accepted under a secret that is used later: only what is below may still come.
    mutating func close(at sequence: UInt64) -> Change {
        guard !isClosed else { return drop(sequence) }
        let before = active
        let end = min(sequence, Self.maximumSequence)
        if end > highest {
            missing = newest(adding: highest + 1, through: end - 1)
            highest = end
        }
        (reach, isClosed) = (highest, true)
        return Self.change(from: before, to: active)
    }

    /// The machine gave up everything below a sequence.
    mutating func giveUp(below sequence: UInt64) -> Change {
        let kept = missing.firstIndex { $0 >= sequence } ?? missing.count
        defer { missing.removeFirst(kept) }
        return Change(removed: Array(missing[..<kept]))
    }

    private mutating func move(to sequence: UInt64, keepsMissing: Bool) -> Change {
        let end = min(sequence, Self.maximumSequence)
        if end == highest + 1, reach >= end + step / 2 {
            highest = end
            return Change(removed: [end])
        }
        let before = active
        if keepsMissing { missing = newest(adding: highest + 1, through: end - 1) }
        highest = end
        if reach < end + step / 2 {
            step = min(2 * step, Self.lastStep)
            reach = end + step
        }
        return Self.change(from: before, to: active)
    }

    private mutating func drop(_ sequence: UInt64) -> Change {
        guard let index = missing.firstIndex(of: sequence) else { return Change() }
        missing.remove(at: index)
        return Change(removed: [sequence])
    }

    private func newest(adding first: UInt64, through last: UInt64) -> [UInt64] {
        (missing + Self.newest(first, through: last)).suffix(Self.maximumMissing)
    }

    /// The last of a run of sequences, as many as are kept.
    private static func newest(_ first: UInt64, through last: UInt64) -> [UInt64] {
        guard first <= last else { return [] }
        let kept = last - first < UInt64(maximumMissing) ? first : last - UInt64(maximumMissing) + 1
        return Array(kept...last)
    }

    private static func landmarks(above reach: UInt64) -> [UInt64] {
        var last = reach
        return distances.map { distance in
            last = (last / distance + 1) * distance
            return last
        }
    }

    /// The differences between two ascending lists.
    private static func change(from before: [UInt64], to after: [UInt64]) -> Change {
        var change = Change()
        var (old, new) = (before[...], after[...])
        while let left = old.first, let right = new.first {
            if left == right {
                (old, new) = (old.dropFirst(), new.dropFirst())
            } else if left < right {
                change.removed.append(left)
                old = old.dropFirst()
            } else {
                change.added.append(right)
                new = new.dropFirst()
            }
        }
        (change.removed, change.added) = (change.removed + old, change.added + new)
        return change
    }
}
