import ChatModel
import PacketStream
import TestSupport
import Testing

/// A hub between steps, under connections that break and processes that end.
struct HubSimulationTests {
    private static let line = ["step-0:step-1", "step-1:step-2", "step-0:step-2", "step-2:step-0"]

    private func settings(_ routes: [String], messages: Int = 12) -> HubSettings {
        var settings = HubSettings()
        settings.routes = routes.compactMap { HubSettings.Route($0) }
        settings.maximumMessages = messages
        return settings
    }

    @Test(.timeLimit(.minutes(10)), arguments: 0..<UInt64(60))
    func `PS-14: at least once to each step, never again to one that stores what it was done with`(
        _ seed: UInt64
    ) throws {
        let trouble = HubWorld.Trouble(breaks: 40, hubRestarts: 8, stepRestarts: 15, takeovers: 10)
        var world = HubWorld(seed: seed, steps: 3, settings(Self.line), trouble)
        try world.run(packets: 60)
        #expect(world.problems.isEmpty, "seed \(seed): \(world.problems.prefix(3))")
        #expect(world.breaks > 3)
    }

    @Test(.timeLimit(.minutes(10)), arguments: 0..<UInt64(30))
    func `PS-14: without trouble each packet is delivered once, through buffers that are often full`(
        _ seed: UInt64
    ) throws {
        var world = HubWorld(seed: seed, steps: 4, settings([], messages: 3), HubWorld.Trouble())
        try world.run(packets: 60)
        #expect(world.problems.isEmpty, "seed \(seed): \(world.problems.prefix(3))")
        #expect(world.delivered.count == 60)
        for (id, steps) in world.delivered {
            #expect(steps.count == 3 && steps.values.allSatisfy { $0 == 1 }, "\(id): \(steps)")
        }
    }
}
