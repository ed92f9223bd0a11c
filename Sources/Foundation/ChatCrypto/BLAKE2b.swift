public import ChatModel
import CSodium

/// BLAKE2b (RFC 7693), with the digest length as a parameter: another length is another function.
public enum BLAKE2b {
    /// Digests that it can make, in bytes.
    public static let digestSizes = 1...64
    /// Keys that it takes, in bytes.
    public static let keySizes = 1...64

    /// The digest of some bytes without a key: `b2b(count, bytes)` of the specifications.
    ///
    /// - Parameters:
    ///   - count: bytes of the digest, within ``digestSizes``.
    ///   - bytes: the input.
    public static func hash(count: Int, _ bytes: Span<UInt8>) -> [UInt8] {
        precondition(digestSizes.contains(count), "BLAKE2b has no digest of \(count) bytes")
        Sodium.start()
        var digest = [UInt8](repeating: 0, count: count)
        unsafe crypto_generichash_blake2b(&digest, count, bytes.start, UInt64(bytes.count), nil, 0)
        return digest
    }

    /// The digest of some bytes.
    public static func hash(count: Int, _ bytes: [UInt8]) -> [UInt8] { hash(count: count, bytes.span) }

    /// The digest of what a closure feeds in, part by part.
    public static func hash(count: Int, _ feed: (inout HashInput) -> Void) -> [UInt8] {
        function(count: count).hash(feed)
    }

    /// The digest of some bytes under a key: a message authentication code.
    ///
    /// - Parameters:
    ///   - count: bytes of the code, within ``digestSizes``.
    ///   - bytes: the input.
    ///   - key: within ``keySizes``.
    public static func authenticate(count: Int, _ bytes: Span<UInt8>, key: Secret) -> Secret {
        precondition(digestSizes.contains(count) && keySizes.contains(key.count), "BLAKE2b sizes")
        Sodium.start()
        return Secret(count: count) { digest in
            key.lend { key in
                _ = unsafe crypto_generichash_blake2b(
                    digest.start, count, bytes.start, UInt64(bytes.count), key.start, key.count)
            }
        }
    }

    /// The same where the code is to lie, for codes that are no secret; its size is the digest's.
    ///
    /// - Parameters:
    ///   - code: within ``digestSizes``.
    ///   - bytes: the input.
    ///   - key: the key.
    public static func authenticate(into code: inout MutableSpan<UInt8>, _ bytes: Span<UInt8>, key: Secret) {
        precondition(digestSizes.contains(code.count) && keySizes.contains(key.count), "BLAKE2b sizes")
        Sodium.start()
        let (start, count) = unsafe (code.start, code.count)
        key.lend { key in
            _ = unsafe crypto_generichash_blake2b(
                start, count, bytes.start, UInt64(bytes.count), key.start, key.count)
        }
    }

    /// A key derived from another: keyed BLAKE2b of the empty message with a personalization and no salt.
    ///
    /// - Parameters:
    ///   - count: bytes of the new key, within ``digestSizes``.
    ///   - key: within ``keySizes``.
    ///   - personal: at most 16 bytes; shorter ones are padded with zeros.
    public static func derive(count: Int, key: Secret, personal: StaticString) -> Secret {
        Secret(count: count) { derived in
            key.lend { derive(into: &derived, key: $0, personal: personal) }
        }
    }

    /// The same where the new key is to lie, for chains of keys that are replaced in place.
    public static func derive(into derived: inout MutableSpan<UInt8>, key: Span<UInt8>, personal: StaticString) {
        let count = derived.count
        precondition(digestSizes.contains(count) && keySizes.contains(key.count), "BLAKE2b sizes")
        precondition(personal.utf8CodeUnitCount <= 16, "personalization longer than 16 bytes")
        Sodium.start()
        let (start, name) = unsafe (derived.start, Parameter(personal))
        unsafe withUnsafeBytes(of: name) { name in
            _ = unsafe crypto_generichash_blake2b_salt_personal(
                start, count, nil, 0, key.start, key.count, nil,
                name.baseAddress?.assumingMemoryBound(to: UInt8.self))
        }
    }

    /// BLAKE2b of one digest length for use in parts.
    static func function(count: Int) -> HashFunction {
        precondition(digestSizes.contains(count), "BLAKE2b has no digest of \(count) bytes")
        return unsafe HashFunction(
            digestSize: count, blockSize: 128, stateSize: crypto_generichash_blake2b_statebytes(),
            begin: { unsafe crypto_generichash_blake2b_init(OpaquePointer($0), nil, 0, count) },
            update: { unsafe crypto_generichash_blake2b_update(OpaquePointer($0), $1, $2) },
            finish: { unsafe crypto_generichash_blake2b_final(OpaquePointer($0), $1, count) })
    }
}

/// A field of 16 bytes in BLAKE2b's parameter block.
private struct Parameter {
    private var words: (UInt64, UInt64) = (0, 0)

    /// Byte by byte, which for two bytes is faster than a call of `memmove`.
    init(_ text: StaticString) {
        text.lend { bytes in
            for index in bytes.indices {
                let (byte, shift) = (UInt64(bytes[index]), UInt64(8 * (index & 7)))
                if index < 8 { words.0 |= byte &<< shift } else { words.1 |= byte &<< shift }
            }
        }
        words = (words.0.littleEndian, words.1.littleEndian)
    }
}
