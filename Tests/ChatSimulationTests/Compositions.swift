import ChatConversation
import ChatCrypto
import ChatFraming
import ChatInitialization
import ChatModel
import ChatSimulation

/// Toys that recover from loss, sound or with a defect.
func toys<Defect: ToyDefect>(_ defect: Defect.Type = Sound.self) -> Composition {
    Composition("toy-invites/\(Defect.name)/plain", conversations: [ToyTalk<Defect>.self], framing: PlainFraming()) {
        peer, _ in ToyInvites(peer: peer)
    }
}

/// A type without recovery, whose payloads only get lost where nothing else was promised.
let plain = Composition("open-invite/plain/plain", conversations: [PlainConversation.self], framing: PlainFraming()) {
    _, _ in OpenInvite()
}

/// The whole libchat profile: handshake, ratchet and envelope.
let libchat = Composition(
    "inbox-v1-libchat/private-v1-libchat/envelope-v1-libchat", conversations: [PrivateV1.Libchat.self],
    framing: EnvelopeV1(.libchat)
) { _, random in
    let secret = random.secret(32, for: .secret)
    let identity = KeyPair(secret: secret, publicKey: try X25519.publicKey(of: secret))
    return try InboxV1(identity: identity, profile: .libchat)
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
