import ChatClient
import ChatModel
import ChatSimulation
import Foundation
import Testing

@Suite struct RunTests {
    /// What toys never promised: to give up, and to tell.
    private static let tooMuch = ["deaf", "shelved", "restored", "reused", "stricter", "worlds", "mix"]

    @Test(arguments: Scenario.catalogue.filter { $0.peers <= 60 && !tooMuch.contains($0.name) })
    func `everything that toys claim holds in every small scenario`(scenario: Scenario) {
        for seed in UInt64(0)..<3 { #expect(run(scenario, toys(), seed: seed).violation == nil) }
    }

    @Test(arguments: Scenario.catalogue.filter { $0.peers <= 10 })
    func `everything that types without recovery claim holds in every small scenario`(scenario: Scenario) {
        #expect(run(scenario, plain, seed: 1).violation == nil)
        #expect(run(scenario, libchat, seed: 2).violation == nil)
    }

    @Test(arguments: Scenario.catalogue.filter { $0.peers <= 10 })
    func `everything that reliable types claim holds in every small scenario`(scenario: Scenario) {
        let run = run(scenario, plainReliable, seed: 3)
        #expect(run.violation == nil)
        #expect(run.scenario.mayFail || run.tally.heard == run.tally.contents)
        #expect(run.checks.contains("equal logs"))
    }

    @Test(arguments: [Scenario.mixed, .restarts])
    func `a type with parameters is simulated like any other (TYPE-1)`(scenario: Scenario) throws {
        let run = run(scenario, try parameterised(), seed: 4)
        #expect(run.violation == nil)
        #expect(run.tally.heard == run.tally.contents && run.checks.contains("equal logs"))
    }

    @Test(arguments: Scenario.catalogue.filter { $0.peers <= 10 })
    func `everything holds under identifiers that ratchet, in every small scenario (RPIV1-10)`(scenario: Scenario) {
        for seed in UInt64(4)..<7 {
            let reliable = run(scenario, identified, seed: seed)
            #expect(reliable.violation == nil)
            #expect(reliable.scenario.mayFail || reliable.tally.heard == reliable.tally.contents)
        }
        #expect(run(scenario, identifiedRatchet, seed: 7).violation == nil)
    }

    /// What made a framing that believed the contract lose 50 of 164 contents: chain numbers in place of sequences.
    @Test(arguments: UInt64(0)..<4) func `nothing is lost on a good network under identifiers (RPIV1-7)`(seed: UInt64) {
        var scenario = Scenario.calm
        scenario.traffic = Traffic(contents: 164, over: .seconds(60))
        let run = run(scenario, identifiedRatchet, seed: seed)
        #expect(run.violation == nil)
        #expect(run.tally.heard == run.tally.contents && run.tally.contents > 164)
    }

    @Test func `the same seed is the same run, and another seed is another one`() {
        let digests = [7, 7, 8].map { run(.mixed, libchat, seed: $0).tally.digest }
        #expect(digests[0] == digests[1] && digests[0] != digests[2])
    }

    /// Sets and dictionaries have another order in every process; a run must not.
    @Test(.timeLimit(.minutes(30))) func `the same seed is the same run in another process`() async {
        let expected = Self.combinedDigest
        await #expect(processExitsWith: .exitCode(Int32(expected % 200))) {
            exit(Int32(RunTests.combinedDigest % 200))
        }
    }

    static var combinedDigest: UInt64 {
        var digest: UInt64 = 0
        for seed in UInt64(0)..<6 {
            digest ^= run(.mixed, toys(), seed: seed).tally.digest
            digest ^= run(.mixed, libchat, seed: seed).tally.digest
        }
        return digest
    }

    @Test func `a thousand peers talk at once`() {
        var scenario = Scenario.city
        (scenario.peers, scenario.traffic.contents) = (1_000, 1_000)
        let run = run(scenario, toys())
        #expect(run.violation == nil)
        #expect(run.tally.contents == 2_000 && run.tally.heard == 2_000)
    }

    @Test func `processes end at every point of a step, and nothing is lost or said twice`() {
        var (scenario, points) = (Scenario.restarts, Set<String>())
        scenario.disturbances.crashes.count = 60
        for seed in UInt64(0)..<4 {
            let run = run(scenario, toys(), seed: seed, trace: true)
            #expect(run.violation == nil)
            for entry in run.trace?.entries ?? [] {
                if case .crashed(let point) = entry.kind { points.insert(point) }
            }
        }
        #expect(points == Set(CrashPoint.allCases.map(\.rawValue)))
    }

    @Test func `what was retained for hours arrives, also of types that recover nothing (DS-11)`() {
        let run = run(.offline, plain, seed: 3)
        #expect(run.violation == nil && run.checks.contains("nothing lost"))
        #expect(run.tally.delays.quantile(1).seconds > 600, "somebody was away")
        #expect(run.tally.heard == run.tally.contents)
    }

    @Test func `a slow line takes its time`() {
        var scenario = Scenario.calm
        scenario.traffic.size = 1_000...1_000
        scenario.network = Network(bandwidth: 1_000)
        let slow = run(scenario, plain).tally.delays.quantile(0.1)
        #expect(slow.seconds >= 2, "a second to send 1,000 bytes and a second to receive them")
    }

    @Test func `a quota holds back what is too much, and it arrives later (DS-10)`() {
        var scenario = Scenario.calm
        scenario.traffic = Traffic(contents: 40, over: .seconds(2))
        scenario.service = Service(.init(maximumPayload: 1_000, rate: .init(payloads: 2, epoch: .seconds(10))))
        let run = run(scenario, plain)
        #expect(run.violation == nil && run.tally.rejected > 0)
        #expect(run.tally.lastHeard.seconds > 80, "20 payloads of each peer at 2 in 10 s")
    }

    @Test func `clocks that are a day wrong disturb nobody (CORE-13)`() {
        for seed in UInt64(0)..<3 { #expect(run(.skewed, toys(), seed: seed).violation == nil) }
    }

    @Test func `a full mailbox loses what nobody retains and delays what is retained`() {
        var scenario = Scenario.slow
        scenario.service.mailbox = 2
        var composition = plain
        composition.limits.waitingEvents = 4
        let lossy = run(scenario, composition)
        #expect(lossy.violation == nil && !lossy.checks.contains("nothing lost"))
        #expect(lossy.tally.heard < lossy.tally.contents)
        scenario.service.limits = Service.retaining.limits
        let retained = run(scenario, composition)
        #expect(retained.violation == nil && retained.checks.contains("nothing lost"))
        #expect(retained.tally.heard == retained.tally.contents)
    }

    @Test func `a run that does not end is stopped`() {
        var scenario = Scenario.calm
        scenario.bounds.occurrences = 50
        #expect(run(scenario, toys()).violation?.invariant == "an end")
        var stopped = Simulation(.crowd, toys(), seed: 1)
        stopped.run { _ in false }
        #expect(stopped.violation?.invariant == "an end")
    }

    @Test func `a composition that needs what a scenario does not offer is told so`() {
        let retaining = Composition("needs", conversations: [NeedsRetention.type], framing: plain.framing) {
            peer, _ in ToyInvites(peer: peer)
        }
        #expect(retaining.unmet(by: .lossy) == [.offlineRetrieval])
        #expect(retaining.unmet(by: .offline).isEmpty)
    }
}

private struct NeedsRetention: SimpleConversation {
    static let facts = Facts(name: "needs-retention", summary: "nothing", needs: [.offlineRetrieval])
    var id: ConversationID { ConversationID("1") }
    var listening: [Listening] { [] }
    init(_ seed: ConversationSeed, in step: inout Step) throws(Refusal) {}
    init(restoring records: [Record]) throws(Refusal) {}
    func perform(_ action: Action, as id: ContentID, in step: inout Step) throws(Refusal) {}
    func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {}
}
