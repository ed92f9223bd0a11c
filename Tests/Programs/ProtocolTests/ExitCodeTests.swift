import ChatDriver
import Foundation
import TestSupport
import Testing

/// Runs a program through a shell, with its errors among its lines; gives how it ended and what it printed.
private func run(_ command: String, _ arguments: String...) async throws -> (code: Int32, text: String) {
    let child = try ChildProcess("/bin/sh", ["-c", command, Programs.directory] + arguments, joinsErrors: true)
    child.closeInput()
    var text = ""
    for await line in child.lines { text += line + "\n" }
    return (await child.wait(), text)
}

/// A folder that is gone after the test.
private final class Folder {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("exit-\(UUID().uuidString)").path

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String, _ text: String) throws -> String {
        try text.write(toFile: "\(path)/\(name)", atomically: true, encoding: .utf8)
        return "\(path)/\(name)"
    }
}

/// A judge that finds something ends with 1, so that a script can rely on it.
@Suite(
    .enabled(
        if: ["chat-sim", "chat-vectors", "chat-conformance"].allSatisfy(Programs.has),
        "the programs are not built beside the tests"),
    .timeLimit(.minutes(30)))
struct ExitCodeTests {
    @Test func `chat-vectors ends with 1 where a case fails, is not there, or nothing passed`() async throws {
        let folder = try Folder()
        let right = Vectors.packageRoot.appendingPathComponent("Specs/vectors/ids.json").path
        let text = try String(contentsOfFile: right, encoding: .utf8)
        let place = try #require(text.range(of: #""base":""#)).upperBound
        let digit = text[place] == "0" ? "1" : "0"
        let altered = text.replacingCharacters(in: place...place, with: digit)
        var ended = try await run("$0/chat-vectors verify --quiet $1", try folder.file("wrong.json", altered))
        #expect(ended.code == 1 && ended.text.contains(", 1 failed, 0 not applicable"), "\(ended)")
        ended = try await run("$0/chat-vectors verify --quiet $1", right)
        #expect(ended.code == 0 && ended.text.contains(", 0 failed, 0 not applicable"), "\(ended)")
        ended = try await run("$0/chat-vectors verify $1 $2", right, "\(folder.path)/none.json")
        #expect(ended.code == 1 && ended.text.contains("none.json: No such file"), "\(ended)")
        let foreign = try folder.file("foreign.json", #"{"schema":"other/1"}"#)
        ended = try await run("$0/chat-vectors verify $1", foreign)
        #expect(ended.code == 1 && ended.text.contains("0 passed, 0 failed, 1 not applicable"), "\(ended)")
        ended = try await run("$0/chat-vectors verify $1 $2 --json", right, foreign)
        #expect(ended.code == 0 && ended.text.contains(#""not_applicable": 1"#), "\(ended)")
        ended = try await run("$0/chat-vectors generate --output $1", "\(folder.path)/no/such/folder")
        #expect(ended.code == 1 && ended.text.contains("No such file"), "\(ended)")
        #expect(try await run("$0/chat-vectors verify").code == 2)
        #expect(try await run("$0/chat-vectors check x").code == 2)
    }

    @Test func `chat-sim ends with 1 where something does not hold, and says how to see it again`() async throws {
        let suite = "links/open-invite/plain-reliable/memory/plain"
        let lossy = "$0/chat-sim --suite $1 --scenario lossy"
        var ended = try await run(lossy + " --set contents=20", suite)
        #expect(ended.code == 0 && ended.text.contains("30 contents heard 30 times"), "\(ended)")
        // Half a minute after the traffic is too short for what is lost again and again.
        ended = try await run(lossy + " --set loss=90 --set settling=30 --shrink 5s", suite)
        #expect(ended.code == 1 && ended.text.contains("nothing lost: "), "\(ended)")
        let again = try #require(ended.text.firstMatch(of: /see it again: (chat-sim .*)/)?.1)
        ended = try await run("$0/\(again)", suite)
        #expect(ended.code == 1 && ended.text.contains("nothing lost: "), "\(ended)")
        ended = try await run(lossy + " --set loss=90 --set settling=30 --seeds 0..3 --json --shrink 0s", suite)
        #expect(ended.code == 1 && ended.text.contains(#""ok":false"#), "\(ended)")
        ended = try await run(lossy + " --seeds 0..3 --time 0s", suite)
        #expect(ended.code == 1 && ended.text.contains("0 of 3 runs"), "running out of time is no success: \(ended)")
        #expect(try await run("$0/chat-sim --scenario rain").code == 2)
        #expect(try await run("$0/chat-sim --set rain=1").code == 2)
    }

    @Test func `chat-sim runs published systems with the same exit codes (SIM-9)`() async throws {
        for system in ["agent-chat", "packet-stream"] {
            var ended = try await run("$0/chat-sim --system $1 --seeds 0..2 --json --progress", system)
            #expect(ended.code == 0 && ended.text.contains("2 of 2 runs"), "\(ended)")
            #expect(ended.text.contains(#""system":"\#(system)","seed":1,"#) && ended.text.contains("everything held"))
            ended = try await run("$0/chat-sim --system $1 --seed 1 --show timeline --entries 3", system)
            #expect(ended.code == 0 && ended.text.split(separator: "\n").count == 3, "\(ended)")
            ended = try await run("$0/chat-sim --system $1 --seeds 0..2 --time 0s", system)
            #expect(ended.code == 1 && ended.text.contains("0 of 2 runs"), "out of time is no success: \(ended)")
        }
        #expect(try await run("$0/chat-sim --system telegraph").code == 2)
        #expect(try await run("$0/chat-sim --system agent-chat --scenario lossy").code == 2)
        #expect(try await run("$0/chat-sim --system agent-chat --show svg").code == 2)
    }

    @Test func `chat-conformance ends with 1 where a check fails`() async throws {
        // Too few descriptors for the sockets of a relay and two clients: the service does not start.
        let starved = try await run("ulimit -n 8; $0/chat-conformance delivery/udp")
        #expect(starved.code == 1, "\(starved)")
        #expect(try await run("$0/chat-conformance framing/plain").code == 0)
    }
}
