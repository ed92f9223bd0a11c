import ChatCodec
import ChatDriver
import ChatPlatform
import ChatTool

/// The course of the demonstration.
struct Demo {
    private let lines: [String]
    private let textName: String
    private let choices: [String]
    private let directory: String

    /// Reads the text and makes a directory for what the peers keep.
    init(text: String, choices: [String]) throws(DriverError) {
        lines = try Files.lines(of: text)
        guard lines.count >= 4 else { throw DriverError("\(text) has \(lines.count) lines; at least 4 are needed") }
        (textName, self.choices) = (text, choices)
        directory = try Files.temporaryDirectory()
    }

    /// Runs it and leaves neither processes nor files behind.
    func run() async throws(DriverError) -> DemoResult {
        defer { Files.removeDirectory(directory, peers: ["saro", "raya"]) }
        let relay = try await RelayProcess(in: Programs.directory)
        let (saro, raya) = (peer("saro", relay), peer("raya", relay))
        let result: Result<Course, DriverError>
        do throws(DriverError) { result = .success(try await play(saro, raya)) } catch { result = .failure(error) }
        await saro.stop()
        await raya.stop()
        let statistics = try await relay.stop()
        return DemoResult(
            textName: textName, lines: lines, course: try result.get(), saro: await saro.contents,
            raya: await raya.contents, relay: statistics)
    }

    /// When what happened.
    struct Course {
        let suite: String
        let begin: ContinuousClock.Instant
        let cut: ContinuousClock.Instant
        let back: ContinuousClock.Instant
    }

    /// First contact, both texts at once, and the power cut.
    private func play(_ saro: PeerProcess, _ raya: PeerProcess) async throws(DriverError) -> Course {
        try await saro.start()
        try await raya.start()
        let ready = try await saro.event { $0["event"] == "ready" }
        let begin = ContinuousClock.now
        let link = try await raya.introduction()
        _ = try await saro.ask(["do": "connect", "link": .string(link), "text": .string(lines[0])])
        _ = try await raya.event { $0["event"] == "conversation" }
        // Saro goes on sending all the while.
        let sending = Task { () async -> Result<Void, DriverError> in
            do throws(DriverError) { return .success(try await say(lines.dropFirst(), by: saro)) } catch {
                return .failure(error)
            }
        }
        let half = lines.count / 2
        try await say(lines.prefix(half), by: raya)
        await raya.kill()
        let cut = ContinuousClock.now
        try await raya.start()
        _ = try await raya.event { $0["event"] == "ready" }
        let back = ContinuousClock.now
        try await say(lines.dropFirst(half), by: raya)
        try await sending.value.get()
        for peer in [saro, raya] { _ = await peer.receives(lines.count, within: .seconds(30)) }
        return Course(suite: ready["suite"]?.text ?? "", begin: begin, cut: cut, back: back)
    }

    private func peer(_ name: String, _ relay: RelayProcess) -> PeerProcess {
        // The name counts only where the discovery has names.
        let arguments = ["--relay", relay.address, "--data", "\(directory)/\(name)", "--publish", name] + choices
        return PeerProcess(
            name, in: Programs.directory, arguments: arguments,
            environment: currentEnvironment() + ["CHAT_PASSPHRASE=the passphrase of \(name)"])
    }

    private func say(_ lines: some Sequence<String> & Sendable, by peer: PeerProcess) async throws(DriverError) {
        for line in lines { _ = try await peer.ask(["do": "send", "text": .string(line)]) }
    }
}
