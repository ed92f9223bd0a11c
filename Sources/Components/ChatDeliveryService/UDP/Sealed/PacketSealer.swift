package import ChatCrypto
package import ChatModel

/// The sending side of one direction: the key, and the number of the next packet.
package struct PacketSealer: Sendable, Equatable {
    private var key: PacketKey
    /// The number of the next packet; no number is used twice, whatever the key.
    package private(set) var next: UInt64 = 0
    private var firstOfKey: UInt64 = 0

    /// Seals packets from the first one on.
    package init(_ key: PacketKey) {
        self.key = key
    }

    /// How many keys came before the current one.
    package var generation: UInt64 { key.generation }
    /// Whether the key has sealed as many packets as it should, so that a next one is due.
    package var isDue: Bool { next - firstOfKey >= PacketKey.lifetime }
    /// Whether it has sealed so many that it seals no more.
    package var isSpent: Bool { next - firstOfKey >= 2 * PacketKey.lifetime || next == .max }

    /// Appends a packet with some frames; returns its number.
    ///
    /// Throws ``SealedError/exhausted`` where the key has sealed twice as many packets as it should, and nobody has
    /// agreed on a next one.
    package mutating func seal(
        _ frames: Span<UInt8>, id: UInt64, to bytes: inout [UInt8]
    ) throws(SealedError) -> UInt64 {
        let start = bytes.count
        bytes += SealedHandshake.header(.packet, id: id)
        bytes.append(contentsOf: repeatElement(0, count: SealedFormat.maskedSize))
        bytes.append(frames)
        return try seal(from: start, in: &bytes)
    }

    /// The same where header, room for flags and number, and frames were written behind one another.
    mutating func seal(from start: Int, in bytes: inout [UInt8]) throws(SealedError) -> UInt64 {
        guard !isSpent else { throw .exhausted }
        do throws(CryptoError) {
            try key.seal(from: start, number: next, in: &bytes)
        } catch {
            throw .exhausted
        }
        defer { next += 1 }
        return next
    }

    /// Leaves numbers out, so that who acknowledges packets that it did not get is caught.
    package mutating func skip(_ count: UInt64) {
        next = next.addingReportingOverflow(count).overflow ? .max : next + count
    }

    /// Seals with the next key from now on.
    ///
    /// - Parameter shared: the secret that the two sides agreed on for it.
    package mutating func advance(mixing shared: Secret) throws(CryptoError) {
        key = try key.next(mixing: shared)
        firstOfKey = next
    }
}
