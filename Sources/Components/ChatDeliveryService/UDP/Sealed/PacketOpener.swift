package import ChatCrypto
package import ChatModel

/// The receiving side of one direction: current, earlier and next key, and which packets came.
///
/// Decides by the mask and the window before it pays for a tag, and changes only after the tag was good.
package struct PacketOpener: Sendable, Equatable {
    private var current: PacketKey
    /// The key before, for packets that were overtaken.
    private var previous: PacketKey?
    private var next: PacketKey?
    /// The first number that came under the current key.
    private var firstOfCurrent: UInt64 = 0
    private var window = ReplayWindow()

    /// Opens packets from the first one on.
    package init(_ key: PacketKey) {
        current = key
    }

    /// Whether the current key has opened as many packets as it should.
    package var isDue: Bool { window.newest.map { $0 >= firstOfCurrent + PacketKey.lifetime } ?? false }
    /// The newest number that was opened.
    package var newest: UInt64? { window.newest }
    /// How many keys came before the current one.
    package var generation: UInt64 { current.generation }

    /// A packet under a next key may come from now on.
    ///
    /// - Parameter shared: the secret that the two sides agreed on for it.
    package mutating func expect(mixing shared: Secret) throws(CryptoError) {
        next = try current.next(mixing: shared)
    }

    /// The number and the frames of a packet; a refused one changes nothing.
    package mutating func open(_ packet: Span<UInt8>) throws(SealedError) -> (number: UInt64, frames: [UInt8]) {
        let (flags, number) = try current.unmask(packet)
        guard flags & ~SealedFormat.phaseBit == 0 else { throw .flags(flags) }
        guard !window.contains(number) else { throw .replayed(number) }
        let key = try key(flags & SealedFormat.phaseBit, number)
        let frames = try key.open(packet, flags: flags, number: number)
        _ = window.insert(number)
        if key.generation > current.generation {
            (previous, current, next, firstOfCurrent) = (current, key, nil, number)
        } else if key.generation == current.generation {
            firstOfCurrent = min(firstOfCurrent, number)
        }
        return (number, frames)
    }

    /// The key of a phase: with one bit, it is the current one, the next one, or for older numbers the one before.
    private func key(_ phase: UInt8, _ number: UInt64) throws(SealedError) -> PacketKey {
        if UInt64(phase) == current.generation & 1 { return current }
        if number < firstOfCurrent, let previous { return previous }
        guard let next else { throw .phase }
        return next
    }

    /// Forgets the key before, three round trips after the first packet under the current one.
    package mutating func forgetPrevious() { previous = nil }
}
