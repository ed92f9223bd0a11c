public import ChatModel

/// Key derivation by extraction and expansion (RFC 5869) over an ``HMAC``.
public struct HKDF: Sendable {
    /// HKDF-SHA-256.
    public static let sha256 = HKDF(.sha256)
    /// HKDF-SHA-512.
    public static let sha512 = HKDF(.sha512)
    /// HKDF over HMAC-BLAKE2b-512, as the root chain of PRIVATE1 uses it.
    public static let blake2b512 = HKDF(.blake2b512)
    /// HKDF over HMAC-BLAKE2s-256.
    public static let blake2s256 = HKDF(.blake2s256)

    private let mac: HMAC
    private let noSalt: HMAC.PreparedKey

    /// The construction over a message authentication code.
    public init(_ mac: HMAC) {
        self.mac = mac
        noSalt = mac.prepare(Span())
    }

    /// Concentrates an input into a key as long as a digest; no salt is as good as zeros.
    public func extract(_ input: Span<UInt8>, salt: Span<UInt8>) -> Secret {
        mac.authenticate(key: salt) { $0.update(input) }
    }

    /// Stretches an extracted key to as many bytes as are wanted.
    ///
    /// Throws ``CryptoError/tooLong(_:bytes:limit:)`` for more than 255 digests.
    public func expand(_ key: Secret, info: Span<UInt8>, count: Int) throws(CryptoError) -> Secret {
        let size = mac.function.digestSize
        guard count <= 255 * size else { throw .tooLong("HKDF output", bytes: count, limit: 255 * size) }
        let first = block(key, after: nil, info: info, number: 1)
        guard count > size else { return count == size ? first : first.part(0..<count) }
        var blocks = [first]
        for number in 2...(count + size - 1) / size {
            blocks.append(block(key, after: blocks.last, info: info, number: UInt8(truncatingIfNeeded: number)))
        }
        return Secret.joining(blocks).part(0..<count)
    }

    private func block(_ key: Secret, after previous: Secret?, info: Span<UInt8>, number: UInt8) -> Secret {
        key.lend { key in
            mac.authenticate(key: key) { input in
                if let previous { input.update(previous) }
                input.update(info)
                input.update(number)
            }
        }
    }

    /// Both steps: a key of `count` bytes out of an input secret.
    public func derive(
        _ input: Secret, salt: Secret? = nil, info: StaticString, count: Int
    ) throws(CryptoError) -> Secret {
        let key = input.lend { input in
            guard let salt else { return mac.authenticate(key: noSalt) { $0.update(input) } }
            return salt.lend { extract(input, salt: $0) }
        }
        return try info.lend { info throws(CryptoError) in try expand(key, info: info, count: count) }
    }
}
