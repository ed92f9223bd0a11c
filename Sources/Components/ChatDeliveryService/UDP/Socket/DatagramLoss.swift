import ChatModel

/// Loses datagrams, sent and received alike: the same ones for the same seed.
final class DatagramLoss: Sendable {
    private let share: Double
    private let random: Lock<RepeatableRandom>

    /// Loses a share from 0 to 1; nil where that is nothing.
    init?(_ share: Double, seed: UInt64) {
        guard share > 0 else { return nil }
        self.share = share
        random = Lock(RepeatableRandom(seed: seed))
    }

    /// Whether the next datagram is lost.
    func strikes() -> Bool { random.withLock { Double($0.next() >> 11) * 0x1p-53 } < share }
}
