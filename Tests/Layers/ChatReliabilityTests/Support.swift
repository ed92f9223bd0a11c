import ChatCrypto
import ChatModel

/// A shard of the vectors in `leopard`: SHA-256 of seed, index and counter, one after the other.
func leopardShard(_ seed: String, _ index: Int, _ size: Int) -> [UInt8] {
    var shard: [UInt8] = []
    for counter in 0..<(size + 31) / 32 {
        shard += SHA256.hash((Array(seed.utf8) + bigEndian(index) + bigEndian(counter)).span)
    }
    return Array(shard.prefix(size))
}

private func bigEndian(_ number: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
}

extension Timestamp {
    /// Seconds after the epoch, for tests.
    init(seconds: Int) {
        self.init(milliseconds: UInt64(seconds) * 1_000)
    }
}
