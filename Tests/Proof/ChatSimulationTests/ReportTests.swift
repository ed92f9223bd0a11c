import ChatCodec
@testable import ChatSimulation
import Testing

@Suite struct ReportTests {
    @Test func `a smaller run that fails in the same way is found, and everything that matters stays`() throws {
        var failed = run(.storm, toys(Forgets.self), seed: 1)
        let violation = try #require(failed.violation)
        var shrinker = Shrinker(failed, violation)
        shrinker.shrink { true }
        #expect(shrinker.scenario.peers == 2)
        #expect(shrinker.scenario.traffic.contents <= 10)
        #expect(shrinker.scenario.network.link.loss > 0, "without loss nothing fails")
        #expect(shrinker.scenario.network.link.duplication == 0)
        #expect(!shrinker.turned.isEmpty)
        failed = run(shrinker.scenario, toys(Forgets.self), seed: 1, trace: true)
        let least = try #require(failed.violation)
        #expect(least.invariant == violation.invariant)
        let entries = try #require(failed.trace?.entries(about: least))
        #expect(entries.contains { if case .lost = $0.kind { true } else { false } })
        // The knobs by name give the same run again.
        var replayed = Scenario.storm
        for (knob, position) in shrinker.turned { replayed[knob] = position }
        #expect(replayed == shrinker.scenario)
    }

    @Test func `a timeline says who did what when`() throws {
        let run = run(.calm, plain, trace: true)
        let lines = try #require(run.trace?.entries).map(\.description)
        #expect(lines.first { $0.contains("Saro") }?.contains("says content 0") == true)
        #expect(lines.contains { $0.contains("Saro      publishes #1, ") && $0.hasSuffix("bytes (content 0)") })
        #expect(lines.contains { $0.contains("Raya      receives #1 from Saro") })
        #expect(lines.contains { $0.contains("Raya      hears content 0") })
    }

    @Test func `a diagram for Mermaid has a column for each peer and an arrow for each payload`() throws {
        var scenario = Scenario.lossy
        (scenario.peers, scenario.traffic.contents) = (2, 10)
        let run = run(scenario, toys(), seed: 2, trace: true)
        let diagram = SequenceDiagram(try #require(run.trace?.entries), title: "lossy", atMost: 1_000)
        let lines = diagram.mermaid.split(separator: "\n").map(String.init)
        #expect(lines[..<4] == ["sequenceDiagram", "    title lossy", "    participant Saro", "    participant Raya"])
        #expect(lines.filter { $0.contains("->>") }.count == run.tally.deliveries)
        #expect(lines.filter { $0.contains("-x") }.count == run.tally.lost)
    }

    @Test func `a picture has every step, closes what it opens and escapes what it must`() throws {
        let run = run(.calm, toys(), trace: true)
        let diagram = SequenceDiagram(try #require(run.trace?.entries), title: "a < b & c", atMost: 20)
        let svg = diagram.svg
        #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>\n"))
        #expect(svg.contains("a &lt; b &amp; c") && !svg.contains("a < b"))
        let arrows = diagram.steps.filter { if case .arrow = $0 { true } else { false } }.count
        #expect(svg.split(separator: "class=\"arrow\"").count == arrows + 1)
        #expect(svg.split(separator: "<text").count - 1 == svg.split(separator: "</text>").count - 1)
    }

    @Test func `an outcome for programs says what was checked and what came of it`() throws {
        let good = try JSON(parsing: Outcome(run(.calm, plain)).json.description)
        #expect(good["ok"]?.bool == true && good["scenario"]?.text == "calm" && good["seed"]?.int == 1)
        #expect(good["tally"]?["contents"]?.int == 41 && good["tally"]?["heard"]?.int == 41)
        let bad = Outcome(run(.lossy, toys(Forgets.self))).json
        #expect(bad["ok"]?.bool == false && bad["violation"]?["invariant"]?.text == "nothing lost")
    }

    @Test func `what is repeated is one line, and the first difference of two runs is found`() throws {
        func entry(_ time: Int, _ kind: Trace.Kind, _ peer: Int = 0) -> Trace.Entry {
            .init(time: VirtualTime(microseconds: UInt64(time) * 1_000_000), peer: peer, kind: kind)
        }
        let entries =
            (1...5).map { entry($0, .received(UInt32($0), from: 1)) } + [entry(6, .alarm), entry(7, .alarm)]
            + [entry(8, .alarm, 1)]
        let lines = Trace.lines(entries)
        #expect(lines.count == 5)
        #expect(lines[1] == "      … 4 times more like it, until \(entries[4].time)")
        #expect(lines[2...] == ["\(entries[5])", "\(entries[6])", "\(entries[7])"])
        let (first, second) = (run(.calm, plain, trace: true), run(.lossy, plain, trace: true))
        let (one, other) = (try #require(first.trace), try #require(second.trace))
        #expect(Trace.divergence(one, one) == nil)
        let found = try #require(Trace.divergence(one, other))
        let place = try #require(zip(one.entries, other.entries).enumerated().first { $1.0 != $1.1 })
        #expect(found.0 == place.element.0 && found.1 == place.element.1)
    }

    @Test func `every knob can be turned and read`() {
        for knob in ScenarioParameter.allCases {
            var scenario = Scenario.storm
            if knob == .exceptions { scenario.network.exceptions = [.init(from: 0..<1, to: 1..<2, .init())] }
            scenario[knob] = knob == .exceptions ? 0 : 3
            let there: [ScenarioParameter: Double] = [.exceptions: 0, .echoes: 1, .size: 8]
            #expect(scenario[knob] == there[knob] ?? 3, "\(knob)")
            #expect(knob.range.contains(Scenario.storm[knob]), "\(knob)")
        }
    }

    @Test func `times of a histogram come out an eighth too large at most`() {
        var scenario = Scenario.calm
        scenario.network.link.latency = .constant(.milliseconds(100))
        let delays = run(scenario, plain).tally.delays
        // A millisecond for the receiver's step is on top.
        #expect((0.1...0.115).contains(delays.quantile(0.5).seconds))
        #expect(delays.quantile(0) <= delays.quantile(1))
    }
}
