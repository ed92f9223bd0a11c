public import ChatCodec

/// The findings of a conformance suite about one implementation, check by check.
public struct Report: Sendable, Hashable {
    /// Which component was checked.
    public let component: String
    /// The implementation's own name.
    public let name: String
    /// The seed that makes the run repeatable.
    public let seed: UInt64
    /// The results, in the order of the checks.
    public let results: [Result]

    /// The result of one check.
    public struct Result: Sendable, Hashable {
        /// The check's id: the requirement that it is derived from, with a letter where there are several.
        public let id: String
        /// The requirement, as a sentence.
        public let requirement: String
        /// Whether it does.
        public let outcome: Outcome
        /// The line of the suite that it failed at.
        package var place: Place?
    }

    /// How a check ended.
    public enum Outcome: Sendable, Hashable {
        /// The requirement holds.
        case passed
        /// It does not hold: what was seen instead.
        case failed(String)
        /// It does not apply: the capability or claim that the implementation does not have.
        case notApplicable(String)
    }

    /// Whether no check failed.
    public var isPassed: Bool { failures.isEmpty }

    /// The checks that failed.
    public var failures: [Result] {
        results.filter { if case .failed = $0.outcome { true } else { false } }
    }
}

extension [Report] {
    /// The exit code of a program that made these reports: 0 where every check passed or does not apply, 1 where one
    /// failed, 2 where nothing was checked.
    public var exitCode: Int32 {
        guard contains(where: { !$0.results.isEmpty }) else { return 2 }
        return allSatisfy(\.isPassed) ? 0 : 1
    }
}

// For people, for programs and for test harnesses.
extension Report: CustomStringConvertible {
    /// A table with a line for each check.
    public var description: String {
        let width = results.map(\.id.count).max() ?? 0
        let lines = results.map { result in
            let id = result.id + String(repeating: " ", count: width - result.id.count)
            return switch result.outcome {
            case .passed: "  ok    \(id)  \(result.requirement)"
            case .failed(let reason): "  FAIL  \(id)  \(result.requirement)\n        \(reason) (seed \(seed))"
            case .notApplicable(let reason): "  n/a   \(id)  \(result.requirement): \(reason)"
            }
        }
        return (["\(component) \(name)"] + lines + [summary]).joined(separator: "\n")
    }

    private var summary: String {
        let passed = results.filter { $0.outcome == .passed }.count
        return "\(passed) passed, \(failures.count) failed, \(results.count - passed - failures.count) not applicable"
    }

    /// The Test Anything Protocol, version 13.
    public var tap: String { Self.tap([self]) }

    /// Several reports as one run of the Test Anything Protocol.
    public static func tap(_ reports: [Report]) -> String {
        let all = reports.flatMap { report in report.results.map { (report, $0) } }
        var lines = ["TAP version 13", "1..\(all.count)"]
        for (index, (report, result)) in all.enumerated() {
            let whose = reports.count > 1 ? "\(report.component) \(report.name) " : ""
            let text = "\(index + 1) - \(whose)\(result.id) \(result.requirement)"
            switch result.outcome {
            case .passed: lines.append("ok \(text)")
            case .failed(let reason):
                let lineByLine = reason.split(separator: "\n", omittingEmptySubsequences: false)
                lines.append("not ok \(text)")
                lines += lineByLine.dropLast().map { "# \($0)" }
                lines.append("# \(lineByLine.last ?? "") (seed \(report.seed))")
            case .notApplicable(let reason): lines.append("ok \(text) # SKIP \(reason)")
            }
        }
        return lines.joined(separator: "\n")
    }

    /// The same for programs.
    public var json: JSON {
        let checks = results.map { result -> JSON in
            let (word, reason) =
                switch result.outcome {
                case .passed: ("passed", "")
                case .failed(let reason): ("failed", reason)
                case .notApplicable(let reason): ("not applicable", reason)
                }
            return [
                "id": .string(result.id), "requirement": .string(result.requirement), "outcome": .string(word),
                "reason": .string(reason),
            ]
        }
        return [
            "component": .string(component), "name": .string(name), "seed": JSON(seed), "passed": .bool(isPassed),
            "checks": .array(checks),
        ]
    }
}
