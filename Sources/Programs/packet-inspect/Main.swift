import ChatCodec
import ChatInspect
import ChatModel
import ChatTool
import PacketStream

/// Says what streaming packets are, which rule they break, and who would have to change what.
@main struct Main {
    private static let message = ChatTool.Option<String?>(
        "as", "MESSAGE", "what was captured; found out if not given")
    private static let lines = ChatTool.Option<Bool>("lines", "each line is a packet, as hex or base64")
    private static let binary = ChatTool.Option<Bool>("binary", "take the input as it is, not as hex or base64")
    private static let json = ChatTool.Option<Bool>("json", "print JSON, an object a line")

    private static let command = Command(
        "packet-inspect", summary: "Says what both modes make of a captured streaming packet.",
        options: [message, lines, binary, json], rest: "INPUT",
        notes: """
            INPUT is bytes as hex or base64, or the name of a file with them or with the bytes themselves; without
            it, or with -, standard input is read.
            MESSAGE is \(names), ProcessMessage or ControlMessage.
            exit codes: 0 canonical, 1 refused in canonical mode, 2 called wrongly
            """)

    private static let names = PacketMessage.allCases.map(\.rawValue).joined(separator: ", ")

    static func main() {
        let options = command.parseOrExit()
        do throws(InputFailure) {
            let inspections = try inspect(options)
            for one in inspections { Terminal.print(options[json] ? one.json.description : one.text) }
            if options[lines], !options[json] { Terminal.print(summary(inspections)) }
            (inspections.allSatisfy { $0.canonical.violation == nil } ? ExitCode.success : ExitCode.failure).exit()
        } catch {
            Terminal.complain("packet-inspect: \(error)\ntry 'packet-inspect --help'")
            ExitCode.usage.exit()
        }
    }

    private static func inspect(_ options: Options) throws(InputFailure) -> [PacketInspection] {
        var message: PacketInspection.Message?
        if let name = options[self.message] {
            message = PacketInspection.Message(name: name)
            guard message != nil else { throw InputFailure("no message is called '\(name)'") }
        }
        let raw = try CapturedInput.read(options.operands, limit: Input.maximumBytes)
        guard options[lines] else {
            let bytes = options[binary] ? Bytes(raw) : Input(raw).bytes
            guard !bytes.isEmpty else { throw InputFailure("the input is empty") }
            return [PacketInspection(bytes, as: message)]
        }
        var found: [PacketInspection] = []
        for (number, line) in raw.split(separator: UInt8(ascii: "\n")).enumerated() {
            let input = Input(Array(line))
            guard input.form == .hex || input.form == .base64 else {
                throw InputFailure("line \(number + 1) is neither hex nor base64")
            }
            found.append(PacketInspection(input.bytes, as: message))
        }
        return found
    }

    /// How many packets break which rule, and what is to change, the most frequent first.
    private static func summary(_ inspections: [PacketInspection]) -> String {
        var (rules, changes): ([String: Int], [String: Int]) = ([:], [:])
        for one in inspections {
            if let rule = one.canonical.violation?.code { rules[rule, default: 0] += 1 }
            for change in one.changes { changes["\(change.repository.rawValue): \(change.what)", default: 0] += 1 }
        }
        let refused = rules.values.reduce(0, +)
        let alone = inspections.count { $0.canonical.violation != nil && $0.interop.violation == nil }
        var lines = ["", "\(inspections.count) packets, \(refused) refused, \(alone) of them read in interop mode"]
        for (what, count) in (rules.sorted(by: isBefore) + changes.sorted(by: isBefore)) {
            lines.append("  \(count)  \(what)")
        }
        return lines.joined(separator: "\n")
    }

    private static func isBefore(_ left: (key: String, value: Int), _ right: (key: String, value: Int)) -> Bool {
        left.value == right.value ? left.key < right.key : left.value > right.value
    }
}
