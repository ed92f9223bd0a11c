import ChatCrypto
import ChatModel
import TestSupport
import Testing

private func secret(_ count: Int) -> Secret { Secret([UInt8](repeating: 1, count: count)) }

@Test(arguments: [0, 16, 31, 33, 64]) func `keys of the wrong size are refused with numbers`(size: Int) {
    let (key, bytes) = (PublicKey([UInt8](repeating: 9, count: size)), [UInt8](repeating: 0, count: 64))
    func expect(_ what: String, _ operation: () throws(CryptoError) -> Void) {
        #expect(failure(operation) == .wrongSize(what, bytes: size, expected: 32))
    }
    expect("X25519 private key") { () throws(CryptoError) in _ = try X25519.publicKey(of: secret(size)) }
    expect("X25519 private key") { () throws(CryptoError) in _ = try X25519.agree(secret(size), PublicKey([9])) }
    expect("X25519 public key") { () throws(CryptoError) in _ = try X25519.agree(secret(32), key) }
    expect("X25519 public key") { () throws(CryptoError) in try XEdDSA.verify(bytes.span, of: bytes.span, by: key) }
    expect("X25519 private key") { () throws(CryptoError) in
        _ = try XEdDSA.sign(bytes.span, with: secret(size), z: secret(64))
    }
    expect("Ed25519 public key") { () throws(CryptoError) in try Ed25519.verify(bytes.span, of: bytes.span, by: key) }
    expect("Ed25519 seed") { () throws(CryptoError) in _ = try Ed25519.keyPair(seed: secret(size)) }
    expect("Ed25519 seed") { () throws(CryptoError) in _ = try Ed25519.sign(bytes.span, with: secret(size)) }
}

@Test(arguments: [0, 63, 65]) func `signatures and randomness of the wrong size are refused with numbers`(size: Int)
    throws
{
    let pair = try X25519.keyPair(secret(32))
    let bytes = [UInt8](repeating: 0, count: size)
    #expect(throws: CryptoError.wrongSize("XEdDSA signature", bytes: size, expected: 64)) {
        try XEdDSA.verify(bytes.span, of: bytes.span, by: pair.publicKey)
    }
    #expect(throws: CryptoError.wrongSize("Ed25519 signature", bytes: size, expected: 64)) {
        try Ed25519.verify(bytes.span, of: bytes.span, by: pair.publicKey)
    }
    #expect(throws: CryptoError.wrongSize("XEdDSA randomness", bytes: size, expected: 64)) {
        try XEdDSA.sign(bytes.span, with: pair.secret, z: secret(size))
    }
}

@Test(arguments: [AEAD.chaChaPoly, .xChaChaPoly]) func `an AEAD refuses wrong sizes, short ciphertext and little room`(
    cipher: AEAD
) throws {
    let nonce = [UInt8](repeating: 0, count: cipher.nonceSize)
    let name = cipher.name
    func error(_ sealed: [UInt8], nonce: [UInt8], key: Secret) -> CryptoError? {
        failure { () throws(CryptoError) in _ = try cipher.opened(sealed, nonce: nonce, aad: [], key: key) }
    }
    let sealed = try cipher.sealed([1, 2, 3], nonce: nonce, aad: [], key: secret(32))
    #expect(error(sealed, nonce: nonce, key: secret(32)) == nil)
    #expect(error(sealed, nonce: nonce, key: secret(31)) == .wrongSize("\(name) key", bytes: 31, expected: 32))
    for wrong in [0, 8, cipher.nonceSize - 1, cipher.nonceSize + 1] {
        let other = [UInt8](repeating: 0, count: wrong)
        let expected = CryptoError.wrongSize("\(name) nonce", bytes: wrong, expected: cipher.nonceSize)
        #expect(error(sealed, nonce: other, key: secret(32)) == expected)
    }
    for short in 0..<16 {
        let expected = CryptoError.wrongSize("\(name) tag", bytes: short, expected: 16)
        #expect(error(Array(sealed.prefix(short)), nonce: nonce, key: secret(32)) == expected)
    }
    #expect(throws: CryptoError.tooLong("\(name) output", bytes: 19, limit: 18)) {
        _ = try [UInt8](capacity: 18) { (output) throws(CryptoError) in
            let plaintext: [UInt8] = [1, 2, 3]
            try cipher.seal(plaintext.span, nonce: nonce.span, aad: Span(), key: secret(32), into: &output)
        }
    }
    #expect(throws: CryptoError.tooLong("\(name) output", bytes: 3, limit: 2)) {
        _ = try [UInt8](capacity: 2) { (output) throws(CryptoError) in
            try cipher.open(sealed.span, nonce: nonce.span, aad: Span(), key: secret(32), into: &output)
        }
    }
}

@Test(arguments: [AEAD.chaChaPoly, .xChaChaPoly]) func `every flipped bit is noticed and no plaintext is given out`(
    cipher: AEAD
) throws {
    let random = SeededRandom(3)
    var source: any RandomSource = random
    let (key, nonce) = (source.secret(32, for: .secret), source.bytes(cipher.nonceSize, for: .nonce))
    let (plaintext, aad) = (source.bytes(40, for: .identifier), source.bytes(9, for: .identifier))
    let sealed = try cipher.sealed(plaintext, nonce: nonce, aad: aad, key: key)
    for bit in 0..<8 * sealed.count {
        var bytes = sealed
        bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        var body = Array(bytes.dropLast(16))
        let tag = Array(bytes.suffix(16))
        var span = body.mutableSpan
        let error = failure { () throws(CryptoError) in
            try cipher.open(&span, tag: tag.span, nonce: nonce.span, aad: aad.span, key: key)
        }
        #expect(error == .authenticationFailed("\(cipher.name) tag"))
        #expect(body.allSatisfy { $0 == 0 }, "unauthentic plaintext was left behind")
        let output = [UInt8](capacity: 64) { output in
            let error = failure { () throws(CryptoError) in
                try cipher.open(bytes.span, nonce: nonce.span, aad: aad.span, key: key, into: &output)
            }
            #expect(error != nil)
        }
        #expect(output.isEmpty)
    }
}

@Test func `an empty message has a tag and opens`() throws {
    let (key, nonce) = (secret(32), [UInt8](repeating: 5, count: 12))
    let sealed = try AEAD.chaChaPoly.sealed([], nonce: nonce, aad: [], key: key)
    #expect(sealed.count == 16)
    let opened = try AEAD.chaChaPoly.opened(sealed, nonce: nonce, aad: [], key: key)
    #expect(opened.isEmpty)
}

@Test func `a derivation of several blocks is cut to size and no salt is a salt of zeros`() throws {
    for derivation in [HKDF.sha256, .sha512, .blake2b512, .blake2s256] {
        let long = try derivation.derive(secret(32), info: "x", count: 200).revealed
        for count in [0, 1, 31, 32, 33, 64, 65, 199] {
            let short = try derivation.derive(secret(32), info: "x", count: count).revealed
            #expect(short == Array(long.prefix(count)))
        }
        let salted = try derivation.derive(
            secret(32), salt: Secret([UInt8](repeating: 0, count: 64)), info: "x", count: 200)
        #expect(salted.revealed == long)
    }
}

@Test func `a key longer than a block is hashed first by every HMAC`() {
    let message = Array("message".utf8)
    for (mac, function) in [
        (HMAC.sha256, HashFunction.sha256), (.sha512, .sha512), (.blake2b512, .blake2b512), (.blake2s256, .blake2s256),
    ] {
        let long = [UInt8](repeating: 7, count: function.blockSize + 1)
        let hashed = Secret(function.hash(long.span))
        #expect(mac.authenticate(message.span, key: Secret(long)) == mac.authenticate(message.span, key: hashed))
    }
}

@Test func `Argon2id gives libsodium's answer and refuses what it cannot do`() throws {
    let (passphrase, salt) = (Array("password".utf8), [UInt8](repeating: 0x5A, count: 16))
    func derive(_ salt: [UInt8], _ operations: Int, _ memory: Int) throws(CryptoError) -> Secret {
        try Argon2id.derive(passphrase: passphrase.span, salt: salt.span, operations: operations, memory: memory)
    }
    let key = try derive(salt, 2, 65_536)
    #expect(key.revealed.hex == "c701d00614d16467fac512d1a62d7a2aebd11177e6017016c1c5efe682469d11")
    let cheap = try derive(salt, 1, 65_536)
    #expect(key != cheap)
    #expect(throws: CryptoError.wrongSize("Argon2id salt", bytes: 15, expected: 16)) {
        try derive([UInt8](salt.dropLast()), 1, 8_192)
    }
    #expect(throws: CryptoError.outOfRange("Argon2id operations", value: 0, allowed: Argon2id.operations)) {
        try derive(salt, 0, 8_192)
    }
    #expect(throws: CryptoError.outOfRange("Argon2id memory", value: 8_191, allowed: Argon2id.memory)) {
        try derive(salt, 1, 8_191)
    }
}

@Test func `randomness of the system differs and fills every byte`() {
    var random: any RandomSource = SystemRandom()
    var seen = [UInt8](repeating: 0, count: 37)
    for _ in 0..<64 {
        for (index, byte) in random.bytes(37, for: .nonce).enumerated() { seen[index] |= byte }
    }
    #expect(seen.allSatisfy { $0 != 0 })
    #expect(random.bytes(32, for: .secret) != random.bytes(32, for: .secret))
    #expect(random.bytes(0, for: .secret).isEmpty)
}

@Test func `verifiers survive random signatures and keys`() throws {
    let pair = try X25519.keyPair(secret(32))
    let message = Array("message".utf8)
    let signature = try XEdDSA.sign(message.span, with: pair.secret, z: secret(64))
    var inputs = HostileInputs(seed: 11, valid: [signature + pair.publicKey.bytes], longest: 100)
    var accepted = 0
    inputs.forEach(2_000) { input in
        let (left, right) = (Array(input.prefix(64)), Array(input.dropFirst(64)))
        let error = failure { () throws(CryptoError) in
            try XEdDSA.verify(left.span, of: message.span, by: PublicKey(right))
        }
        if error == nil && left + right != signature + pair.publicKey.bytes { accepted += 1 }
    }
    #expect(accepted == 0)
}
