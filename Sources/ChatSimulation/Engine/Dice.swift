import ChatModel

/// A small fast generator (SplitMix64): the same numbers for the same seed everywhere, of no use to cryptography.
public struct Dice: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Begins the sequence that belongs to a seed and a stream of it.
    public init(seed: UInt64, stream: UInt64 = 0) {
        state = seed
        // Streams begin far from each other, so that none is another one shifted by a few draws.
        state = next() ^ (stream &* 0xD1B5_4A32_D192_ED03)
        state = next()
    }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    /// A number from 0 up to a bound, which must be positive; a bias of a few 2⁻⁵⁰ does not matter here.
    public mutating func below(_ bound: Int) -> Int {
        Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(truncatingIfNeeded: bound)).high)
    }

    /// A number from 0 up to 1.
    public mutating func unit() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// Whether something of a probability happens; impossible things cost no draw.
    public mutating func happens(_ probability: Double) -> Bool {
        probability > 0 && unit() < probability
    }

    /// A time from a range, in whole microseconds.
    mutating func time(in range: ClosedRange<VirtualTime>) -> VirtualTime {
        let span = range.upperBound.microseconds - range.lowerBound.microseconds
        guard span > 0 else { return range.lowerBound }
        return VirtualTime(microseconds: range.lowerBound.microseconds + UInt64(below(Int(span) + 1)))
    }
}

/// The randomness of one peer in one life: after a restart it draws other numbers, as a real one would.
struct PeerRandom: RandomSource {
    private var dice: Dice

    init(seed: UInt64, peer: Int, life: UInt32) {
        dice = Dice(seed: seed, stream: UInt64(peer) << 32 | UInt64(life))
    }

    mutating func fill(_ bytes: inout MutableSpan<UInt8>, for label: RandomLabel) {
        var word: UInt64 = 0
        for index in bytes.indices {
            if index % 8 == 0 { word = dice.next() }
            bytes[index] = UInt8(truncatingIfNeeded: word >> (8 * UInt64(index % 8)))
        }
    }
}
