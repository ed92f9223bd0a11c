import ChatCodec
import ChatTool

/// What one call of the program does with a published system.
struct SystemSession: Sendable {
    let system: SimulatedSystem
    let options: Options
    private let begin = ContinuousClock.now

    init(_ system: SimulatedSystem, options: Options) throws(SimulatorProgram.UsageError) {
        (self.system, self.options) = (system, options)
        guard options.all(SimOptions.scenario).isEmpty, options.all(SimOptions.set).compactMap(\.self).isEmpty else {
            throw SimulatorProgram.UsageError(text: "scenarios and their numbers are not for --system")
        }
        guard ![.mermaid, .svg].contains(options[SimOptions.show]) else {
            throw SimulatorProgram.UsageError(text: "no diagram is drawn of a system")
        }
    }

    /// Whether something did not hold.
    func run() async -> Bool {
        guard let seeds = options[SimOptions.seeds] else {
            return single(options[SimOptions.seed].range.lowerBound)
        }
        return await campaign(seeds.range)
    }

    private var isInTime: Bool { ContinuousClock.now - begin < options[SimOptions.time] }

    private func single(_ seed: UInt64) -> Bool {
        let view = options[SimOptions.show]
        let outcome = system.run(seed: seed, isTraced: view == .timeline)
        switch view {
        case .timeline:
            for entry in outcome.diary.entries.prefix(options[SimOptions.entries]) { Terminal.print(entry) }
        case .numbers where !options[SimOptions.json]: Terminal.print(outcome.json.description)
        default: if !options[SimOptions.json] { Terminal.print(outcome.description) }
        }
        if options[SimOptions.json] { Terminal.print(outcome.json.description) }
        if outcome.problem != nil { explain(outcome) }
        return outcome.problem != nil
    }

    private func campaign(_ seeds: Range<UInt64>) async -> Bool {
        var (next, done, last) = (seeds.lowerBound, 0, begin)
        var failure: SystemOutcome?
        var total = SystemDiary()
        await withTaskGroup(of: SystemOutcome.self) { group in
            func start() {
                guard next < seeds.upperBound, failure == nil, isInTime else { return }
                let seed = next
                next += 1
                group.addTask { system.run(seed: seed) }
            }
            for _ in 0..<options[SimOptions.jobs] { start() }
            while let outcome = await group.next() {
                done += 1
                total.add(outcome.diary)
                if options[SimOptions.json] { Terminal.print(outcome.json.description) }
                if outcome.problem != nil, outcome.seed < failure?.seed ?? .max { failure = outcome }
                let now = ContinuousClock.now
                if options[SimOptions.progress], now - last > .seconds(2) {
                    last = now
                    Terminal.complain("\(done) of \(seeds.count) runs: \(total.text)")
                }
                start()
            }
        }
        let seconds = Meter.seconds(ContinuousClock.now - begin)
        Terminal.complain(
            "\(done) of \(seeds.count) runs in \(seconds) s: \(total.text); "
                + (failure == nil ? "everything held" : "something did not hold"))
        // Running out of time is no success.
        guard let failure else { return done < seeds.count }
        explain(failure)
        return true
    }

    /// Says what did not hold, in how short a run it fails as well, and how to see it again.
    private func explain(_ failure: SystemOutcome) {
        Terminal.complain("\nseed \(failure.seed): \(failure.problem ?? "")")
        let end = ContinuousClock.now + options[SimOptions.shrink]
        let lengths = 1..<max(2, failure.length)
        var least = failure
        for length in lengths where least.length == failure.length && ContinuousClock.now < end {
            let shorter = system.run(seed: failure.seed, length: length)
            if shorter.problem != nil { least = shorter }
        }
        let traced = system.run(seed: failure.seed, length: least.length, isTraced: true)
        if least.length < failure.length {
            Terminal.complain("\na run of length \(least.length) that fails: \(least.problem ?? "")")
        }
        for entry in traced.diary.entries.suffix(options[SimOptions.entries]) { Terminal.complain(entry) }
        Terminal.complain(
            "\nsee it again: chat-sim --system \(system.rawValue) --seed \(failure.seed) --show timeline")
    }
}
