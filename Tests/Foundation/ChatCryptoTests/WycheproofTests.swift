import ChatCrypto
import ChatModel
import TestSupport
import Testing

/// Every test of a Wycheproof file with the group it is in.
private func each(_ file: String, _ body: (_ group: Vector, _ test: Vector) throws -> Void) throws {
    let path = "wycheproof/\(file)_test.json"
    guard let file = try Vectors.load(path) else { return }
    var count = 0
    for group in try file.list("testGroups") {
        let tests = try group.list("tests")
        count += tests.count
        for test in tests {
            do { try body(group, test) } catch { Issue.record(error, "\(path) \(test)") }
        }
    }
    let stated = try file.number("numberOfTests")
    #expect(count == stated && count > 0, "\(path)")
    print("vectors: \(path): \(count) cases")
}

@Test func `X25519 agrees with Wycheproof and refuses results of zeros`() throws {
    try each("x25519") { _, test in
        let (secret, remote) = try (test.secret("private"), test.publicKey("public"))
        let isZero = try test.texts("flags").contains("ZeroSharedSecret")
        if isZero {
            #expect(failure { () throws(CryptoError) in _ = try X25519.agree(secret, remote) }?.code == "weak_key")
        } else {
            let shared = try X25519.agree(secret, remote).revealed
            let expected = try test.bytes("shared")
            #expect(shared == expected, "\(test)")
        }
    }
}

@Test func `Ed25519 verification agrees with Wycheproof`() throws {
    try each("ed25519") { group, test in
        let key = try group.at("publicKey").bytes("pk")
        let (signature, message, result) = try (test.bytes("sig"), test.bytes("msg"), test.text("result"))
        let error = failure { () throws(CryptoError) in
            try Ed25519.verify(signature.span, of: message.span, by: PublicKey(key))
        }
        #expect((error == nil) == (result == "valid"), "\(test) \(String(describing: error))")
    }
}

@Test(arguments: [("chacha20_poly1305", AEAD.chaChaPoly), ("xchacha20_poly1305", AEAD.xChaChaPoly)])
func `an AEAD agrees with Wycheproof in both directions and both forms`(file: String, cipher: AEAD) throws {
    try each(file) { group, test in
        let (key, nonce, aad) = try (test.secret("key"), test.bytes("iv"), test.bytes("aad"))
        let (plaintext, result) = try (test.bytes("msg"), test.text("result"))
        let sealed = try test.bytes("ct") + test.bytes("tag")
        if result == "valid" {
            let (forth, back) = try (
                cipher.sealed(plaintext, nonce: nonce, aad: aad, key: key),
                cipher.opened(sealed, nonce: nonce, aad: aad, key: key)
            )
            #expect(forth == sealed && back == plaintext, "\(test)")
        } else {
            let error = failure { () throws(CryptoError) in
                _ = try cipher.opened(sealed, nonce: nonce, aad: aad, key: key)
            }
            let expected = nonce.count == cipher.nonceSize ? "authentication_failed" : "malformed"
            #expect(error?.code == expected, "\(test)")
        }
    }
}

@Test(arguments: [("hmac_sha256", HMAC.sha256), ("hmac_sha512", HMAC.sha512)])
func `HMAC agrees with Wycheproof`(file: String, mac: HMAC) throws {
    try each(file) { group, test in
        let (key, message, tag) = try (test.secret("key"), test.bytes("msg"), test.bytes("tag"))
        let (size, result) = try (group.number("tagSize") / 8, test.text("result"))
        let code = mac.authenticate(message.span, key: key).part(0..<size)
        #expect((code == Secret(tag)) == (result == "valid"), "\(test)")
    }
}

@Test(arguments: [("hkdf_sha256", HKDF.sha256), ("hkdf_sha512", HKDF.sha512)])
func `HKDF agrees with Wycheproof and refuses more than 255 blocks`(file: String, derivation: HKDF) throws {
    try each(file) { _, test in
        let (input, salt, info) = try (test.bytes("ikm"), test.bytes("salt"), test.bytes("info"))
        let (size, result) = try (test.number("size"), test.text("result"))
        let key = derivation.extract(input.span, salt: salt.span)
        if result == "valid" {
            let output = try derivation.expand(key, info: info.span, count: size).revealed
            let expected = try test.bytes("okm")
            #expect(output == expected, "\(test)")
        } else {
            let error = failure { () throws(CryptoError) in
                _ = try derivation.expand(key, info: info.span, count: size)
            }
            #expect(error?.code == "too_large", "\(test)")
        }
    }
}
