import ChatCrypto
import ChatModel
import TestSupport
import Testing

/// Sealing and authenticating in one call give what the calls that write in place give.
@Suite struct BytesTests {
    private let key = Secret(count: 32) { for index in $0.indices { $0[index] = UInt8(0x80 + index) } }

    @Test func `one call seals the example of RFC 8439, 2.8.2, and opens it`() throws {
        let text = "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
        let plaintext = Bytes(text + "sunscreen would be it.")
        let (nonce, aad) = ([UInt8](hex: "070000004041424344454647"), Bytes([UInt8](hex: "50515253c0c1c2c3c4c5c6c7")))
        let sealed = try AEAD.chaChaPoly.seal(plaintext, nonce: nonce, aad: aad, key: key, headRoom: 9)
        #expect(sealed.array.hex.hasPrefix("d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"))
        #expect(sealed.array.hex.hasSuffix("1ae10b594f09e26a7e902ecbd0600691"))
        #expect(try AEAD.chaChaPoly.open(sealed, nonce: nonce, aad: aad, key: key) == plaintext)
        var altered = sealed
        altered.withMutableSpan { $0[3] ^= 1 }
        for (bad, aad) in [(altered, aad), (sealed, Bytes()), (sealed.slice(0..<15), aad), (Bytes(), aad)] {
            #expect(throws: CryptoError.authenticationFailed("ChaCha20-Poly1305 tag")) {
                try AEAD.chaChaPoly.open(bad, nonce: nonce, aad: aad, key: key)
            }
        }
        #expect(throws: CryptoError.self) { try AEAD.chaChaPoly.seal(plaintext, nonce: [1], key: key) }
    }

    @Test(arguments: [1, 8, 16, 64]) func `a code is bytes of any size, the same as the secret one`(size: Int) {
        let message = Array("saro".utf8)
        let code = BLAKE2b.code(count: size, of: message.span, key: key)
        let secret = BLAKE2b.authenticate(count: size, message.span, key: key)
        #expect(code.count == size && secret == Secret(copying: code.span))
    }
}
