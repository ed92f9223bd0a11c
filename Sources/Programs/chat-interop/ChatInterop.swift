import ChatCodec
import ChatPlatform
import ChatTool

/// Runs every ordered pair of implementations through the scenarios.
@main struct ChatInterop {
    static let only = ChatTool.Option<String?>("only", "NAME", "pairs in which this implementation takes part")
    static let scenario = ChatTool.Option<String?>("scenario", "NAME", "this scenario alone")
    static let limit = ChatTool.Option<Duration>("limit", "TIME", default: .seconds(20), "how long one step may take")
    static let json = ChatTool.Option<Bool>("json", "print the results as JSON")
    static let tap = ChatTool.Option<Bool>("tap", "print the results as TAP")

    static let command = Command(
        "chat-interop", summary: "Runs chat implementations against each other through their shims.",
        options: [only, scenario, limit, json, tap], operands: ["LIST"],
        notes: """
            LIST is a JSON file: [{"name": "mine", "command": ["program", "argument", ...]}, ...].
            Each command is one participant that speaks logos-interop-shim/1 on standard input and output.
            Progress goes to standard error, results to standard output.
            exit codes: 0 all passed, 1 something failed, 2 called wrongly
            """)

    static func main() {
        let options = command.parseOrExit()
        let matrix: Matrix
        do {
            let list = try Implementation.list(try readFile(options.operands[0]))
            try check(options, list)
            matrix = run(list, options)
        } catch {
            Terminal.complain("chat-interop: \(error)")
            ExitCode.usage.exit()
        }
        if options[json] {
            Terminal.print(matrix.json.printed(pretty: true))
        } else if options[tap] {
            Terminal.print(matrix.tap)
        } else {
            Terminal.print("\(matrix.table)\n\(matrix.summary)")
        }
        (matrix.failures.isEmpty ? ExitCode.success : ExitCode.failure).exit()
    }

    /// A name that is not there would run nothing, and nothing fails.
    private static func check(_ options: Options, _ list: [Implementation]) throws(BadCall) {
        if let name = options[only], !list.contains(where: { $0.name == name }) {
            let names = list.map(\.name).joined(separator: ", ")
            throw BadCall(description: "--only: no implementation is called '\(name)'; there are \(names)")
        }
        if let name = options[scenario], !Scenario.all.contains(where: { $0.name == name }) {
            let names = Scenario.all.map(\.name).joined(separator: ", ")
            throw BadCall(description: "--scenario: none is called '\(name)'; there are \(names)")
        }
    }

    private static func run(_ list: [Implementation], _ options: Options) -> Matrix {
        var matrix = Matrix(implementations: list)
        let limit = options[limit]
        let profiles = list.map { implementation -> Result<[String], Failure> in
            do throws(Failure) {
                let participant = try Participant(implementation, within: limit)
                defer { participant.end() }
                return .success(try participant.profiles())
            } catch { return .failure(error) }
        }
        let scenarios = Scenario.all.filter { options[scenario] == nil || options[scenario] == $0.name }
        for (saro, saroProfiles) in zip(list, profiles) {
            for (raya, rayaProfiles) in zip(list, profiles) {
                if let name = options[only], saro.name != name, raya.name != name { continue }
                Terminal.complain("\(saro.name) → \(raya.name)")
                for scenario in scenarios {
                    let start = ContinuousClock.now
                    let outcome = run(scenario, (saro, saroProfiles), (raya, rayaProfiles), limit)
                    matrix.cells.append(
                        Matrix.Cell(
                            saro: saro.name, raya: raya.name, scenario: scenario.name, outcome: outcome,
                            milliseconds: Int((ContinuousClock.now - start) / .milliseconds(1))))
                }
            }
        }
        return matrix
    }

    private static func run(
        _ scenario: Scenario, _ saro: (Implementation, Result<[String], Failure>),
        _ raya: (Implementation, Result<[String], Failure>), _ limit: Duration
    ) -> Matrix.Outcome {
        let steps = Steps()
        do throws(Failure) {
            let (first, second) = (try saro.1.get(), try raya.1.get())
            guard let profile = first.first(where: second.contains) else {
                return .notApplicable("no profile in common: \(first), \(second)")
            }
            let stage = try Stage(saro.0, raya.0, profile: profile, steps, within: limit)
            defer { stage.end() }
            try scenario.run(stage)
            return .passed
        } catch {
            return .failed(Matrix.Finding(error, steps))
        }
    }

    private struct BadCall: Error, CustomStringConvertible {
        let description: String
    }

    private static func readFile(_ path: String) throws -> [UInt8] {
        do throws(ErrorNumber) {
            let file = try FileCalls.open(path, .reading, followsLinks: true, waits: true)
            defer { FileCalls.close(file) }
            if let bytes = try FileCalls.readToEnd(file, limit: JSON.maximumBytes) { return bytes }
        } catch {
            throw BadCall(description: "cannot read \(path): \(error)")
        }
        throw BadCall(description: "\(path) has more than \(JSON.maximumBytes) bytes")
    }
}
