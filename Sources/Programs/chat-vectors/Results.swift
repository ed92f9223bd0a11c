import ChatCodec
import ChatVectors

/// What became of all cases.
struct Results {
    private var verdicts: [Verdict] = []

    mutating func add(_ more: [Verdict]) { verdicts += more }

    private func count(_ outcome: Verdict.Outcome) -> Int { verdicts.count { $0.outcome == outcome } }

    /// Whether something passed and nothing failed.
    var isGood: Bool { count(.passed) > 0 && count(.failed) == 0 }

    private var summary: String {
        [Verdict.Outcome.passed, .failed, .notApplicable].map { "\(count($0)) \($0.rawValue)" }.joined(separator: ", ")
    }

    /// A line for each case, and the counts.
    func lines(quiet: Bool) -> [String] {
        let shown = verdicts.filter { !quiet || $0.outcome != .passed }
        return shown.map(Self.line) + [summary]
    }

    private static func line(_ verdict: Verdict) -> String {
        let outcome = verdict.outcome.rawValue
        let reason = verdict.reason.isEmpty ? "" : ": \(verdict.reason)"
        let line =
            "\(outcome)\(String(repeating: " ", count: max(1, 15 - outcome.count)))\(verdict.file) \(verdict.name)\(reason)"
        // Names come from files: nothing in them may look like another line, or reach the terminal as a command.
        return String(
            String.UnicodeScalarView(line.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    }

    var json: JSON {
        let cases = verdicts.map { verdict -> JSON in
            [
                "file": .string(verdict.file), "id": .string(verdict.name),
                "outcome": .string(verdict.outcome.rawValue), "reason": .string(verdict.reason),
            ]
        }
        return [
            "cases": .array(cases), "passed": JSON(count(.passed)), "failed": JSON(count(.failed)),
            "not_applicable": JSON(count(.notApplicable)),
        ]
    }
}
