import ChatModel
import ChatReliability
import TestSupport
import Testing

/// Everything arrives, whole, in causal order and once, and all logs agree, whatever the links do.
struct SDSProperties {
    static func settings(_ kind: Int) -> SDSSettings {
        var settings = SDSSettings()
        settings.repair?.shortest = .seconds(1)
        settings.repair?.longest = .seconds(10)
        switch kind {
        case 0: break
        case 1: (settings.filter, settings.acknowledgesAncestors) = (nil, true)
        default:
            (settings.filter, settings.repair, settings.acknowledgesAncestors) = (nil, nil, true)
            settings.historyLength = 4
        }
        return settings
    }

    @Test(arguments: 0..<3)
    func `everything arrives once, in causal order, and all logs agree (SDS-07, SDS-08)`(kind: Int) throws {
        for seed in Seeds.all(6) {
            var random = SplitMix64(seed: seed)
            // Without repair requests, an acknowledgement by one says nothing of the others.
            let count = kind == 2 ? 2 : 2 + random.below(4)
            let conditions = SDSNetwork.Conditions(
                loss: Double(random.below(41)) / 100, repeats: Double(random.below(30)) / 100,
                latency: 1...(10 + random.below(3_000)), restartEvery: seed % 3 == 0 ? 20 : 0)
            var network = try SDSNetwork(
                count, settings: Self.settings(kind), conditions: conditions, seed: seed &* 7 + 1)
            for number in 0..<40 {
                // Now and then somebody is away for a while.
                if number == 15 { network.offline = [0] }
                if number == 30 { network.comeBack(0) }
                let sender = random.below(count)
                try network.send(sender, "m\(number)-by-\(sender)")
                network.run(for: .milliseconds(random.below(2_000)))
            }
            network.run(for: .seconds(3_600))
            // By the text alone, what came late is acknowledged by filters only, and so never surely.
            network.expectComplete("kind \(kind), seed \(seed)", isAcknowledged: kind > 0)
        }
    }

    @Test func `a partition heals, and both sides come to one order`() throws {
        var network = try SDSNetwork(
            4, settings: Self.settings(1), conditions: .init(loss: 0.1), seed: 99)
        try network.send(0, "before")
        network.run(for: .seconds(60))
        network.offline = [2, 3]
        for number in 0..<10 { try network.send(number % 2, "left-\(number)") }
        network.run(for: .seconds(3_600))
        network.comeBack(2)
        network.comeBack(3)
        for number in 0..<10 { try network.send(2 + number % 2, "right-\(number)") }
        network.run(for: .seconds(3_600))
        network.expectComplete("partition")
    }
}
