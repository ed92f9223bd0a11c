import ChatCodec
import ChatModel

/// Which numbered payloads arrived: every number once, in any order, in bounded memory.
///
/// Missing numbers are kept as ranges, so a gap costs the same whatever its length.
struct NumberWindow: Hashable {
    /// How many ranges of missing numbers are remembered; the lowest are given up first.
    static let maximumRanges = 2_000
    /// Numbers lie below this one.
    static let limit = UInt64(1) << 63

    /// The lowest number above all that arrived.
    private(set) var next: UInt64 = 0
    /// Ranges of numbers below it that did not arrive, none empty, in ascending order.
    private(set) var missing: [Range<UInt64>] = []

    /// Where a number stands; deciding changes nothing.
    enum Step {
        /// It was missing, in this range.
        case late(Int, UInt64)
        /// It comes after so many that are missing now.
        case next(ahead: UInt64)
    }

    init() {}

    /// Takes up a stored window; nil unless the ranges ascend below the next number.
    init?(next: UInt64, missing: [Range<UInt64>]) {
        guard next <= Self.limit, missing.count <= Self.maximumRanges, missing.allSatisfy({ !$0.isEmpty }),
            zip(missing, missing.dropFirst()).allSatisfy({ $0.upperBound <= $1.lowerBound }),
            missing.last.map({ $0.upperBound < next }) ?? true
        else { return nil }
        (self.next, self.missing) = (next, missing)
    }

    /// The same as sequences, which are numbers plus one (PLAIN-1).
    var sequences: SequenceWindow {
        SequenceWindow(lowestWanted: (missing.first?.lowerBound ?? next) + 1, highestSeen: next == 0 ? nil : next)
    }

    /// Refuses a number that arrived before or was given up, and one that no sender reaches.
    func decide(_ number: UInt64) throws(Refusal) -> Step {
        guard number >= next else {
            guard let place = place(of: number) else { throw .invalid(.replay(number: number)) }
            return .late(place, number)
        }
        guard number < Self.limit else { throw .invalid(.invalidHeader("number \(number)")) }
        return .next(ahead: number - next)
    }

    /// Notes that a number arrived; gives those that are now known to be missing.
    mutating func take(_ step: Step) -> Range<UInt64> {
        switch step {
        case .late(let place, let number):
            let range = missing[place]
            let rest = [range.lowerBound..<number, number + 1..<range.upperBound].filter { !$0.isEmpty }
            missing.replaceSubrange(place...place, with: rest)
            trim()
            return next..<next
        case .next(let ahead):
            let gap = next..<next + ahead
            next = gap.upperBound + 1
            if !gap.isEmpty { missing.append(gap) }
            trim()
            return gap
        }
    }

    private mutating func trim() {
        if missing.count > Self.maximumRanges { missing.removeFirst(missing.count - Self.maximumRanges) }
    }

    private func place(of number: UInt64) -> Int? {
        var (low, high) = (0, missing.count)
        while low < high {
            let middle = (low + high) / 2
            if missing[middle].upperBound <= number { low = middle + 1 } else { high = middle }
        }
        return low < missing.count && missing[low].contains(number) ? low : nil
    }
}
