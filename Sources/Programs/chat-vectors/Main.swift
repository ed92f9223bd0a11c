import ChatCodec
import ChatTool
import ChatVectors

/// Makes vector files and checks them.
@main struct ChatVectorsTool {
    static let seed = ChatTool.Option<String>(
        "seed", "TEXT", default: "chat-framework/1", "generate: what all values are derived from")
    static let output = ChatTool.Option<String>("output", "DIR", default: "Specs/vectors", "generate: where files go")
    static let json = ChatTool.Option<Bool>("json", "verify: print the results as JSON")
    static let quiet = ChatTool.Option<Bool>("quiet", "verify: print no line for a case that passed")

    static let command = Command(
        "chat-vectors", summary: "Makes and checks vector files of format \(VectorFile.format).",
        options: [seed, output, json, quiet], operands: ["COMMAND"], rest: "FILE|DIRECTORY",
        notes: """
            commands:
              generate                  write every file; the same seed gives the same bytes
              generate chat-engine      write the cases of Chat Engine, which have a form of their own
              verify FILE|DIRECTORY...  check every case, from anyone; of a directory all files in *.json
            The last line of verify counts cases passed, failed and not applicable.
            exit codes: 0 all passed, 1 something failed or nothing passed, 2 called wrongly
            """)

    static func main() async {
        let options = command.parseOrExit()
        let operands = Array(options.operands.dropFirst())
        switch options.operands[0] {
        case "generate" where operands == ["chat-engine"]: generateEngine(into: options[output])
        case "generate" where operands.isEmpty: await generate(seed: options[seed], into: options[output])
        case "verify" where !operands.isEmpty:
            await verify(operands, json: options[json], quiet: options[quiet])
        case "verify": fail("verify needs a file or a directory")
        case "generate": fail("generate takes no arguments but chat-engine")
        default: fail("there is no command '\(options.operands[0])'")
        }
    }

    private static func fail(_ message: String) -> Never {
        Terminal.complain("chat-vectors: \(message)\ntry 'chat-vectors --help'")
        ExitCode.usage.exit()
    }

    private static func generate(seed: String, into directory: String) async {
        do {
            let files = try await VectorFile.all(seed: seed)
            for file in files { try Files.write(Array(file.text.utf8), to: "\(directory)/\(file.name)") }
            Terminal.print("\(files.count) files in \(directory)")
        } catch {
            Terminal.complain("chat-vectors: \(error)")
            ExitCode.failure.exit()
        }
    }

    private static func generateEngine(into directory: String) {
        do {
            try Files.write(Array(try EngineCases.text().utf8), to: "\(directory)/made.json")
            Terminal.print("made.json in \(directory)")
        } catch {
            Terminal.complain("chat-vectors: \(error)")
            ExitCode.failure.exit()
        }
    }

    private static func verify(_ paths: [String], json: Bool, quiet: Bool) async {
        var results = Results()
        for path in paths {
            for file in Files.list(path) {
                switch Files.read(file, limit: Verifier.maximumFile) {
                case .success(let bytes): results.add(await Verifier.verify(bytes, file: file))
                case .failure(let error):
                    results.add([Verdict(outcome: .failed, file: file, name: "file", reason: "\(error)")])
                }
            }
        }
        if json {
            Terminal.print(results.json.printed(pretty: true))
        } else {
            for line in results.lines(quiet: quiet) { Terminal.print(line) }
        }
        (results.isGood ? ExitCode.success : ExitCode.failure).exit()
    }
}
