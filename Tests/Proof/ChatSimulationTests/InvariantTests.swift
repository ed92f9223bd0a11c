import ChatFraming
import ChatModel
import ChatReliability
import Testing

@testable import ChatSimulation

/// Each invariant finds what it is there to find: a toy with the defect that it is about.
@Suite struct InvariantTests {
    /// Runs seeds until something does not hold.
    private func firstViolation<Defect: ToyDefect>(_ scenario: Scenario, _ defect: Defect.Type) -> Violation? {
        for seed in UInt64(0)..<20 {
            if let violation = run(scenario, toys(defect), seed: seed).violation { return violation }
        }
        return nil
    }

    @Test func `a type that never sends again loses something`() {
        let violation = firstViolation(.lossy, Forgets.self)
        #expect(violation?.invariant == "nothing lost")
        #expect(violation?.peers.count == 2 && violation?.thread != nil)
    }

    @Test func `a type that hands on repeats is found out`() {
        var scenario = Scenario.lossy
        scenario.network.link.duplication = 0.5
        #expect(firstViolation(scenario, Repeats.self)?.invariant == "nothing twice")
    }

    @Test func `a type that hands on what comes early is found out`() {
        var scenario = Scenario.lossy
        scenario.network.link.loss = 0.4
        scenario.traffic.burst = 1...10
        #expect(firstViolation(scenario, Hurries.self)?.invariant == "causal order")
    }

    @Test func `a type that goes on talking when nobody has anything to say is found out`() {
        #expect(firstViolation(.calm, Chatters.self)?.invariant == "quiet when idle")
    }

    @Test func `a type that reports as delivered what is only sent is found out`() {
        #expect(firstViolation(.lossy, Boasts.self)?.invariant == "honest status")
    }

    @Test func `a type that changes what it hands on is found out`() {
        #expect(firstViolation(.calm, Garbles.self)?.invariant == "nothing invented")
    }

    @Test func `a type that stores too late is found out by a crash`() {
        let violation = firstViolation(.restarts, StoresLate.self)
        #expect(["nothing lost", "nothing twice", "restart"].contains(violation?.invariant))
    }

    @Test func `a key that seals two contents is found out`() {
        var composition = toys()
        composition.keyUses = { addressed in
            let payload = addressed.payload
            // The toy's number as its key: the same for the first content of each side.
            return [KeyUse(key: payload.slice(payload.count - 1..<payload.count), sealed: payload)]
        }
        #expect(run(.calm, composition).violation?.invariant == "no key twice")
    }

    @Test func `logs that differ are found out, with the place at which they do`() {
        /// Whose turn it is to be asked.
        final class Turns: Sendable {
            let count = Lock(0)
            var isSecond: Bool {
                count.withLock {
                    $0 += 1; return $0 % 2 == 0
                }
            }
        }
        let turns = Turns()
        var composition = plainReliable
        composition.order = { conversation in
            guard let order = (conversation as? any StagedConversation)?.messageOrder else { return nil }
            return turns.isSecond ? order.dropLast() + ["other"] : order
        }
        let violation = run(.calm, composition).violation
        #expect(violation?.invariant == "equal logs")
        #expect(violation?.text.contains("they differ from number") == true && violation?.thread == 0)
    }

    @Test func `holding more than the bounds is found out, with numbers`() {
        var scenario = Scenario.busy
        scenario.bounds.outbox = 3
        let violation = run(scenario, toys()).violation
        #expect(violation?.invariant == "memory within bounds")
        #expect(violation?.text.contains("at most 3 are expected") == true)
    }

    @Test func `records that cannot be read again are found out`() {
        struct Forgetful: InitializationProtocol {
            private var toy = ToyInvites(peer: 0)
            init(peer: Int) { toy = ToyInvites(peer: peer) }
            var facts: Facts { toy.facts }
            var listening: [Listening] { toy.listening }
            func restore(_ records: [Record]) throws(Refusal) {
                guard records.isEmpty else { throw Refusal(.unsupported, ToyCause.malformed) }
            }
            func takeChanges() -> [Record] { toy.takeChanges() }
            mutating func introduce(_ count: Int, in step: inout Step) throws(Refusal) -> [IntroductionBundle] {
                try toy.introduce(count, in: &step)
            }
            mutating func begin(
                _ type: ConversationType, with bundle: IntroductionBundle, as contact: ContactID, in step: inout Step
            ) throws(Refusal) -> ConversationSeed? { try toy.begin(type, with: bundle, as: contact, in: &step) }
            mutating func invite(
                _ contact: ContactID, opening: Payload, for content: ContentID?, in step: inout Step
            ) throws(Refusal) { try toy.invite(contact, opening: opening, for: content, in: &step) }
            mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
                try toy.receive(routed, in: &step)
            }
        }
        let composition = Composition("forgetful", conversations: [ToyTalk<Sound>.type], framing: PlainFraming()) {
            peer, _ in Forgetful(peer: peer)
        }
        #expect(run(.restarts, composition).violation?.invariant == "restart")
    }

    @Test func `an invariant from outside is asked like ours`() {
        struct NoLongContents: Invariant {
            let name = "no long contents"
            mutating func heard(_ hearing: Hearing, in ledger: Ledger) -> Finding? {
                let count = hearing.received.content.count
                return count > 100 ? "a content of \(count) bytes" : nil
            }
        }
        let found = run(.calm, toys(), invariants: [NoLongContents()])
        #expect(found.violation?.invariant == "no long contents")
        #expect(found.checks == ["no long contents"])
    }

    @Test func `the tally tells how long the slowest content took to be heard after everything was mended`() throws {
        /// Computes the same from what was heard; the network is mended for good at the end of the last disturbance.
        struct Slowest: Invariant {
            let name = "slowest"
            mutating func concluded(_ ledger: Ledger, _ tally: Tally) -> Finding? {
                let slowest = ledger.contents.map {
                    $0.lastHeard.since(max($0.time, ledger.healed, ledger.threads[$0.thread].met))
                }
                return Finding("\(slowest.max() ?? .zero) and \(tally.healing)")
            }
        }
        for scenario in [Scenario.lossy, .offline] {
            let words = try #require(run(scenario, toys(), invariants: [Slowest()]).violation?.text)
            let times = words.split(separator: " and ")
            #expect(times[0] == times[1] && times[0] != "\(VirtualTime.zero)", "\(scenario.name): \(words)")
        }
    }

    @Test func `what is checked follows from what a composition claims and a scenario can do`() {
        #expect(run(.lossy, toys()).checks.contains("nothing lost"))
        #expect(!run(.lossy, plain).checks.contains("nothing lost"), "it does not claim to recover")
        #expect(run(.calm, plain).checks.contains("nothing lost"), "nothing can get lost")
        #expect(run(.offline, plain).checks.contains("nothing lost"), "the service keeps everything")
        #expect(!run(.calm, plain).checks.contains("causal order"))
        #expect(run(.storm, plain).tally.corrupted == 0, "it cannot notice that a payload was changed")
        #expect(run(.storm, libchat).tally.corrupted > 0)
    }
}
