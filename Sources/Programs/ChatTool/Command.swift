import ChatPlatform

/// A command line program: what it is called, what it does and which options it has.
public struct Command: Sendable {
    /// The program's name.
    public let name: String
    /// What it does, in one sentence.
    public let summary: String
    /// Its options in the order of the help text; `--help` is always there.
    public let options: [any AnyOption]
    /// Names of the arguments that must be given.
    public let operands: [String]
    /// The name of further arguments, if any number of them may follow.
    public let rest: String?
    /// Lines at the end of the help text: exit codes, signals, an example.
    public let notes: String

    /// Describes a program.
    public init(
        _ name: String, summary: String, options: [any AnyOption], operands: [String] = [], rest: String? = nil,
        notes: String = ""
    ) {
        (self.name, self.summary, self.options) = (name, summary, options)
        (self.operands, self.rest, self.notes) = (operands, rest, notes)
    }

    /// Reads arguments, without the program's own name; nil if help was asked for.
    ///
    /// `--name VALUE` and `--name=VALUE` mean the same, `--` ends the options, and of an option given
    /// twice the last counts unless the program asks for all.
    public func parse(_ arguments: some Sequence<String>) throws(OptionError) -> Options? {
        var result = Options()
        var waiting = Array(arguments)[...]
        while let argument = waiting.popFirst() {
            if argument == "--help" || argument == "-h" { return nil }
            if argument == "--" {
                result.operands += waiting
                break
            }
            guard argument.hasPrefix("-"), argument != "-" else {
                result.operands.append(argument)
                continue
            }
            let (name, value) = try read(argument, &waiting)
            result.given[name, default: []].append(value)
        }
        guard result.operands.count >= operands.count else { throw .missingOperand(operands[result.operands.count]) }
        if rest == nil, result.operands.count > operands.count {
            throw .unexpectedOperand(result.operands[operands.count])
        }
        return result
    }

    private func read(_ argument: String, _ waiting: inout ArraySlice<String>) throws(OptionError) -> (String, String) {
        let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard argument.hasPrefix("--"), let option = options.first(where: { $0.name == parts[0] }) else {
            let known = options.map { "--\($0.name)" } + ["--help"]
            throw .unknown(
                argument,
                nearest: Spelling.nearest(to: argument.hasPrefix("--") ? "--\(parts[0])" : argument, among: known))
        }
        let attached = parts.count > 1 ? String(parts[1]) : nil
        if option.placeholder.isEmpty {
            if let attached { throw .unexpectedValue(option.name, value: attached) }
            return (option.name, "true")
        }
        guard let value = attached ?? waiting.popFirst() else {
            throw .missingValue(option.name, expected: option.expectedText)
        }
        guard option.accepts(value) else {
            throw .badValue(option.name, value: value, expected: option.expectedText)
        }
        return (option.name, value)
    }

    /// The help text.
    public var help: String {
        let usage = (["usage: \(name) [options]"] + operands + (rest.map { ["[\($0)...]"] } ?? [])).joined(
            separator: " ")
        let left =
            options.map { $0.placeholder.isEmpty ? "--\($0.name)" : "--\($0.name) \($0.placeholder)" } + ["--help"]
        let right = options.map { $0.help + ($0.fallbackText.map { " (default \($0))" } ?? "") } + ["show this text"]
        let width = (left.map(\.count).max() ?? 0) + 2
        let lines = zip(left, right).map { "  " + $0 + String(repeating: " ", count: width - $0.count) + $1 }
        return ([summary, "", usage, ""] + lines + (notes.isEmpty ? [] : ["", notes])).joined(separator: "\n")
    }

    /// Reads this process's arguments; prints help or the error and ends the process where there is nothing to run.
    ///
    /// It is the first thing that a program does: it makes the standard streams safe, too.
    public func parseOrExit() -> Options {
        StandardStream.prepare()
        do {
            if let options = try parse(CommandLine.arguments.dropFirst()) { return options }
            Terminal.print(help)
            ExitCode.success.exit()
        } catch {
            Terminal.complain("\(name): \(error)\ntry '\(name) --help'")
            ExitCode.usage.exit()
        }
    }
}
