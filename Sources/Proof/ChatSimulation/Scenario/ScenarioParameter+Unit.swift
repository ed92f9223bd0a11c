/// In what a knob is counted, and how far it can be turned.
extension ScenarioParameter {
    /// What a position of a knob is.
    public enum Unit: Sendable {
        /// A number of something.
        case count
        /// A probability.
        case probability
        /// Time, in seconds, milliseconds or days.
        case seconds, milliseconds, days
        /// Yes or no, 1 or 0.
        case flag
    }

    /// In what it is counted.
    public var unit: Unit {
        switch self {
        case .loss, .duplication, .reordering, .corruption, .rejection: .probability
        case .seconds, .clock, .settling, .healing: .seconds
        case .latency: .milliseconds
        case .days: .days
        case .echoes: .flag
        case .peers, .contents, .burst, .size, .exceptions, .bandwidth, .quota, .crashes, .absences, .partitions,
            .pauses,
            .outages, .offs, .jumps, .rollbacks, .replacements, .intrusions, .links, .liars:
            .count
        }
    }

    /// The positions that make sense.
    public var range: ClosedRange<Double> {
        switch unit {
        case .probability, .flag: 0...1
        case .days: 0...3_650
        case .milliseconds: 0...86_400_000
        case .seconds: (self == .seconds ? 1 : 0)...3.2e8
        case .count:
            switch self {
            case .peers: 2...100_000
            case .burst: 1...100_000
            case .size: 8...26_000_000
            case .bandwidth: 0...1e9
            default: 0...10_000_000
            }
        }
    }
}
