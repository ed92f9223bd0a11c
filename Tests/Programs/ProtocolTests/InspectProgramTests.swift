import ChatCodec
import ChatDriver
import Foundation
import Testing

private func inspect(_ arguments: [String], input: String = "") async throws -> Ended {
    try await runToEnd("chat-inspect", arguments, input: input)
}

@Suite(
    .enabled(if: Programs.has("chat-inspect"), "chat-inspect is not built beside the tests"), .serialized,
    .timeLimit(.minutes(30)))
struct InspectProgramTests {
    @Test func `from standard input or an argument, well-formed ends with 0 and malformed with 1`() async throws {
        let hex = "0a07636f6e766f2d312a0568656c6c6f"
        let good = try await inspect([hex])
        #expect(good.code == 0)
        #expect(good.output.hasPrefix("EnvelopeV1, 16 bytes from hex\n"))
        #expect(try await inspect([], input: hex + "\n").output == good.output)
        #expect(try await inspect(["-"], input: hex).output == good.output)
        let cut = try await inspect([String(hex.dropLast(2))])
        #expect(cut.code == 1)
        #expect(cut.output.contains("malformed: breaks at byte 15"))
        #expect(!cut.output.contains("\u{1B}"))
    }

    @Test func `a file may hold text or bytes, and keys may stand in files`() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("inspect-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (file, key) = (folder.appendingPathComponent("payload"), folder.appendingPathComponent("key"))
        try Data([0x2a, 0x00, 0x0a, 0x01, 0x61]).write(to: file)
        try Data((String(repeating: "11", count: 32) + "\n").utf8).write(to: key)
        let found = try await inspect([file.path, "--identity", "@\(key.path)", "--json"])
        #expect(found.code == 0)
        let json = try JSON(parsing: Array(found.output.utf8))
        #expect(json["kind"] == "envelope")
        #expect(json["form"] == "binary")
        #expect(!found.output.contains("1111"))
    }

    @Test(arguments: [
        ["--as", "nothing", "00"], ["--identity", "00", "00"], ["--key", "@/nowhere", "00"], [""], ["00", "11"],
        ["--case", "no-such", #"{"cases": []}"#], [#"{"some": "json"}"#], ["--colour"],
    ])
    func `a wrong call says what is expected and ends with 2`(arguments: [String]) async throws {
        let ended = try await inspect(arguments)
        #expect(ended.code == 2)
        #expect(ended.output.isEmpty)
        #expect(ended.errors.hasPrefix("chat-inspect: "))
        #expect(ended.errors.hasSuffix("try 'chat-inspect --help'\n"))
    }

    @Test func `each line is an object of its own where that is asked for`() async throws {
        let ended = try await inspect(["--lines"], input: "0a07636f6e766f2d312a0568656c6c6f\n\n0a016f2a016\n")
        #expect(ended.code == 1)
        #expect(ended.output.hasPrefix("line 1: EnvelopeV1, 16 bytes from hex\n"))
        #expect(ended.output.contains("\nline 3: "))
        #expect(ended.output.contains("(not hex: 11 digits, and a byte has two)"))
        let json = try JSON(
            parsing: Array(try await inspect(["--lines", "--json"], input: "0a016f2a0161").output.utf8))
        #expect(json.list?.count == 1 && json.list?.first?["line"] == 1)
    }

    @Test func `a file of vectors gets a line for each case`() async throws {
        let cases =
            #"{"kind":"x","cases":[{"id":"a","envelope":"0a016f2a0161","result":"valid"},{"id":"b","envelope":"0aff"}]}"#
        let ended = try await inspect([], input: cases)
        #expect(ended.code == 1)
        #expect(ended.output == "2 cases of kind x\n\n✓ a  EnvelopeV1 (6)\n✗ b  EnvelopeV1 (2) malformed\n")
        #expect(
            try await inspect(["--case", "a"], input: cases).output.hasPrefix("a, envelope\n\nEnvelopeV1, 6 bytes"))
    }
}
