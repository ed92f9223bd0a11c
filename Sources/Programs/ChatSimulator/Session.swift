import ChatCodec
import ChatSimulation
import ChatTool

/// What one call of the program does.
struct Session: Sendable {
    let options: Options
    /// The composition's name as it was given.
    let suite: String
    let composition: Composition
    let settings: [Setting]
    private let begin = ContinuousClock.now

    init(options: Options, suite: String, composition: Composition, settings: [Setting]) {
        (self.options, self.suite, self.composition, self.settings) = (options, suite, composition, settings)
    }

    /// A scenario with the numbers that were asked for.
    static func set(_ settings: [Setting], in scenario: Scenario) -> Scenario {
        var scenario = scenario
        for setting in settings { scenario[setting.knob] = setting.position }
        return scenario
    }

    private var isInTime: Bool { ContinuousClock.now - begin < options[SimOptions.time] }

    /// One run; whether something did not hold.
    func single(_ scenario: Scenario, seed: UInt64) -> Bool {
        let scenario = Self.set(settings, in: scenario.forSeed(seed))
        let view = options[SimOptions.show]
        let trace = [.timeline, .mermaid, .svg].contains(view) ? Trace() : nil
        var run = Simulation(scenario, composition, seed: seed, trace: trace)
        let meter = Meter()
        var last = begin
        run.run { run in
            let now = ContinuousClock.now
            if options[SimOptions.progress], now - last > .seconds(1) {
                last = now
                Terminal.complain(
                    "at \(run.time): \(run.tally.heard) heard, \(run.ledger.outstanding) to come, "
                        + "\(run.tally.deliveries) deliveries")
            }
            return isInTime
        }
        let outcome = Outcome(run)
        let measured = meter.read(run.tally)
        switch view {
        case .summary where !options[SimOptions.json]: Terminal.print("\(outcome.description)\n\(measured.text)")
        case .numbers where !options[SimOptions.json]: Terminal.print(outcome.json.description)
        case .timeline:
            let lines = Trace.lines(run.trace?.entries ?? [])
            for line in lines.prefix(options[SimOptions.entries]) { Terminal.print(line) }
        case .mermaid: Terminal.print(diagram(run).mermaid)
        case .svg: Terminal.print(diagram(run).svg)
        case .summary, .numbers: break
        }
        if options[SimOptions.json] { Terminal.print(json(outcome, measured)) }
        guard let violation = run.violation else { return false }
        explain(run, violation)
        return true
    }

    private func diagram(_ run: Simulation) -> SequenceDiagram {
        SequenceDiagram(
            run.trace?.entries ?? [], title: "\(run.scenario.name) with \(composition.name), seed \(run.seed)",
            atMost: options[SimOptions.entries])
    }

    private func json(_ outcome: Outcome, _ measured: Meter.Reading?) -> String {
        guard case .object(var object) = outcome.json else { return "" }
        if let measured { object["measured"] = measured.json }
        return JSON.object(object).description
    }

    /// Every scenario with every seed; whether something did not hold.
    func campaign(_ scenarios: [Scenario], seeds: Range<UInt64>) async -> Bool {
        var campaign = Campaign(scenarios, seeds: seeds, composition, jobs: options[SimOptions.jobs])
        campaign.adjust = { [settings] in Self.set(settings, in: $0) }
        campaign.goesOn = { isInTime }
        let meter = Meter()
        var (done, failure, deliveries, contents, last) = (0, Outcome?.none, 0, 0, begin)
        await campaign.run { outcome in
            done += 1
            deliveries += outcome.tally.deliveries
            contents += outcome.tally.contents
            if options[SimOptions.json] { Terminal.print(json(outcome, nil)) }
            let now = ContinuousClock.now
            if options[SimOptions.progress], now - last > .seconds(2) {
                last = now
                Terminal.complain("\(done) of \(campaign.count) runs, \(contents) contents, \(deliveries) deliveries")
            }
            if outcome.violation != nil { failure = outcome }
            return failure == nil
        }
        let seconds = Meter.seconds(ContinuousClock.now - begin)
        Terminal.complain(
            "\(done) of \(campaign.count) runs in \(seconds) s: \(contents) contents, \(deliveries) deliveries, "
                + "\(meter.peakMemory >> 20) MiB; " + (failure == nil ? "everything held" : "something did not hold"))
        guard let failure, let scenario = scenarios.first(where: { $0.name == failure.scenario }) else {
            // Running out of time is no success.
            return done < campaign.count
        }
        var run = Simulation(
            Self.set(settings, in: scenario.forSeed(failure.seed)), composition, seed: failure.seed)
        run.run()
        if let violation = run.violation { explain(run, violation) }
        return true
    }

    /// Says what did not hold, how little is needed for it, and how to see it again.
    private func explain(_ run: Simulation, _ violation: Violation) {
        Terminal.complain("\nseed \(run.seed): \(violation)")
        var shrinker = Shrinker(run, violation)
        let end = ContinuousClock.now + options[SimOptions.shrink]
        shrinker.shrink { ContinuousClock.now < end }
        var small = Simulation(shrinker.scenario, composition, seed: run.seed, trace: Trace())
        small.run()
        guard let trace = small.trace, let least = small.violation else { return }
        let entries = trace.entries(about: least)
        Terminal.complain("\na small run that fails in the same way: \(least)")
        let (shown, lines) = (options[SimOptions.entries], Trace.lines(entries))
        if lines.count > shown { Terminal.complain("(\(lines.count - shown) earlier lines are not shown)") }
        for line in lines.suffix(shown) { Terminal.complain(line) }
        showDivergence(trace, shrinker, seed: run.seed)
        Terminal.complain("\nsee it again: " + replay(run, shrinker.turned))
    }

    /// Says where the run first does something else than its nearest neighbour, which holds.
    private func showDivergence(_ trace: Trace, _ shrinker: Shrinker, seed: UInt64) {
        guard let neighbour = shrinker.neighbour else { return }
        var scenario = shrinker.scenario
        scenario[neighbour.knob] = neighbour.position
        var other = Simulation(scenario, composition, seed: seed, trace: Trace())
        other.run { _ in isInTime }
        guard other.violation == nil, let good = other.trace, let (bad, fine) = Trace.divergence(trace, good) else {
            return
        }
        Terminal.complain(
            """

            with \(Setting.text(neighbour.knob, neighbour.position)) it holds; the two runs differ first here:
              fails  \(bad.map { "\($0)" } ?? "has ended")
              holds  \(fine.map { "\($0)" } ?? "has ended")
            """)
    }

    private func replay(_ run: Simulation, _ turned: [ScenarioParameter: Double]) -> String {
        var positions = turned
        for setting in settings where positions[setting.knob] == nil { positions[setting.knob] = setting.position }
        let set = positions.sorted { $0.key.rawValue < $1.key.rawValue }.map { " --set \(Setting.text($0, $1))" }
        return "chat-sim --suite \(suite) --scenario \(run.plan.name) --seed \(run.seed)"
            + set.joined() + " --show timeline"
    }
}
