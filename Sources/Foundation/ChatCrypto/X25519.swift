public import ChatModel
import CSodium

/// Diffie–Hellman over Curve25519 (RFC 7748).
///
/// Private keys are clamped on use and not before, so vectors keep the bytes that were drawn. Public
/// keys may be non-canonical and on the twist, as the RFC demands; a result of zeros is refused.
public enum X25519 {
    /// The bytes of a private key, a public key and a result.
    public static let size = 32

    /// The public key of a private one; throws ``CryptoError/wrongSize(_:bytes:expected:)`` unless it has 32 bytes.
    public static func publicKey(of secret: Secret) throws(CryptoError) -> PublicKey {
        try check("X25519 private key", secret.count, is: size)
        return PublicKey(base(secret))
    }

    private static func base(_ secret: Secret) -> [UInt8] {
        Sodium.start()
        return secret.lend { bytes in
            var point = [UInt8](repeating: 0, count: size)
            unsafe crypto_scalarmult_curve25519_base(&point, bytes.start)
            return point
        }
    }

    /// The pair of a private key that was drawn or stored.
    public static func keyPair(_ secret: Secret) throws(CryptoError) -> KeyPair {
        KeyPair(secret: secret, publicKey: try publicKey(of: secret))
    }

    /// Draws a private key and computes its public half.
    public static func generate(using random: inout any RandomSource, for label: RandomLabel) -> KeyPair {
        let secret = random.secret(size, for: label)
        return KeyPair(secret: secret, publicKey: PublicKey(base(secret)))
    }

    /// Refuses a public key in another spelling than its own (CRY-8): with bit 255 set, or not below 2²⁵⁵ − 19.
    ///
    /// ``agree(_:_:)`` takes all spellings of a key for one. Where a key is a participant's name, call this first, so
    /// that no participant has two names.
    public static func checkSpelling(of key: PublicKey) throws(CryptoError) {
        try check("X25519 public key", key.bytes.count, is: size)
        guard FieldElement(canonical: key.bytes) != nil else { throw .weakKey("X25519 public key") }
    }

    /// The secret shared with the owner of a public key.
    ///
    /// Throws ``CryptoError/wrongSize(_:bytes:expected:)``, and ``CryptoError/weakKey(_:)`` where the
    /// result is all zeros: then the other side chose a point of low order and everybody knows it.
    public static func agree(_ own: Secret, _ remote: PublicKey) throws(CryptoError) -> Secret {
        try check("X25519 private key", own.count, is: size)
        try check("X25519 public key", remote.bytes.count, is: size)
        Sodium.start()
        return try Secret(count: size) { (shared: inout MutableSpan<UInt8>) throws(CryptoError) in
            let point = remote.bytes.span
            let status = own.lend { scalar in
                unsafe crypto_scalarmult_curve25519(shared.start, scalar.start, point.start)
            }
            guard status == 0 else { throw .weakKey("X25519 public key") }
        }
    }
}
