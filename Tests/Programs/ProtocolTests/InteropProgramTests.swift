import ChatDriver
import ChatWire
import Foundation
import Testing

/// Runs chat-interop over a list, with the programs of this build in the search path.
private func interop(_ list: String, _ arguments: [String]) throws -> (code: Int32, output: String, errors: String) {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("interop-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("list.json")
    try Data(list.utf8).write(to: file)
    let complaints = folder.appendingPathComponent("errors")
    try Data().write(to: complaints)

    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "\(Programs.directory)/chat-interop")
    process.arguments = [file.path] + arguments
    process.environment = ProcessInfo.processInfo.environment.merging(
        ["PATH": "\(Programs.directory):/usr/bin:/bin"], uniquingKeysWith: { $1 })
    (process.standardOutput, process.standardError) = (output, try FileHandle(forWritingTo: complaints))
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (
        process.terminationStatus, String(decoding: text, as: UTF8.self),
        try String(contentsOf: complaints, encoding: .utf8)
    )
}

/// Implementations that do what none should do, and what the runner says of each.
private let hostile: [(name: String, command: [String], reason: String)] = [
    ("hangs", ["sleep", "600"], "no answer within 3.0 seconds"),
    ("ends", ["true"], "ended instead of answering"),
    ("is missing", ["/no/such/program"], "/no/such/program"),
    ("closes early", ["sh", "-c", "read line; exit 3"], "ended instead of answering"),
    ("is killed", ["sh", "-c", "read line; kill -9 $$"], "ended instead of answering"),
    ("prints garbage", ["sh", "-c", "while read line; do echo '<html>'; done"], "no JSON object"),
    ("prints a list", ["sh", "-c", "while read line; do echo '[1]'; done"], "no JSON object"),
    ("answers others", ["sh", "-c", "while read line; do echo '{\"id\":99,\"ok\":true}'; done"], "another id"),
    ("is vague", ["sh", "-c", "while read line; do echo '{\"id\":1,\"ok\":\"yes\"}'; done"], "without ok"),
    ("never stops", ["yes"], "no JSON object"),
    ("never ends a line", ["cat", "/dev/zero"], "never ends a line, hello: "),
    (
        "refuses",
        ["sh", "-c", "while read line; do echo '{\"id\":1,\"ok\":false,\"error\":{\"message\":\"not today\"}}'; done"],
        "hello: not today"
    ),
    (
        "hangs later",
        ["sh", "-c", "read line; echo '{\"id\":1,\"ok\":true,\"profiles\":[\"libchat\"]}'; exec sleep 600"],
        "no answer within 3.0 seconds"
    ),
]

@Suite(
    .enabled(
        if: Programs.has("chat-interop") && Programs.has("chat-peer"), "the programs are not built beside the tests"),
    .serialized, .timeLimit(.minutes(10)))
struct InteropProgramTests {
    @Test func `whoever hangs, crashes, prints garbage or closes early fails its pairs, and the run goes on`() throws {
        let all = [("good", ["chat-peer", "shim"])] + hostile.map { ($0.name, $0.command) }
        let list: [JSON] = all.map { ["name": .string($0.0), "command": .array($0.1.map { .string($0) })] }
        let started = ContinuousClock.now
        let ended = try interop(
            JSON.array(list).description,
            ["--json", "--limit", "3s", "--only", "good", "--scenario", "first contact"])
        #expect(ended.code == 1)
        #expect(ContinuousClock.now - started < .seconds(240))
        let report = try JSON(parsing: Array(ended.output.utf8))
        let cells = try #require(report["results"]?.list)
        #expect(cells.count == 2 * hostile.count + 1)
        let good = cells.filter { $0["saro"] == "good" && $0["raya"] == "good" }
        #expect(good.map { $0["outcome"] } == ["passed"], "\(good)")
        for (name, _, reason) in hostile {
            let theirs = cells.filter { $0["saro"]?.text == name || $0["raya"]?.text == name }
            #expect(theirs.count == 2)
            for cell in theirs {
                #expect(cell["outcome"] == "failed", "\(cell)")
                #expect(cell["reason"]?.text?.contains(reason) == true, "\(cell)")
                #expect(cell["reason"]?.text?.contains(name) == true || name == "is missing", "\(cell)")
            }
        }
    }

    @Test func `the reference profile gets through everything with itself, and TAP says so`() throws {
        let suite = "links/inbox-v1/private-v1-compact/memory/envelope-v1"
        let ended = try interop(#"[{"name":"a","command":["chat-peer","shim","--suite","\#(suite)"]}]"#, ["--tap"])
        #expect(ended.code == 0, "\(ended.output)")
        #expect(ended.output.hasPrefix("TAP version 13\n1..13\nok 1 - a -> a: first contact\n"))
    }

    @Test(arguments: [
        ("[", "the list is no JSON"), ("{}", "the list is no array"), ("[]", "0 implementations"),
        (#"[{"command":["true"]}]"#, "an implementation without name"), (#"[{"name":"a"}]"#, "a has no command"),
        (#"[{"name":"a","command":["x",1]}]"#, "a has no command"),
        (#"[{"name":"a","command":"x"}]"#, "a has no command"),
        (#"[{"name":"a","command":["x"]},{"name":"a","command":["x"]}]"#, "a is listed twice"),
    ])
    func `a list that is none says what is wrong with it and ends with 2`(list: String, reason: String) throws {
        let ended = try interop(list, [])
        #expect(ended.code == 2)
        #expect(ended.output.isEmpty)
        #expect(ended.errors.contains(reason), "\(ended.errors)")
    }

    @Test(arguments: [
        (["--only", "b"], "no implementation is called 'b'; there are a"),
        (["--scenario", "rain"], "none is called 'rain'; there are first contact, both ways"),
        (["--limit", "soon"], "--limit: 'soon' is not"),
    ])
    func `a name that is not there is no success`(arguments: [String], reason: String) throws {
        let ended = try interop(#"[{"name":"a","command":["true"]}]"#, arguments)
        #expect(ended.code == 2)
        #expect(ended.errors.contains(reason), "\(ended.errors)")
    }
}
