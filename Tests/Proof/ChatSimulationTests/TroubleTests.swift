import ChatModel
import Testing

@testable import ChatSimulation

/// One thing that can go wrong, and how a run shows that it went wrong.
private struct Trouble: Sendable {
    let name: String
    /// Puts it into a scenario in which nothing goes wrong.
    let change: @Sendable (inout Scenario) -> Void
    /// Whether a run shows it.
    let bites: @Sendable (Simulation) -> Bool

    init(
        _ name: String, _ bites: @escaping @Sendable (Simulation) -> Bool,
        _ change: @escaping @Sendable (inout Scenario) -> Void
    ) {
        (self.name, self.change, self.bites) = (name, change, bites)
    }

    static let all: [Trouble] = [
        Trouble("loss", { $0.lost("lost") > 5 }) { $0.network.link.loss = 0.3 },
        Trouble(
            "duplication",
            { $0.tally.duplicated > 5 && $0.tally.deliveries == $0.tally.published + $0.tally.duplicated }
        ) {
            $0.network.link.duplication = 0.3
        },
        Trouble("reordering", { $0.tally.heldBack > 5 && $0.overtaken > 5 }) {
            $0.network.link.reordering = 0.3
            $0.traffic.burst = 1...8
        },
        Trouble("corruption", { $0.tally.corrupted > 5 && $0.tally.refusedPayloads > 5 }) {
            $0.network.link.corruption = 0.3
        },
        Trouble("exceptions", { $0.lost("lost") > 5 && $0.losers == [0] }) {
            $0.network.exceptions = [.init(from: 0..<1, to: 0..<9, Network.Link(loss: 0.5))]
        },
        Trouble("rejection", { $0.tally.rejected > 5 && $0.tally.heard == $0.tally.contents }) {
            $0.service.rejection = 0.3
        },
        Trouble("echoes", { $0.tally.deliveries == 2 * $0.tally.published }) { $0.service.echoes = true },
        Trouble("crashes", { $0.tally.crashes == 3 && $0.count("starts again") == 3 }) {
            $0.disturbances.crashes = .init(3, .seconds(1) ... .seconds(2))
        },
        Trouble(
            "absences",
            {
                $0.lost("away") + $0.tally.rejected > 0
                    && $0.isSilent(after: "loses its link", until: "has its link again")
            }
        ) {
            $0.disturbances.absences = .init(3, .seconds(10) ... .seconds(20))
        },
        Trouble("partitions", { $0.lost("partitioned") > 0 }) {
            $0.disturbances.partitions = .init(6, .seconds(10) ... .seconds(20))
        },
        Trouble("partitions where the service retains", { $0.count("loses its link") > 0 && $0.tally.rejected > 0 }) {
            $0.service = .retaining
            $0.disturbances.partitions = .init(6, .seconds(10) ... .seconds(20))
        },
        Trouble("pauses", { $0.count("stops reading events") == 2 && $0.tally.delays.quantile(1).seconds > 5 }) {
            $0.disturbances.pauses = .init(2, .seconds(20) ... .seconds(30))
        },
        Trouble("full mailboxes", { $0.lost("mailbox full") > 0 }) {
            $0.service.mailbox = 1
            $0.traffic.burst = 8...8
        },
        Trouble("outages", { $0.lost("outage") > 0 && $0.deafWays.count == 1 }) {
            $0.disturbances.outages = .init(1, .seconds(20) ... .seconds(30))
        },
        Trouble("devices that are off", { $0.tally.crashes == 1 && $0.longestDown.seconds >= 86_400 }) {
            $0.disturbances.offs = .init(1, .seconds(86_400) ... .seconds(2 * 86_400))
        },
        Trouble("old copies", { $0.ledger.rolledBack.count == 1 && $0.heardAgain > 0 }) {
            // Who was set back reads once more what the service still has.
            $0.service = .retaining
            $0.disturbances.rollbacks = .init(1, .seconds(20) ... .seconds(30))
        },
        Trouble("a stricter relay", { $0.count("is connected to another relay") == 2 && $0.count("is refused: ") > 0 })
        {
            $0.disturbances.replacements = .init(1, .zero ... .zero)
            $0.traffic.size = 10_000...20_000
        },
        Trouble("an intruder", { $0.tally.intruded > 5 && $0.tally.refusedPayloads > 5 }) {
            $0.disturbances.intrusions = .init(2, .seconds(60) ... .seconds(60))
            $0.traffic.contents = 100
        },
        Trouble("a link used again", { $0.ledger.threads.count == 2 && $0.ledger.threads.contains(where: \.isRefused) })
        {
            $0.reusedLinks = 1
        },
        Trouble("a service that keeps too little", { $0.tally.gone > 0 }) {
            $0.service.limits = Service.retaining.limits.with(age: .seconds(1))
            $0.disturbances.absences = .init(3, .seconds(20) ... .seconds(30))
        },
    ]
}

extension Simulation {
    fileprivate var entries: [Trace.Entry] { trace?.entries ?? [] }

    fileprivate func count(_ words: String) -> Int { entries.filter { $0.words.contains(words) }.count }

    fileprivate func lost(_ why: String) -> Int {
        entries.filter { if case .lost(_, _, why) = $0.kind { true } else { false } }.count
    }

    /// How often an application heard what it had heard before.
    fileprivate var heardAgain: Int { entries.count { if case .heard(again: true) = $0.kind { true } else { false } } }

    /// Who sent what got lost on the way.
    fileprivate var losers: Set<Int> {
        Set(entries.compactMap { if case .lost(_, _, "lost") = $0.kind { $0.peer } else { nil } })
    }

    /// Ways on which an outage lost something.
    fileprivate var deafWays: Set<[Int]> {
        Set(entries.compactMap { if case .lost(_, let to, "outage") = $0.kind { [$0.peer, to] } else { nil } })
    }

    /// Payloads that came after one that was published later.
    fileprivate var overtaken: Int {
        var (last, count): ([[Int]: UInt32], Int) = ([:], 0)
        for entry in entries {
            guard case .received(let serial, let from) = entry.kind else { continue }
            let way = [from, entry.peer]
            if serial < last[way, default: 0] { count += 1 }
            last[way] = max(serial, last[way, default: 0])
        }
        return count
    }

    /// Whether a peer receives nothing between two things that happen to it.
    fileprivate func isSilent(after begin: String, until end: String) -> Bool {
        var silent: Set<Int> = []
        for entry in entries {
            if entry.words == begin { silent.insert(entry.peer) }
            if entry.words == end { silent.remove(entry.peer) }
            if case .received = entry.kind, silent.contains(entry.peer) { return false }
        }
        return true
    }

    /// The longest time from a crash to the start after it.
    fileprivate var longestDown: VirtualTime {
        var (ended, longest): ([Int: VirtualTime], VirtualTime) = ([:], .zero)
        for entry in entries {
            if case .crashed = entry.kind { ended[entry.peer] = entry.time }
            if case .restarted = entry.kind, let end = ended[entry.peer] {
                longest = max(longest, entry.time.since(end))
            }
        }
        return longest
    }
}

extension Scenario {
    /// Whether something of it lasts longer than any timer, or is such a world in another way.
    fileprivate var lasts: Bool {
        let knobs: [ScenarioParameter] = [.outages, .offs, .jumps, .rollbacks, .replacements, .intrusions, .links]
        return knobs.contains { self[$0] > 0 } || service.limits.retention.map { $0.age < .seconds(120) } ?? false
    }
}

/// Nothing that is to go wrong is a word alone (SIM-6).
@Suite(.timeLimit(.minutes(30))) struct TroubleTests {
    private static let calm: Scenario = {
        var scenario = Scenario.calm
        (scenario.traffic.contents, scenario.idling, scenario.mayFail) = (60, .zero, true)
        scenario.network.link.latency = .uniform(.milliseconds(5) ... .milliseconds(10))
        return scenario
    }()

    @Test(arguments: Trouble.all.map(\.name))
    func `each trouble shows in a run, and only there`(name: String) throws {
        let trouble = try #require(Trouble.all.first { $0.name == name })
        let isSingleUse = name == "a link used again"
        let composition = isSingleUse ? toys() : libchat
        var troubled = Self.calm
        trouble.change(&troubled)
        // What happens to an application or a peer alone may not be noticed with every seed.
        let found = (UInt64(1)..<6).contains { trouble.bites(run(troubled, composition, seed: $0, trace: true)) }
        #expect(found, "\(name) does nothing")
        #expect(!trouble.bites(run(Self.calm, composition, trace: true)), "\(name) shows where there is none")
    }

    @Test func `clocks that are wrong show another time to machines, and drift`() {
        /// Machines of the toy that tells the time hand on what their clock shows instead of the content.
        struct Clocks: Invariant {
            let name = "clocks are right"
            mutating func heard(_ hearing: Hearing, in ledger: Ledger) -> Finding? {
                let shown = hearing.received.content.array.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                let minutes = Int64(clamping: shown) / 60_000 - Int64(PeerClock.origin) / 60_000
                return abs(minutes) > 30 ? "\(minutes) minutes" : nil
            }
        }
        func finding(_ scenario: Scenario) -> String? {
            (UInt64(0)..<4).compactMap {
                run(scenario, toys(TellsTime.self), seed: $0, invariants: [Clocks()]).violation?.invariant
            }.first
        }
        var wrong = Scenario.calm
        #expect(finding(wrong) == nil)
        wrong.clockError = .seconds(86_400)
        #expect(finding(wrong) == "clocks are right")
        var jumping = Scenario.calm
        jumping.disturbances.jumps = .init(2, .seconds(7_200) ... .seconds(7_200))
        #expect(finding(jumping) == "clocks are right")

        var clock = PeerClock()
        let hour = VirtualTime(.seconds(3_600))
        #expect(clock.reading(at: hour).milliseconds == PeerClock.origin + 3_600_000)
        (clock.offset, clock.jumped, clock.drift) = (-5, 1_000, 200)
        #expect(clock.reading(at: hour).milliseconds == PeerClock.origin + 3_600_000 - 5 + 1_000 + 720)
        for milliseconds in [1, 999, 60_000, 86_400_000] as [UInt64] {
            let wanted = Timestamp(milliseconds: clock.reading(at: hour).milliseconds + milliseconds)
            let moment = clock.moment(of: wanted, from: hour)
            #expect(clock.reading(at: moment) >= wanted)
            let late = clock.reading(at: moment).milliseconds - wanted.milliseconds
            #expect(late <= 2 + milliseconds / 4_000, "the drift alone makes it later")
        }
    }

    @Test func `a device that is set back seals with keys that it used before`() {
        // Every run has to begin conversations before it copies anything.
        var scenario = Self.calm
        scenario.disturbances.rollbacks = .init(1, .seconds(20) ... .seconds(30))
        var composition = libchat
        composition.keyUses = { addressed in
            // The last bytes of an envelope are the ciphertext; what stands before them names key and number.
            let payload = addressed.payload
            return payload.count > 80 ? [KeyUse(key: payload.slice(30..<80), sealed: payload)] : []
        }
        let uses = (UInt64(1)..<9).map { seed in
            run(scenario, composition, seed: seed, invariants: [KeysUsedOnce(composition.keyUses ?? { _ in [] })])
        }
        #expect(!run(scenario, composition).checks.contains("no key twice"), "it is not asked of what is set back")
        #expect(uses.contains { $0.ledger.rolledBack.count == 1 })
    }

    @Test func `a campaign runs every scenario with every seed, and no two runs are alike`() async {
        var (seeds, digests, scenarios): ([UInt64], Set<UInt64>, [String]) = ([], [], [])
        await Campaign([.calm, .lossy], seeds: 3..<8, plain, jobs: 2).run { outcome in
            seeds.append(outcome.seed)
            digests.insert(outcome.tally.digest)
            scenarios.append(outcome.scenario)
            return true
        }
        #expect(seeds.sorted() == [3, 3, 4, 4, 5, 5, 6, 6, 7, 7])
        #expect(digests.count == 10 && scenarios.count { $0 == "lossy" } == 5)
        var stopped = 0
        await Campaign([.calm], seeds: 0..<50, plain).run { _ in
            stopped += 1
            return stopped < 3
        }
        #expect(stopped == 3)
    }

    @Test func `the mix draws every fault and every world, and calm ones too`() {
        let drawn = (UInt64(0)..<400).map { Scenario.drawnWorld(from: $0) }
        #expect(Set(drawn).count == 400, "no two seeds are the same scenario")
        let idle: Set<ScenarioParameter> = [.bandwidth, .exceptions, .quota]
        // Only where the composition has some.
        let never: Set<ScenarioParameter> = [.liars]
        for knob in ScenarioParameter.allCases
        where ![.peers, .contents, .seconds, .burst, .size, .latency, .settling, .healing].contains(knob) {
            let some = drawn.count { $0[knob] > 0 }
            #expect(never.contains(knob) == (some == 0), "\(knob)")
            guard some > 0 else { continue }
            #expect((4..<390).contains(some) || idle.contains(knob) && some > 4, "\(knob): \(some) of 400")
        }
        #expect(drawn.contains { $0.service.limits.retention.map { $0.age < .seconds(120) } ?? false })
        #expect(drawn.contains { $0.disturbances.longest > .seconds(10 * 86_400) })
        // A quarter of the mix is in such worlds, the rest in none.
        let mix = (UInt64(0)..<400).map { Scenario.mixed.forSeed($0) }
        #expect((60...140).contains(mix.count { $0.lasts }) && drawn.allSatisfy(\.lasts))
        #expect(mix.allSatisfy { $0.name == "mix" })
        let strict = drawn.count { !$0.mayFail }
        #expect(strict > 200, "being told is enough in \(400 - strict) of 400")
    }
}
