import ChatConversation
import ChatCrypto
import ChatFraming
import ChatInitialization
import ChatModel
import ChatPlatform
import ChatReliability
import ChatSimulation

/// The simulator at 1,000 peers with a fifth of the payloads lost: clients, conversations, network and invariants.
///
/// A row is one whole run, from making the peers to an hour of silence; processor time counts, so the rate is that of
/// one core. The reference type says less, because a content costs it more.
enum SimulationBench {
    static func run(_ plan: Bench.Plan) async throws {
        let plain = Composition(
            "open-invite/plain-reliable/plain", conversations: [Reliable<PlainConversation>.type],
            framing: PlainFraming()
        ) { _, _ in OpenInvite() }
        let reference = Composition(
            "inbox-v1/private-v1/envelope-v1", conversations: [PrivateV1.type], framing: EnvelopeV1()
        ) { _, random in
            let secret = random.secret(32, for: .secret)
            return try InboxV1(identity: KeyPair(secret: secret, publicKey: try X25519.publicKey(of: secret)))
        }
        for (name, composition, contents) in [
            ("simulation/plain-reliable/100000", plain, 100_000), ("simulation/private-v1/20000", reference, 20_000),
        ] {
            try await plan.row(name) { _ in try row(name, composition, contents) }
        }
    }

    private static func row(_ name: String, _ composition: Composition, _ contents: Int) throws -> Row {
        var scenario = Scenario.thousand
        // As many contents in a second of virtual time, whatever their number.
        (scenario.traffic.contents, scenario.traffic.time) = (contents, .milliseconds(10 * contents))
        var run = Simulation(scenario, composition, seed: 1)
        let start = processorTime()
        run.run()
        let seconds = (processorTime() - start) / .seconds(1)
        if let violation = run.violation { throw Failed(violation: violation) }
        var values: [Row.Value] = [
            .init("deliveries/s", Double(run.tally.deliveries) / seconds),
            .init("contents/s", Double(run.tally.contents) / seconds), .init("seconds", seconds, digits: 1),
        ]
        if let bytes = ThisProcess.residentMemory { values.append(.init("MiB", Double(bytes) / 1_048_576)) }
        return Row(name: name, values: values)
    }

    /// A number of a run in which something did not hold would say nothing.
    private struct Failed: Error {
        let violation: Violation
    }
}
