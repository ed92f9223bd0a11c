import ChatModel

/// One number of a scenario that can be turned by name: by a person, or in the search for a smaller run that fails.
public enum ScenarioParameter: String, Sendable, CaseIterable {
    /// Peers.
    case peers
    /// Contents.
    case contents
    /// The seconds over which contents are said.
    case seconds
    /// The most contents that are said at once.
    case burst
    /// The most bytes of a content; at least 8.
    case size
    /// The most milliseconds that a payload takes; where times have a long tail, the least.
    case latency
    /// The probability of loss.
    case loss
    /// The probability of duplication.
    case duplication
    /// The probability that a payload is held back.
    case reordering
    /// The probability that a payload is changed.
    case corruption
    /// Links that are unlike the others.
    case exceptions
    /// Bytes in a second for each peer; 0 for no bound.
    case bandwidth
    /// The probability that the service refuses a payload for now.
    case rejection
    /// Payloads in an epoch; 0 for no quota.
    case quota
    /// Whether peers get their own payloads.
    case echoes
    /// Crashes.
    case crashes
    /// Absences.
    case absences
    /// Partitions.
    case partitions
    /// Pauses of applications.
    case pauses
    /// Outages of one direction.
    case outages
    /// Devices that are off.
    case offs
    /// Clocks that jump.
    case jumps
    /// Old copies put back.
    case rollbacks
    /// Relays replaced.
    case replacements
    /// Intruders on the wire.
    case intrusions
    /// Links used again.
    case links
    /// Participants who lie.
    case liars
    /// The most days that an outage, a device that is off, a jump and an old copy take.
    case days
    /// The most seconds by which clocks are wrong.
    case clock
    /// The seconds after the traffic in which everything must have arrived.
    case settling
    /// The seconds after everything was mended in which something said before may be heard for the first time.
    case healing
}

extension Scenario {
    /// The position of a knob.
    public subscript(knob: ScenarioParameter) -> Double {
        get {
            switch knob {
            case .peers: Double(peers)
            case .contents: Double(traffic.contents)
            case .seconds: traffic.time / .seconds(1)
            case .burst: Double(traffic.burst.upperBound)
            case .size: Double(traffic.size.upperBound)
            case .latency: network.link.latency.position / .milliseconds(1)
            case .loss: network.link.loss
            case .duplication: network.link.duplication
            case .reordering: network.link.reordering
            case .corruption: network.link.corruption
            case .exceptions: Double(network.exceptions.count)
            case .bandwidth: Double(network.bandwidth ?? 0)
            case .rejection: service.rejection
            case .quota: Double(service.limits.rate?.payloads ?? 0)
            case .echoes: service.echoes ? 1 : 0
            case .crashes: Double(disturbances.crashes.count)
            case .absences: Double(disturbances.absences.count)
            case .partitions: Double(disturbances.partitions.count)
            case .pauses: Double(disturbances.pauses.count)
            case .outages: Double(disturbances.outages.count)
            case .offs: Double(disturbances.offs.count)
            case .jumps: Double(disturbances.jumps.count)
            case .rollbacks: Double(disturbances.rollbacks.count)
            case .replacements: Double(disturbances.replacements.count)
            case .intrusions: Double(disturbances.intrusions.count)
            case .links: Double(reusedLinks)
            case .liars: Double(liars)
            case .days: disturbances.longest / .seconds(86_400)
            case .clock: clockError / .seconds(1)
            case .settling: settling / .seconds(1)
            case .healing: bounds.healing / .seconds(1)
            }
        }
        set {
            let number = Int(max(0, min(newValue, 1e9)))
            switch knob {
            case .peers: peers = max(2, number)
            case .contents: traffic.contents = number
            case .seconds: traffic.time = .seconds(max(1, number))
            case .burst: traffic.burst = 1...max(1, number)
            case .size: traffic.size = min(traffic.size.lowerBound, max(8, number))...max(8, number)
            case .latency: network.link.latency.position = .milliseconds(number)
            case .loss: network.link.loss = newValue
            case .duplication: network.link.duplication = newValue
            case .reordering: network.link.reordering = newValue
            case .corruption: network.link.corruption = newValue
            case .exceptions: network.exceptions.removeLast(max(0, network.exceptions.count - number))
            case .bandwidth: network.bandwidth = number == 0 ? nil : number
            case .rejection: service.rejection = newValue
            case .quota: service.limits = service.limits.with(rate: quota(number))
            case .echoes: service.echoes = number > 0
            case .crashes: disturbances.crashes.count = number
            case .absences: disturbances.absences.count = number
            case .partitions: disturbances.partitions.count = number
            case .pauses: disturbances.pauses.count = number
            case .outages: disturbances.outages.count = number
            case .offs: disturbances.offs.count = number
            case .jumps: disturbances.jumps.count = number
            case .rollbacks: disturbances.rollbacks.count = number
            case .replacements: disturbances.replacements.count = number
            case .intrusions: disturbances.intrusions.count = number
            case .links: reusedLinks = number
            case .liars: liars = number
            case .days: disturbances.longest = .seconds(86_400) * newValue
            case .clock: clockError = .seconds(number)
            case .settling: settling = .seconds(number)
            case .healing: bounds.healing = .seconds(number)
            }
        }
    }

    private func quota(_ payloads: Int) -> DeliveryLimits.Rate? {
        payloads == 0 ? nil : .init(payloads: payloads, epoch: service.limits.rate?.epoch ?? .seconds(1))
    }
}

extension Latency {
    /// The time that the knob turns.
    fileprivate var position: Duration {
        get {
            switch self {
            case .constant(let time): time
            case .uniform(let times): times.upperBound
            case .longTail(let least, _): least
            }
        }
        set {
            switch self {
            case .constant: self = .constant(newValue)
            case .uniform(let times): self = .uniform(min(times.lowerBound, newValue)...newValue)
            case .longTail(_, let mean): self = .longTail(newValue, mean: mean)
            }
        }
    }
}

extension DeliveryLimits {
    /// The same limits with another quota.
    func with(rate: Rate?) -> DeliveryLimits {
        DeliveryLimits(maximumPayload: maximumPayload, rate: rate, retention: retention, offers: offers)
    }
}
