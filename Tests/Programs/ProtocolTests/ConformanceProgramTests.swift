import ChatCodec
import ChatDriver
import Testing

/// Runs chat-conformance; gives its lines, errors among them, and how it ended.
private func conformance(_ arguments: String...) async throws -> (code: Int32, lines: [String]) {
    let child = try ChildProcess("\(Programs.directory)/chat-conformance", arguments, joinsErrors: true)
    var lines: [String] = []
    for await line in child.lines { lines.append(line) }
    return (await child.wait(), lines)
}

@Suite(
    .enabled(if: Programs.has("chat-conformance"), "chat-conformance is not built beside the tests"),
    .timeLimit(.minutes(30)))
struct ConformanceProgramTests {
    @Test func `a suite runs by name, as a table, as JSON and as TAP`() async throws {
        let table = try await conformance("framing/plain", "--check", "FR-01")
        #expect(table.code == 0)
        #expect(
            table.lines.prefix(2) == ["framing plain", "  ok    FR-01  a payload of any size comes back as it was"])
        let json = try await conformance("framing/plain", "--check", "FR-01", "--json", "--seed", "9")
        let report = try JSON(parsing: json.lines.first ?? "")
        #expect(report["passed"] == true)
        #expect(report["seed"] == 9)
        let tap = try await conformance("framing", "--check", "FR-01", "--check", "FR-02", "--tap")
        #expect(tap.lines.prefix(3).first == "TAP version 13")
        #expect(tap.lines.dropFirst().first == "1..8")
        #expect(tap.lines.last == "ok 8 - framing rpi-v1 FR-02 the route decides which machine gets a payload")
    }

    @Test(arguments: ["framing/no-such", "no-such", "--no-such"])
    func `a name that means nothing ends with 2 and says what there is`(name: String) async throws {
        let ended = try await conformance(name)
        #expect(ended.code == 2)
        #expect(ended.lines.first?.hasPrefix("chat-conformance: ") == true)
    }

    @Test func `a check that no suite has ends with 2`() async throws {
        #expect(try await conformance("framing/plain", "--check", "FR-99").code == 2)
        #expect(try await conformance("--list").lines.contains("framing/plain"))
    }
}
