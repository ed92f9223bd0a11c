import ChatSimulation
import ChatTool

/// The command line of `chat-sim`.
enum SimOptions {
    static let suite = Option<String>(
        "suite", "NAME", default: Suites.usual,
        "the composition that runs in every peer; may be given again; the service's name counts not"
    )
    static let system = Option<SimulatedSystem?>(
        "system", "NAME",
        "instead of a composition, a published system whose machines have parts of their own in a world of their own")
    static let scenario = Option<String>("scenario", "NAME", default: "mix", "what happens; may be given again")
    static let seed = Option<Seeds>("seed", "N", default: Seeds(0..<1), "all randomness comes from it")
    static let seeds = Option<Seeds?>("seeds", "A..B", "run every scenario with each of these seeds")
    static let set = Option<Setting?>(
        "set", "KNOB=VALUE", "change the scenario, as in loss=30 (percent), latency=200ms; may be given again")
    static let show = Option<View>("show", "VIEW", default: .summary, "what to print of a single run")
    static let entries = Option<Int>("entries", "N", default: 60, in: 1...1_000_000, "the most lines of a view")
    static let json = Option<Bool>("json", "one JSON object for each run on stdout, for programs")
    static let progress = Option<Bool>("progress", "say on stderr now and then how far it is")
    static let jobs = Option<Int>("jobs", "N", default: 1, in: 1...256, "runs that go on at once")
    static let time = Option<Duration>("time", "TIME", default: .seconds(3_600), "begin no more after this time")
    static let shrink = Option<Duration>(
        "shrink", "TIME", default: .seconds(20), "how long to look for a smaller run that fails; 0s for not at all")
    static let list = Option<Bool>("list", "print scenarios, knobs and components by name and end")

    static let command = Command(
        "chat-sim", summary: "Runs many peers over a virtual network in virtual time, and checks what must hold.",
        options: [
            suite, system, scenario, seed, seeds, set, show, entries, json, progress, jobs, time, shrink, list,
        ],
        notes: """
            A run that fails prints its seed, a smaller run that fails in the same way, and what led to it.
            Exit: 0 everything held, 1 something did not, 2 wrong usage,
            127 the composition needs what the scenario's service does not offer.

            example: chat-sim --scenario storm --seeds 0..1000 --jobs 2 --progress
                     chat-sim --system agent-chat --seeds 0..200 --progress
            """)
}

/// Seeds from one to before another: `A..B`, or one alone.
struct Seeds: OptionValue {
    let range: Range<UInt64>

    init(_ range: Range<UInt64>) {
        self.range = range
    }

    static var expected: String { "a number, or a range A..B without B" }
    init?(option text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard let first = parts.first.flatMap({ UInt64($0) }), first < .max else { return nil }
        if parts.count == 1 {
            range = first..<first + 1
            return
        }
        guard parts.count == 3, parts[1].isEmpty, let end = UInt64(parts[2]), end > first else { return nil }
        range = first..<end
    }
    var optionText: String { range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)..\(range.upperBound)" }
}

/// A knob and where to turn it.
struct Setting: OptionValue {
    let knob: ScenarioParameter
    let position: Double

    static var expected: String {
        "a knob and its value; " + ScenarioParameter.allCases.map(words).joined(separator: ", ")
    }

    init?(option text: String) {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2, let knob = ScenarioParameter(rawValue: parts[0]),
            let position = Self.position(parts[1], knob), knob.range.contains(position)
        else { return nil }
        (self.knob, self.position) = (knob, position)
    }

    /// A value in the unit of its knob: probabilities in percent, as in `chat-peer`, times with a unit of theirs or in the
    /// knob's.
    private static func position(_ text: String, _ knob: ScenarioParameter) -> Double? {
        func time(_ unit: Duration) -> Double? { Duration(option: text).map { $0 / unit } ?? Double(option: text) }
        switch knob.unit {
        case .probability: return Double(option: text).map { $0 / 100 }
        case .seconds: return time(.seconds(1))
        case .milliseconds: return time(.milliseconds(1))
        case .days: return time(.seconds(86_400))
        case .flag: return ["no": 0, "yes": 1, "0": 0, "1": 1][text]
        case .count: return Int(option: text).map { Double($0) }
        }
    }

    var optionText: String { Self.text(knob, position) }

    static func text(_ knob: ScenarioParameter, _ position: Double) -> String {
        "\(knob.rawValue)=\(value(knob, position))"
    }

    private static func value(_ knob: ScenarioParameter, _ position: Double) -> String {
        func plain(_ number: Double) -> String {
            number == number.rounded() && abs(number) < 1e15 ? "\(Int(number))" : "\(number)"
        }
        return switch knob.unit {
        case .probability: percent(position)
        case .seconds: plain(position) + (position == position.rounded() ? "s" : "")
        case .milliseconds: plain(position) + (position == position.rounded() ? "ms" : "")
        case .days: plain(position) + (position == position.rounded() ? "d" : "")
        case .flag, .count: plain(position)
        }
    }

    /// The percent that give the same probability again, with as few digits as that takes.
    private static func percent(_ position: Double) -> String {
        let exact = position * 100
        for digits in [1.0, 1e3, 1e6, 1e9, 1e12] {
            let rounded = (exact * digits).rounded() / digits
            if rounded / 100 == position {
                return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
            }
        }
        return "\(exact)"
    }

    /// A knob with its unit and range.
    private static func words(_ knob: ScenarioParameter) -> String {
        let range = "\(value(knob, knob.range.lowerBound)) to \(value(knob, knob.range.upperBound))"
        return knob.unit == .probability ? "\(knob.rawValue) \(range) %" : "\(knob.rawValue) \(range)"
    }
}

/// What to print of a run.
enum View: String, OptionValue, CaseIterable {
    /// One line.
    case summary
    /// Everything that happened, a line each.
    case timeline
    /// A sequence diagram for Mermaid.
    case mermaid
    /// A sequence diagram as a picture.
    case svg
    /// All numbers.
    case numbers
}
