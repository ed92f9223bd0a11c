import ChatCodec
import ChatConversation
import ChatCrypto
import ChatFraming
import ChatInitialization
import ChatInspect
import ChatModel
import TestSupport
import Testing

/// A first contact, with every secret of the one invited, and what went over the wire.
private struct Contact {
    let keys: Keys
    let state: Secret
    let secrets: [String]
    let invite: Bytes
    let second: Bytes

    init(_ profile: InboxV1.Profile) throws {
        var random: any RandomSource = RepeatableRandom(seed: 5)
        var step = Step(now: Timestamp(milliseconds: 1_700_000_000_000), random: RepeatableRandom(seed: 6))
        let (saros, rayas) = (
            X25519.generate(using: &random, for: .secret), X25519.generate(using: &random, for: .secret)
        )
        var saro = try InboxV1(identity: saros, profile: profile)
        var raya = try InboxV1(identity: rayas, profile: profile)
        let bundle = try raya.introduce(1, in: &step)[0]
        let key = try #require(raya.takeChanges().first { $0.key.hasPrefix("key/") }?.bytes)
        // The record is a version, then field 1 with the private key.
        let ephemeral = Array(key.array[3..<35])

        let seed = try #require(try saro.begin("private-v1-libchat", with: bundle, as: ContactID(1), in: &step))
        var talk = try PrivateV1.Libchat(seed, in: &step)
        let id = ContentID(1)
        try talk.perform(.send(Bytes("the time has come")), as: id, in: &step)
        let opening = step.takeOutput().openings[0].payload
        try saro.invite(ContactID(1), opening: opening, for: id, in: &step)
        invite = step.takeOutput().sends[0].routed.payload
        try talk.perform(.send(Bytes("the walrus said")), as: id, in: &step)
        second = step.takeOutput().sends[0].routed.payload

        try raya.receive(Routed("a", Route("r"), payload: invite), in: &step)
        var answer = try PrivateV1.Libchat(step.takeOutput().seeds[0], in: &step)
        let record = try #require(answer.takeChanges().first { $0.key == "state" }?.bytes)
        state = Secret(copying: record.span)
        keys = Keys(identity: rayas.secret, ephemerals: [Secret(copying: ephemeral.span)])
        let secret = try #require(seed.secret)
        secrets =
            [rayas.secret, saros.secret, secret].map { $0.lend { Hex.encode(Bytes(copying: $0).array) } }
            + [Hex.encode(ephemeral)]
    }
}

@Test(arguments: InboxV1.Profile.allCases) func `an invite opens with the keys of the one invited, down to the content`(
    profile: InboxV1.Profile
) throws {
    let contact = try Contact(profile)
    let text = Inspector(contact.keys).inspect(Input(binary: contact.invite)).text()
    #expect(text.hasPrefix("EncryptedPayload, "))
    #expect(text.contains("profile \(profile)"))
    #expect(text.contains("✓  invited by "))
    #expect(text.contains("InvitePrivateV1"))
    #expect(text.contains("opened by the conversation's secret, profile libchat: PrivateV1Frame of libchat"))
    #expect(text.contains("content  \"the time has come\""))
    #expect(text.hasSuffix("\nwell-formed"))
}

@Test(arguments: InboxV1.Profile.allCases) func `without keys an invite is well-formed and stays closed`(
    profile: InboxV1.Profile
) throws {
    let contact = try Contact(profile)
    let findings = Inspector().inspect(Input(binary: contact.invite))
    #expect(findings.isSound)
    #expect(!findings.text().contains("time has come"))
}

@Test(arguments: InboxV1.Profile.allCases) func `wrong keys are said to be wrong, each for its reason`(
    profile: InboxV1.Profile
) throws {
    let contact = try Contact(profile)
    var random: any RandomSource = RepeatableRandom(seed: 9)
    let other = X25519.generate(using: &random, for: .secret).secret
    var keys = contact.keys
    keys.ephemerals = [other]
    #expect(Inspector(keys).inspect(Input(binary: contact.invite)).text().contains("another single-use key"))
    keys = contact.keys
    keys.identity = other
    let findings = Inspector(keys).inspect(Input(binary: contact.invite))
    #expect(!findings.isSound)
    #expect(findings.kind == .payload)
    #expect(findings.piece.faults.first.map { ["INBOX-13", "DR-3"].contains($0.requirement) } == true)
}

@Test(arguments: InboxV1.Profile.allCases) func `an altered invite is found out where it is sealed`(
    profile: InboxV1.Profile
) throws {
    let contact = try Contact(profile)
    var bytes = contact.invite.array
    bytes[bytes.count - 1] ^= 1
    #expect(Inspector().inspect(Input(binary: Bytes(bytes))).isSound)
    #expect(!Inspector(contact.keys).inspect(Input(binary: Bytes(bytes))).isSound)
}

@Test func `a stored conversation opens what it would take next`() throws {
    let contact = try Contact(.libchat)
    let findings = Inspector(Keys(states: [contact.state])).inspect(Input(binary: contact.second))
    #expect(findings.isSound)
    #expect(findings.text().contains("opened by a stored conversation"))
    #expect(findings.text().contains("content  \"the walrus said\""))
}

@Test func `no secret is ever printed`() throws {
    for profile in InboxV1.Profile.allCases {
        let contact = try Contact(profile)
        var keys = contact.keys
        keys.states = [contact.state]
        for payload in [contact.invite, contact.second] {
            let findings = Inspector(keys).inspect(Input(binary: payload))
            let printed = findings.text(Findings.Style(isFull: true)) + findings.json.description + "\(keys)"
            for secret in contact.secrets { #expect(!printed.contains(secret)) }
        }
    }
}

@Test func `a message of the reference profile opens down to the content, through SDS, segment and frame`() throws {
    let payload = try #require(try Specification.examples(of: "private-v1.md").first { $0.count == 232 })
    let secret = [UInt8](hex: "5ba426a048966c72f33b45b21f6c0f5d224860ea7bc59f094eb1066c3dfd2916")
    let ephemeral = [UInt8](repeating: 0x33, count: 32)
    let keys = Keys(ephemerals: [Secret(copying: ephemeral.span)], secrets: [Secret(copying: secret.span)])
    let findings = Inspector(keys).inspect(Input(binary: Bytes(payload)))
    #expect(findings.isSound)
    let text = findings.text()
    for layer in ["profile reference: SDS message", "content: SegmentMessageProto", "payload: PrivateV1Frame"] {
        #expect(text.contains(layer), "\(layer)")
    }
    #expect(text.contains("content  \"hello\""))
}
