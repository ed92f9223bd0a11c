import ChatCodec
import ChatCrypto
import ChatInitialization
import ChatModel
import TestSupport
import Testing

private func open(_ seed: UInt64, lifetime: Duration? = nil) -> Peer<OpenInvite> {
    Peer(OpenInvite(lifetime: lifetime), random: SeededRandom(seed))
}

@Test func `both sides know the same, and the responder's pair comes from the secret (OPEN-4)`() throws {
    var (saro, raya) = (open(1), open(2))
    let bundle = try raya.introduce()[0]
    let mine = try saro.seed("plain", for: bundle)
    let invite = try saro.invite("plain", with: bundle, saying: Bytes("hello"))
    let theirs = try raya.receive(invite)
    #expect(theirs.type == "plain" && theirs.opening == Bytes("hello") && theirs.role == .responder)
    #expect(theirs.peers.isEmpty && theirs.ownIdentity == nil && mine.ownIdentity == nil && mine.peers.isEmpty)
    let secret = try #require(theirs.secret)
    let pair = try X25519.keyPair(BLAKE2b.derive(count: 32, key: secret, personal: "OpenInvite-Key"))
    #expect(theirs.ownKeys == [pair] && mine.remoteKeys.count == 1 && mine.secret != theirs.secret)
}

@Test func `bundle and invite are the worked example's bytes (OPEN-1 to OPEN-3)`() throws {
    let script = ScriptedRandom([
        (.identifier, [UInt8](repeating: 0x44, count: 16)), (.secret, [UInt8](repeating: 0x55, count: 32)),
    ])
    var raya = Peer(OpenInvite(lifetime: .seconds(60)), random: script)
    let bundle = try raya.introduce()[0]
    #expect(bundle.scheme == "openinvite_1" && !bundle.isSingleUse && bundle.expiry == start + .seconds(60))
    #expect(bundle.bytes.array.hex == "0a1044444444444444444444444444444444" + "10e0a499ffbc31")
    var saro = Peer(OpenInvite(), random: script)
    let invite = try saro.invite("plain", with: bundle, saying: Bytes("hello"))
    #expect(
        invite.payload.array.hex == "0a05706c61696e" + "1220" + String(repeating: "55", count: 32) + "1a0568656c6c6f")
    #expect(invite.route.id == String(repeating: "44", count: 16) && invite.address == "fc322f0d1d12c134")
    #expect(raya.machine.listening == [Listening(invite.address, invite.route)] && script.undrawn.isEmpty)
    let seed = try raya.receive(invite)
    let key = "cc1477cf8d23bd017f81ccb5349ddbbd60638a39c8625f880df2a8e11410ba3c"
    #expect(seed.ownKeys[0].publicKey.description == key)
}

@Test func `its facts say what it does not do`() {
    let absent = OpenInvite().facts.claims.filter { !$0.holds }.map(\.property)
    #expect(Set(absent).isSuperset(of: [.confidentiality, .integrity, .authentication, .forwardSecrecy]))
}

@Test func `a bundle is good for many, an invite once (OPEN-5, OPEN-6)`() throws {
    var raya = open(2)
    let bundles = try raya.introduce(2)
    #expect(bundles[0] == bundles[1])
    var invites: [Routed] = []
    for seed in 10..<15 as Range<UInt64> {
        var saro = open(seed)
        invites.append(try saro.invite(with: bundles[0]))
    }
    for invite in invites {
        _ = try raya.receive(invite)
        #expect(raya.refusal(of: invite) == Refusal(.invalid, InitializationCause.seenBefore))
    }
    try raya.restart(OpenInvite())
    #expect(invites.allSatisfy { raya.refusal(of: $0)?.cause.code == "replay" })
    #expect(raya.machine.listening.count == 1)
    raya.now = start + .seconds(14 * 86_400)
    try raya.wake(.due)
    #expect(raya.stored.keys.sorted() == ["inbox"], "what is long past is forgotten")
}

@Test func `an expired bundle, another scheme and a bundle of another size are refused`() throws {
    var (saro, raya) = (open(1), open(2, lifetime: .seconds(60)))
    var bundle = try raya.introduce()[0]
    func refusal(_ bundle: IntroductionBundle) -> Refusal? {
        do throws(Refusal) {
            _ = try saro.seed(for: bundle)
            return nil
        } catch { return error }
    }
    #expect(refusal(bundle) == nil)
    saro.now = start + .seconds(60)
    bundle.expiry = nil
    let expired = Refusal(.unable, InitializationCause.expiredBundle(saro.now))
    #expect(refusal(bundle) == expired, "the expiry in the bytes counts, too")
    saro.now = start
    let other = IntroductionBundle(scheme: "chatintro_1", bytes: bundle.bytes)
    let strange = CommonCause.unsupportedScheme("chatintro_1", initialization: "open-invite")
    #expect(refusal(other) == Refusal(.unsupported, strange))
    let short = IntroductionBundle(scheme: "openinvite_1", bytes: [0x0A, 1, 9])
    #expect(refusal(short) == Refusal(.invalid, WireError.wrongLength("inbox", bytes: 1, expected: 16)))
    #expect(throws: Refusal.self) { try saro.seed("", for: bundle) }
}

@Test func `an invite that lacks something is refused and begins nothing`() throws {
    var raya = open(2)
    _ = try raya.introduce()
    let here = raya.machine.listening[0]
    let secret = "1220" + String(repeating: "55", count: 32)
    for (payload, code) in [
        ("", "malformed"), ("0a05706c61696e", "malformed"), (secret, "malformed"),
        ("0a05706c61696e120101", "malformed"),
        ("0a05706c6169", "malformed"), ("0a01ff" + secret, "malformed"),
        ("0a8002" + String(repeating: "61", count: 256) + secret, "too_large"),
    ] {
        let routed = Routed(here.address, here.route, payload: Bytes([UInt8](hex: payload)))
        #expect(raya.refusal(of: routed)?.cause.code == code, "\(payload)")
    }
    let least = Routed(here.address, here.route, payload: Bytes([UInt8](hex: "0a0161" + secret)))
    let seed = try raya.receive(least)
    #expect(seed.type == "a" && seed.opening == [])
}

@Test func `200,000 hostile invites and as many bundles are decoded or refused`() throws {
    var (saro, raya) = (open(1), open(2, lifetime: .seconds(60)))
    let bundle = try raya.introduce()[0]
    let invite = try saro.invite(with: bundle)
    var decoded = (frames: 0, bundles: 0)
    var frames = HostileInputs(seed: 3, valid: [invite.payload.array], longest: 60)
    frames.forEach { input in
        guard let frame = try? OpenFrame(decoding: Bytes(input)) else { return }
        decoded.frames += frame.secret.count == 32 && !frame.type.isEmpty ? 1 : -HostileInputs.usualCount
    }
    var bundles = HostileInputs(seed: 4, valid: [bundle.bytes.array])
    bundles.forEach { input in
        guard let open = try? OpenBundle(decoding: Bytes(input)) else { return }
        decoded.bundles += open.inbox.count == 16 ? 1 : -HostileInputs.usualCount
    }
    #expect(decoded.frames > HostileInputs.usualCount / 200 && decoded.bundles > HostileInputs.usualCount / 200)
    let machine = raya.machine
    var turn = Step(now: start, random: SeededRandom(1))
    var inputs = HostileInputs(seed: 5, valid: [invite.payload.array], longest: 60)
    inputs.forEach(2_000) { input in
        var copy = machine
        let routed = Routed(invite.address, invite.route, payload: Bytes(input))
        do throws(Refusal) { try copy.receive(routed, in: &turn) } catch {}
    }
    #expect(turn.seeds.allSatisfy { $0.secret?.count == 32 && !$0.type.name.isEmpty })
}
