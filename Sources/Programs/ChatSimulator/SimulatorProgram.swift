import ChatClient
import ChatModel
import ChatSimulation
import ChatTool
public import ChatVariants

/// `chat-sim`: runs scenarios from the command line.
public struct SimulatorProgram: Sendable {
    let suites: Suites

    /// Runs the program with the arguments of this process, and ends the process.
    ///
    /// - Parameter additions: components from outside, which can be named in `--suite` like ours.
    @concurrent public static func main(adding additions: @escaping Variants.Additions = { _, _ in }) async {
        let options = SimOptions.command.parseOrExit()
        let program = SimulatorProgram(suites: Suites(additions: additions))
        do {
            if options[SimOptions.list] { return try program.list() }
            let failed = try await program.run(options)
            (failed ? ExitCode.failure : .success).exit()
        } catch let error as UsageError {
            Terminal.complain("chat-sim: \(error.text)\ntry 'chat-sim --list'")
            (error.isUnsupported ? ExitCode.unsupported : .usage).exit()
        } catch {
            Terminal.complain("chat-sim: \(error)")
            ExitCode.usage.exit()
        }
    }

    struct UsageError: Error {
        let text: String
        var isUnsupported = false
    }

    private func list() throws {
        for scenario in Scenario.catalogue {
            Terminal.print(Self.padded(scenario.name, 12) + scenario.summary)
        }
        Terminal.print("\nsystems: " + SimulatedSystem.allCases.map(\.rawValue).joined(separator: ", "))
        Terminal.print("\nknobs: " + Setting.expected)
        for component in [Component.initialization, .conversation, .framing] {
            Terminal.print("\(component.title.lowercased()): " + (try suites.names(component)).joined(separator: ", "))
        }
    }

    static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    /// Whether something did not hold.
    private func run(_ options: Options) async throws -> Bool {
        if let system = options[SimOptions.system] { return try await SystemSession(system, options: options).run() }
        let names = options.all(SimOptions.scenario)
        let scenarios = try (names.isEmpty ? [SimOptions.scenario.fallback] : names).map { name in
            guard let scenario = Scenario.named(name) else {
                throw UsageError(text: "there is no scenario \(name)")
            }
            return scenario
        }
        let settings = options.all(SimOptions.set).compactMap(\.self)
        let peers = scenarios.map { Session.set(settings, in: $0).peers }.max() ?? 2
        let given = options.all(SimOptions.suite)
        var sessions: [Session] = []
        for suite in given.isEmpty ? [SimOptions.suite.fallback] : given {
            let composition = try await suites.composition(suite, peers: max(peers, 8))
            for scenario in scenarios {
                guard let need = composition.unmet(by: scenario).first else { continue }
                throw UsageError(
                    text: "\(composition.name) needs \(need.rawValue), which scenario \(scenario.name) does not offer",
                    isUnsupported: true)
            }
            sessions.append(Session(options: options, suite: suite, composition: composition, settings: settings))
        }
        var hasFailed = false
        for session in sessions {
            if let seeds = options[SimOptions.seeds] {
                hasFailed = await session.campaign(scenarios, seeds: seeds.range) || hasFailed
            } else {
                for scenario in scenarios {
                    hasFailed = session.single(scenario, seed: options[SimOptions.seed].range.lowerBound) || hasFailed
                }
            }
        }
        return hasFailed
    }
}
