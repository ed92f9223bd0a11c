import ChatModel

// Scenarios about what lasts longer than any timer, or what no timer helps against.
extension Scenario {
    /// One direction is dead.
    public static let deaf: Scenario = {
        var scenario = Scenario(
            "deaf", "nothing of one direction arrives, for half a minute up to two weeks", peers: 4,
            Traffic(contents: 40, over: .seconds(600), burst: 1...4))
        scenario.network = Network(Network.Link(loss: 0.02))
        scenario.disturbances.outages = .init(4, .seconds(30) ... .seconds(14 * 86_400))
        scenario.allowForWeeks()
        return scenario
    }()

    /// Devices in a drawer.
    public static let shelved: Scenario = {
        var scenario = Scenario(
            "shelved", "devices are off for a day up to three weeks, and nobody keeps anything for them", peers: 4,
            Traffic(contents: 40, over: .seconds(600)))
        scenario.disturbances.offs = .init(3, .seconds(86_400) ... .seconds(21 * 86_400))
        scenario.allowForWeeks()
        return scenario
    }()

    /// A service that keeps less than is missed.
    public static let shortMemory: Scenario = {
        var scenario = Scenario(
            "short-memory", "peers are away for longer than the service keeps what comes meanwhile", peers: 4,
            Traffic(contents: 40, over: .seconds(2 * 3_600)))
        scenario.service = .retaining
        scenario.service.limits = scenario.service.limits.with(age: .seconds(60))
        scenario.disturbances.absences = .init(6, .seconds(120) ... .seconds(3_600))
        return scenario
    }()

    /// Clocks that are set to another day.
    public static let jumping: Scenario = {
        var scenario = Scenario(
            "jumping", "clocks jump by hours up to ten days, forward and back, while peers talk", peers: 4,
            Traffic(contents: 40, over: .seconds(600)))
        scenario.network = Network(Network.Link(loss: 0.1))
        scenario.disturbances.jumps = .init(6, .seconds(3_600) ... .seconds(10 * 86_400))
        return scenario
    }()

    /// Copies of devices.
    public static let restored: Scenario = {
        var scenario = Scenario(
            "restored", "copies of what devices stored are put back, minutes up to days later", peers: 4,
            Traffic(contents: 40, over: .seconds(600)))
        scenario.disturbances.rollbacks = .init(2, .seconds(60) ... .seconds(2 * 86_400))
        scenario.allowForWeeks()
        return scenario
    }()

    /// Links that are passed on.
    public static let reused: Scenario = {
        var scenario = Scenario(
            "reused", "links are used by two, or twice by one", peers: 6, Traffic(contents: 40, over: .seconds(300)))
        scenario.reusedLinks = 3
        scenario.allowForWeeks()
        return scenario
    }()

    /// A relay that takes less than the one before.
    public static let stricter: Scenario = {
        var scenario = Scenario(
            "stricter", "the relay is replaced by one that takes smaller payloads and has a quota", peers: 4,
            Traffic(contents: 30, over: .seconds(300), size: 16...30_000, burst: 1...4))
        scenario.network = Network(Network.Link(loss: 0.05))
        scenario.disturbances.replacements = .init(2, .zero ... .zero)
        scenario.allowForWeeks()
        return scenario
    }()

    /// Somebody on the wire.
    public static let hostile: Scenario = {
        var scenario = Scenario(
            "hostile", "somebody on the wire repeats, changes and misdirects what is published", peers: 4,
            Traffic(contents: 80, over: .seconds(300)))
        scenario.network = Network(Network.Link(loss: 0.05))
        scenario.disturbances.intrusions = .init(2, .seconds(60) ... .seconds(3_600))
        return scenario
    }()

    /// What lasts longer than anybody waits may fail, if both sides are told; and that is known after eight days.
    mutating func allowForWeeks() {
        (mayFail, settling, idling) = (true, .seconds(8 * 86_400), .seconds(8 * 3_600))
    }
}

/// What the mix draws beside the faults of networks and peers: worlds that last.
enum World: CaseIterable {
    case outage, off, shortMemory, jump, rollback, reuse, replacement, intrusion

    /// Any of them, each as likely as the others.
    static func drawn(_ dice: inout Dice) -> World { allCases[dice.below(allCases.count)] }

    /// Puts a scenario into such a world.
    func change(_ scenario: inout Scenario, _ dice: inout Dice) {
        let time = dice.lastingTime()
        switch self {
        case .outage: scenario.disturbances.outages = .init(1 + dice.below(2), .seconds(1)...time)
        case .off: scenario.disturbances.offs = .init(1 + dice.below(2), .seconds(1)...time)
        case .shortMemory:
            scenario.service = .retaining
            scenario.service.limits = scenario.service.limits.with(age: .seconds(5 + dice.below(60)))
            scenario.disturbances.absences = .init(2, .seconds(30) ... .seconds(600))
        case .jump:
            scenario.disturbances.jumps = .init(1 + dice.below(3), .seconds(1)...min(time, .seconds(10 * 86_400)))
        case .rollback: scenario.disturbances.rollbacks = .init(1, .seconds(1)...time)
        case .reuse: scenario.reusedLinks = 1 + dice.below(2)
        case .replacement:
            scenario.disturbances.replacements = .init(1, .zero ... .zero)
            scenario.traffic.size = 8...(1_000 << dice.below(5))
        case .intrusion: scenario.disturbances.intrusions = .init(1 + dice.below(2), .seconds(1) ... .seconds(600))
        }
        // Who was set back or was off for weeks begins its waits anew; quiet is measured when they have grown.
        scenario.idling = .seconds(8 * 3_600)
        switch self {
        case .rollback, .reuse, .replacement: scenario.mayFail = true
        case .outage, .off: scenario.mayFail = scenario.mayFail || time > .seconds(86_400)
        case .shortMemory, .jump, .intrusion: break
        }
    }
}

extension Dice {
    /// A time from a second to 24 days; each order of magnitude is as likely as any other.
    fileprivate mutating func lastingTime() -> Duration {
        let power = below(21)
        return .seconds((1 << power) + below(1 << power))
    }
}

extension DeliveryLimits {
    /// The same limits, with what is retained kept for another time.
    func with(age: Duration) -> DeliveryLimits {
        let kept = retention.map { Retention(payloads: $0.payloads, bytes: $0.bytes, age: age) }
        return DeliveryLimits(maximumPayload: maximumPayload, rate: rate, retention: kept, offers: offers)
    }
}
