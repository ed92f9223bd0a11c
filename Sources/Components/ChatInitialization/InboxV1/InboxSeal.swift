import ChatCodec
import ChatCrypto
import ChatModel
import LogosFormats

/// How profile `reference` seals an invite: who sends it, then what it says (IBX-3, IBX-4).
///
/// An extension of our own: INBOX promises both and gives no key schedule.
enum InboxSeal {
    private static let cipher = AEAD.chaChaPoly
    /// Bytes of a nonce.
    static let nonceSize = 12
    /// Bytes of a sealed identity key: the key and a tag.
    static let identitySize = X25519.size + AEAD.tagSize
    /// The key of an identity seals one message in its life, so the nonce need not differ.
    private static let onlyNonce = [UInt8](repeating: 0, count: nonceSize)

    /// Seals our identity key; the rest of the header is authenticated with it.
    static func sealIdentity(
        _ identity: Bytes, key: Secret, header: InboxHandshakeV1.Header
    ) throws(CryptoError) -> Bytes {
        let aad = associatedData(header, withIdentity: false)
        return try Bytes(headRoom: 0, count: identitySize) { (output: inout OutputSpan<UInt8>) throws(CryptoError) in
            try cipher.seal(identity.span, nonce: onlyNonce.span, aad: aad.span, key: key, into: &output)
        }
    }

    /// The identity key that a header has sealed in it.
    static func openIdentity(_ header: InboxHandshakeV1.Header, key: Secret) throws(CryptoError) -> PublicKey {
        let aad = associatedData(header, withIdentity: false)
        let sealed = header.initiatorStatic
        let bytes = try [UInt8](capacity: X25519.size) { (output) throws(CryptoError) in
            try cipher.open(sealed.span, nonce: onlyNonce.span, aad: aad.span, key: key, into: &output)
        }
        return PublicKey(bytes)
    }

    /// Nonce, ciphertext and tag of a frame; the header is authenticated with it.
    static func seal(
        _ frame: Bytes, key: Secret, nonce: [UInt8], header: InboxHandshakeV1.Header
    ) throws(CryptoError) -> Bytes {
        let aad = associatedData(header, withIdentity: true)
        let size = nonceSize + frame.count + AEAD.tagSize
        return try Bytes(headRoom: 0, count: size) { (output: inout OutputSpan<UInt8>) throws(CryptoError) in
            output.append(bytes: nonce.span)
            try cipher.seal(frame.span, nonce: nonce.span, aad: aad.span, key: key, into: &output)
        }
    }

    /// The frame of a sealed payload.
    static func open(_ payload: Bytes, key: Secret, header: InboxHandshakeV1.Header) throws(CryptoError) -> Bytes {
        let aad = associatedData(header, withIdentity: true)
        let nonce = payload.slice(0..<min(nonceSize, payload.count))
        let sealed = payload.slice(nonce.count..<payload.count)
        return try Bytes(headRoom: 0, count: sealed.count) { (output: inout OutputSpan<UInt8>) throws(CryptoError) in
            try cipher.open(sealed.span, nonce: nonce.span, aad: aad.span, key: key, into: &output)
        }
    }

    /// The header as it is written, so that it does not matter how it was written on the way.
    private static func associatedData(_ header: InboxHandshakeV1.Header, withIdentity: Bool) -> Bytes {
        var header = header
        if !withIdentity { header.initiatorStatic = [] }
        return header.encoded()
    }
}
