import ChatCodec

/// What became of every scenario for every ordered pair of implementations.
struct Matrix {
    let implementations: [Implementation]
    var cells: [Cell] = []

    struct Cell {
        let saro: String
        let raya: String
        let scenario: String
        let outcome: Outcome
        let milliseconds: Int
    }

    enum Outcome: Equatable {
        case passed
        case failed(String)
        case notApplicable(String)

        var reason: String {
            switch self {
            case .passed: ""
            case .failed(let reason), .notApplicable(let reason): reason
            }
        }

        var word: String {
            switch self {
            case .passed: "passed"
            case .failed: "failed"
            case .notApplicable: "not applicable"
            }
        }
    }

    var passed: Int { cells.filter { $0.outcome == .passed }.count }
    var failures: [Cell] { cells.filter { $0.outcome.word == "failed" } }
    var notApplicable: Int { cells.count - passed - failures.count }

    var summary: String { "\(passed) passed, \(failures.count) failed, \(notApplicable) not applicable" }

    /// The table: who begins stands at the left, who is invited at the top.
    var table: String {
        let names = implementations.map(\.name)
        let width = (names.map(\.count).max() ?? 0) + 2
        func padded(_ text: String) -> String { text + String(repeating: " ", count: max(1, width - text.count)) }
        var lines = [padded("") + names.map(padded).joined()]
        for saro in names {
            lines.append(padded(saro) + names.map { padded(cell(saro, $0)) }.joined())
        }
        for failure in failures {
            lines.append("\(failure.saro) → \(failure.raya), \(failure.scenario): \(failure.outcome.reason)")
        }
        return lines.joined(separator: "\n")
    }

    private func cell(_ saro: String, _ raya: String) -> String {
        let mine = cells.filter { $0.saro == saro && $0.raya == raya }
        let applicable = mine.filter { $0.outcome.word != "not applicable" }
        guard !applicable.isEmpty else { return "n/a" }
        return "\(applicable.filter { $0.outcome == .passed }.count)/\(applicable.count)"
    }

    var tap: String {
        var lines = ["TAP version 13", "1..\(cells.count)"]
        for (index, cell) in cells.enumerated() {
            let text = "\(index + 1) - \(cell.saro) -> \(cell.raya): \(cell.scenario)"
            switch cell.outcome {
            case .passed: lines.append("ok \(text)")
            case .failed(let reason): lines += ["not ok \(text)", "# \(reason)"]
            case .notApplicable(let reason): lines.append("ok \(text) # SKIP \(reason)")
            }
        }
        return lines.joined(separator: "\n")
    }

    var json: JSON {
        [
            "passed": JSON(passed), "failed": JSON(failures.count), "notApplicable": JSON(notApplicable),
            "results": .array(
                cells.map { cell in
                    [
                        "saro": .string(cell.saro), "raya": .string(cell.raya), "scenario": .string(cell.scenario),
                        "outcome": .string(cell.outcome.word), "reason": .string(cell.outcome.reason),
                        "milliseconds": JSON(cell.milliseconds),
                    ]
                }),
        ]
    }
}
