import ChatCodec
import ChatCrypto
import ChatInitialization
import ChatModel
import LogosFormats
import TestSupport
import Testing

/// Another spelling of a key: X25519 does not look at bit 255, so both agree on the same secret.
private func withTopBit(_ key: Bytes) -> Bytes {
    var key = key
    key.withMutableSpan { $0[31] |= 0x80 }
    return key
}

@Test func `an inviter's identity has one spelling, so that one person is not two (CRY-8)`() throws {
    var (saro, raya) = try pair(.libchat)
    var routed = try saro.invite("private-v1-libchat", with: raya.introduce()[0])
    guard case .inboxHandshake(var handshake) = try EncryptedPayload(decoding: routed.payload),
        let header = handshake.header
    else {
        Issue.record("no invite")
        return
    }
    for field in [\InboxHandshakeV1.Header.initiatorStatic, \.initiatorEphemeral] {
        handshake.header = header
        handshake.header?[keyPath: field] = withTopBit(header[keyPath: field])
        routed.payload = EncryptedPayload.inboxHandshake(handshake).encoded()
        #expect(raya.refusal(of: routed) == Refusal(.invalid, CryptoError.weakKey("X25519 public key")))
    }
}

@Test(arguments: InboxV1.Profile.allCases)
func `a bundle names keys in their one spelling (CRY-8)`(profile: InboxV1.Profile) throws {
    var (saro, raya) = try pair(profile)
    let bundle = try raya.introduce()[0]
    let intro = try IntroBundle(decoding: bundle.bytes)
    for (identity, key) in [
        (withTopBit(Bytes(intro.installation.bytes)), Bytes(intro.ephemeral.bytes)),
        (Bytes(intro.installation.bytes), withTopBit(Bytes(intro.ephemeral.bytes))),
    ] {
        // Raya herself signs, so that nothing else can be wrong with it.
        let message = Array("logos_chatintro_1_".utf8) + key.array
        let z = Secret([UInt8](repeating: 3, count: 64))
        let signature = try XEdDSA.sign(message.span, with: raya.machine.identity.secret, z: z)
        let other = try IntroBundle(
            installation: PublicKey(identity.array), ephemeral: PublicKey(key.array), signature: signature)
        let bad = IntroductionBundle(scheme: bundle.scheme, bytes: other.encoded(), isSingleUse: true)
        #expect(throws: Refusal(.invalid, CryptoError.weakKey("X25519 public key"))) {
            try saro.seed("private-v1-libchat", for: bad)
        }
    }
}
