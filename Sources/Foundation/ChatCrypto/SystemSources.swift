import CSodium
public import ChatModel
import ChatPlatform

/// The operating system's randomness through libsodium.
public struct SystemRandom: RandomSource {
    /// Makes a source; it has no state.
    public init() { Sodium.start() }

    /// Fills unpredictable bytes; the label does not matter.
    public func fill(_ bytes: inout MutableSpan<UInt8>, for label: RandomLabel) {
        let count = bytes.count
        unsafe randombytes_buf(bytes.start, count)
    }
}

extension Timestamp {
    /// The system's time of day.
    public static func wallClock() -> Timestamp { Timestamp(milliseconds: SystemClock.milliseconds) }
}
