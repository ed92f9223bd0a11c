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

    /// What it is made of.
    public let function: HashFunction

    /// The construction over a hash function.
    public init(_ function: HashFunction) {
        self.function = function
    }

    /// The code of what a closure feeds in, part by part; as long as a digest.
    ///
    /// - Parameter key: of any length; one longer than a block is hashed first.
    public func authenticate(key: Span<UInt8>, _ feed: (inout HashInput) -> Void) -> Secret {
        Secret(count: function.digestSize) { code in
            unsafe write(to: code.start, key: key, feed)
        }
    }

    /// The code of some bytes.
    public func authenticate(_ bytes: Span<UInt8>, key: Secret) -> Secret {
        key.lend { key in authenticate(key: key) { $0.update(bytes) } }
    }

    @unsafe func write(
        to code: UnsafeMutablePointer<UInt8>, key: Span<UInt8>, _ feed: (inout HashInput) -> Void
    ) {
        let (block, digest) = (function.blockSize, function.digestSize)
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: block + digest) { memory in
            guard let pad = memory.baseAddress else { return }
            let inner = unsafe pad + block
            unsafe memory.initialize(repeating: 0)
            if key.count > block {
                unsafe function.write(to: pad) { $0.update(key) }
            } else {
                unsafe pad.update(from: key.start, count: key.count)
            }
            for index in 0..<block { unsafe pad[index] ^= 0x36 }
            unsafe function.write(to: inner) { input in
                input.update(unsafe Span(_unsafeStart: pad, count: block))
                feed(&input)
            }
            for index in 0..<block { unsafe pad[index] ^= 0x36 ^ 0x5C }
            unsafe function.write(to: code) { input in
                input.update(unsafe Span(_unsafeStart: pad, count: block + digest))
            }
            unsafe sodium_memzero(pad, block + digest)
        }
    }
}
