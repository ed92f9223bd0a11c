import ChatCodec
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
    var publicKey: PublicKey { PublicKey([UInt8](capacity: Self.size) { write(to: &$0) }) }

    /// Appends the 32 bytes.
    @_lifetime(output: copy output)
    func write(to output: inout OutputSpan<UInt8>) {
        unsafe withUnsafeBytes(of: words) { bytes in
            output.append(bytes: unsafe Span(_unsafeElements: bytes.assumingMemoryBound(to: UInt8.self)))
        }
    }
}
