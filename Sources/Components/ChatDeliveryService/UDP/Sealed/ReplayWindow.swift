/// Which packet numbers were received: the newest, and a bit for each of those just below it (RFC 6479).
package struct ReplayWindow: Sendable, Equatable {
    /// Numbers below the newest that are told apart; older ones count as received. A congestion window of packets, and
    /// as many again that were overtaken.
    package static let size: UInt64 = 8_192

    private var blocks = [UInt64](repeating: 0, count: Int(size / 64) + 1)
    /// The newest number.
    package private(set) var newest: UInt64?

    /// Nothing was received.
    package init() {}

    /// Whether a number counts as received.
    package func contains(_ number: UInt64) -> Bool {
        guard let newest, number <= newest else { return false }
        guard newest - number < Self.size else { return true }
        return blocks[place(number)] & bit(number) != 0
    }

    /// Notes the number of a packet that was opened; false if it counts as received.
    package mutating func insert(_ number: UInt64) -> Bool {
        guard !contains(number) else { return false }
        if let newest, number > newest {
            // Blocks that the window moves into are old; at most all of them.
            let (from, to) = (newest / 64, number / 64)
            if to - from >= UInt64(blocks.count) {
                for index in blocks.indices { blocks[index] = 0 }
            } else {
                for block in from..<to { blocks[Int((block + 1) % UInt64(blocks.count))] = 0 }
            }
        }
        newest = max(newest ?? 0, number)
        blocks[place(number)] |= bit(number)
        return true
    }

    private func place(_ number: UInt64) -> Int { Int(number / 64 % UInt64(blocks.count)) }
    private func bit(_ number: UInt64) -> UInt64 { 1 << (number % 64) }
}
