/// A public key as bytes: 32 for X25519 and Ed25519; another scheme may use another size.
public struct PublicKey: Hashable, Sendable, CustomStringConvertible {
    /// The encoded key.
    public let bytes: [UInt8]

    /// Wraps an encoded key; whether it is one is for the scheme to say.
    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Lowercase hex, as the specifications print keys.
    public var description: String { hex(bytes) }
}

/// A private key with its public half.
public struct KeyPair: Sendable, Equatable {
    /// The private key; 32 bytes for X25519, clamped on use and not before.
    public let secret: Secret
    /// The public key that belongs to it.
    public let publicKey: PublicKey

    /// Joins two halves that belong together.
    public init(secret: Secret, publicKey: PublicKey) {
        (self.secret, self.publicKey) = (secret, publicKey)
    }
}

/// Lowercase hex without a prefix: `rhex` of the specifications.
package func hex(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return unsafe String(unsafeUninitializedCapacity: bytes.count * 2) { buffer in
        for (index, byte) in bytes.enumerated() {
            unsafe buffer[2 * index] = digits[Int(byte >> 4)]
            unsafe buffer[2 * index + 1] = digits[Int(byte & 15)]
        }
        return bytes.count * 2
    }
}
