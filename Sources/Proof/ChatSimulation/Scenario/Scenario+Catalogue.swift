import ChatModel

// The scenarios of this package, by name.
extension Scenario {
    /// All of them, the small ones first.
    public static let catalogue: [Scenario] = [
        calm, lossy, storm, restarts, offline, away, split, busy, skewed, slow, deaf, shelved, shortMemory, jumping,
        restored, reused, stricter, hostile, crowd, mixed, worlds, thousand, city,
    ]

    /// The scenario of a name.
    public static func named(_ name: String) -> Scenario? { catalogue.first { $0.name == name } }

    /// Nothing goes wrong.
    public static let calm = Scenario(
        "calm", "two peers talk, and nothing goes wrong", Traffic(contents: 40, over: .seconds(60)))

    /// One payload in five is lost.
    public static let lossy: Scenario = {
        var scenario = Scenario(
            "lossy", "ten peers, a fifth of the payloads is lost", peers: 10,
            Traffic(contents: 200, over: .seconds(120)))
        scenario.topology = .ring
        scenario.network = Network(Network.Link(loss: 0.2))
        return scenario
    }()

    /// Everything that may happen to a payload.
    public static let storm: Scenario = {
        var scenario = Scenario(
            "storm", "payloads are lost, repeated, held back and changed", peers: 6,
            Traffic(contents: 120, over: .seconds(120), burst: 1...4))
        scenario.topology = .random(1)
        scenario.network = Network(Network.Link(loss: 0.4, duplication: 0.1, reordering: 0.2, corruption: 0.05))
        scenario.network.link.latency = .longTail(.milliseconds(5), mean: .milliseconds(80))
        return scenario
    }()

    /// Processes end at every point of a step.
    public static let restarts: Scenario = {
        var scenario = Scenario(
            "restarts", "processes end without warning and start again", peers: 4,
            Traffic(contents: 120, over: .seconds(300)))
        scenario.network = Network(Network.Link(loss: 0.1))
        scenario.disturbances.crashes = .init(20, .milliseconds(10) ... .seconds(20))
        return scenario
    }()

    /// Away for hours, with a service that keeps what comes meanwhile.
    public static let offline: Scenario = {
        var scenario = Scenario(
            "offline", "peers are away for hours, and the service keeps what comes meanwhile", peers: 6,
            Traffic(contents: 120, over: .seconds(12 * 3_600)))
        scenario.topology = .ring
        scenario.service = .retaining
        scenario.disturbances = Disturbances(
            crashes: .init(6, .seconds(1) ... .seconds(3_600)), absences: .init(6, .seconds(60) ... .seconds(4 * 3_600))
        )
        return scenario
    }()

    /// Away for hours, and nobody keeps anything.
    public static let away: Scenario = {
        var scenario = Scenario(
            "away", "peers are away for hours, and nobody keeps anything for them", peers: 4,
            Traffic(contents: 60, over: .seconds(6 * 3_600)))
        scenario.network = Network(Network.Link(loss: 0.05))
        scenario.disturbances.absences = .init(6, .seconds(60) ... .seconds(2 * 3_600))
        scenario.settling = .seconds(24 * 3_600)
        return scenario
    }()

    /// The network falls apart and heals.
    public static let split: Scenario = {
        var scenario = Scenario(
            "split", "the network falls into two parts and heals, again and again", peers: 8,
            Traffic(contents: 160, over: .seconds(600)))
        scenario.topology = .random(1)
        scenario.network = Network(Network.Link(loss: 0.05, duplication: 0.05, reordering: 0.05))
        scenario.disturbances.partitions = .init(6, .seconds(5) ... .seconds(120))
        return scenario
    }()

    /// A slow line, a quota, bursts, and a service that refuses now and then.
    public static let busy: Scenario = {
        var scenario = Scenario(
            "busy", "bursts over slow lines, to a service with a quota that refuses now and then", peers: 4,
            Traffic(contents: 200, over: .seconds(120), size: 16...2_000, burst: 1...20))
        scenario.network = Network(Network.Link(loss: 0.1), bandwidth: 32_000)
        scenario.service = Service(.init(maximumPayload: 64 << 10, rate: .init(payloads: 20, epoch: .seconds(2))))
        scenario.service.rejection = 0.1
        return scenario
    }()

    /// Clocks that are wrong by a day.
    public static let skewed: Scenario = {
        var scenario = Scenario(
            "skewed", "clocks are wrong by up to a day, and differently after a restart", peers: 4,
            Traffic(contents: 80, over: .seconds(120)))
        scenario.network = Network(Network.Link(loss: 0.1))
        scenario.clockError = .seconds(86_400)
        scenario.disturbances.crashes = .init(8, .seconds(1) ... .seconds(10))
        return scenario
    }()

    /// Applications that do not read.
    public static let slow: Scenario = {
        var scenario = Scenario(
            "slow", "applications stop reading for a while, and the service keeps little for them", peers: 4,
            Traffic(contents: 200, over: .seconds(300)))
        scenario.service.mailbox = 16
        scenario.disturbances.pauses = .init(8, .seconds(10) ... .seconds(60))
        return scenario
    }()

    /// One with many.
    public static let crowd: Scenario = {
        var scenario = Scenario(
            "crowd", "one peer talks with fifty others", peers: 51, Traffic(contents: 300, over: .seconds(120)))
        scenario.topology = .star
        scenario.network = Network(Network.Link(loss: 0.1))
        return scenario
    }()

    /// For measurements of speed: 1,000 peers, 100,000 contents, 20 % loss.
    public static let thousand: Scenario = {
        var scenario = Scenario(
            "thousand", "a thousand peers say a hundred thousand things, a fifth of the payloads is lost",
            peers: 1_000, Traffic(contents: 100_000, over: .seconds(1_000), size: 64...64))
        scenario.network = Network(Network.Link(loss: 0.2))
        return scenario
    }()

    /// Ten thousand peers.
    public static let city: Scenario = {
        var scenario = Scenario(
            "city", "ten thousand peers, each with a conversation to the next", peers: 10_000,
            Traffic(contents: 50_000, over: .seconds(600), size: 64...256))
        scenario.topology = .ring
        scenario.network = Network(Network.Link(loss: 0.1, duplication: 0.02, reordering: 0.05))
        scenario.disturbances = Disturbances(
            crashes: .init(200, .seconds(1) ... .seconds(60)), absences: .init(200, .seconds(1) ... .seconds(120)))
        return scenario
    }()
}
