import ChatConversation
import ChatCrypto
import ChatFraming
import ChatInitialization
import ChatModel
import ChatReliability
import ChatSimulation
import Testing

/// Participants who hold the keys of a conversation and lie in it (SIM-8): what the others say to each other is heard
/// as ever, and nobody holds or sends more than without them.
@Suite(.timeLimit(.minutes(30))) struct LiarTests {
    private static let inPlain: Composition = {
        var composition = plainReliable
        composition.liar = Reliable<Lying<PlainConversation>>.type
        return composition
    }()

    private static let inRatchet: Composition = {
        var composition = Composition(
            "inbox-v1/ratchet-reliable/envelope-v1", conversations: [Reliable<PrivateV1.Ratchet>.type],
            framing: EnvelopeV1()
        ) { _, random in
            let secret = random.secret(32, for: .secret)
            return try InboxV1(identity: KeyPair(secret: secret, publicKey: try X25519.publicKey(of: secret)))
        }
        composition.liar = Reliable<Lying<PrivateV1.Ratchet>>.type
        return composition
    }()

    private static let inChannel: Composition = {
        var composition = Composition(
            "open-invite/channel/plain", conversations: [ChannelTalk.type], framing: PlainFraming()
        ) { _, _ in OpenInvite() }
        composition.liar = LyingTalk.type
        return composition
    }()

    /// The last peer lies to whoever talks to it, and the others talk to each other.
    private static func scenario(peers: Int, _ topology: Topology) -> Scenario {
        var scenario = Scenario(
            "liar", "a participant lies", peers: peers, Traffic(contents: 40, over: .seconds(300), burst: 1...3))
        scenario.topology = topology
        scenario.network = Network(Network.Link(loss: 0.1, duplication: 0.05, reordering: 0.1))
        scenario.calmStart = true
        scenario.liars = 1
        // Who is named what nobody has asks for it, ever more rarely.
        scenario.idling = .seconds(12 * 3_600)
        return scenario
    }

    private func check(_ scenario: Scenario, _ composition: Composition, seeds: Range<UInt64>) {
        var lies = 0
        for seed in seeds {
            let found = run(scenario, composition, seed: seed)
            #expect(found.violation == nil, "seed \(seed)")
            #expect(found.ledger.outstanding == 0, "seed \(seed)")
            // Lies are heard where contents are not authenticated, or refused.
            lies += found.tally.lies + found.tally.refusedPayloads
        }
        #expect(lies > 0)
    }

    @Test func `in plain conversations made reliable`() {
        check(Self.scenario(peers: 5, .ring), Self.inPlain, seeds: 0..<5)
    }

    @Test func `in ratchets made reliable`() {
        check(Self.scenario(peers: 4, .ring), Self.inRatchet, seeds: 0..<2)
    }

    @Test func `while processes end and directions are dead`() {
        var scenario = Self.scenario(peers: 5, .ring)
        scenario.disturbances.crashes = .init(6, .seconds(1) ... .seconds(30))
        scenario.disturbances.outages = .init(2, .seconds(60) ... .seconds(600))
        check(scenario, Self.inPlain, seeds: 20..<24)
    }

    @Test(arguments: [3, 5]) func `in a channel of several participants`(participants: Int) {
        var scenario = Self.scenario(peers: participants, .groups(participants))
        scenario.settling = .seconds(2 * 86_400)
        check(scenario, Self.inChannel, seeds: 0..<3)
    }

    @Test func `every lie reaches somebody, and without liars there is none`() throws {
        var scenario = Self.scenario(peers: 2, .pairs)
        scenario.liars = 0
        let honest = run(scenario, Self.inPlain)
        #expect(honest.tally.lies == 0 && honest.tally.refusedPayloads == 0)
        scenario.liars = 1
        #expect(run(scenario, plainReliable).tally.lies == 0, "nobody can lie in it")
        var random: any RandomSource = RepeatableRandom(seed: 1, stream: 0)
        let name = try #require(Identifier("saro"))
        let message = SDSMessage(
            sender: name, id: name, channel: name, lamport: 5, history: [.init(name)], content: [1])
        for lie in Lie.allCases {
            let forged = lie.forge(from: message, &random)
            #expect(forged.count == (lie == .circle ? 2 : 1) && !forged.contains(message.encoded()), "\(lie)")
        }
    }
}
