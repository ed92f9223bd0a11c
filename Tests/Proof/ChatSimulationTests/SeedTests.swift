import ChatSimulation
import Testing

/// The mixed scenario with many seeds: 500 in all, and 20,000 of each reliable type in `make soak`.
@Suite struct SeedTests {
    private func campaign(_ composition: Composition, _ seeds: Range<UInt64>) async {
        var runs = 0
        await Campaign([.mixed], seeds: seeds, composition, jobs: 2).run { outcome in
            runs += 1
            #expect(outcome.violation == nil, "\(outcome.description)")
            return outcome.violation == nil
        }
        #expect(runs == seeds.count)
    }

    @Test func `everything holds for 240 seeds of the plain type made reliable`() async {
        await campaign(plainReliable, 0..<240)
    }

    @Test func `everything holds for 40 seeds of the reference type`() async {
        await campaign(reference, 240..<280)
    }

    @Test func `everything holds for 40 seeds of the reference type without a filter`() async {
        await campaign(compact, 280..<320)
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
    }
}
