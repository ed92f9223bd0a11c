internal import ChatCrypto
internal import ChatModel

/// The hash function of a handshake, by the name that Noise gives it.
struct NoiseHash: Sendable {
    let name: String
    let function: HashFunction

    static let blake2b = NoiseHash(name: "BLAKE2b", function: .blake2b512)
    static let sha256 = NoiseHash(name: "SHA256", function: .sha256)
    static let blake2s = NoiseHash(name: "BLAKE2s", function: .blake2s256)
    static let sha512 = NoiseHash(name: "SHA512", function: .sha512)
}

/// The state that a handshake mixes keys and messages into: chaining key, hash, and the key that is in use
/// (sections 5.1 and 5.2 of the Noise Protocol Framework).
struct NoiseSymmetricState: Sendable {
    private(set) var digest: [UInt8]
    private let function: HashFunction
    private let hmac: HMAC
    private var chainingKey: Secret
    private var key: Secret?
    private var number: UInt64 = 0

    init(protocolName: String, _ hash: NoiseHash) {
        (function, hmac) = (hash.function, HMAC(hash.function))
        let name = Array(protocolName.utf8)
        let size = hash.function.digestSize
        let begin =
            name.count <= size
            ? name + Array(repeating: 0, count: size - name.count) : hash.function.hash(name.span)
        (digest, chainingKey) = (begin, Secret(copying: begin.span))
    }

    /// Mixes in what both sides know and need not hide.
    mutating func mix(hash bytes: [UInt8]) {
        digest = function.hash { input in
            input.update(digest)
            input.update(bytes)
        }
    }

    /// Mixes in a secret, and uses the key that follows from it.
    mutating func mix(key secret: Secret) {
        let (next, key) = secret.lend { derive($0) }
        (chainingKey, self.key, number) = (next, Self.shortened(key), 0)
    }

    /// Seals bytes under the key, authenticates all that was said before, and mixes the result in.
    mutating func seal(_ plaintext: [UInt8]) throws(NoiseError) -> [UInt8] {
        guard let key else { throw .outOfTurn }
        let sealed: Bytes
        do throws(CryptoError) {
            sealed = try AEAD.chaChaPoly.seal(Bytes(plaintext), nonce: nonce, aad: Bytes(digest), key: key)
        } catch { throw .crypto(error) }
        number += 1
        mix(hash: sealed.array)
        return sealed.array
    }

    /// Opens what the other side sealed.
    mutating func open(_ sealed: [UInt8]) throws(NoiseError) -> [UInt8] {
        guard let key else { throw .outOfTurn }
        let plaintext: Bytes
        do throws(CryptoError) {
            plaintext = try AEAD.chaChaPoly.open(Bytes(sealed), nonce: nonce, aad: Bytes(digest), key: key)
        } catch { throw .crypto(error) }
        number += 1
        mix(hash: sealed)
        return plaintext.array
    }

    /// Two keys of 32 bytes that follow from the chaining key alone.
    func split() -> (Secret, Secret) {
        let (first, second) = derive(Span())
        return (Self.shortened(first), Self.shortened(second))
    }

    /// Four zero bytes and the number, little-endian.
    private var nonce: [UInt8] {
        [0, 0, 0, 0] + (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) }
    }

    /// Two outputs of HKDF, each as long as a digest.
    private func derive(_ input: Span<UInt8>) -> (Secret, Secret) {
        let extracted = chainingKey.lend { salt in hmac.authenticate(key: salt) { $0.update(input) } }
        let first = block(extracted, after: nil, number: 1)
        return (first, block(extracted, after: first, number: 2))
    }

    private func block(_ key: Secret, after previous: Secret?, number: UInt8) -> Secret {
        key.lend { key in
            hmac.authenticate(key: key) { input in
                if let previous { input.update(previous) }
                input.update(number)
            }
        }
    }

    private static func shortened(_ secret: Secret) -> Secret {
        secret.lend { Secret(copying: $0.extracting(0..<AEAD.keySize)) }
    }
}
