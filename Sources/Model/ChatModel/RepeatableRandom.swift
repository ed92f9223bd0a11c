/// Randomness that is the same for the same seed: for vectors, simulations and tests, never for keys that matter.
///
/// SplitMix64, whatever the label; eight bytes at a time, least significant first.
public struct RepeatableRandom: RandomSource, RandomNumberGenerator, Hashable {
    private var state: UInt64

    /// Begins the sequence that belongs to a seed.
    public init(seed: UInt64) {
        state = seed
    }

    /// Begins the sequence that belongs to a seed and a stream of it, far from those of other streams.
    public init(seed: UInt64, stream: UInt64) {
        self.init(seed: seed)
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

    /// Takes the next bytes of the sequence, whatever they are for.
    public mutating func fill(_ bytes: inout MutableSpan<UInt8>, for label: RandomLabel) {
        var word: UInt64 = 0
        for index in bytes.indices {
            if index % 8 == 0 { word = next() }
            bytes[index] = UInt8(truncatingIfNeeded: word >> UInt64(8 * (index % 8)))
        }
    }
}
