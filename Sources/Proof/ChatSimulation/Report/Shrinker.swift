/// Looks for a smaller run that fails in the same way, by turning one knob after the other.
public struct Shrinker: Sendable {
    /// The scenario that is to become smaller.
    public private(set) var scenario: Scenario
    /// The knobs that were turned, with their positions.
    public private(set) var turned: [ScenarioParameter: Double] = [:]
    /// The last knob that was turned too far: with it, the run holds.
    public private(set) var neighbour: (knob: ScenarioParameter, position: Double)?
    private let composition: Composition
    private let seed: UInt64
    private let invariant: String

    /// Begins with a run that violated an invariant.
    public init(_ run: Simulation, _ violation: Violation) {
        (scenario, composition, seed) = (run.plan, run.composition, run.seed)
        invariant = violation.invariant
    }

    /// Turns knobs as long as the run still fails and there is time.
    ///
    /// - Parameter goesOn: asked now and then; false stops the search with what it has.
    public mutating func shrink(while goesOn: () -> Bool) {
        var hasProgress = true
        while hasProgress {
            hasProgress = false
            for knob in ScenarioParameter.allCases {
                for position in candidates(knob) where goesOn() {
                    guard turn(knob, position, goesOn) else { continue }
                    hasProgress = true
                    break
                }
            }
        }
    }

    /// Smaller positions, the smallest first.
    private func candidates(_ knob: ScenarioParameter) -> [Double] {
        let position = scenario[knob]
        let least: Double =
            switch knob {
            case .peers: 2
            case .seconds, .burst: 1
            case .size: 8
            default: 0
            }
        guard position > least else { return [] }
        let isWhole = position >= 2
        var steps = [least, position / 4, position / 2, position - 1].filter { $0 >= least && $0 < position }
        if isWhole { steps = steps.map { $0.rounded(.down) } } else { steps = [least] }
        return steps
    }

    private mutating func turn(_ knob: ScenarioParameter, _ position: Double, _ goesOn: () -> Bool) -> Bool {
        var smaller = scenario
        smaller[knob] = position
        guard smaller != scenario else { return false }
        var run = Simulation(smaller, composition, seed: seed)
        run.run { _ in goesOn() }
        guard let violation = run.violation, violation.invariant == invariant, goesOn() else {
            if run.violation == nil, goesOn() { neighbour = (knob, position) }
            return false
        }
        scenario = smaller
        turned[knob] = position
        return true
    }
}
