import ChatCodec
import ChatCrypto
import ChatInitialization
import ChatModel
import LogosFormats
import TestSupport
import Testing

/// An invite with something changed, and what Raya says to it.
private func refusal(
    _ profile: InboxV1.Profile, _ change: (inout InboxHandshakeV1) -> Void
) throws -> Refusal? {
    var (saro, raya) = try pair(profile)
    var routed = try saro.invite("private-v1-libchat", with: raya.introduce()[0])
    guard case .inboxHandshake(var handshake) = try EncryptedPayload(decoding: routed.payload) else { return nil }
    change(&handshake)
    routed.payload = EncryptedPayload.inboxHandshake(handshake).encoded()
    return raya.refusal(of: routed)
}

/// The same with another frame in an invite of profile `libchat`.
private func refusal(frame: String) throws -> Refusal? {
    try refusal(.libchat) { $0.payload = Bytes([UInt8](hex: frame)) }
}

@Test(arguments: InboxV1.Profile.allCases)
func `an invite without a header, or with keys of other sizes, is malformed (INBOX-13)`(profile: InboxV1.Profile) throws
{
    let none = try refusal(profile) { _ in }
    let missing = try refusal(profile) { $0.header = nil }
    #expect(none == nil && missing == Refusal(.invalid, WireError.missing("header")))
    for size in [0, 1, 31, 33, 47, 64] {
        let bytes = Bytes([UInt8](repeating: 9, count: size))
        for (name, expected, key) in [
            ("initiator_static", profile == .reference ? 48 : 32, \InboxHandshakeV1.Header.initiatorStatic),
            ("initiator_ephemeral", 32, \.initiatorEphemeral),
            ("responder_ephemeral", profile == .reference ? 4 : 32, \.responderEphemeral),
        ] {
            let found = try refusal(profile) { $0.header?[keyPath: key] = bytes }
            #expect(found == Refusal(.invalid, WireError.wrongLength(name, bytes: size, expected: expected)))
        }
    }
}

@Test func `nobody looks at the recipient that an invite in clear names, as in libchat; a sealed one names none`()
    throws
{
    for size in [0, 1, 32, 33, 1_000] {
        let other = try refusal(.libchat) { $0.header?.responderStatic = Bytes([UInt8](repeating: 5, count: size)) }
        #expect(other == nil, "\(size)")
    }
    let named = try refusal(.reference) { $0.header?.responderStatic = Bytes([UInt8](repeating: 5, count: 32)) }
    #expect(named == Refusal(.invalid, WireError.wrongLength("responder_static", bytes: 32, expected: 0)))
}

@Test(arguments: InboxV1.Profile.allCases)
func `keys of low order are refused (INBOX-13, 5-54)`(profile: InboxV1.Profile) throws {
    let zero = Bytes([UInt8](repeating: 0, count: 32))
    let weak = Refusal(.invalid, CryptoError.weakKey("X25519 public key"))
    let ephemeral = try refusal(profile) { $0.header?.initiatorEphemeral = zero }
    #expect(ephemeral == weak)
    guard profile == .libchat else { return }
    let identity = try refusal(profile) { $0.header?.initiatorStatic = zero }
    #expect(identity == weak)
}

@Test func `every bit of a sealed invite counts (IBX-3, IBX-4)`() throws {
    var (saro, raya) = try pair(.reference)
    let good = try saro.invite(with: raya.introduce()[0])
    var codes: [String: Int] = [:]
    for bit in 0..<8 * good.payload.count {
        var bad = good
        bad.payload.withMutableSpan { $0[bit / 8] ^= 1 << UInt8(bit % 8) }
        let code = raya.refusal(of: bad)?.cause.code ?? "accepted"
        codes[code, default: 0] += 1
    }
    #expect(codes["accepted"] == nil && codes["authentication_failed", default: 0] > 8 * 100, "\(codes)")
    _ = try raya.receive(good)
}

@Test func `a sealed invite with other keys, or replayed under another header, does not open`() throws {
    let identity = try refusal(.reference) { $0.header?.initiatorStatic = Bytes([UInt8](repeating: 1, count: 48)) }
    #expect(identity == Refusal(.invalid, CryptoError.authenticationFailed("ChaCha20-Poly1305 tag")))
    let short = try refusal(.reference) { $0.payload = $0.payload.slice(0..<27) }
    #expect(short == Refusal(.invalid, CryptoError.wrongSize("ChaCha20-Poly1305 tag", bytes: 15, expected: 16)))
    for size in 0..<28 {
        let found = try refusal(.reference) { $0.payload = $0.payload.slice(0..<size) }
        #expect(found?.cause.code == "malformed")
    }
}

@Test(arguments: [
    ("", "malformed"),  // no arm at all
    ("0a00", "malformed"),  // an invite of nothing
    ("0a092a0764656661756c74", "malformed"),  // no initial message
    ("1200", "unsupported"),  // another arm
    ("520401020304", "unsupported"),  // the arm of the older draft
    ("0a040a0012001a00", "malformed"),  // cut
    ("0a023200", "malformed"),  // an initial message without an arm
    ("0a0432023800", "unsupported"),  // one with an unknown arm alone (WIRE-7)
    ("0a0432021a00", "unsupported"),  // an invite within an invite
    ("0a043202080a", "malformed"),  // an arm of another wire type
    ("0a082a02fffe32021200", "malformed"),  // a discriminator that is no text
])
func `a frame that cannot be used is refused and the key stays (INBOX-08, INIT-04)`(frame: String, code: String) throws
{
    let found = try refusal(frame: frame)
    #expect(found?.cause.code == code && found?.outcome == (code == "unsupported" ? .unsupported : .invalid))
}

@Test func `whatever discriminator an invite in clear has, libchat's one type is meant (IBX-11)`() throws {
    for text in [
        "x", "private-v1", "type/", "Type/plain", String(repeating: "a", count: 256),
        "type/" + String(repeating: "a", count: 256),
    ] {
        var (saro, raya) = try pair(.libchat)
        var routed = try saro.invite("private-v1-libchat", with: raya.introduce()[0])
        guard case .inboxHandshake(var handshake) = try EncryptedPayload(decoding: routed.payload) else { return }
        handshake.payload = InboxFrame(discriminator: text, opening: Bytes("hello")).encoded()
        routed.payload = EncryptedPayload.inboxHandshake(handshake).encoded()
        let seed = try raya.receive(routed)
        #expect(seed.type == "private-v1-libchat" && seed.opening == Bytes("hello"), "\(text.prefix(9))")
    }
}

@Test func `a name of a type longer than a route may be is refused where it counts (IBX-11)`() throws {
    let frame = InboxFrame(discriminator: String(repeating: "a", count: 256), opening: Bytes("hello")).encoded()
    #expect(throws: WireError.tooLong("field 5", bytes: 256, limit: 255)) { try InboxFrame.decode(frame) }
}

@Test func `without a discriminator libchat's one type is meant, and arms that are not known are skipped`() throws {
    for frame in ["0a0432021200", "0a062a0032021200", "0a0732021200f20700", "12000a0432021200"] {
        let found = try refusal(frame: frame)
        #expect(found == nil, "\(frame)")
    }
}

@Test(arguments: InboxV1.Profile.allCases)
func `an inbox takes invites and nothing else (INBOX-08)`(profile: InboxV1.Profile) throws {
    var (_, raya) = try pair(profile)
    let address = raya.machine.listening[0]
    for payload in [
        EncryptedPayload.plaintext(Bytes("hello")).encoded(),
        EncryptedPayload.doubleRatchet(DoubleRatchetMessage(ciphertext: [1])).encoded(),
    ] {
        let found = raya.refusal(of: Routed(address.address, address.route, payload: payload))
        #expect(found == Refusal(.unsupported, InitializationCause.unexpectedPayload(raya.machine.facts.name)))
    }
    let empty = raya.refusal(of: Routed(address.address, address.route, payload: []))
    #expect(empty == Refusal(.invalid, WireError.missing("oneof encryption")))
}

@Test(arguments: InboxV1.Profile.allCases)
func `hostile invites begin nothing that was not meant`(profile: InboxV1.Profile) throws {
    var (saro, raya) = try pair(profile)
    let bundle = try raya.introduce()[0]
    let routed = try saro.invite("private-v1-libchat", with: bundle, saying: Bytes("hello"))
    let stranger = try inbox(0x33, profile)
    var step = Step(now: start, random: SeededRandom(9))
    // One who has no such key decodes everything and refuses before any key agreement.
    var inputs = HostileInputs(seed: 4, valid: [routed.payload.array], longest: 80)
    inputs.forEach(10_000) { input in
        var machine = stranger
        do throws(Refusal) {
            try machine.receive(Routed(routed.address, routed.route, payload: Bytes(input)), in: &step)
        } catch {}
    }
    #expect(step.seeds.isEmpty && step.sends.isEmpty && step.events.isEmpty)
    // The owner of the key goes on to the cryptography and the frame.
    var begun = 0
    var near = HostileInputs(seed: 5, valid: [routed.payload.array], longest: 80)
    try near.forEach(500) { input in
        var machine = raya.machine
        do throws(Refusal) {
            try machine.receive(Routed(routed.address, routed.route, payload: Bytes(input)), in: &step)
            begun += 1
        } catch {}
        if profile == .reference, input != routed.payload.array, let seed = step.seeds.first {
            // Only what is outside the sealed parts can differ: unknown fields.
            try #require(seed.opening == Bytes("hello"))
        }
    }
    #expect(begun < 500)
}

@Test func `200,000 hostile frames are decoded or refused, and bundles of hostile bytes agree with their maker alone`()
    throws
{
    let frames = [
        InboxFrame(discriminator: "default", opening: Bytes("hello")).encoded().array,
        InboxFrame(
            discriminator: "private-v1",
            opening: EncryptedPayload.doubleRatchet(DoubleRatchetMessage(dh: [1], ciphertext: [2])).encoded()
        ).encoded().array,
    ]
    var inputs = HostileInputs(seed: 6, valid: frames)
    var decoded = 0
    inputs.forEach { input in
        do throws(WireError) {
            guard let frame = try InboxFrame.decode(Bytes(input)) else { return }
            _ = try frame.opening()
            decoded += 1
        } catch {}
    }
    #expect(decoded > HostileInputs.usualCount / 200 && decoded < HostileInputs.usualCount * 199 / 200)
    var (saro, raya) = try pair(.reference)
    let bundle = try raya.introduce()[0]
    var bundles = HostileInputs(seed: 7, valid: [bundle.bytes.array], longest: 140)
    bundles.forEach(500) { input in
        do throws(Refusal) {
            let seed = try saro.seed(for: IntroductionBundle(scheme: "chatintro_1", bytes: Bytes(input)))
            #expect(seed.peers == [raya.machine.identity.publicKey])
        } catch {}
    }
}
