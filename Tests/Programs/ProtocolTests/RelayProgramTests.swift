import ChatCodec
import ChatDriver
import Foundation
import Testing

/// What a program said and how it ended.
@Suite(
    .enabled(if: Programs.has("chat-relay"), "chat-relay is not built beside the tests"), .serialized,
    .timeLimit(.minutes(30)))
struct RelayProgramTests {
    @Test(arguments: [SIGINT, SIGTERM]) func `a relay says where it listens, counts when asked, and ends in order`(
        signal: Int32
    ) async throws {
        let arguments = ["--plain", "--listen", "127.0.0.1:0"]
        let ended = try await runToEnd("chat-relay", arguments, signals: [SIGUSR1, signal])
        #expect(ended.code == 0)
        #expect(
            ended.errors
                == "chat-relay: hops are in plain (--plain): whoever is on the path reads and forges everything\n")
        try #require(ended.lines.count == 3)
        let port = ended.lines[0].split(separator: ":").last.flatMap { UInt16($0) }
        #expect(ended.lines[0] == "listening on 127.0.0.1:\(port ?? 0)")
        #expect(port != 0)
        #expect(
            ended.lines[1].hasPrefix(
                "sessions=0 subscriptions=0 addresses=0 retained_bytes=0 held_bytes=0 owed_answers=0 opened=0 "))
        #expect(ended.lines[2] == ended.lines[1])
    }

    @Test(.enabled(if: PeerStage.isBuilt && Programs.has("chat-inspect")))
    func `relay and peer write captures, in which the inspector finds what was said to the relay`() async throws {
        let suite = "links/inbox-v1/private-v1-libchat/udp/envelope-v1"
        let stage = try await PeerStage(suite)
        let relay = try await RelayProcess(
            in: Programs.directory, arguments: ["--plain", "--capture", "\(stage.directory)/relay.pcapng"])
        let raya = PeerProcess(
            "raya", in: Programs.directory,
            arguments: ["--relay", relay.address, "--suite", suite, "--capture", "\(stage.directory)/raya.pcapng"])
        let saro = PeerProcess(
            "saro", in: Programs.directory, arguments: ["--relay", relay.address, "--suite", suite])
        try await raya.start()
        try await saro.start()
        let link = try await raya.introduction()
        _ = try await saro.ask(["do": "connect", "link": .string(link), "text": "hello"])
        #expect(await raya.receives(1, within: .seconds(60)))
        try await stage.end([saro, raya])
        try await relay.stop()
        for name in ["relay", "raya"] {
            let ended = try await runToEnd("chat-inspect", ["\(stage.directory)/\(name).pcapng"])
            #expect(ended.code == 0, "\(ended.output)\(ended.errors)")
            for word in ["  HELLO", "  WELCOME", "SUBSCRIBE", "DELIVER (EnvelopeV1)", "→ \(relay.address)"] {
                #expect(ended.output.contains(word), "\(name): \(word)")
            }
            #expect(ended.output.contains("PUBLISH (EnvelopeV1)") == (name == "relay"))
        }
        let ended = try await runToEnd("chat-relay", ["--listen", "127.0.0.1:0", "--capture", "/no/such/file"])
        #expect(ended.code == 1 && ended.errors.contains("--capture: cannot write /no/such/file: "))
    }

    @Test(arguments: [("5119", true), ("5k", false)])
    func `a payload limit that makes first contact impossible is warned of`(limit: String, warns: Bool) async throws {
        let ended = try await runToEnd(
            "chat-relay", ["--listen", "127.0.0.1:0", "--max-payload", limit], signals: [SIGTERM])
        #expect(ended.code == 0)
        #expect(ended.errors.contains("a first contact of profile reference takes more") == warns)
    }

    @Test func `a relay keeps its name with a key file, which is its owner's alone (UDP2-2)`() async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).key").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let arguments = ["--listen", "127.0.0.1:0", "--key-file", file]
        var keys: [Substring?] = []
        for _ in 0..<2 {
            let ended = try await runToEnd("chat-relay", arguments, signals: [SIGTERM])
            #expect(ended.code == 0)
            #expect(ended.errors.isEmpty)
            #expect(ended.lines[0].hasPrefix("listening on relay://127.0.0.1:"))
            keys.append(ended.lines[0].split(separator: "/#").last)
        }
        #expect(keys[0]?.count == 43)
        #expect(keys[0] == keys[1])
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
        let refused = try await runToEnd("chat-relay", arguments)
        #expect(refused.code == 1)
        #expect(refused.errors == "chat-relay: others may read or change \(file); run: chmod 600 \(file)\n")
        let drawn = try await runToEnd("chat-relay", ["--listen", "127.0.0.1:0"], signals: [SIGTERM])
        let note = "the key is of this start only; give --key-file FILE to keep the relay's name"
        #expect(drawn.errors == "chat-relay: \(note)\n")
        #expect(drawn.lines[0].split(separator: "/#").last != keys[0])
    }

    @Test func `for programs every line is a JSON object`() async throws {
        let ended = try await runToEnd("chat-relay", ["--plain", "--json", "--listen=[::1]:0"], signals: [SIGTERM])
        #expect(ended.code == 0)
        let events = try ended.lines.map { try JSON(parsing: $0) }
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
    func `a wrong call says what is expected and ends with 2`(arguments: [String], complaint: String) async throws {
        let ended = try await runToEnd("chat-relay", arguments)
        #expect(ended.code == 2)
        #expect(ended.output.isEmpty)
        #expect(ended.errors.hasPrefix(complaint))
        #expect(ended.errors.hasSuffix("try 'chat-relay --help'\n"))
    }

    @Test func `a port in use says what to do and ends with 1`() async throws {
        let relay = try await RelayProcess(in: Programs.directory)
        let ended = try await runToEnd("chat-relay", ["--listen", relay.place])
        #expect(ended.code == 1)
        let reason = "Address already in use; choose another port, or 0 for any"
        #expect(ended.errors == "chat-relay: listening on \(relay.place): \(reason)\n")
        try await relay.stop()
    }

    @Test func `help lists every option with its default and ends with 0`() async throws {
        let ended = try await runToEnd("chat-relay", ["--help"])
        #expect(ended.code == 0)
        let text = ended.output
        for option in ["--listen HOST:PORT", "--max-payload BYTES", "--retain-age TIME", "--rate COUNT", "--json"] {
            #expect(text.contains(option))
        }
        #expect(text.contains("(default 127.0.0.1:9220)"))
        #expect(text.contains("Exit codes: 0 ended by a signal, 1 could not start, 2 called wrongly."))
    }
}
