import TestSupport
import Testing

@testable import ChatSimulator

/// Published systems in worlds of their own: what `chat-sim --system` runs.
@Suite(.timeLimit(.minutes(30))) struct SystemTests {
    private func total(_ system: SimulatedSystem, _ seeds: Range<UInt64>) -> SystemDiary {
        var total = SystemDiary()
        for seed in seeds {
            let outcome = system.run(seed: seed)
            #expect(outcome.problem == nil, "\(outcome.description)")
            total.add(outcome.diary)
        }
        return total
    }

    @Test func `cores agree after loss, lost links, crashes and cancels, and nothing is lost or done twice (AC-37)`() {
        let total = total(.agentChat, Seeds.all(100))
        guard !Seeds.isQuick else { return }
        let wanted = [
            "lost", "cut", "crash person", "crash agent", "completed", "cancelled", "failed", "asked", "injected",
            "approved", "split", "deltas", "snapshots",
        ]
        for what in wanted { #expect(total.counts[what, default: 0] >= 3, "\(what): \(total.text)") }
    }

    @Test func `at least once to each step, never again to one that stores what it was done with (PS-14)`() {
        let total = total(.packetStream, Seeds.all(90))
        guard !Seeds.isQuick else { return }
        for what in ["connections", "restarts of the hub", "restarts of steps", "delivered"] {
            #expect(total.counts[what, default: 0] > 20, "\(what): \(total.text)")
        }
    }

    @Test(arguments: SimulatedSystem.allCases) func `the same seed gives the same run (SIM-1)`(system: SimulatedSystem)
    {
        let (one, other) = (system.run(seed: 5, isTraced: true), system.run(seed: 5, isTraced: true))
        #expect(one.diary.entries == other.diary.entries && !one.diary.entries.isEmpty)
        #expect(one.diary.entries != system.run(seed: 6, isTraced: true).diary.entries)
        #expect(system.run(seed: 5).diary.entries.isEmpty)
    }
}
