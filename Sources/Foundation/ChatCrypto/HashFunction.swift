public import ChatModel
import CSodium

/// A hash function as three steps over a state that the caller lends and wipes.
///
/// The state stays at one address from the first byte to the digest, so that hashing a secret leaves
/// no copy of it on the stack.
@safe public struct HashFunction: Sendable {
    /// Bytes of a digest.
    public let digestSize: Int
    /// Bytes that it takes in at once, which HMAC pads its key to.
    public let blockSize: Int
    let stateSize: Int
    let begin: @Sendable (UnsafeMutableRawPointer) -> Void
    let update: HashInput.Update
    let finish: @Sendable (UnsafeMutableRawPointer, UnsafeMutablePointer<UInt8>) -> Void

    /// SHA-256.
    public static let sha256 = unsafe HashFunction(
        digestSize: 32, blockSize: 64, stateSize: MemoryLayout<crypto_hash_sha256_state>.size,
        begin: { unsafe crypto_hash_sha256_init($0.assumingMemoryBound(to: crypto_hash_sha256_state.self)) },
        update: { state, bytes, count in
            unsafe crypto_hash_sha256_update(state.assumingMemoryBound(to: crypto_hash_sha256_state.self), bytes, count)
        },
        finish: { state, digest in
            unsafe crypto_hash_sha256_final(state.assumingMemoryBound(to: crypto_hash_sha256_state.self), digest)
        })

    /// SHA-512.
    public static let sha512 = unsafe HashFunction(
        digestSize: 64, blockSize: 128, stateSize: MemoryLayout<crypto_hash_sha512_state>.size,
        begin: { unsafe crypto_hash_sha512_init($0.assumingMemoryBound(to: crypto_hash_sha512_state.self)) },
        update: { state, bytes, count in
            unsafe crypto_hash_sha512_update(state.assumingMemoryBound(to: crypto_hash_sha512_state.self), bytes, count)
        },
        finish: { state, digest in
            unsafe crypto_hash_sha512_final(state.assumingMemoryBound(to: crypto_hash_sha512_state.self), digest)
        })

    /// BLAKE2b with 64 bytes of output and no key.
    public static let blake2b512 = BLAKE2b.function(count: 64)

    /// BLAKE2s with 32 bytes of output and no key.
    public static let blake2s256 = unsafe HashFunction(
        digestSize: BLAKE2s.digestSize, blockSize: 64, stateSize: MemoryLayout<BLAKE2s.State>.size,
        begin: { unsafe $0.assumingMemoryBound(to: BLAKE2s.State.self).initialize(to: BLAKE2s.State(keyCount: 0)) },
        update: { state, bytes, count in
            unsafe state.assumingMemoryBound(to: BLAKE2s.State.self).pointee.update(bytes, Int(count))
        },
        finish: { unsafe $0.assumingMemoryBound(to: BLAKE2s.State.self).pointee.finish($1) })

    /// The digest of what a closure feeds in, part by part.
    public func hash(_ feed: (inout HashInput) -> Void) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: digestSize)
        var span = digest.mutableSpan
        unsafe write(to: span.start, feed)
        return digest
    }

    /// The digest of some bytes.
    public func hash(_ bytes: Span<UInt8>) -> [UInt8] { hash { $0.update(bytes) } }

    /// Writes the digest of what is fed in to an address that has room for it.
    @unsafe func write(to digest: UnsafeMutablePointer<UInt8>, _ feed: (inout HashInput) -> Void) {
        unsafe Self.withWiped(stateSize) { state in
            unsafe begin(state)
            var input = unsafe HashInput(state: state, update: update)
            feed(&input)
            unsafe finish(state, digest)
        }
    }

    /// Lends memory aligned as BLAKE2b wants its state, and wipes it afterwards.
    ///
    /// The alignment is made here, because a temporary allocation with one of 64 comes from the heap.
    @unsafe static func withWiped(_ size: Int, _ body: (UnsafeMutableRawPointer) -> Void) {
        Sodium.start()
        unsafe withUnsafeTemporaryAllocation(byteCount: size + 63, alignment: 1) { memory in
            guard let start = unsafe memory.baseAddress?.alignedUp(toMultipleOf: 64) else { return }
            unsafe body(start)
            unsafe sodium_memzero(start, size)
        }
    }
}

/// Where the parts of a hashed message go, one after the other.
@safe public struct HashInput: ~Copyable {
    typealias Update = @Sendable (UnsafeMutableRawPointer, UnsafePointer<UInt8>, UInt64) -> Void
    private let state: UnsafeMutableRawPointer
    private let take: Update

    @unsafe init(state: UnsafeMutableRawPointer, update: @escaping Update) {
        unsafe (self.state, self.take) = (state, update)
    }

    /// Takes in a part.
    public mutating func update(_ part: Span<UInt8>) {
        unsafe take(state, part.start, UInt64(part.count))
    }

    /// Takes in a part.
    public mutating func update(_ part: [UInt8]) { update(part.span) }

    /// Takes in one byte.
    public mutating func update(_ byte: UInt8) {
        unsafe withUnsafePointer(to: byte) { unsafe take(state, $0, 1) }
    }

    /// Takes in the bytes of a literal.
    public mutating func update(_ part: StaticString) { part.lend { update($0) } }

    /// Takes in a secret.
    public mutating func update(_ part: Secret) { part.lend { update($0) } }
}

/// SHA-256 (FIPS 180-4).
public enum SHA256 {
    /// The 32 bytes of a digest.
    public static func hash(_ bytes: Span<UInt8>) -> [UInt8] { HashFunction.sha256.hash(bytes) }
}

/// SHA-512 (FIPS 180-4).
public enum SHA512 {
    /// The 64 bytes of a digest.
    public static func hash(_ bytes: Span<UInt8>) -> [UInt8] { HashFunction.sha512.hash(bytes) }
}
