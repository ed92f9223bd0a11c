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
        case failed(Finding)
        case notApplicable(String)

        var reason: String {
            switch self {
            case .passed: ""
            case .failed(let finding): finding.text
            case .notApplicable(let reason): reason
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

    /// What failed, where, and with which payload.
    struct Finding: Equatable {
        let text: String
        let step: Int
        let operation: String
        let code, message: String?
        let payload: [UInt8]?

        init(_ failure: Failure, _ steps: Steps) {
            text = steps.count == 0 ? failure.description : "\(failure); \(steps.description)"
            (step, operation) = (steps.count, steps.last)
            (code, message, payload) = (failure.code, failure.message, failure.payload)
        }

        /// Lines under the text: the payload, whole unless it is longer than anybody reads; `--json` has all of it.
        var lines: [String] {
            guard let payload else { return [] }
            let most = 4_096
            let rest = payload.count > most ? " … (the first \(most) bytes; all of them with --json)" : ""
            return ["    payload, \(payload.count) bytes: \(Hex.encode(Array(payload.prefix(most))))\(rest)"]
        }

        var json: [(String, JSON)] {
            [
                ("step", JSON(step)), ("operation", .string(operation)), ("code", code.map { .string($0) } ?? .null),
                ("message", message.map { .string($0) } ?? .null),
                ("payload", payload.map { .string(Hex.encode($0)) } ?? .null),
            ].filter { $0.1 != .null }
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
            if case .failed(let finding) = failure.outcome { lines += finding.lines }
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
            case .failed(let finding):
                lines += ["not ok \(text)", "# \(finding.text)"] + finding.lines.map { "#\($0)" }
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
                    var found: JSON.Object = JSON.Object()
                    found["saro"] = .string(cell.saro)
                    found["raya"] = .string(cell.raya)
                    found["scenario"] = .string(cell.scenario)
                    found["outcome"] = .string(cell.outcome.word)
                    found["reason"] = .string(cell.outcome.reason)
                    if case .failed(let finding) = cell.outcome {
                        for (name, value) in finding.json { found[name] = value }
                    }
                    found["milliseconds"] = JSON(cell.milliseconds)
                    return .object(found)
                }),
        ]
    }
}
