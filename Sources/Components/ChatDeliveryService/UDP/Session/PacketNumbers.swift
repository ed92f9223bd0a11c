/// Which packets were received: a few ranges of numbers, the newest kept.
struct PacketNumbers: Hashable, Sendable {
    /// Ranges that end this far below the newest packet are not acknowledged again: four of the largest congestion
    /// windows.
    private static let reach: UInt64 = 1_024

    /// Ascending; no two touch.
    private(set) var ranges: [ClosedRange<UInt64>] = []
    /// Numbers below count as received, for nobody remembers.
    private var floor: UInt64 = 0

    /// Whether a number counts as received.
    func contains(_ number: UInt64) -> Bool {
        number < floor || ranges.contains { $0.contains(number) }
    }

    /// The ranges that an acknowledgement names, the newest first: what ends far below the newest packet was
    /// acknowledged many times, or declared lost (UDP-8).
    var newest: [ClosedRange<UInt64>] {
        guard let last = ranges.last?.upperBound else { return [] }
        return ranges.reversed().filter { last - $0.upperBound < Self.reach }
    }

    /// Adds a number; false if it was there.
    mutating func insert(_ number: UInt64) -> Bool {
        guard number >= floor else { return false }
        var index = ranges.count
        while index > 0, ranges[index - 1].lowerBound > number { index -= 1 }
        // The range before `index` begins at or below the number, the one at `index` above it.
        if index > 0, ranges[index - 1].upperBound >= number { return false }
        let joinsBefore = index > 0 && ranges[index - 1].upperBound + 1 == number
        let joinsAfter = index < ranges.count && ranges[index].lowerBound - 1 == number
        switch (joinsBefore, joinsAfter) {
        case (true, true):
            ranges[index - 1] = ranges[index - 1].lowerBound...ranges[index].upperBound
            ranges.remove(at: index)
        case (true, false): ranges[index - 1] = ranges[index - 1].lowerBound...number
        case (false, true): ranges[index] = number...ranges[index].upperBound
        case (false, false): ranges.insert(number...number, at: index)
        }
        if ranges.count > UDPFormat.maximumRanges { floor = ranges.removeFirst().upperBound + 1 }
        return true
    }
}
