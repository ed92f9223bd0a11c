import ChatConversation
import ChatCrypto
import ChatFraming
import ChatInitialization
import ChatModel
import ChatReliability
import ChatSimulation

/// Toys that recover from loss, sound or with a defect.
func toys<Defect: ToyDefect>(_ defect: Defect.Type = Sound.self) -> Composition {
    Composition("toy-invites/\(Defect.name)/plain", conversations: [ToyTalk<Defect>.type], framing: PlainFraming()) {
        peer, _ in ToyInvites(peer: peer)
    }
}

/// A type without recovery, whose payloads only get lost where nothing else was promised.
let plain = Composition("open-invite/plain/plain", conversations: [PlainConversation.type], framing: PlainFraming()) {
    _, _ in OpenInvite()
}

/// The whole libchat profile: handshake, ratchet and envelope.
let libchat = Composition(
    "inbox-v1-libchat/private-v1-libchat/envelope-v1-libchat", conversations: [PrivateV1.Libchat.type],
    framing: EnvelopeV1(.libchat)
) { _, random in
    let secret = random.secret(32, for: .secret)
    let identity = KeyPair(secret: secret, publicKey: try X25519.publicKey(of: secret))
    return try InboxV1(identity: identity, profile: .libchat)
}

/// The plain type made reliable.
let plainReliable = withOrder(
    Composition(
        "open-invite/plain-reliable/plain", conversations: [Reliable<PlainConversation>.type], framing: PlainFraming()
    ) { _, _ in OpenInvite() })

/// PRIVATE1 as its document has it.
let reference = withOrder(
    Composition("inbox-v1/private-v1/envelope-v1", conversations: [PrivateV1.type], framing: EnvelopeV1()) {
        _, random in try inbox(&random)
    })

/// The same without a filter in each message.
let compact = withOrder(
    Composition(
        "inbox-v1/private-v1-compact/envelope-v1", conversations: [PrivateV1.Compact.type], framing: EnvelopeV1()
    ) { _, random in try inbox(&random) })

/// PRIVATE1 with other constants, which its name says.
func parameterised() throws -> Composition {
    let type = try PrivateV1.type(parameters: ["filter": "0", "segment": "300"])
    return withOrder(
        Composition("inbox-v1/\(type.name)/envelope-v1", conversations: [type], framing: EnvelopeV1()) {
            _, random in try inbox(&random)
        })
}

/// Identifiers that ratchet with the conversation, around a type that sends again.
let identified = withOrder(
    Composition("inbox-v1/private-v1-compact/rpi-v1", conversations: [PrivateV1.Compact.type], framing: RPIV1()) {
        _, random in try inbox(&random)
    })

/// The same around a bare ratchet, which sends nothing again.
let identifiedRatchet = Composition(
    "inbox-v1/ratchet/rpi-v1", conversations: [PrivateV1.Ratchet.type], framing: RPIV1()
) { _, random in try inbox(&random) }

private func inbox(_ random: inout any RandomSource) throws -> InboxV1 {
    let secret = random.secret(32, for: .secret)
    return try InboxV1(identity: KeyPair(secret: secret, publicKey: try X25519.publicKey(of: secret)))
}

private func withOrder(_ composition: Composition) -> Composition {
    var composition = composition
    composition.order = { ($0 as? any StagedConversation)?.messageOrder }
    return composition
}

/// Carries a run out.
func run(
    _ scenario: Scenario, _ composition: Composition, seed: UInt64 = 1, invariants: [any Invariant]? = nil,
    trace: Bool = false
) -> Simulation {
    var run = Simulation(
        scenario.forSeed(seed), composition, seed: seed, invariants: invariants, trace: trace ? Trace() : nil)
    run.run()
    return run
}
