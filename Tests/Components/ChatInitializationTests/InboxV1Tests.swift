import ChatCodec
import ChatCrypto
import ChatInitialization
import ChatModel
import ChatRecords
import LogosFormats
import TestSupport
import Testing

@Test(arguments: InboxV1.Profile.allCases)
func `what both sides know after an invite is the same (INIT-01, DISC-03)`(profile: InboxV1.Profile) throws {
    var (saro, raya) = try pair(profile)
    let bundle = try raya.introduce()[0]
    let mine = try saro.seed("private-v1", for: bundle)
    let contact = try #require(mine.contact)
    let (_, turn) = try saro.step { machine, turn throws(Refusal) in
        try machine.invite(contact, opening: Bytes("hello"), for: ContentID(1), in: &turn)
    }
    #expect(turn.sends.count == 1 && turn.sends[0].content == ContentID(1))
    let theirs = try raya.receive(turn.sends[0].routed)
    #expect(mine.role == .initiator && theirs.role == .responder && mine.type == theirs.type)
    #expect(mine.secret == theirs.secret && mine.secret?.count == 32)
    #expect(mine.remoteKeys == theirs.ownKeys.map(\.publicKey) && mine.remoteKeys.count == 1)
    #expect(mine.peers == [raya.machine.identity.publicKey] && theirs.peers == [saro.machine.identity.publicKey])
    #expect(theirs.opening == Bytes("hello") && theirs.contact == nil && theirs.remoteKeys.isEmpty)
}

@Test func `the inbox's id and address are those of the documents (INBOX-10, INBOX-11)`() throws {
    let secret = Secret([UInt8](hex: "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"))
    let reference = try InboxV1(identity: X25519.keyPair(secret)).listening[0]
    let libchat = try InboxV1(identity: X25519.keyPair(secret), profile: .libchat).listening[0]
    #expect(reference.route.id == "60749122be857ec1aeefb0c39acd5302" && reference.address == "e6c0c7e65d8a9288")
    #expect(libchat.route.id.hasPrefix("95af4ae10bdbced0c6bcb8d2f3c34189") && libchat.route.id.count == 128)
    #expect(libchat.address == "delivery_address")
    #expect(throws: CryptoError.self) {
        try InboxV1(identity: KeyPair(secret: Secret([1]), publicKey: PublicKey([])))
    }
}

@Test(arguments: InboxV1.Profile.allCases)
func `any opening comes out as it went in (INIT-03)`(profile: InboxV1.Profile) throws {
    var openings: [[UInt8]] = [
        [], [0], [0x12, 0], [0x12, 1, 0xFF], [0x12, 0x81, 0, 9], [0x12, 2, 0, 0, 0], [0x0A, 1, 7], [0x1A, 0],
    ]
    var generator = SplitMix64(seed: 5)
    for _ in 0..<40 {
        openings.append([0x12] + (0..<generator.below(12)).map { _ in UInt8(generator.below(24)) })
    }
    for opening in openings {
        var (saro, raya) = try pair(profile)
        let invite = try saro.invite(with: raya.introduce()[0], saying: Bytes(opening))
        let received = try raya.receive(invite).opening
        #expect(received == Bytes(opening), "\(opening.hex)")
    }
}

@Test func `an opening that is a ratchet message goes in as it is, as libchat has it, others as plaintext`() throws {
    let message = EncryptedPayload.doubleRatchet(DoubleRatchetMessage(dh: [9], ciphertext: [1, 2, 3])).encoded()
    var (saro, raya) = try pair(.libchat)
    let bundle = try raya.introduce()[0]
    func frame(_ opening: Bytes) throws -> String {
        let invite = try saro.invite("private-v1-libchat", with: bundle, saying: opening)
        guard case .inboxHandshake(let handshake) = try EncryptedPayload(decoding: invite.payload) else { return "" }
        return handshake.payload.array.hex
    }
    let (bare, wrapped) = try (frame(message), frame(Bytes("text")))
    #expect(bare == "0a152a0764656661756c74320a12080a01092203010203")
    #expect(wrapped == "0a132a0764656661756c7432080a060a0474657874")
}

@Test func `in profile libchat every type arrives under its name, its own as default and others marked (IBX-11)`()
    throws
{
    var (saro, raya) = try pair(.libchat)
    for name in ["private-v1-libchat", "plain", "x", "default", "type/", "type/plain"] {
        let seed = try raya.receive(saro.invite(ConversationType(name), with: raya.introduce()[0]))
        #expect(seed.type.name == name)
    }
}

@Test(arguments: InboxV1.Profile.allCases)
func `a type whose name does not fit is refused before anything is sent`(profile: InboxV1.Profile) throws {
    var (saro, raya) = try pair(profile)
    let bundle = try raya.introduce()[0]
    for name in ["", String(repeating: "x", count: 256)] {
        #expect(throws: Refusal(.unsupported, InitializationCause.unfitName(name))) {
            try saro.seed(ConversationType(name), for: bundle)
        }
    }
    let longest = String(repeating: "x", count: 255)
    let seed = try raya.receive(saro.invite(ConversationType(longest), with: bundle))
    #expect(seed.type.name == longest)
}

@Test(arguments: InboxV1.Profile.allCases)
func `a group is founded on a secret of its own and has no invite (INIT-01)`(profile: InboxV1.Profile) throws {
    var (saro, _) = try pair(profile)
    let (first, second) = try (saro.seed(for: nil), saro.seed(for: nil))
    #expect(first.secret?.count == 32 && first.secret != second.secret && first.remoteKeys.isEmpty)
    #expect(first.ownIdentity == saro.machine.identity.publicKey && first.peers.isEmpty)
    #expect(throws: Refusal.self) {
        try saro.step { machine, turn throws(Refusal) in
            try machine.invite(ContactID(99), opening: [], for: nil, in: &turn)
        }
    }
}

@Test(arguments: InboxV1.Profile.allCases)
func `an invite larger than what the layers below take is refused with numbers`(profile: InboxV1.Profile) throws {
    var (saro, raya) = try pair(profile)
    let contact = try #require(try saro.seed(for: raya.introduce()[0]).contact)
    func invite(_ maximum: Int) throws(Refusal) {
        try saro.step(maximumPayload: maximum) { machine, turn throws(Refusal) in
            try machine.invite(contact, opening: Bytes("hello"), for: nil, in: &turn)
        }
    }
    var other = try pair(profile).saro
    let size = try other.invite(with: raya.introduce()[0]).payload.count
    #expect(throws: Refusal(.unable, CommonCause.tooLarge("invite", bytes: size, limit: size - 1))) {
        try invite(size - 1)
    }
    #expect(saro.sent.isEmpty && saro.stored.count == 1)
    try invite(size)
    #expect(saro.sent.count == 1 && saro.stored.isEmpty)
}

@Test func `nobody but the recipient can read who invites whom to what (INBOX-03)`() throws {
    var (saro, raya) = try pair(.reference)
    let bundle = try raya.introduce()[0]
    let invite = try saro.invite("a-telling-name", with: bundle, saying: Bytes("a telling opening"))
    let bytes = invite.payload.array
    let intro = try IntroBundle(decoding: bundle.bytes)
    for secret in [
        saro.machine.identity.publicKey.bytes, raya.machine.identity.publicKey.bytes, intro.ephemeral.bytes,
        Array("a-telling-name".utf8), Array("a telling opening".utf8),
    ] {
        #expect(bytes.firstRange(of: secret) == nil)
    }
    let again = try saro.invite("a-telling-name", with: bundle, saying: Bytes("a telling opening"))
    #expect(again.payload != invite.payload && again.payload.count == invite.payload.count)
}
