import ChatCodec
import ChatInspect
import ChatModel
import ChatPlatform
import ChatTool

/// Says what bytes of these protocols are.
@main struct Main {
    static func main() {
        let options = InspectOptions.command.parseOrExit()
        do throws(InputFailure) {
            let raw = try InspectOptions.input(options)
            let answer = try Answer(raw, options, try InspectOptions.keys(options))
            Terminal.print(answer.text)
            (answer.isSound ? ExitCode.success : ExitCode.failure).exit()
        } catch {
            Terminal.complain("chat-inspect: \(error)\ntry 'chat-inspect --help'")
            ExitCode.usage.exit()
        }
    }
}

/// What is printed, and whether all is well.
struct Answer {
    let text: String
    let isSound: Bool

    init(_ raw: [UInt8], _ options: Options, _ keys: Keys) throws(InputFailure) {
        let isPlain = ThisProcess.environment("NO_COLOR") != nil || !TerminalMode.isTerminal(StandardStream.output)
        let style = Findings.Style(hasColour: !isPlain, isFull: options[InspectOptions.full])
        if options[InspectOptions.kind] == nil, let file = try Self.vectors(raw) {
            self = try Self.answer(file, style, options, keys)
            return
        }
        let input = options[InspectOptions.binary] ? Input(binary: Bytes(raw)) : Input(raw)
        guard !input.bytes.isEmpty else { throw InputFailure("the input is empty") }
        let findings = Inspector(keys).inspect(input, as: options[InspectOptions.kind])
        text = options[InspectOptions.json] ? findings.json.printed(pretty: true) : findings.text(style)
        isSound = findings.isSound
    }

    private init(_ text: String, isSound: Bool) {
        (self.text, self.isSound) = (text, isSound)
    }

    private static func answer(
        _ file: VectorFile, _ style: Findings.Style, _ options: Options, _ keys: Keys
    ) throws(InputFailure) -> Answer {
        let isSound = file.mismatches(keys).isEmpty
        if let id = options[InspectOptions.only] {
            guard let found = file.cases.first(where: { $0.id == id }) else {
                throw InputFailure("no case is called '\(id)'")
            }
            return Answer(found.text(style, keys), isSound: isSound)
        }
        let text = options[InspectOptions.json] ? file.json(keys).printed(pretty: true) : file.summary(keys)
        return Answer(text, isSound: isSound)
    }

    /// A file of vectors, if the input is one.
    private static func vectors(_ raw: [UInt8]) throws(InputFailure) -> VectorFile? {
        guard raw.first(where: { $0 != 0x20 && !(0x09...0x0D).contains($0) }) == UInt8(ascii: "{") else { return nil }
        guard let json = try? JSON(parsing: raw, maximumBytes: VectorFile.maximumBytes) else { return nil }
        guard let file = VectorFile(json) else { throw InputFailure("JSON without a list of cases") }
        return file
    }
}
