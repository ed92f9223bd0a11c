import ChatCodec
import ChatDriver
import ChatPlatform
import Foundation
import Testing

/// Streams that fail, fill up, close or do not wait: nothing that was accepted or shown is lost (PEER-12).
@Suite(
    .enabled(if: PeerStage.isBuilt, "chat-peer and chat-relay are not built beside the tests"), .serialized,
    .timeLimit(.minutes(30)))
struct StandardStreamsTests {
    private static let suite = "links/inbox-v1/private-v1-libchat/udp/envelope-v1"

    /// Saro and Raya have a conversation, Raya is away, and Saro has said five things since.
    private func meet() async throws -> (PeerStage, saro: PeerProcess, raya: PeerProcess) {
        let stage = try await PeerStage(Self.suite)
        let (saro, raya) = (stage.peer("saro"), stage.peer("raya"))
        try await raya.start()
        try await saro.start()
        let link = try await raya.introduction()
        _ = try await saro.ask(["do": "connect", "link": .string(link), "text": "0"])
        #expect(await raya.receives(1, within: .seconds(60)))
        #expect(await raya.stop() == 0)
        try await saro.say(["1", "2", "3", "4", "5"])
        return (stage, saro, raya)
    }

    @Test(arguments: [(">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")])
    func `what cannot be shown is not confirmed, and the peer says so and ends with 1 (PEER-12)`(
        redirection: String, words: String
    ) async throws {
        let (stage, saro, raya) = try await meet()
        let ended = try await stage.shell(
            "exec \"$0/chat-peer\" --json --linger 0 \"$@\" < <(sleep 20 >/dev/null 2>&1) \(redirection)",
            stage.arguments("raya"))
        #expect(ended.code == 1)
        #expect(ended.text.contains("chat-peer: standard output: \(words)"), "\(ended.text)")
        try await raya.start()
        #expect(await raya.receives(6, within: .seconds(60)))
        #expect(await raya.texts == ["0", "1", "2", "3", "4", "5"])
        try await stage.end([saro, raya])
    }

    @Test func `a reader that leaves is not taken for one that has read (PEER-12)`() async throws {
        let (stage, saro, raya) = try await meet()
        let program = try StartedProgram(
            [Programs.directory + "/chat-peer", "--json", "--linger", "0"] + stage.arguments("raya"))
        #expect(firstLine(program.output).contains("ready"))
        close(program.output)
        #expect(await endOf(program.id) == 1)
        try await raya.start()
        #expect(await raya.receives(6, within: .seconds(60)))
        #expect(await raya.texts == ["0", "1", "2", "3", "4", "5"])
        try await stage.end([saro, raya])
    }

    @Test func `a peer whose reader leaves sends what it accepted (PEER-12)`() async throws {
        let stage = try await PeerStage(Self.suite)
        let raya = stage.peer("raya", keeps: false)
        try await raya.start()
        let link = try await raya.introduction()
        try await stage.relay.stop()
        let program = try StartedProgram(
            [Programs.directory + "/chat-peer", "--json", "--linger", "60"] + stage.arguments("saro", keeps: false))
        let request: JSON = ["do": "connect", "link": .string(link), "text": "one"]
        send("\(request.printed())\n", to: program)
        var line = ""
        while !line.contains("accepted") { line = firstLine(program.output) }
        close(program.output)
        // The answer to this cannot be written.
        send("{\"do\":\"status\"}\n", to: program)
        let relay = try await RelayProcess(in: Programs.directory, after: stage.relay)
        #expect(await raya.receives(1, within: .seconds(60)))
        #expect(await raya.texts == ["one"])
        #expect(await endOf(program.id) == 1)
        #expect(await raya.stop() == 0)
        try await relay.stop()
    }

    @Test func `pipes that do not wait lose nothing in either direction (PEER-12)`() async throws {
        let stage = try await PeerStage(Self.suite)
        let program = try StartedProgram(
            [Programs.directory + "/chat-peer", "--json"] + stage.arguments("raya"), isNonblocking: true)
        let reader = LineReader(program.output)
        let link = try await reader.event("introduction")["links"]?.list?.first?.text ?? ""
        let saro = stage.peer("saro", keeps: false)
        try await saro.start()
        let said = (0..<100).map { "\($0) " + String(repeating: "ö", count: 1_000) }
        _ = try await saro.ask(["do": "connect", "link": .string(link), "text": .string(said[0])])
        try await saro.say(Array(said.dropFirst()))
        #expect(await saro.stop() == 0)
        // The pipe is full by now, and nobody has read.
        try await Task.sleep(for: .seconds(1))
        var texts: [String] = []
        while texts.count < said.count { texts.append(try await reader.event("content")["text"]?.text ?? "") }
        #expect(texts == said)
        close(program.input)
        #expect(await endOf(program.id) == 0)
        try await stage.end([])
    }

    @Test(arguments: [("</", "Is a directory"), ("<&-", "Bad file descriptor")])
    func `an input that cannot be read is an error and no end (PEER-12)`(
        redirection: String, words: String
    ) async throws {
        let stage = try await PeerStage(Self.suite)
        let ended = try await stage.shell(
            "\"$0/chat-peer\" \"$@\" \(redirection)", stage.arguments("raya", keeps: false))
        #expect(ended.code == 1)
        #expect(ended.text.contains("! standard input: \(words)"), "\(ended.text)")
        try await stage.end([])
    }

    @Test func `a signal ends a peer whose output nobody reads`() async throws {
        let stage = try await PeerStage(Self.suite)
        let program = try StartedProgram([Programs.directory + "/chat-peer"] + stage.arguments("raya", keeps: false))
        #expect(firstLine(program.output).hasPrefix("links/"))
        // The answers fill the pipe.
        send(String(repeating: "/help\n", count: 400), to: program)
        try await Task.sleep(for: .seconds(2))
        kill(program.id, SIGTERM)
        #expect(await endOf(program.id) < 2)
        try await stage.end([])
    }

    @Test func `a relay goes on when the reader of its log leaves`() async throws {
        let program = try StartedProgram([Programs.directory + "/chat-relay", "--listen", "127.0.0.1:0"])
        let address = String(firstLine(program.output).dropFirst("listening on ".count))
        close(program.output)
        kill(program.id, SIGUSR1)
        try await Task.sleep(for: .milliseconds(300))
        let raya = PeerProcess("raya", in: Programs.directory, arguments: ["--relay", address])
        try await raya.start()
        #expect(try await raya.introduction().hasPrefix("logos_"))
        #expect(await raya.stop() == 0)
        kill(program.id, SIGTERM)
        #expect(await endOf(program.id) == 0)
    }

    @Test(arguments: ["chat-peer variants", "chat-peer --help", "chat-vectors verify --json /dev/null"])
    func `a program that cannot print ends with 1`(command: String) async throws {
        let stage = try await PeerStage(Self.suite)
        let ended = try await stage.shell("\"$0\"/\(command) >/dev/full", [])
        #expect(ended.code == 1)
        #expect(ended.text.contains("standard output: No space left on device"), "\(ended.text)")
        try await stage.end([])
    }
}

/// Writes to a program's standard input.
private func send(_ text: String, to program: StartedProgram) {
    let bytes = Array(text.utf8)
    unsafe bytes.withUnsafeBytes { _ = unsafe write(program.input, $0.baseAddress, $0.count) }
}

/// The next line that a program prints.
private func firstLine(_ descriptor: Int32) -> String {
    var (line, byte) = ([UInt8](), UInt8(0))
    while unsafe read(descriptor, &byte, 1) == 1, byte != 10 { line.append(byte) }
    return String(decoding: line, as: UTF8.self)
}

/// Reads events of a program, and nothing before it is asked.
private final class LineReader {
    private let file: FileHandle
    private var waiting = Data()

    init(_ descriptor: Int32) { file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true) }

    /// The next event of a kind; those before it are dropped.
    func event(_ name: String) async throws -> JSON {
        while true {
            while let end = waiting.firstIndex(of: 10) {
                let json = try JSON(parsing: String(decoding: waiting[..<end], as: UTF8.self))
                waiting = Data(waiting[(end + 1)...])
                if json["event"]?.text == name { return json }
            }
            let more = file.availableData
            try #require(!more.isEmpty, "the program has ended")
            waiting += more
        }
    }
}
