public import ChatModel
import CSodium

/// A message authentication code out of a hash function (RFC 2104).
public struct HMAC: Sendable {
    /// HMAC-SHA-256.
    public static let sha256 = HMAC(.sha256)
    /// HMAC-SHA-512.
    public static let sha512 = HMAC(.sha512)
    /// HMAC over BLAKE2b with 64 bytes of output, unkeyed inside.
    public static let blake2b512 = HMAC(.blake2b512)
    /// HMAC over BLAKE2s with 32 bytes of output, unkeyed inside.
    public static let blake2s256 = HMAC(.blake2s256)

    /// The underlying hash function.
    public let function: HashFunction

    /// The construction over a hash function.
    public init(_ function: HashFunction) {
        self.function = function
    }

    /// The code of what a closure feeds in, part by part; as long as a digest.
    ///
    /// - Parameters:
    ///   - key: of any length; one longer than a block is hashed first.
    ///   - feed: feeds the input, part by part.
    public func authenticate(key: Span<UInt8>, _ feed: (inout HashInput) -> Void) -> Secret {
        unsafe authenticate(prepare: { unsafe prepare($0, key: key) }, feed)
    }

    /// The code of some bytes.
    public func authenticate(_ bytes: Span<UInt8>, key: Secret) -> Secret {
        key.lend { key in authenticate(key: key) { $0.update(bytes) } }
    }

    /// The code under a key that was prepared before, which saves two blocks of hashing.
    func authenticate(key: PreparedKey, _ feed: (inout HashInput) -> Void) -> Secret {
        unsafe authenticate(prepare: { unsafe $0.copyMemory(from: key.states, byteCount: 2 * stride) }, feed)
    }

    /// A key with its padding taken in, for repeated use.
    func prepare(_ key: Span<UInt8>) -> PreparedKey {
        unsafe PreparedKey(size: 2 * stride) { unsafe prepare($0, key: key) }
    }

    /// Bytes from the inner state to the outer one; both stay aligned for BLAKE2b.
    private var stride: Int { (function.stateSize + 63) / 64 * 64 }

    private func authenticate(
        prepare: (UnsafeMutableRawPointer) -> Void, _ feed: (inout HashInput) -> Void
    ) -> Secret {
        Secret(count: function.digestSize) { code in
            let result = unsafe code.start
            unsafe HashFunction.withWiped(2 * stride) { inner in
                let outer = unsafe inner + stride
                unsafe prepare(inner)
                var input = unsafe HashInput(state: inner, update: function.update)
                feed(&input)
                unsafe function.finish(inner, result)
                unsafe function.update(outer, result, UInt64(function.digestSize))
                unsafe function.finish(outer, result)
            }
        }
    }

    /// Begins the inner and the outer hash with the key, padded to a block and masked.
    @unsafe private func prepare(_ states: UnsafeMutableRawPointer, key: Span<UInt8>) {
        let block = function.blockSize
        unsafe HashFunction.withWiped(block) { memory in
            let pad = unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: block)
            if key.count > block {
                unsafe function.write(to: pad) { $0.update(key) }
            } else {
                unsafe pad.update(from: key.start, count: key.count)
            }
            for (offset, mask) in [(0, 0x36), (stride, 0x36 ^ 0x5C)] as [(Int, UInt8)] {
                for index in 0..<block { unsafe pad[index] ^= mask }
                unsafe function.begin(states + offset)
                unsafe function.update(states + offset, pad, UInt64(block))
            }
        }
    }

    /// Hash states that have taken in a key; never changed once made, and wiped.
    @safe final class PreparedKey: Sendable {
        fileprivate nonisolated(unsafe) let states: UnsafeMutableRawPointer
        private let size: Int

        @unsafe fileprivate init(size: Int, _ prepare: (UnsafeMutableRawPointer) -> Void) {
            self.size = size
            unsafe states = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
            unsafe prepare(states)
        }

        deinit {
            unsafe sodium_memzero(states, size)
            unsafe states.deallocate()
        }
    }
}
