import ChatModel

// A scenario that is another one for every seed.
extension Scenario {
    /// The name under which ``drawn(from:)`` is known.
    public static let mixed: Scenario = {
        var scenario = Scenario(
            "mix", "a small scenario drawn from the seed: any of all faults, up to 40 % loss, a quarter in worlds",
            Traffic(contents: 60, over: .seconds(120)))
        // An invite that gets lost again and again is sent for the last time after two days, and what depends on it
        // is given up after seven.
        scenario.settling = .seconds(8 * 86_400)
        return scenario
    }()

    /// The name under which ``drawnWorld(from:)`` is known.
    public static let worlds: Scenario = {
        var scenario = mixed
        scenario.name = "worlds"
        scenario.summary =
            "the mix, each in a world that lasts: outages, devices off, clocks that jump, old copies, strangers"
        return scenario
    }()

    /// This scenario for a seed: itself, unless it is ``mixed`` or ``worlds``.
    public func forSeed(_ seed: UInt64) -> Scenario {
        switch name {
        case Scenario.mixed.name: .drawnMix(from: seed)
        case Scenario.worlds.name: .drawnWorld(from: seed)
        default: self
        }
    }

    /// The share of the mix that is in a world that lasts.
    static let worldShare = 0.25

    /// What the mix is.
    static func drawnMix(from seed: UInt64) -> Scenario {
        var dice = Dice(seed: seed, stream: 6)
        guard dice.happens(worldShare) else { return drawn(from: seed) }
        var scenario = drawnWorld(from: seed)
        (scenario.name, scenario.summary) = (mixed.name, mixed.summary)
        return scenario
    }

    /// A small scenario with some faults, in a world that lasts.
    public static func drawnWorld(from seed: UInt64) -> Scenario {
        var (scenario, dice) = (drawn(from: seed), Dice(seed: seed, stream: 5))
        (scenario.name, scenario.summary) = (worlds.name, worlds.summary)
        World.drawn(&dice).change(&scenario, &dice)
        if dice.happens(0.2) { World.drawn(&dice).change(&scenario, &dice) }
        return scenario
    }

    /// A small scenario with some faults.
    public static func drawn(from seed: UInt64) -> Scenario {
        var dice = Dice(seed: seed, stream: 4)
        var scenario = mixed
        scenario.peers = 2 + dice.below(5)
        scenario.topology = [.pairs, .ring, .star, .random(1)][dice.below(4)]
        scenario.traffic = Traffic(
            contents: 10 + dice.below(50), over: .seconds(20 + dice.below(300)), size: 8...(64 << dice.below(5)),
            burst: 1...(1 + dice.below(6)))
        scenario.network = Network(dice.link(), bandwidth: dice.happens(0.2) ? 20_000 : nil)
        if dice.happens(0.2) {
            let from = dice.below(scenario.peers)
            scenario.network.exceptions = [.init(from: from..<from + 1, to: 0..<scenario.peers, dice.link())]
        }
        if dice.happens(0.4) { scenario.service = .retaining }
        scenario.service.echoes = dice.happens(0.3)
        scenario.service.rejection = dice.happens(0.2) ? 0.1 : 0
        if dice.happens(0.2) {
            scenario.service.limits = scenario.service.limits.with(rate: .init(payloads: 30, epoch: .seconds(3)))
        }
        scenario.disturbances = Disturbances(
            crashes: dice.episodes(5, .milliseconds(10) ... .seconds(30)),
            absences: dice.episodes(3, .seconds(1) ... .seconds(600)),
            partitions: dice.episodes(3, .seconds(1) ... .seconds(120)),
            pauses: dice.episodes(2, .seconds(1) ... .seconds(60)))
        scenario.clockError = dice.happens(0.3) ? .seconds(dice.below(100_000)) : .zero
        scenario.calmStart = dice.happens(0.5)
        return scenario
    }
}

extension Dice {
    fileprivate mutating func link() -> Network.Link {
        var link = Network.Link(
            loss: happens(0.7) ? 0.4 * unit() : 0, duplication: happens(0.5) ? 0.2 * unit() : 0,
            reordering: happens(0.5) ? 0.3 * unit() : 0, corruption: happens(0.3) ? 0.1 * unit() : 0)
        link.latency =
            [
                .constant(.milliseconds(20)), .uniform(.milliseconds(1) ... .milliseconds(200)),
                .longTail(.milliseconds(5), mean: .milliseconds(100)),
            ][below(3)]
        return link
    }

    fileprivate mutating func episodes(_ most: Int, _ time: ClosedRange<Duration>) -> Disturbances.Episodes {
        happens(0.5) ? .init(1 + below(most), time) : .none
    }
}
