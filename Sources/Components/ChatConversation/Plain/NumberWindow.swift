import ChatModel
import ChatWire

/// Which numbered payloads arrived: every number once, in any order, in bounded memory.
struct NumberWindow: Hashable {
    /// How many may be missing before one that arrives; a larger jump waits.
    static let maximumAhead = 1_000
    /// How many missing numbers are remembered; the oldest are given up first.
    static let maximumMissing = 2_000

    /// The lowest number above all that arrived.
    private(set) var next: UInt64 = 0
    /// Numbers below it that did not arrive, in ascending order.
    private(set) var missing: [UInt64] = []

    /// Where a number stands; deciding changes nothing.
    enum Step {
        /// It was missing, at this place in the list.
        case late(Int)
        /// It comes after so many that are missing now.
        case next(ahead: Int)
    }

    init() {}

    /// Takes up a stored window; nil unless the missing numbers ascend below the next one.
    init?(next: UInt64, missing: [UInt64]) {
        guard missing.count <= Self.maximumMissing, zip(missing, missing.dropFirst()).allSatisfy({ $0 < $1 }),
            missing.last.map({ $0 < next }) ?? true
        else { return nil }
        (self.next, self.missing) = (next, missing)
    }

    /// Refuses a number that arrived before or was given up, and one that is too far ahead.
    func decide(_ number: UInt64) throws(Refusal) -> Step {
        guard number >= next else {
            guard let place = place(of: number) else { throw .invalid(.replay(number: number)) }
            return .late(place)
        }
        // The last number of all would leave no next one.
        guard number < .max else { throw .invalid(.invalidHeader("number \(number)")) }
        guard number - next <= UInt64(Self.maximumAhead) else {
            throw Refusal(.early, ConversationCause.tooManySkipped(number - next, limit: Self.maximumAhead))
        }
        return .next(ahead: Int(number - next))
    }

    /// Notes that a number arrived; gives those that are now known to be missing.
    mutating func take(_ step: Step) -> Range<UInt64> {
        switch step {
        case .late(let place):
            missing.remove(at: place)
            return next..<next
        case .next(let ahead):
            let gap = next..<next + UInt64(ahead)
            next = gap.upperBound + 1
            missing += gap
            if missing.count > Self.maximumMissing { missing.removeFirst(missing.count - Self.maximumMissing) }
            return gap
        }
    }

    private func place(of number: UInt64) -> Int? {
        var (low, high) = (0, missing.count)
        while low < high {
            let middle = (low + high) / 2
            if missing[middle] < number { low = middle + 1 } else { high = middle }
        }
        return low < missing.count && missing[low] == number ? low : nil
    }
}
