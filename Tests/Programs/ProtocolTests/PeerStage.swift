import ChatCodec
import ChatDriver
import ChatPlatform
import Foundation
import Testing

/// A relay as a process, and a directory for what peers keep, which is gone after the test.
final class PeerStage: Sendable {
    /// Whether the programs are there.
    static let isBuilt = Programs.has("chat-peer") && Programs.has("chat-relay")

    let relay: RelayProcess
    let directory: String
    let suite: String

    init(_ suite: String) async throws {
        relay = try await RelayProcess(in: Programs.directory)
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("peers-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        self.suite = suite
        try keyFile.write(to: URL(fileURLWithPath: directory + "/key"), atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: directory + "/key")
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    private var keyFile: String { String(repeating: "5a", count: 32) }

    /// What a peer is started with.
    func arguments(_ name: String, keeps: Bool = true) -> [String] {
        let kept = keeps ? ["--data", "\(directory)/\(name)", "--key-file", directory + "/key"] : []
        return ["--relay", relay.address, "--suite", suite] + kept
    }

    /// A peer that keeps what it has, so that it can be killed.
    func peer(_ name: String, keeps: Bool = true, _ more: [String] = []) -> PeerProcess {
        PeerProcess(name, in: Programs.directory, arguments: arguments(name, keeps: keeps) + more)
    }

    /// Runs `chat-peer` through a shell, which sees where the programs are as `$0` and the arguments as `$@`: its exit
    /// code, and what came on its output and its errors.
    func shell(
        _ command: String, _ arguments: [String], environment: [String] = [], limit: Duration = .seconds(120)
    ) async throws -> (code: Int32, text: String) {
        let child = try ChildProcess(
            "/bin/bash", ["-c", command, Programs.directory] + arguments,
            environment: currentEnvironment() + environment, joinsErrors: true)
        child.closeInput()
        let guardian = Task {
            try await Task.sleep(for: limit)
            child.send(signal: SIGKILL)
        }
        defer { guardian.cancel() }
        var text = ""
        for await line in child.lines { text += line + "\n" }
        return (await child.wait(), text)
    }

    func end(_ peers: [PeerProcess]) async throws {
        for peer in peers { #expect(await peer.stop() == 0, "\(peer.name)") }
        try await relay.stop()
    }
}

/// What a peer says in tests.
func lines(_ name: String, _ range: Range<Int>) -> [String] { range.map { "\(name) says \($0) ✓" } }

extension PeerProcess {
    func say(_ lines: [String]) async throws {
        for line in lines { _ = try await ask(["do": "send", "text": .string(line)]) }
    }

    var texts: [String] { contents.map(\.text) }
}
