import ChatCodec
import ChatDriver
import Foundation
import TestSupport
import Testing

/// Runs chat-interop over a list, with the programs of this build in the search path.
private func interop(_ list: String, _ arguments: [String]) async throws -> Ended {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("interop-\(UUID().uuidString).json")
    try Data(list.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    return try await runToEnd("chat-interop", [file.path] + arguments)
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

/// A Python that can run the second implementation: that of `make python`, or the system's.
private let python: String? = [
    Vectors.packageRoot.appendingPathComponent(".build/python/bin/python3").path, "python3",
].first { candidate in
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [candidate, "-c", "import nacl"]
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
}

/// A participant that behaves but for one thing, which a stream editor does to its answers.
private struct Misbehaviour: Sendable {
    let name: String
    let edit: String
    let scenario: String
    /// What the runner says of it.
    let reason: String
    /// Whether it is the one who begins; else the one who is invited.
    var begins = false

    init(_ name: String, _ edit: String, in scenario: String, _ reason: String, begins: Bool = false) {
        (self.name, self.edit, self.scenario, self.reason) = (name, edit, scenario, reason)
        self.begins = begins
    }

    static let all = [
        Misbehaviour(
            "hears another content", #"s/"content":"68656c6c6f"/"content":"68656c6c70"/"#, in: "first contact",
            "content 0 of 1 is another one"),
        Misbehaviour(
            "hears less", #"s/"content":"68656c6c6f"/"content":"68656c6c"/"#, in: "first contact",
            "content 0 of 1 is another one"),
        Misbehaviour(
            "hears nothing", #"s/"type":"content"/"type":"other"/"#, in: "first contact", "0 contents instead of 1"),
        Misbehaviour(
            "hears it in another conversation",
            #"s/"conversation_id":"\([^"]*\)","content"/"conversation_id":"x\1","content"/"#, in: "first contact",
            "a content came in another conversation"),
        Misbehaviour(
            "begins nothing", #"s/"type":"conversation_started"/"type":"other"/"#, in: "first contact",
            "0 conversations began instead of one"),
        Misbehaviour(
            "changes the order",
            #"s/"content":"636f6e74656e742030"/"content":"A"/;s/"content":"636f6e74656e742031"/"content":"636f6e74656e742030"/;"#
                + #"s/"content":"A"/"content":"636f6e74656e742031"/"#, in: "both ways", "content 0 of 2 is another one"),
        Misbehaviour(
            "accepts what it refused", #"s/"outcome":"rejected"/"outcome":"accepted"/"#, in: "duplicated payloads",
            "a payload was accepted instead of rejected"),
        Misbehaviour(
            "accepts what is altered", #"s/"outcome":"rejected"/"outcome":"accepted"/"#, in: "tampered payloads",
            "a payload was accepted instead of rejected"),
        Misbehaviour(
            "accepts a used key", #"s/"outcome":"rejected"/"outcome":"accepted"/"#, in: "single-use key used again",
            "a payload was accepted instead of rejected"),
        Misbehaviour(
            "refuses what is good", #"s/"outcome":"accepted"/"outcome":"rejected","code":"replay"/"#,
            in: "first contact", "a payload was rejected instead of accepted"),
        Misbehaviour(
            "takes what is not its own", #"s/"outcome":"ignored"/"outcome":"accepted"/"#,
            in: "payloads for somebody else", "a payload was accepted instead of ignored", begins: true),
        Misbehaviour(
            "has an outcome of its own", #"s/"outcome":"accepted"/"outcome":"fine"/"#, in: "first contact",
            "the outcome 'fine' is none of the three"),
        Misbehaviour(
            "refuses without a code", #"s/"code":/"reason":/"#, in: "duplicated payloads", "rejected without a code"),
        Misbehaviour(
            "tells of a content after a refusal",
            #"s/"events":\[\]/"events":[{"type":"content","conversation_id":"0","content":"00"}]/"#,
            in: "tampered payloads", "events after a payload that was refused or ignored"),
        Misbehaviour(
            "begins a conversation after a refusal",
            #"s/"events":\[\]/"events":[{"type":"conversation_started","conversation_id":"0"}]/"#,
            in: "duplicated payloads", "events after a payload that was refused or ignored"),
        Misbehaviour(
            "has no list of events", #"s/"events":/"event":/"#, in: "first contact", "take_events: events is missing"),
        Misbehaviour(
            "has no list of payloads", #"s/"payloads":/"payload":/"#, in: "first contact",
            "take_outbound: payloads is missing", begins: true),
        Misbehaviour(
            "sends nothing", #"s/"payloads":\[.*\]/"payloads":[]/"#, in: "first contact", "nothing was sent to it",
            begins: true),
    ]
}

@Suite(
    .enabled(
        if: Programs.has("chat-interop") && Programs.has("chat-peer"), "the programs are not built beside the tests"),
    .serialized, .timeLimit(.minutes(30)))
struct InteropProgramTests {
    @Test func `whoever hangs, crashes, prints garbage or closes early fails its pairs, and the run goes on`()
        async throws
    {
        let all = [("good", ["chat-peer", "shim"])] + hostile.map { ($0.name, $0.command) }
        let list: [JSON] = all.map { ["name": .string($0.0), "command": .array($0.1.map { .string($0) })] }
        let started = ContinuousClock.now
        let ended = try await interop(
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

    @Test func `whoever misbehaves in one thing fails the scenario that is about it, with the reason`() async throws {
        func shim(_ edit: String) -> JSON {
            .array(["sh", "-c", .string("chat-peer shim | sed -u '\(edit)'")])
        }
        var list: [JSON] = [["name": "good", "command": shim("s/a/a/")]]
        for one in Misbehaviour.all { list.append(["name": .string(one.name), "command": shim(one.edit)]) }
        for scenario in Set(Misbehaviour.all.map(\.scenario)).sorted() {
            let ended = try await interop(
                JSON.array(list).description, ["--json", "--limit", "120s", "--only", "good", "--scenario", scenario])
            #expect(ended.code == 1)
            let cells = try #require(try JSON(parsing: Array(ended.output.utf8))["results"]?.list)
            func cell(_ saro: String, _ raya: String) -> JSON? {
                cells.first { $0["saro"]?.text == saro && $0["raya"]?.text == raya }
            }
            #expect(cell("good", "good")?["outcome"] == "passed", "an edit alone changes nothing: \(scenario)")
            for one in Misbehaviour.all where one.scenario == scenario {
                let name = one.name
                let found = one.begins ? cell(name, "good") : cell("good", name)
                #expect(found?["outcome"] == "failed", "\(name), \(scenario)")
                let reason = found?["reason"]?.text ?? ""
                #expect(reason.contains(one.reason), "\(name): \(reason)")
            }
        }
    }

    @Test func `the reference profile gets through everything with itself, and TAP says so`() async throws {
        let suite = "links/inbox-v1/private-v1-compact/memory/envelope-v1"
        let ended = try await interop(
            #"[{"name":"a","command":["chat-peer","shim","--suite","\#(suite)"]}]"#, ["--tap"])
        #expect(ended.code == 0, "\(ended.output)")
        #expect(ended.output.hasPrefix("TAP version 13\n1..16\nok 1 - a -> a: first contact\n"))
    }

    @Test(
        .enabled(if: python != nil, "there is no Python with PyNaCl"),
        arguments: [
            ("no-signature-check", "forged link", "accepted a link with a forged ephemeral key: logos_chatintro_1_"),
            ("no-skip-limit", "more missing than is waited for", "a payload was accepted instead of rejected"),
            ("keeps-used-keys", "late payload twice", "a payload was accepted instead of rejected"),
        ])
    func `a fault that no other scenario finds fails the one that is about it`(
        fault: String, scenario: String, reason: String
    ) async throws {
        let sources = Vectors.packageRoot.appendingPathComponent("Specs/python").path
        let command: JSON = [
            "env", .string("PYTHONPATH=\(sources)"), .string(try #require(python)), "-m", "tests.mutant",
            .string(fault),
        ]
        let list: JSON = [
            ["name": "good", "command": ["chat-peer", "shim"]], ["name": "mutant", "command": command],
        ]
        let ended = try await interop(list.description, ["--json", "--only", "mutant", "--limit", "120s"])
        let cells = try #require(try JSON(parsing: Array(ended.output.utf8))["results"]?.list)
        let failed = cells.filter { $0["outcome"] == "failed" }
        #expect(Set(failed.compactMap { $0["scenario"]?.text }) == [scenario], "\(failed)")
        #expect(failed.first?["reason"]?.text?.contains(reason) == true, "\(failed)")
        #expect(ended.code == 1)
    }

    @Test func `a failure says code, message, step and payload`() async throws {
        let edit = #"s/"outcome":"accepted"/"outcome":"rejected","code":"replay","message":"seen before"/"#
        let list: JSON = [
            ["name": "good", "command": ["chat-peer", "shim"]],
            ["name": "bad", "command": ["sh", "-c", .string("chat-peer shim | sed -u '\(edit)'")]],
        ]
        let arguments = ["--only", "bad", "--scenario", "first contact", "--limit", "120s"]
        let cells = try #require(
            try JSON(parsing: Array(try await interop(list.description, arguments + ["--json"]).output.utf8))[
                "results"]?
                .list)
        let cell = try #require(cells.first { $0["saro"] == "good" && $0["raya"] == "bad" })
        #expect(cell["code"] == "replay" && cell["message"] == "seen before" && cell["step"] == 7)
        #expect(cell["operation"] == "receive_payload of Raya")
        let payload = try #require(cell["payload"]?.text)
        let text = try await interop(list.description, arguments).output
        #expect(text.contains("(replay, seen before); step 7, receive_payload of Raya\n"), "\(text)")
        #expect(text.split(separator: "\n").contains { $0.hasPrefix("    payload, \(payload.utf8.count / 2) bytes: ") })
    }

    @Test(arguments: [
        ("[", "the list is no JSON"), ("{}", "the list is no array"), ("[]", "0 implementations"),
        (#"[{"command":["true"]}]"#, "an implementation without name"), (#"[{"name":"a"}]"#, "a has no command"),
        (#"[{"name":"a","command":["x",1]}]"#, "a has no command"),
        (#"[{"name":"a","command":"x"}]"#, "a has no command"),
        (#"[{"name":"a","command":["x"]},{"name":"a","command":["x"]}]"#, "a is listed twice"),
    ])
    func `a list that is none says what is wrong with it and ends with 2`(list: String, reason: String) async throws {
        let ended = try await interop(list, [])
        #expect(ended.code == 2)
        #expect(ended.output.isEmpty)
        #expect(ended.errors.contains(reason), "\(ended.errors)")
    }

    @Test(arguments: [
        (["--only", "b"], "no implementation is called 'b'; there are a"),
        (["--scenario", "rain"], "none is called 'rain'; there are first contact, both ways"),
        (["--limit", "soon"], "--limit: 'soon' is not"),
    ])
    func `a name that is not there is no success`(arguments: [String], reason: String) async throws {
        let ended = try await interop(#"[{"name":"a","command":["true"]}]"#, arguments)
        #expect(ended.code == 2)
        #expect(ended.errors.contains(reason), "\(ended.errors)")
    }
}
