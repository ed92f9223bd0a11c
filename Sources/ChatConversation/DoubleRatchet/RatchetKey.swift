import ChatModel

/// A public ratchet key, held inline so that comparing and hashing it touches no other memory.
struct RatchetKey: Hashable, Sendable {
    static let size = 32
    private let words: SIMD4<UInt64>

    /// Nil unless there are exactly 32 bytes.
    init?(_ bytes: Span<UInt8>) {
        guard bytes.count == Self.size else { return nil }
        words = unsafe bytes.bytes.unsafeLoadUnaligned(as: SIMD4<UInt64>.self)
    }

    /// The form that key agreement takes.
    var publicKey: PublicKey {
        PublicKey(
            [UInt8](capacity: Self.size) { output in
                for index in 0..<words.scalarCount {
                    for shift in stride(from: UInt64(0), to: 64, by: 8) {
                        output.append(UInt8(truncatingIfNeeded: UInt64(littleEndian: words[index]) >> shift))
                    }
                }
            })
    }
}
