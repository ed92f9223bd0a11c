import ChatDriver
import ChatWire
import Foundation
import Testing

/// What a program said and how it ended.
private struct Ended {
    let code: Int32
    let output: [String]
    let errors: String
}

/// Runs chat-relay until it ends; signals follow its first line.
private func runRelay(_ arguments: [String], signals: [Int32] = []) throws -> Ended {
    let process = Process()
    let (output, errors) = (Pipe(), Pipe())
    process.executableURL = URL(filePath: "\(Programs.directory)/chat-relay")
    process.arguments = arguments
    (process.standardOutput, process.standardError) = (output, errors)
    try process.run()
    var text = Data()
    for signal in signals {
        text += output.fileHandleForReading.availableData
        kill(process.processIdentifier, signal)
    }
    text += output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let complaint = errors.fileHandleForReading.readDataToEndOfFile()
    return Ended(
        code: process.terminationStatus,
        output: String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init),
        errors: String(decoding: complaint, as: UTF8.self))
}

@Suite(
    .enabled(if: Programs.has("chat-relay"), "chat-relay is not built beside the tests"), .serialized,
    .timeLimit(.minutes(30)))
struct RelayProgramTests {
    @Test(arguments: [SIGINT, SIGTERM]) func `a relay says where it listens, counts when asked, and ends in order`(
        signal: Int32
    ) throws {
        let ended = try runRelay(["--listen", "127.0.0.1:0"], signals: [SIGUSR1, signal])
        #expect(ended.code == 0)
        #expect(ended.errors.isEmpty)
        try #require(ended.output.count == 3)
        let port = ended.output[0].split(separator: ":").last.flatMap { UInt16($0) }
        #expect(ended.output[0] == "listening on 127.0.0.1:\(port ?? 0)")
        #expect(port != 0)
        #expect(
            ended.output[1].hasPrefix(
                "sessions=0 subscriptions=0 addresses=0 retained_bytes=0 held_bytes=0 owed_answers=0 opened=0 "))
        #expect(ended.output[2] == ended.output[1])
    }

    @Test func `for programs every line is a JSON object`() throws {
        let ended = try runRelay(["--json", "--listen=[::1]:0"], signals: [SIGTERM])
        #expect(ended.code == 0)
        let events = try ended.output.map { try JSON(parsing: $0) }
        #expect(events.map { $0["event"]?.text } == ["listening", "statistics"])
        #expect(events.first?["address"]?.text?.hasPrefix("[::1]:") == true)
        #expect(events.last?["published"] == 0)
    }

    @Test(arguments: [
        (["--rate", "many"], "chat-relay: --rate: 'many' is not a number from 0 to 1G"),
        (
            ["--listen", "nowhere"],
            "chat-relay: --listen: 'nowhere' is not an address with a port, such as 127.0.0.1:9220"
        ),
        (["--max-payload", "17M"], "chat-relay: --max-payload: '17M' is not a number from 1 to 16M"),
        (["--port", "1"], "chat-relay: there is no option --port"),
        (["now"], "chat-relay: unexpected argument 'now'"),
    ])
    func `a wrong call says what is expected and ends with 2`(arguments: [String], complaint: String) throws {
        let ended = try runRelay(arguments)
        #expect(ended.code == 2)
        #expect(ended.output.isEmpty)
        #expect(ended.errors.hasPrefix(complaint))
        #expect(ended.errors.hasSuffix("try 'chat-relay --help'\n"))
    }

    @Test func `a port in use says what to do and ends with 1`() async throws {
        let relay = try await RelayProcess(in: Programs.directory)
        let ended = try runRelay(["--listen", relay.address])
        #expect(ended.code == 1)
        let reason = "Address already in use; choose another port, or 0 for any"
        #expect(ended.errors == "chat-relay: listening on \(relay.address): \(reason)\n")
        try await relay.stop()
    }

    @Test func `help lists every option with its default and ends with 0`() throws {
        let ended = try runRelay(["--help"])
        #expect(ended.code == 0)
        let text = ended.output.joined(separator: "\n")
        for option in ["--listen HOST:PORT", "--max-payload BYTES", "--retain-age TIME", "--rate COUNT", "--json"] {
            #expect(text.contains(option))
        }
        #expect(text.contains("(default 127.0.0.1:9220)"))
        #expect(text.contains("Exit codes: 0 ended by a signal, 1 could not start, 2 called wrongly."))
    }
}
