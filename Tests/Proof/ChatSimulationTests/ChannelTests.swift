import ChatConformance
import ChatFraming
import ChatInitialization
import ChatModel
import ChatReliability
import ChatSimulation
import Testing

/// The reliable channel of two, and of many on one address (RC-09).
@Suite(.timeLimit(.minutes(30))) struct ChannelTests {
    private static let channel: Composition = {
        var composition = Composition(
            "open-invite/channel/plain", conversations: [ChannelTalk.type], framing: PlainFraming()
        ) { _, _ in OpenInvite() }
        composition.order = { ($0 as? ChannelTalk)?.order }
        return composition
    }()

    @Test func `a channel of four keeps the rules of groups (GROUP-4 to GROUP-7)`() {
        let report = Conformance.check(group: ChannelTalk.type, participants: 4)
        #expect(report.isPassed, "\(report)")
    }

    private static func scenario(of participants: Int) -> Scenario {
        var scenario = Scenario(
            "channel", "some talk on one address", peers: participants, Traffic(contents: 40, over: .seconds(120)))
        scenario.topology = .groups(participants)
        scenario.settling = .seconds(86_400)
        // Two who fetch nothing from a service can say something more only while others still have it.
        scenario.calmStart = true
        return scenario
    }

    @Test(arguments: [2, 3, 5, 9])
    func `on a calm network everybody hears everything once and in causal order`(participants: Int) {
        let found = run(Self.scenario(of: participants), Self.channel)
        #expect(found.violation == nil)
        #expect(found.tally.contents == 41 && found.tally.heard == 41 * (participants - 1))
        #expect(found.checks.contains("causal order") && found.checks.contains("equal logs"))
    }

    @Test(arguments: [2, 3, 5])
    func `what is lost and held back arrives all the same`(participants: Int) {
        for seed in UInt64(0)..<8 {
            var scenario = Self.scenario(of: participants)
            scenario.network = Network(Network.Link(loss: 0.1, duplication: 0.1, reordering: 0.2))
            let found = run(scenario, Self.channel, seed: seed)
            #expect(found.violation == nil, "seed \(seed)")
            #expect(
                found.tally.lost > 0 && found.tally.heard == found.tally.contents * (participants - 1), "seed \(seed)")
        }
    }

    @Test(arguments: [2, 4])
    func `processes end and start again`(participants: Int) {
        for seed in UInt64(0)..<6 {
            var scenario = Self.scenario(of: participants)
            scenario.network = Network(Network.Link(loss: 0.05))
            scenario.disturbances.crashes = .init(6, .milliseconds(10) ... .seconds(5))
            let found = run(scenario, Self.channel, seed: seed)
            #expect(found.violation == nil && found.tally.crashes > 0, "seed \(seed)")
        }
    }

    @Test(arguments: [2, 4])
    func `one direction is dead for a minute, or somebody is away for ten`(participants: Int) {
        for seed in UInt64(0)..<4 {
            var scenario = Self.scenario(of: participants)
            scenario.disturbances.outages = .init(2, .seconds(40) ... .seconds(80))
            #expect(run(scenario, Self.channel, seed: seed).violation == nil, "an outage, seed \(seed)")
            scenario.disturbances = Disturbances(absences: .init(2, .seconds(300) ... .seconds(600)))
            #expect(run(scenario, Self.channel, seed: seed).violation == nil, "an absence, seed \(seed)")
        }
    }
}
