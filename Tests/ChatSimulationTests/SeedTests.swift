import ChatSimulation
import Synchronization
import Testing

/// The mixed scenario with many seeds: 500 in all, and 20,000 of each composition in `make soak`.
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

    @Test func `everything holds for 200 seeds of a type that recovers from loss`() async {
        await campaign(toys(), 0..<200)
    }

    @Test func `everything holds for 150 seeds of the plain type`() async {
        await campaign(plain, 200..<350)
    }

    @Test func `everything holds for 150 seeds of the libchat profile`() async {
        await campaign(libchat, 350..<500)
    }
}
