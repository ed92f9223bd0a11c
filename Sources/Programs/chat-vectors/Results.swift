import ChatCodec
import ChatTool
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
        return shown.flatMap { [Self.line($0)] + Self.values($0) } + [summary]
    }

    /// The whole values of which the line before shows the part that differs.
    private static func values(_ verdict: Verdict) -> [String] {
        guard let actual = verdict.actual?.description, let expected = verdict.expected?.description,
            max(actual.count, expected.count) > 80
        else { return [] }
        return ["    computed  \(actual)", "    the file  \(expected)"].map(clean)
    }

    private static func line(_ verdict: Verdict) -> String {
        let outcome = verdict.outcome.rawValue
        let reason = verdict.reason.isEmpty ? "" : ": \(verdict.reason)"
        return clean(
            "\(outcome)\(String(repeating: " ", count: max(1, 15 - outcome.count)))\(verdict.file) \(verdict.name)\(reason)"
        )
    }

    /// Names come from files: nothing in them may look like another line, or reach the terminal as a command.
    private static func clean(_ line: String) -> String {
        let line = line.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }
        return String(String.UnicodeScalarView(line)).forTerminal
    }

    var json: JSON {
        let cases = verdicts.map { verdict -> JSON in
            var one = JSON.Object()
            one["file"] = .string(verdict.file)
            one["id"] = .string(verdict.name)
            one["outcome"] = .string(verdict.outcome.rawValue)
            one["reason"] = .string(verdict.reason)
            if let actual = verdict.actual { one["computed"] = actual }
            if let expected = verdict.expected { one["file_has"] = expected }
            return .object(one)
        }
        return [
            "cases": .array(cases), "passed": JSON(count(.passed)), "failed": JSON(count(.failed)),
            "not_applicable": JSON(count(.notApplicable)),
        ]
    }
}
