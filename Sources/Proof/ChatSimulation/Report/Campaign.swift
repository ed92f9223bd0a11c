/// Many runs: scenarios with seeds, several at a time.
public struct Campaign: Sendable {
    /// What is run; a mixed scenario is another one for each seed.
    public var scenarios: [Scenario]
    /// With which seeds each.
    public var seeds: Range<UInt64>
    /// What runs in the peers.
    public var composition: Composition
    /// How many runs go on at once.
    public var jobs: Int
    /// Changes a scenario before it is run, after it was drawn from its seed.
    public var adjust: @Sendable (Scenario) -> Scenario = { $0 }
    /// Asked now and then by every run; false ends it and all that have not begun.
    public var goesOn: @Sendable () -> Bool = { true }

    /// Plans runs.
    public init(_ scenarios: [Scenario], seeds: Range<UInt64>, _ composition: Composition, jobs: Int = 1) {
        (self.scenarios, self.seeds, self.composition, self.jobs) = (scenarios, seeds, composition, jobs)
    }

    /// How many runs there are.
    public var count: Int { scenarios.count * seeds.count }

    /// Carries out the runs.
    ///
    /// - Parameter report: called with each outcome, in the order in which runs end; false begins no more.
    public func run(report: (Outcome) async -> Bool) async {
        await withTaskGroup(of: Outcome?.self) { group in
            var next = 0
            func begin() {
                guard next < count else { return }
                let (scenario, seed) = run(next)
                next += 1
                group.addTask { one(scenario, seed) }
            }
            for _ in 0..<max(1, jobs) { begin() }
            while let outcome = await group.next() {
                guard let outcome, await report(outcome), goesOn() else {
                    next = count
                    continue
                }
                begin()
            }
        }
    }

    /// Seeds go on before scenarios do, so that a campaign that ends early has seen all scenarios.
    private func run(_ number: Int) -> (Scenario, UInt64) {
        let seed = seeds.lowerBound + UInt64(number / scenarios.count)
        return (adjust(scenarios[number % scenarios.count].forSeed(seed)), seed)
    }

    @Sendable private func one(_ scenario: Scenario, _ seed: UInt64) -> Outcome? {
        guard goesOn() else { return nil }
        var run = Simulation(scenario, composition, seed: seed)
        run.run { _ in goesOn() }
        // A run that was stopped has found nothing.
        return goesOn() || run.violation == nil ? Outcome(run) : nil
    }
}
