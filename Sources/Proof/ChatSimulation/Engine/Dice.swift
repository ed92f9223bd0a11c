public import ChatModel

/// What decides in a simulation; each peer, channel and trouble has a stream of its own.
public typealias Dice = RepeatableRandom

extension RepeatableRandom {
    /// A number from 0 up to 1.
    mutating func unit() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// Whether something of a probability happens; impossible things cost no draw.
    mutating func happens(_ probability: Double) -> Bool {
        probability > 0 && unit() < probability
    }

    /// A time from a range, in whole microseconds.
    mutating func time(in range: ClosedRange<VirtualTime>) -> VirtualTime {
        let span = range.upperBound.microseconds - range.lowerBound.microseconds
        guard span > 0 else { return range.lowerBound }
        return VirtualTime(microseconds: range.lowerBound.microseconds + UInt64(below(Int(span) + 1)))
    }

    /// The randomness of one peer in one life: after a restart it draws other numbers, as a real one would.
    init(seed: UInt64, peer: Int, life: UInt32) {
        self.init(seed: seed, stream: UInt64(peer) << 32 | UInt64(life))
    }
}
