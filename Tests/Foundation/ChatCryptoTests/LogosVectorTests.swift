import ChatCrypto
import ChatModel
import TestSupport
import Testing

/// The derivations of the Logos suite, each as its document defines it.
private func run(_ vector: Vector) throws {
    let (input, output) = try (vector.at("input"), vector.at("output"))
    switch try vector.text("function") {
    case "kdf_root":
        let info = try Array(vector.text("info").utf8)
        let (root, dh) = try (input.bytes("root_key"), input.bytes("dh"))
        let prk = HKDF.blake2b512.extract(dh.span, salt: root.span)
        let okm = try HKDF.blake2b512.expand(prk, info: info.span, count: 64).revealed
        let expected = try output.bytes("root_key") + output.bytes("chain_key")
        #expect(okm == expected, "\(vector)")
    case "kdf_chain":
        let key = try input.secret("chain_key")
        let (mk, ck) = (
            BLAKE2b.derive(count: 32, key: key, personal: "mk"), BLAKE2b.derive(count: 32, key: key, personal: "ck")
        )
        let expected = try output.bytes("message_key") + output.bytes("chain_key")
        #expect(mk.revealed + ck.revealed == expected, "\(vector)")
    case "kdf_message":
        let key = try HKDF.sha256.derive(input.secret("message_key"), info: "PrivateV1MessageKey", count: 32)
        let expected = try output.bytes("aead_key")
        #expect(key.revealed == expected, "\(vector)")
    case "x3dh_kdf":
        let shares = try Secret.joining([input.secret("dh1"), input.secret("dh2"), input.secret("dh3")])
        let shared = try HKDF.sha256.derive(shares, info: "logos_chat_inbox", count: 32)
        let expected = try output.bytes("shared_secret")
        #expect(shared.revealed == expected, "\(vector)")
    case "seed_key":
        let seed = BLAKE2b.derive(count: 32, key: try input.secret("shared_secret"), personal: "InboxV1-Seed")
        let expected = try output.bytes("seed_key")
        #expect(seed.revealed == expected, "\(vector)")
    case "conversation_ids":
        let base = BLAKE2b.derive(count: 18, key: try input.secret("seed_key"), personal: "L-PV1-CID")
        let initiator = BLAKE2b.hash(count: 18, base.revealed + Array("I".utf8))
        let responder = BLAKE2b.hash(count: 18, base.revealed + Array("R".utf8))
        let expected = try [output.bytes("base"), output.bytes("initiator"), output.bytes("responder")]
        #expect([base.revealed, initiator, responder] == expected, "\(vector)")
    case "inbox_id":
        let id = BLAKE2b.hash(count: 64, try input.bytes("installation_key"))
        let expected = try output.bytes("inbox_id")
        #expect(id == expected, "\(vector)")
    case "frame_id":
        let id = BLAKE2b.hash(count: 16, try input.bytes("encoded_frame"))
        let expected = try output.bytes("frame_id")
        #expect(id == expected, "\(vector)")
    case "keccak256":
        let digest = Keccak256.hash(try input.bytes("data"))
        let expected = try output.bytes("digest")
        #expect(digest == expected, "\(vector)")
    case let other: Issue.record("\(vector): no function \(other) here")
    }
}

@Test func `key derivations give what the independent model gives`() throws {
    try Vectors.run("logos/kdf.json", run)
}

@Test func `key derivations give what libchat's own tests assert`() throws {
    try Vectors.run("logos/libchat-known-answers.json", run)
}

@Test func `XEdDSA signs by the paper and accepts the signatures of both kinds of signer`() throws {
    try Vectors.run("logos/xeddsa.json") { vector in
        let message = try vector.bytes("message")
        let key = try vector.publicKey("public")
        switch try vector.text("operation") {
        case "sign":
            let pair = try X25519.keyPair(vector.secret("private"))
            #expect(pair.publicKey == key, "\(vector)")
            let signature = try XEdDSA.sign(message.span, with: pair.secret, z: vector.secret("z"))
            let (reduced, unreduced) = try (vector.bytes("signature"), vector.bytes("signature_unreduced"))
            #expect(signature == reduced, "\(vector)")
            try XEdDSA.verify(reduced.span, of: message.span, by: key)
            try XEdDSA.verify(unreduced.span, of: message.span, by: key)
        case "verify":
            let signature = try vector.bytes("signature")
            let error = failure { () throws(CryptoError) in
                try XEdDSA.verify(signature.span, of: message.span, by: key)
            }
            let isValid = try vector.text("result") == "valid"
            #expect((error == nil) == isValid, "\(vector): \(String(describing: error))")
        case let other: Issue.record("\(vector): no operation \(other) here")
        }
    }
}

@Test func `X3DH, seed and conversation ids are those of the handshake vectors`() throws {
    try Vectors.run("logos/handshake.json", only: { try $0.text("operation") == "agree" }) { vector in
        let saro = try X25519.keyPair(vector.secret("initiator_identity_private"))
        let ephemeral = try X25519.keyPair(vector.secret("initiator_ephemeral_private"))
        let raya = try X25519.keyPair(vector.secret("responder_identity_private"))
        let prekey = try X25519.keyPair(vector.secret("responder_prekey_private"))
        let shares = try [
            X25519.agree(saro.secret, prekey.publicKey), X25519.agree(ephemeral.secret, raya.publicKey),
            X25519.agree(ephemeral.secret, prekey.publicKey),
        ]
        let mirrored = try [
            X25519.agree(prekey.secret, saro.publicKey), X25519.agree(raya.secret, ephemeral.publicKey),
            X25519.agree(prekey.secret, ephemeral.publicKey),
        ]
        let expected = try ["dh1", "dh2", "dh3"].map { try vector.bytes($0) }
        #expect(shares.map(\.revealed) == expected && shares == mirrored, "\(vector)")
        let input = Secret.joining(shares)
        let zeros = [UInt8](repeating: 0, count: 32)
        let prk = input.lend { HKDF.sha256.extract($0, salt: zeros.span) }
        let shared = try HKDF.sha256.derive(input, info: "logos_chat_inbox", count: 32)
        let expectedKeys = try [vector.bytes("hkdf_prk"), vector.bytes("shared_secret")]
        #expect([prk.revealed, shared.revealed] == expectedKeys, "\(vector)")
    }
}
