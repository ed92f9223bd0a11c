public import ChatModel
import CSodium

/// Signatures by X25519 keys, after "The XEdDSA and VXEdDSA Signature Schemes".
///
/// The Edwards form of a key has the sign bit 0. Verification is strict: the key must be a canonical
/// encoding of a point on the curve and not of low order, and the rules of ``Ed25519`` hold for the rest.
public enum XEdDSA {
    /// Bytes of a signature.
    public static let signatureSize = 64
    /// Bytes of fresh randomness `Z` that a signature takes.
    public static let randomSize = 64

    /// Signs a message with an X25519 private key.
    ///
    /// - Parameters:
    ///   - message: the message.
    ///   - key: the private key.
    ///   - z: 64 unpredictable bytes that are used for nothing else.
    public static func sign(_ message: Span<UInt8>, with key: Secret, z: Secret) throws(CryptoError) -> [UInt8] {
        try sign(message, with: key, z: z, isHashedReduced: true)
    }

    /// The same; libxeddsa hashes for its nonce the clamped key instead of the scalar, unless that was negated.
    package static func sign(
        _ message: Span<UInt8>, with key: Secret, z: Secret, isHashedReduced: Bool
    ) throws(CryptoError) -> [UInt8] {
        try check("X25519 private key", key.count, is: X25519.size)
        try check("XEdDSA randomness", z.count, is: randomSize)
        let (scalar, point) = edwards(key)
        let hashed = isHashedReduced || signBit(of: key) == 1 ? scalar : clamped(key).part(0..<32)
        let nonce = reduce { input in
            input.update(firstHash)
            input.update(hashed)
            input.update(message)
            input.update(z)
        }
        var signature = [UInt8](repeating: 0, count: signatureSize)
        nonce.lend { nonce in
            _ = unsafe crypto_scalarmult_ed25519_base_noclamp(&signature, nonce.start)
        }
        let commitment = Array(signature[..<32])
        let challenge = reduce { input in
            input.update(commitment)
            input.update(point)
            input.update(message)
        }
        let response = add(nonce, multiply(challenge, scalar))
        response.lend { bytes in
            for index in bytes.indices { signature[32 + index] = bytes[index] }
        }
        return signature
    }

    /// Throws ``CryptoError/authenticationFailed(_:)`` unless the owner of an X25519 key signed the message.
    ///
    /// A key that is no point of the curve throws ``CryptoError/weakKey(_:)``. Signers may hash the
    /// reduced or the clamped scalar for their nonce; the equation is the same.
    public static func verify(
        _ signature: Span<UInt8>, of message: Span<UInt8>, by key: PublicKey
    ) throws(CryptoError) {
        try check("XEdDSA signature", signature.count, is: signatureSize)
        try check("X25519 public key", key.bytes.count, is: X25519.size)
        guard let point = edwards(key) else { throw .weakKey("X25519 public key") }
        do {
            try Ed25519.verify(signature, of: message, by: point)
        } catch {
            throw .authenticationFailed("XEdDSA signature")
        }
    }

    /// The Edwards form of a Montgomery key: y = (u − 1) / (u + 1) with the sign bit 0.
    static func edwards(_ key: PublicKey) -> PublicKey? {
        guard let u = FieldElement(canonical: key.bytes) else { return nil }
        let divisor = u + .one
        guard divisor != .zero else { return nil }
        return PublicKey(((u - .one) * divisor.inverse).bytes)
    }

    /// 2²⁵⁶ − 2 in little-endian order, which no encoded point can be.
    private static let firstHash = [0xFE] + [UInt8](repeating: 0xFF, count: 31)

    /// The sign bit of the Edwards form of a private key's public half, before it is set to 0.
    package static func signBit(of key: Secret) -> UInt8 { multiple(of: clamped(key))[31] >> 7 }

    /// The private key as X25519 clamps it, 32 bytes of zeros behind it.
    private static func clamped(_ key: Secret) -> Secret {
        Secret(copying: key, count: 64) { bytes in
            bytes[0] &= 248
            bytes[31] = bytes[31] & 127 | 64
        }
    }

    /// A multiple of the base point.
    private static func multiple(of scalar: Secret) -> [UInt8] {
        Sodium.start()
        var point = [UInt8](repeating: 0, count: 32)
        scalar.lend { scalar in
            _ = unsafe crypto_scalarmult_ed25519_base_noclamp(&point, scalar.start)
        }
        return point
    }

    /// The signing scalar and its point with the sign bit 0: where the bit was 1 the scalar is negated.
    private static func edwards(_ key: Secret) -> (scalar: Secret, point: [UInt8]) {
        let clamped = clamped(key)
        var point = multiple(of: clamped)
        let reduced = reduce(clamped)
        let negated = Secret(count: 32) { negated in
            reduced.lend { unsafe crypto_core_ed25519_scalar_negate(negated.start, $0.start) }
        }
        let mask = 0 &- point[31] >> 7  // all ones where the sign bit is set; no branch on a secret
        point[31] &= 127
        let scalar = Secret(count: 32) { scalar in
            reduced.lend { plain in
                negated.lend { negated in
                    for index in plain.indices { scalar[index] = plain[index] & ~mask | negated[index] & mask }
                }
            }
        }
        return (scalar, point)
    }

    /// SHA-512 as a number modulo the group order.
    private static func reduce(_ feed: (inout HashInput) -> Void) -> Secret {
        reduce(Secret(count: 64) { digest in unsafe HashFunction.sha512.write(to: digest.start, feed) })
    }

    private static func reduce(_ wide: Secret) -> Secret {
        Secret(count: 32) { scalar in
            wide.lend { unsafe crypto_core_ed25519_scalar_reduce(scalar.start, $0.start) }
        }
    }

    private static func multiply(_ left: Secret, _ right: Secret) -> Secret {
        Secret(count: 32) { product in
            left.lend { left in
                right.lend { unsafe crypto_core_ed25519_scalar_mul(product.start, left.start, $0.start) }
            }
        }
    }

    private static func add(_ left: Secret, _ right: Secret) -> Secret {
        Secret(count: 32) { sum in
            left.lend { left in
                right.lend { unsafe crypto_core_ed25519_scalar_add(sum.start, left.start, $0.start) }
            }
        }
    }
}

extension Secret {
    /// A copy with zeros behind it up to `count` bytes, changed before anybody else sees it.
    fileprivate convenience init(copying source: Secret, count: Int, _ change: (inout MutableSpan<UInt8>) -> Void) {
        self.init(count: count) { bytes in
            source.lend { source in
                for index in source.indices { bytes[index] = source[index] }
            }
            change(&bytes)
        }
    }
}
