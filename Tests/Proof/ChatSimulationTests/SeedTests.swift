import ChatSimulation
import Testing

/// The mixed scenario with many seeds: 500 of each reliable type, and 20,000 in `make soak`.
@Suite(.serialized, .timeLimit(.minutes(30))) struct SeedTests {
    /// - Parameter contents: how much is said at most, so that what is slow without optimization takes no longer.
    private func campaign(
        _ composition: Composition, _ seeds: Range<UInt64>, of scenario: Scenario = .mixed, contents: Int = .max
    ) async {
        var runs = 0
        var campaign = Campaign([scenario], seeds: seeds, composition, jobs: 2)
        campaign.adjust = { scenario in
            var smaller = scenario
            smaller.traffic.contents = min(scenario.traffic.contents, contents)
            return smaller
        }
        await campaign.run { outcome in
            runs += 1
            #expect(outcome.violation == nil, "\(outcome.description)")
            return outcome.violation == nil
        }
        #expect(runs == seeds.count)
    }

    @Test func `everything holds for 500 seeds of the plain type made reliable`() async {
        await campaign(plainReliable, 0..<500, contents: 30)
    }

    @Test func `everything holds for 500 seeds of the reference type`() async {
        await campaign(reference, 500..<1_000, contents: 10)
    }

    @Test func `everything holds for 500 seeds of the reference type without a filter`() async {
        await campaign(compact, 1_000..<1_500, contents: 10)
    }

    @Test func `everything holds for 90 seeds of the plain type`() async {
        await campaign(plain, 320..<410)
    }

    @Test func `everything holds for 90 seeds of the libchat profile`() async {
        await campaign(libchat, 410..<500)
    }

    @Test func `what was found once is found no more`() {
        #expect(run(.skewed, compact, seed: 1).violation == nil, "a restart lost the ends of the causal order")
        #expect(run(.mixed, plainReliable, seed: 554).violation == nil, "the same, with repeats")
        #expect(run(.worlds, plainReliable, seed: 68).violation == nil, "a copy was put back, and nobody could know")
        #expect(run(.worlds, plainReliable, seed: 91).violation == nil, "a copy was put back, and what was told before")
    }

    @Test(
        arguments: [
            // What the other side had given up was taken for delivered: by a clock that went slower than the other side's.
            559,
            // What a device forgot when it was set back was expected of what it said afterwards.
            764, 935, 1_186,
        ] as [UInt64])
    func `what was found in worlds that last is found no more`(seed: UInt64) {
        let found = run(.worlds, plainReliable, seed: seed)
        #expect(found.violation == nil)
        #expect(found.tally.healing < VirtualTime(.seconds(43_200)), "\(found.tally.healing)")
    }

    @Test func `what could not be sent again, and the other side gave up, is not told to be delivered`() {
        var scenario = Scenario.drawn(from: 39)
        scenario.disturbances.replacements = .init(1, .zero ... .zero)
        scenario.traffic.size = 8...16_000
        (scenario.mayFail, scenario.idling) = (true, .zero)
        for seed in UInt64(39)..<49 { #expect(run(scenario, plainReliable, seed: seed).violation == nil, "\(seed)") }
    }
}
