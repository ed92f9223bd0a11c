public import ChatModel
import Foundation

/// What tests throw: the same numbers for the same seed everywhere.
public typealias SplitMix64 = RepeatableRandom

/// Randomness that is the same in every run.
///
/// A class, so that a turn and the test that made it draw on: two turns of one source never draw the
/// same key. Two sources of one seed do.
public final class SeededRandom: RandomSource {
    private let generator: Lock<SplitMix64>

    /// Begins the sequence that belongs to a seed.
    public init(_ seed: UInt64) {
        generator = Lock(SplitMix64(seed: seed))
    }

    /// Takes the next bytes of the sequence, eight at a time, whatever they are for.
    public func fill(_ bytes: inout MutableSpan<UInt8>, for label: RandomLabel) {
        var local = generator.withLock { generator in RepeatableRandom(seed: generator.next()) }
        local.fill(&bytes, for: label)
    }
}

/// The seeds of tests that play something at random.
public enum Seeds {
    /// Whether the environment variable `CHAT_QUICK` asks for a tenth of the repetitions, as `make quick` does.
    public static let isQuick = ProcessInfo.processInfo.environment["CHAT_QUICK"] != nil

    /// So many seeds, a tenth of them in `make quick`, or as many as the environment variable `CHAT_SEEDS` says, from
    /// `CHAT_FIRST_SEED` on.
    public static func all(_ count: Int) -> Range<UInt64> {
        let environment = ProcessInfo.processInfo.environment
        let first = environment["CHAT_FIRST_SEED"].flatMap { UInt64($0) } ?? 0
        let usual = isQuick ? (count + 9) / 10 : count
        return first..<first + (environment["CHAT_SEEDS"].flatMap { UInt64($0) } ?? UInt64(usual))
    }
}
