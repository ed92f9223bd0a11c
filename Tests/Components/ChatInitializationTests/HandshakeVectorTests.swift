import ChatCodec
import ChatCrypto
import ChatInitialization
import ChatModel
import LogosFormats
import TestSupport
import Testing

/// The parts of an envelope of profile `libchat`: the hint and the payload.
private func unwrapped(_ envelope: [UInt8]) throws -> (hint: String, payload: Bytes) {
    let bytes = Bytes(envelope)
    var (hint, payload) = ("", Bytes())
    var reader = ProtoReader(bytes.span)
    while let field = try reader.next() {
        if field == 1 { hint = try reader.string(limit: 255) }
        if field == 5 { payload = bytes.slice(try reader.range()) }
    }
    return (hint, payload)
}

/// The opening of an invite in clear: `InboxV1Frame` 1, `InvitePrivateV1` 6.
private func opening(of payload: Bytes) throws -> Bytes {
    guard case .inboxHandshake(let handshake) = try EncryptedPayload(decoding: payload) else { return [] }
    let frame = handshake.payload
    var opening = Bytes()
    var reader = ProtoReader(frame.span)
    while let field = try reader.next() {
        guard field == 1 else { continue }
        var invite = try reader.message()
        while let field = try invite.next() {
            if field == 6 { opening = frame.slice(try invite.range()) }
        }
    }
    return opening
}

@Test func `the key agreement is that of the vectors (INIT-01)`() throws {
    try Vectors.run("logos/handshake.json", only: { try $0.text("operation") == "agree" }) { vector in
        func key(_ name: String) throws -> KeyPair { try X25519.keyPair(Secret(vector.bytes(name))) }
        let (saro, ephemeral) = try (key("initiator_identity_private"), key("initiator_ephemeral_private"))
        let (raya, prekey) = try (key("responder_identity_private"), key("responder_prekey_private"))
        let left = try KeyAgreement.Initiator(
            ephemeral: ephemeral, invited: raya.publicKey, prekey: prekey.publicKey
        ).finish(identity: saro)
        let right = try KeyAgreement.Responder(
            identity: raya, prekey: prekey, ephemeral: ephemeral.publicKey
        ).finish(inviter: saro.publicKey)
        let expected = try vector.bytes("seed_key")
        #expect(left.seed.revealed == expected && right.seed == left.seed, "\(vector)")
    }
}

@Test func `an invite of profile libchat is that of the vectors, byte for byte`() throws {
    try Vectors.run("logos/handshake.json", only: { try $0.text("operation") == "initiate" }) { vector in
        let (hint, payload) = try unwrapped(vector.bytes("payload"))
        let script = try ScriptedRandom([(.handshakeEphemeralPrivate, vector.bytes("handshake_ephemeral_private"))])
        let identity = try X25519.keyPair(Secret(vector.bytes("identity_private")))
        var saro = try Peer(InboxV1(identity: identity, profile: .libchat), random: script)
        let link = try vector.text("intro").dropFirst("logos_chatintro_1_".count)
        let bundle = IntroductionBundle(scheme: "chatintro_1", bytes: Bytes(try Base64URL.decode(String(link))))
        let invite = try saro.invite("private-v1-libchat", with: bundle, saying: opening(of: payload))
        #expect(invite.payload == payload && invite.route.id == hint, "\(vector)")
        #expect(invite.address == "delivery_address" && script.undrawn.isEmpty)
    }
}

@Test func `invites of the vectors begin conversations, or are refused where the inbox can tell (INBOX-05)`() throws {
    try Vectors.run("logos/handshake.json", only: { try $0.text("operation") == "open" }) { vector in
        let (hint, payload) = try unwrapped(vector.bytes("payload"))
        let privates = try vector.texts("ephemeral_privates").map { [UInt8](hex: $0) }
        let z = [UInt8](repeating: 1, count: 64)
        let script = ScriptedRandom(
            privates.map { (.introEphemeralPrivate, $0) } + privates.map { _ in (.introSignatureZ, z) })
        let identity = try X25519.keyPair(Secret(vector.bytes("identity_private")))
        var raya = try Peer(InboxV1(identity: identity, profile: .libchat), random: script)
        _ = try raya.introduce(privates.count)
        let isOurs = raya.machine.listening[0].route.id == hint
        let result = try vector.text("result")
        guard isOurs else {
            #expect(result == "ignored", "\(vector)")
            return
        }
        let routed = Routed("delivery_address", Route(hint), payload: payload)
        let error = vector.has("error") ? try vector.text("error") : nil
        switch (result, error) {
        case ("valid", _):
            let seed = try raya.receive(routed)
            let peer = try vector.bytes("remote_installation_key")
            #expect(seed.peers == [PublicKey(peer)] && seed.type == "private-v1-libchat", "\(vector)")
            let base = seed.secret.map { BLAKE2b.derive(count: 18, key: $0, personal: "L-PV1-CID").revealed } ?? []
            let ids = ["R", "I"].map { BLAKE2b.hash(count: 18, base + Array($0.utf8)).hex }
            let expected = try [vector.text("conversation_id"), vector.text("remote_conversation_id")]
            #expect(ids == expected, "\(vector)")
            #expect(raya.refusal(of: routed)?.cause.code == "unknown_ephemeral_key", "\(vector) again")
        case (_, "unknown_ephemeral_key"):
            #expect(raya.refusal(of: routed)?.cause.code == "unknown_ephemeral_key", "\(vector)")
        default:  // the conversation has the last word on these; here they do no harm
            _ = raya.refusal(of: routed)
        }
    }
}
