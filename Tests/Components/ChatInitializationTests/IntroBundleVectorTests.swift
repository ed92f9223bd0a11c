import ChatCodec
import ChatCrypto
import ChatInitialization
import ChatModel
import LogosFormats
import TestSupport
import Testing

private let prefix = "logos_chatintro_1_"

/// A bundle out of a link, as the discovery of links gives it.
private func bundle(_ link: String) throws -> IntroductionBundle {
    guard link.hasPrefix(prefix) else { throw WireError.badCharacter(at: 0) }
    return IntroductionBundle(
        scheme: "chatintro_1", bytes: Bytes(try Base64URL.decode(String(link.dropFirst(prefix.count)))))
}

@Test(arguments: InboxV1.Profile.allCases)
func `bundles are those of the vectors (INTRO-04, INTRO-05, INTRO-07)`(profile: InboxV1.Profile) throws {
    try Vectors.run("logos/intro_bundle.json", only: { try $0.text("operation") == "create" }) { vector in
        let script = try ScriptedRandom([
            (.introEphemeralPrivate, vector.bytes("ephemeral_private")), (.introSignatureZ, vector.bytes("z")),
        ])
        let identity = try X25519.keyPair(Secret(vector.bytes("identity_private")))
        var raya = try Peer(InboxV1(identity: identity, profile: profile), random: script)
        let made = try raya.introduce()[0]
        let (proto, text) = try (vector.bytes("proto"), vector.text("text"))
        #expect(made.bytes == Bytes(proto) && made.scheme == "chatintro_1" && made.isSingleUse, "\(vector)")
        #expect(prefix + Base64URL.encode(made.bytes.array) == text, "\(vector)")
        #expect(script.undrawn.isEmpty)
    }
    try Vectors.run("logos/intro_bundle.json", only: { try $0.text("operation") == "parse" }) { vector in
        var saro = try Peer(inbox(0x11, profile), random: SeededRandom(1))
        let isValid = try vector.text("result") == "valid"
        let seed = vector.has("text") ? try? saro.seed(for: bundle(vector.text("text"))) : nil
        #expect((seed != nil) == isValid, "\(vector)")
        guard isValid, let seed else { return }
        let expected = try [vector.bytes("installation_key"), vector.bytes("ephemeral_key")]
        #expect(seed.peers + seed.remoteKeys == expected.map { PublicKey($0) }, "\(vector)")
    }
}

@Test func `a bundle that is not what it must be is refused with the reason`() throws {
    var (saro, raya) = try pair(.reference)
    let good = try raya.introduce()[0]
    func refusal(_ change: (inout IntroductionBundle) -> Void) -> Refusal? {
        var bundle = good
        change(&bundle)
        do throws(Refusal) {
            _ = try saro.seed(for: bundle)
            return nil
        } catch { return error }
    }
    let wire = try IntroBundle(decoding: good.bytes)
    #expect(refusal { _ in } == nil)
    #expect(
        refusal { $0.scheme = "chatintro_2" }
            == Refusal(.unsupported, CommonCause.unsupportedScheme("chatintro_2", initialization: "inbox-v1")))
    #expect(refusal { $0.expiry = start } == Refusal(.unable, InitializationCause.expiredBundle(start)))
    #expect(refusal { $0.expiry = start + .milliseconds(1) } == nil)
    #expect(
        refusal { $0.bytes = [] }
            == Refusal(.invalid, WireError.wrongLength("installation_pubkey", bytes: 0, expected: 32)))
    #expect(refusal { $0.bytes = $0.bytes.slice(0..<100) }?.cause.code == "malformed")
    for other in [wire.installation, wire.ephemeral] {
        var changed = other.bytes
        changed[3] ^= 1
        let forged = try IntroBundle(
            installation: other == wire.installation ? PublicKey(changed) : wire.installation,
            ephemeral: other == wire.ephemeral ? PublicKey(changed) : wire.ephemeral, signature: wire.signature)
        #expect(["authentication_failed", "weak_key"].contains(refusal { $0.bytes = forged.encoded() }?.cause.code))
    }
}

@Test func `a bundle with a signed key of low order agrees on nothing (INBOX-13)`() throws {
    var (saro, raya) = try pair(.reference)
    let zero = PublicKey([UInt8](repeating: 0, count: 32))
    let message = Array(prefix.utf8) + zero.bytes
    let signature = try XEdDSA.sign(
        message.span, with: raya.machine.identity.secret, z: Secret([UInt8](repeating: 7, count: 64)))
    let bundle = try IntroBundle(
        installation: raya.machine.identity.publicKey, ephemeral: zero, signature: signature)
    #expect(throws: Refusal(.invalid, CryptoError.weakKey("X25519 public key"))) {
        try saro.seed(for: IntroductionBundle(scheme: "chatintro_1", bytes: bundle.encoded()))
    }
    _ = try raya.introduce()
}
