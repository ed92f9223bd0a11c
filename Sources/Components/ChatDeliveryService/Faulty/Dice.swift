import ChatModel

/// Decides about faults: the same sequence for the same seed.
struct Dice: Sendable {
    private var random: RepeatableRandom

    init(seed: UInt64) { random = RepeatableRandom(seed: seed) }

    /// A number from 0 up to 1.
    mutating func roll() -> Double { Double(random.next() >> 11) * 0x1p-53 }

    /// A word that no roll gave.
    mutating func word() -> UInt64 { random.next() }
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
