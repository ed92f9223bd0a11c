import ChatModel

/// Decides about faults: the same sequence for the same seed.
struct Dice: Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// A number from 0 up to 1 (SplitMix64).
    mutating func roll() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((word ^ (word >> 31)) >> 11) * 0x1p-53
    }

    /// A number that no roll gave before.
    var word: UInt64 { state }
}

/// Loses datagrams, sent and received alike.
final class DatagramLoss: Sendable {
    private let share: Double
    private let dice: Lock<Dice>

    /// Loses a share from 0 to 1; nil where that is nothing.
    init?(_ share: Double, seed: UInt64) {
        guard share > 0 else { return nil }
        self.share = share
        dice = Lock(Dice(seed: seed))
    }

    /// Whether the next datagram is lost.
    func strikes() -> Bool { dice.withLock { $0.roll() } < share }
}
