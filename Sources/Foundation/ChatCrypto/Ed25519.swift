public import ChatModel
import CSodium

/// Signatures over edwards25519 (RFC 8032), verified by libsodium's strict rules.
///
/// A signature is refused, too, where its R or the key is of low order or not canonically encoded, or
/// where s is not reduced. Private keys are seeds of 32 bytes.
public enum Ed25519 {
    /// Bytes of a seed.
    public static let seedSize = 32
    /// Bytes of a public key.
    public static let publicKeySize = 32
    /// Bytes of a signature.
    public static let signatureSize = 64

    /// The pair that belongs to a seed.
    public static func keyPair(seed: Secret) throws(CryptoError) -> KeyPair {
        try check("Ed25519 seed", seed.count, is: seedSize)
        return KeyPair(secret: seed, publicKey: expand(seed).publicKey)
    }

    /// Draws a seed and computes its public key.
    public static func generate(using random: inout any RandomSource, for label: RandomLabel) -> KeyPair {
        let seed = random.secret(seedSize, for: label)
        return KeyPair(secret: seed, publicKey: expand(seed).publicKey)
    }

    /// Signs a message. The public half is computed anew, because signing under a wrong one gives the seed away.
    public static func sign(_ message: Span<UInt8>, with seed: Secret) throws(CryptoError) -> [UInt8] {
        try check("Ed25519 seed", seed.count, is: seedSize)
        var signature = [UInt8](repeating: 0, count: signatureSize)
        expand(seed).secret.lend { secret in
            _ = unsafe crypto_sign_detached(&signature, nil, message.start, UInt64(message.count), secret.start)
        }
        return signature
    }

    /// Throws ``CryptoError/authenticationFailed(_:)`` unless the owner of the key signed the message.
    public static func verify(
        _ signature: Span<UInt8>, of message: Span<UInt8>, by key: PublicKey
    ) throws(CryptoError) {
        try check("Ed25519 signature", signature.count, is: signatureSize)
        try check("Ed25519 public key", key.bytes.count, is: publicKeySize)
        Sodium.start()
        let point = key.bytes.span
        let status = unsafe crypto_sign_verify_detached(
            signature.start, message.start, UInt64(message.count), point.start)
        guard status == 0 else { throw .authenticationFailed("Ed25519 signature") }
    }

    private static func expand(_ seed: Secret) -> (secret: Secret, publicKey: PublicKey) {
        Sodium.start()
        var point = [UInt8](repeating: 0, count: publicKeySize)
        let secret = Secret(count: 64) { secret in
            seed.lend { seed in
                _ = unsafe crypto_sign_seed_keypair(&point, secret.start, seed.start)
            }
        }
        return (secret, PublicKey(point))
    }
}
