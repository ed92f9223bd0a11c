import ChatCrypto
import ChatModel
import TestSupport
import Testing

private func rfc(_ list: String, _ body: (Vector) throws -> Void) throws {
    guard let file = try Vectors.load("rfc/rfc.json") else { return }
    try Vectors.run(file.list(list), of: "rfc/rfc.json \(list)", body)
}

@Test func `X25519 gives the results printed in RFC 7748`() throws {
    try rfc("x25519") { vector in
        let shared = try X25519.agree(vector.secret("private"), vector.publicKey("public")).revealed
        let expected = try vector.bytes("shared")
        #expect(shared == expected, "\(vector)")
    }
    try rfc("x25519_iterated") { vector in
        var (k, u) = ([9] + [UInt8](repeating: 0, count: 31), [9] + [UInt8](repeating: 0, count: 31))
        for _ in 0..<(try vector.number("iterations")) {
            let result = try X25519.agree(Secret(k), PublicKey(u)).revealed
            (u, k) = (k, result)
        }
        let expected = try vector.bytes("result")
        #expect(k == expected, "\(vector)")
    }
}

@Test func `Ed25519 gives the keys and signatures printed in RFC 8032`() throws {
    try rfc("ed25519") { vector in
        let (message, expected) = try (vector.bytes("message"), vector.bytes("signature"))
        let pair = try Ed25519.keyPair(seed: vector.secret("seed"))
        let key = try vector.publicKey("public")
        #expect(pair.publicKey == key, "\(vector)")
        let signature = try Ed25519.sign(message.span, with: pair.secret)
        #expect(signature == expected, "\(vector)")
        try Ed25519.verify(signature.span, of: message.span, by: key)
    }
}

@Test func `ChaCha20-Poly1305 gives the ciphertext printed in RFC 8439`() throws {
    try rfc("chacha20_poly1305") { vector in
        let sealed = try AEAD.chaChaPoly.sealed(
            vector.bytes("plaintext"), nonce: vector.bytes("nonce"), aad: vector.bytes("aad"), key: vector.secret("key")
        )
        let expected = try vector.bytes("ciphertext_and_tag")
        #expect(sealed == expected, "\(vector)")
    }
}

@Test func `HKDF gives the output printed in RFC 5869`() throws {
    try rfc("hkdf_sha256") { vector in
        let (input, salt, info) = try (vector.bytes("ikm"), vector.bytes("salt"), vector.bytes("info"))
        let key = HKDF.sha256.extract(input.span, salt: salt.span)
        let output = try HKDF.sha256.expand(key, info: info.span, count: vector.number("length")).revealed
        let expected = try vector.bytes("okm")
        #expect(output == expected, "\(vector)")
    }
}

@Test func `Keccak-256 is the original one and not SHA3-256`() throws {
    try rfc("keccak256") { vector in
        let digest = Keccak256.hash(try vector.bytes("data"))
        let (keccak, sha3) = try (vector.optionalBytes("digest"), vector.optionalBytes("sha3_256"))
        if let keccak { #expect(digest == keccak, "\(vector)") }
        if let sha3 { #expect(digest != sha3, "\(vector)") }
    }
}

@Test func `BLAKE2b and BLAKE2s give the published answers, with and without a key, whole and in parts`() throws {
    try Vectors.run("blake2/blake2-kat.json", only: { try ["blake2b", "blake2s"].contains($0.text("hash")) }) {
        vector in
        let (name, input, key) = try (vector.text("hash"), vector.bytes("in"), vector.bytes("key"))
        let expected = try vector.bytes("out")
        let isLong = name == "blake2b"
        guard key.isEmpty else {
            let code =
                isLong
                ? BLAKE2b.authenticate(count: 64, input.span, key: Secret(key))
                : BLAKE2s.authenticate(input.span, key: Secret(key))
            #expect(code.revealed == expected, "\(vector)")
            return
        }
        let whole = isLong ? BLAKE2b.hash(count: 64, input) : BLAKE2s.hash(input.span)
        #expect(whole == expected, "\(vector)")
        for cut in stride(from: 0, through: input.count, by: 13) {
            let feed: (inout HashInput) -> Void = { parts in
                parts.update(Array(input[..<cut]))
                parts.update(Array(input[cut...]))
            }
            let parted = isLong ? BLAKE2b.hash(count: 64, feed) : BLAKE2s.hash(feed)
            #expect(parted == expected, "\(vector) cut at \(cut)")
        }
    }
}
