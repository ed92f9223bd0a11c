import ChatModel

/// Who talks to whom.
public enum Topology: Sendable, Hashable {
    /// Peers 0 and 1, 2 and 3, and so on.
    case pairs
    /// Each with the next, and the last with the first.
    case ring
    /// The first with all others.
    case star
    /// Each begins so many conversations with others at random.
    case random(Int)
    /// Groups of so many; the first of each founds it. For types that take members.
    case groups(Int)

    /// The threads of some peers: who takes part in each, the one who begins it first.
    func threads(peers: Int, _ dice: inout Dice) -> [[Int]] {
        switch self {
        case .pairs: return stride(from: 0, to: peers - 1, by: 2).map { [$0, $0 + 1] }
        case .ring: return peers < 3 ? [[0, 1]] : (0..<peers).map { [$0, ($0 + 1) % peers] }
        case .star: return (1..<max(2, peers)).map { [0, $0] }
        case .random(let count):
            var threads: [[Int]] = []
            for peer in 0..<peers {
                for _ in 0..<count { threads.append([peer, (peer + 1 + dice.below(peers - 1)) % peers]) }
            }
            return threads
        case .groups(let size):
            return stride(from: 0, to: peers, by: size).compactMap { first in
                let group = Array(first..<min(first + size, peers))
                return group.count > 1 ? group : nil
            }
        }
    }
}

extension Scenario {
    /// Conversations of two that somebody tries to begin with a bundle that was handed over already: that of each
    /// comes from the thread at the same place among the others. A third peer tries where there is one.
    func reuses(of groups: [[Int]], _ dice: inout Dice) -> [[Int]] {
        let pairs = groups.filter { $0.count == 2 }
        guard pairs.count == groups.count, !pairs.isEmpty else { return [] }
        return (0..<min(reusedLinks, groups.count)).map { number in
            let (first, second) = (groups[number][0], groups[number][1])
            let others = (0..<peers).filter { $0 != second && (peers < 3 || $0 != first) }
            return [others[dice.below(others.count)], second]
        }
    }
}

/// What is said, when and by whom.
public struct Traffic: Sendable, Hashable {
    /// How many contents in all, the first ones of conversations not counted.
    public var contents = 100
    /// The time over which they are spread.
    public var time = Duration.seconds(60)
    /// Bytes of a content; at least 8.
    public var size = 16...256
    /// How many contents somebody says at once.
    public var burst = 1...1
    /// The probability that the one who began the conversation speaks.
    public var initiative = 0.5

    /// A plan.
    public init(
        contents: Int, over time: Duration, size: ClosedRange<Int> = 16...256, burst: ClosedRange<Int> = 1...1
    ) {
        (self.contents, self.time, self.size, self.burst) = (contents, time, size, burst)
    }
}
