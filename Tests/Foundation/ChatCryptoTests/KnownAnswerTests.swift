import ChatCrypto
import ChatModel
import TestSupport
import Testing

/// The worked example of the suite: the cast's keys and every value between them.
private struct Example {
    let saro = pair("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
    let raya = pair("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
    let prekey = pair(String(repeating: "33", count: 32))
    let ephemeral = pair(String(repeating: "44", count: 32))
    let saroRatchet = pair(String(repeating: "55", count: 32))
    let rayaRatchet = pair(String(repeating: "66", count: 32))
    let seed = Secret([UInt8](hex: "5ba426a048966c72f33b45b21f6c0f5d224860ea7bc59f094eb1066c3dfd2916"))
}

private func pair(_ hex: String) -> KeyPair {
    do { return try X25519.keyPair(Secret([UInt8](hex: hex))) } catch {
        Issue.record(error)
        return KeyPair(secret: Secret([]), publicKey: PublicKey([]))
    }
}

private func root(_ key: Secret, _ dh: Secret, _ info: StaticString) throws -> (root: Secret, chain: Secret) {
    let okm = try HKDF.blake2b512.derive(dh, salt: key, info: info, count: 64)
    return (okm.part(0..<32), okm.part(32..<64))
}

private func chain(_ key: Secret) -> (message: Secret, next: Secret) {
    (BLAKE2b.derive(count: 32, key: key, personal: "mk"), BLAKE2b.derive(count: 32, key: key, personal: "ck"))
}

@Test func `keys of the cast and what they agree on (INIT-01, PV1-03)`() throws {
    let cast = Example()
    let shares = try [
        X25519.agree(cast.saro.secret, cast.prekey.publicKey), X25519.agree(cast.ephemeral.secret, cast.raya.publicKey),
        X25519.agree(cast.ephemeral.secret, cast.prekey.publicKey),
    ]
    #expect(
        [cast.saro, cast.raya, cast.prekey, cast.ephemeral, cast.saroRatchet, cast.rayaRatchet].map(
            \.publicKey.description)
            == [
                "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
                "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
                "7b0d47d93427f8311160781c7c733fd89f88970aef490d8aa0ee19a4cb8a1b14",
                "ff2ee45601ec1b67310c7790404585ae697331eee1c1f8cf2419731c1fff3e6b",
                "38ab664bd86f77d7e66bdd9ae0792913a94fd8b33a1260027e4b46c1f4884c67",
                "219e4d800da968d2a5fcb009c784f4746c7138edb9ee4844b739e830b05cf424",
            ])
    #expect(
        shares.map(\.revealed.hex) == [
            "61986df6435652ff61b08a94646e62dae5b31b5d59283c57119ce6350f54437f",
            "533d0e27f387936d98da5a355610bef7c8db94e9da32f200b7ee3467dfe3f62f",
            "3c528e9fd39731b15d10de8feb5f71d3f65b73c993581dedb03315a9ed177730",
        ])
    let shared = try HKDF.sha256.derive(Secret.joining(shares), info: "logos_chat_inbox", count: 32)
    #expect(shared.revealed.hex == "00db81f9318c0f37449c0a033c8ea0b7783e8974b6ad1817311d5e79c220e96c")
    #expect(BLAKE2b.derive(count: 32, key: shared, personal: "InboxV1-Seed") == cast.seed)
}

@Test(arguments: [
    (
        18, "0e037b36ec375ecc79b651bf113536f4d14b", "9a82c808987683928976f63b2b1403036e82",
        "68f5086e8594d41d32fda30e55e1355a0216"
    ),
    (16, "ee2670a300efb186c3fdec1f4d28d3c0", "36d232c82a91d36375cfef8436934266", "f74352fb42cf3dd5b4cfe2b335b30e2f"),
])
func `conversation ids of both widths (CT-01, CT-02)`(width: Int, base: String, initiator: String, responder: String) {
    let bytes = BLAKE2b.derive(count: width, key: Example().seed, personal: "L-PV1-CID").revealed
    let ids = [Array("I".utf8), Array("R".utf8)].map { BLAKE2b.hash(count: width, bytes + $0).hex }
    #expect([bytes.hex] + ids == [base, initiator, responder])
}

@Test func `inbox ids, addresses, key identifiers and hints (INBOX-07, INBOX-10, ENV-02)`() {
    let (raya, prekey) = (Example().raya.publicKey.bytes, Example().prekey.publicKey.bytes)
    #expect(
        BLAKE2b.hash(count: 64, raya).hex
            == "95af4ae10bdbced0c6bcb8d2f3c341898be994e668c2f4a25fd6062875fdb084ceeae0240110af92459e48cbc31001ce9ee78cd3c8bbfbb2983ecf490b6bfe9d"
    )
    #expect(BLAKE2b.hash(count: 16, Array("inboxV1".utf8) + raya).hex == "60749122be857ec1aeefb0c39acd5302")
    #expect(BLAKE2b.hash(count: 8, Array("inboxV1|addr|".utf8) + raya).hex == "e6c0c7e65d8a9288")
    let base = [UInt8](hex: "ee2670a300efb186c3fdec1f4d28d3c0")
    #expect(BLAKE2b.hash(count: 8, Array("pv1|addr|".utf8) + base).hex == "9c32745a523550f2")
    #expect(BLAKE2b.hash(count: 4, Array("WAP".utf8) + prekey).hex == "b43f8b33")
    #expect(BLAKE2b.hash(count: 64, Array("WAP".utf8) + prekey).prefix(4).map { $0 } == [0x25, 0x0E, 0x2D, 0x67])
    let little = BLAKE2s.hash { hint in
        hint.update([1, 0, 0, 0, 0, 0, 0, 0])
        hint.update("convo-1")
    }
    #expect(little.hex == "2fe02c2719ac4714080927265a45d44347f2b85d76417766be8e645e2d39fc98")
    #expect(Keccak256.hash([]).hex == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
    #expect(BLAKE2b.hash(count: 16) { $0.update("abc") }.hex == "cf4ab791c62b8d2b2109c90275287816")
}

@Test func `the first steps of both ratchets (PV1-14, PV1-15)`() throws {
    let cast = Example()
    let prk = [UInt8](repeating: 0x22, count: 32)
    let salt = [UInt8](repeating: 0x11, count: 32)
    #expect(
        HKDF.blake2b512.extract(prk.span, salt: salt.span).revealed.hex
            == "77ee101e533da6231cc6845ff9035e8214ff03ed8a3c1352f6ba88e1586310b6fe5ccba3b4546ab12352f51a846de0ad8aa602b7bcae61e8536af6e9dfb69daa"
    )
    let dh = try X25519.agree(cast.saroRatchet.secret, cast.prekey.publicKey)
    let reply = try X25519.agree(cast.rayaRatchet.secret, cast.saroRatchet.publicKey)

    let libchat = try root(cast.seed, dh, "DoubleRatchetRootKey")
    #expect(libchat.root.revealed.hex == "0a2feaa138d8e9e24086e94dcd775d064974f8a3e3d5e281d394e4fd2776603f")
    let back = try root(libchat.root, reply, "DoubleRatchetRootKey")
    #expect(back.root.revealed.hex == "f8d9ebec0404b1bd660361d2c897bc275778f65174e776d1a404319297f31269")
    #expect(back.chain.revealed.hex == "ea25f388182fefcd4a65fb5985be0a724a1c2746449ed0f389643696a07b2926")
    let steps = [chain(libchat.chain), chain(chain(libchat.chain).next)]
    #expect(
        steps.map(\.message.revealed.hex) == [
            "af5bf8a8d4a34e63ed1ac965533623626f6e2966501851134d4b602e8781e87c",
            "d938a583ce0395d57384b4b29d9ff5fb29ff666999c6e13d98216ca6255e419b",
        ])

    let reference = try root(cast.seed, dh, "PrivateV1RootKey")
    #expect(reference.root.revealed.hex == "ad1ea4e10b149c33723aefc6e1c1a58c54e4892dcf38db1bf63ac4ecd9ddeff7")
    let key = try HKDF.sha256.derive(chain(reference.chain).message, info: "PrivateV1MessageKey", count: 32)
    let aad = cast.saroRatchet.publicKey.bytes + [UInt8](repeating: 0, count: 8)
    let nonce = (0..<12).map { UInt8($0) }
    for (key, ciphertext) in [
        (steps[0].message, "baf23797ee9eae0b2ec37524b6d6c98d041bbc292e"),
        (key, "674d1a0a1130c885b910738fdc873e3aa715538c3f"),
    ] {
        let sealed = try AEAD.chaChaPoly.sealed(Array("hello".utf8), nonce: nonce, aad: aad, key: key)
        #expect(sealed.hex == ciphertext)
    }
}

@Test func `the introduction of the example is signed by its identity (INTRO-07)`() throws {
    let cast = Example()
    let message = Array("logos_chatintro_1_".utf8) + cast.prekey.publicKey.bytes
    let signature = try XEdDSA.sign(message.span, with: cast.raya.secret, z: Secret((0..<64).map { UInt8($0) }))
    #expect(
        signature.hex
            == "45e3a805a8fd3b7e0340e6b60e3e445a96fe48c2298263c0545a101244f829083541315ef6247eadf9c5736a5b671c32ec1d1a2bc18119ff410ffc5d354da607"
    )
}

@Test func `an introduction prefix identifier chain is HMAC-SHA-256 (RPI-04)`() {
    let start = HMAC.sha256.authenticate(
        Array("logos-chat/rpi/v1".utf8).span, key: Secret([UInt8](repeating: 0x11, count: 32)))
    #expect(start.revealed.hex == "1b36deb724cbd0ff59b819e6add5ce3c5ee0e2eeea027b681ee239ce081bc6b0")
}
