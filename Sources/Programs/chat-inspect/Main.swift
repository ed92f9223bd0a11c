import ChatCodec
import ChatInspect
import ChatModel
import ChatPlatform
import ChatTool

/// Says what bytes of these protocols are.
@main struct Main {
    static func main() {
        let options = InspectOptions.command.parseOrExit()
        guard !options[InspectOptions.lua] else { return Terminal.print(LuaDissector.text) }
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
        if CaptureFile.isCapture(raw) {
            self = try Self.answer(capture: raw, style, options, keys)
            return
        }
        if options[InspectOptions.lines] {
            self = try Self.answer(lines: raw, style, options, keys)
            return
        }
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

    /// A line for each datagram, or the tree of one.
    private static func answer(
        capture raw: [UInt8], _ style: Findings.Style, _ options: Options, _ keys: Keys
    ) throws(InputFailure) -> Answer {
        let file: CaptureFile
        do throws(CaptureFile.Failure) { file = try CaptureFile(raw) } catch { throw InputFailure(error.description) }
        guard let number = options[InspectOptions.only] else {
            let text = options[InspectOptions.json] ? file.json(keys).printed(pretty: true) : file.summary(keys)
            return Answer(text, isSound: file.isSound(keys))
        }
        guard let one = file.datagrams.first(where: { String($0.number) == number }) else {
            throw InputFailure("packet '\(number)' of the capture is not there, or no UDP datagram")
        }
        let found = one.findings(keys)
        return Answer(
            options[InspectOptions.json] ? found.json.printed(pretty: true) : found.text(style), isSound: found.isSound)
    }

    /// The tree of each line.
    private static func answer(
        lines raw: [UInt8], _ style: Findings.Style, _ options: Options, _ keys: Keys
    ) throws(InputFailure) -> Answer {
        let lines = raw.split(separator: 10, omittingEmptySubsequences: false).enumerated().filter { _, line in
            !line.allSatisfy { $0 == 0x20 || (0x09...0x0D).contains($0) }
        }
        guard !lines.isEmpty else { throw InputFailure("the input is empty") }
        let found = lines.map { number, line in
            (
                number: number + 1,
                findings: Inspector(keys).inspect(Input(Array(line)), as: options[InspectOptions.kind])
            )
        }
        let isSound = found.allSatisfy { $0.findings.isSound }
        guard !options[InspectOptions.json] else {
            let list = found.map { one -> JSON in ["line": JSON(one.number), "findings": one.findings.json] }
            return Answer(JSON.array(list).printed(pretty: true), isSound: isSound)
        }
        let texts = found.map { "line \($0.number): \($0.findings.text(style))" }
        return Answer(texts.joined(separator: "\n\n\n"), isSound: isSound)
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
