import ChatTool
public import ChatVariants

/// `chat-bench`: measures the package, and compositions by their names.
public enum BenchProgram {
    /// Runs the program with the arguments of this process.
    ///
    /// - Parameter additions: components from outside, which can be named in `--suite` like ours.
    @concurrent public static func main(adding additions: @escaping Variants.Additions = { _, _ in }) async throws {
        guard try await !UDPRole.play() else { return }
        let json = Option("json", "print a JSON object for each row")
        let filter = Option("filter", "TEXT", default: "", "only rows whose name contains this")
        let rounds = Option("rounds", "N", default: 15, in: 1...1_000, "rounds of each side; the median counts")
        let suite = Option<String?>("suite", "NAME", "measure this composition instead; may be given again")
        let command = Command(
            "chat-bench", summary: "Measures the package; ratios are to the libsodium calls of the same run.",
            options: [json, filter, rounds, suite],
            notes: "Suites:\n" + Bench.suites.map { "  \($0.name): \($0.summary)" }.joined(separator: "\n")
                + "\nWith --suite links/inbox-v1/private-v1/memory/envelope-v1, what a content of 64 bytes costs in it."
        )
        let options = command.parseOrExit()
        let plan = Bench.Plan(
            effort: Effort(rounds: options[rounds]), filter: options[filter], isJSON: options[json])
        let names = options.all(suite).compactMap(\.self)
        guard names.isEmpty else {
            do { for name in names { try await CompositionBench.run(name, plan, additions) } } catch {
                Terminal.complain("chat-bench: \(error)")
                ExitCode.usage.exit()
            }
            return
        }
        for suite in Bench.suites { try await suite.run(plan) }
    }
}
