import ChatClient
import ChatCodec
import ChatConformance
import ChatCrypto
import ChatModel
import ChatTool
public import ChatVariants

/// `chat-conformance`: runs the conformance suites of components, by name.
public struct ConformanceProgram: Sendable {
    let additions: Variants.Additions
    static let json = Option<Bool>("json", "one JSON object for each component, for programs")
    static let tap = Option<Bool>("tap", "the Test Anything Protocol, version 13")
    static let list = Option<Bool>("list", "print the names that can be given and end")
    static let check = Option<String?>("check", "ID", "run only the check of this id; may be given again")
    static let seed = Option<Int>("seed", "N", default: 1, "what the checks draw from; a failure names it")

    static let command = Command(
        "chat-conformance", summary: "Checks components against the requirements of the chat framework.",
        options: [json, tap, list, check, seed], rest: "component/name",
        notes: """
            A name is a component and one of its implementations: framing/plain, conversation/private-v1-libchat.
            A component alone means all of its implementations, no name at all means everything.
            Exit: 0 all checks passed, 1 a check failed, 2 wrong usage or an unknown name.
            """)

    /// Runs the program with the arguments of this process, and ends the process.
    ///
    /// - Parameter additions: components from outside, which can be named and checked like ours.
    public static func main(adding additions: @escaping Variants.Additions = { _, _ in }) async {
        let options = command.parseOrExit()
        await ConformanceProgram(additions: additions).run(options).exit()
    }

    @concurrent
    private func run(_ options: Options) async -> ExitCode {
        do {
            let chosen = try choices(options.operands)
            if options[Self.list] {
                for (component, name) in chosen { Terminal.print("\(component.rawValue)/\(name)") }
                return .success
            }
            let checks = options.all(Self.check).compactMap(\.self)
            let only = checks.isEmpty ? nil : Set(checks)
            var reports: [Report] = []
            for (component, name) in chosen {
                let seed = UInt64(bitPattern: Int64(options[Self.seed]))
                let report = try await Variants.conformance(
                    of: component, name, seed: seed, only: only, adding: additions)
                if options[Self.json] { Terminal.print(report.json.printed()) }
                if !options[Self.json], !options[Self.tap] { Terminal.print(report.description + "\n") }
                reports.append(report)
            }
            if options[Self.tap] { Terminal.print(Report.tap(reports)) }
            if reports.allSatisfy(\.results.isEmpty) {
                Terminal.complain("chat-conformance: no check is named \(checks.joined(separator: ", "))")
            }
            return ExitCode(rawValue: reports.exitCode) ?? .failure
        } catch let error as SuiteError {
            Terminal.complain("chat-conformance: \(error)\ntry 'chat-conformance --list'")
            return .usage
        } catch let error as UnknownComponent {
            Terminal.complain("chat-conformance: \(error)\ntry 'chat-conformance --list'")
            return .usage
        } catch {
            Terminal.complain("chat-conformance: \(error)")
            return .failure
        }
    }

    /// What the names mean; throws for one that means nothing.
    private func choices(_ names: [String]) throws -> [(Component, String)] {
        var random: any RandomSource = SystemRandom()
        let registry = Variants(identity: X25519.generate(using: &random, for: .secret), adding: additions).registry
        let all = Component.allCases.flatMap { component in registry.names(of: component).map { (component, $0) } }
        guard !names.isEmpty else { return all }
        return try names.flatMap { name in
            let found = all.filter { name == $0.0.rawValue || name == "\($0.0.rawValue)/\($0.1)" }
            guard found.isEmpty else { return found }
            let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
            guard let component = parts.first.flatMap({ Component(rawValue: $0) }) else {
                throw UnknownComponent(text: parts.first ?? name)
            }
            throw SuiteError.unknown(parts.last ?? "", component, known: registry.names(of: component))
        }
    }
}

/// The first part of a name is none of the five.
struct UnknownComponent: Error, CustomStringConvertible {
    let text: String
    var description: String {
        "\(text) is none of \(Component.allCases.map(\.rawValue).joined(separator: ", "))"
    }
}
