public import ChatModel
import Foundation
import Synchronization

/// The SplitMix64 generator: fast, and the same numbers for the same seed everywhere.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Begins the sequence that belongs to a seed.
    public init(seed: UInt64) {
        state = seed
    }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    /// A number below a bound, which must be positive; a bias of a few 2⁻⁵⁰ does not matter here.
    public mutating func below(_ bound: Int) -> Int {
        Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(truncatingIfNeeded: bound)).high)
    }
}

/// Randomness that is the same in every run.
///
/// A class, so that a turn and the test that made it draw on: two turns of one source never draw the
/// same key. Two sources of one seed do.
public final class SeededRandom: RandomSource {
    private let generator: Mutex<SplitMix64>

    /// Begins the sequence that belongs to a seed.
    public init(_ seed: UInt64) {
        generator = Mutex(SplitMix64(seed: seed))
    }

    /// Takes the next bytes of the sequence, eight at a time, whatever they are for.
    public func fill(_ bytes: inout MutableSpan<UInt8>, for label: RandomLabel) {
        var local = generator.withLock { generator in SplitMix64(seed: generator.next()) }
        var word: UInt64 = 0
        for index in bytes.indices {
            if index % 8 == 0 { word = local.next() }
            bytes[index] = UInt8(truncatingIfNeeded: word >> (8 * UInt64(index % 8)))
        }
    }
}

/// The seeds of tests that play something at random.
public enum Seeds {
    /// So many seeds, or as many as the environment variable `CHAT_SEEDS` says, from `CHAT_FIRST_SEED` on.
    public static func all(_ count: Int) -> Range<UInt64> {
        let environment = ProcessInfo.processInfo.environment
        let first = environment["CHAT_FIRST_SEED"].flatMap { UInt64($0) } ?? 0
        return first..<first + (environment["CHAT_SEEDS"].flatMap { UInt64($0) } ?? UInt64(count))
    }
}
