import ChatCrypto
import ChatModel
import TestSupport

extension Secret {
    /// Key bytes of a vector.
    convenience init(_ bytes: [UInt8]) { self.init(copying: bytes.span) }

    /// What a test may see and nobody else.
    var revealed: [UInt8] {
        lend { bytes in bytes.indices.map { bytes[$0] } }
    }
}

extension Vector {
    func secret(_ key: String) throws -> Secret { Secret(try bytes(key)) }
    func publicKey(_ key: String) throws -> PublicKey { PublicKey(try bytes(key)) }
}

/// The error that an operation throws, or nil.
func failure(_ operation: () throws(CryptoError) -> Void) -> CryptoError? {
    do {
        try operation()
        return nil
    } catch {
        return error
    }
}

extension AEAD {
    /// Seals through both forms, which must agree, and gives ciphertext and tag.
    func sealed(_ plaintext: [UInt8], nonce: [UInt8], aad: [UInt8], key: Secret) throws(CryptoError) -> [UInt8] {
        var bytes = plaintext
        var tag = [UInt8](repeating: 0, count: Self.tagSize)
        var byteSpan = bytes.mutableSpan
        var tagSpan = tag.mutableSpan
        try seal(&byteSpan, tag: &tagSpan, nonce: nonce.span, aad: aad.span, key: key)
        let copied = try [UInt8](capacity: plaintext.count + 20) { (output) throws(CryptoError) in
            output.append(repeating: 7, count: 4)
            try seal(plaintext.span, nonce: nonce.span, aad: aad.span, key: key, into: &output)
        }
        return copied == [7, 7, 7, 7] + bytes + tag ? bytes + tag : []
    }

    /// Opens through both forms, which must agree.
    func opened(_ sealed: [UInt8], nonce: [UInt8], aad: [UInt8], key: Secret) throws(CryptoError) -> [UInt8] {
        let copied = try [UInt8](capacity: sealed.count) { (output) throws(CryptoError) in
            try open(sealed.span, nonce: nonce.span, aad: aad.span, key: key, into: &output)
        }
        var bytes = Array(sealed.dropLast(Self.tagSize))
        let tag = Array(sealed.suffix(Self.tagSize))
        var span = bytes.mutableSpan
        try open(&span, tag: tag.span, nonce: nonce.span, aad: aad.span, key: key)
        return copied == bytes ? bytes : [0xBA, 0xD0]
    }
}
