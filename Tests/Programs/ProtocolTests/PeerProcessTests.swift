import ChatCodec
import ChatDriver
import ChatPlatform
import Foundation
import Testing

@Suite(
    .enabled(if: PeerStage.isBuilt, "chat-peer and chat-relay are not built beside the tests"),
    .timeLimit(.minutes(30)))
struct PeerProcessTests {
    @Test(arguments: [
        "links/inbox-v1/private-v1/udp/envelope-v1",
        "links/inbox-v1/private-v1-compact/udp/envelope-v1",
        "links/inbox-v1-libchat/private-v1-libchat/udp/envelope-v1-libchat",
        "links/open-invite/private-v1-libchat/udp/plain",
        "directory/inbox-v1/private-v1-libchat/udp/envelope-v1",
    ])
    func `two processes exchange lines in both directions (FW-01)`(suite: String) async throws {
        let stage = try await PeerStage(suite)
        let (saro, raya) = (stage.peer("saro", keeps: false), stage.peer("raya", keeps: false, ["--publish", "raya"]))
        try await raya.start()
        let link = try await raya.introduction()
        try await saro.start()
        let said = lines("Saro", 0..<20)
        let answered = lines("Raya", 0..<20)
        _ = try await saro.ask(["do": "connect", "link": .string(link), "text": .string(said[0])])
        _ = try await raya.event { $0["event"] == "conversation" }
        async let one: Void = saro.say(Array(said.dropFirst()))
        async let other: Void = raya.say(answered)
        _ = try await (one, other)
        #expect(await raya.receives(20, within: .seconds(20)))
        #expect(await saro.receives(20, within: .seconds(20)))
        #expect(await raya.texts == said)
        #expect(await saro.texts == answered)
        #expect(try await saro.ask(["do": "status"])["suite"]?.text == suite)
        try await stage.end([saro, raya])
    }

    @Test func `killed in the middle, both lose nothing that was accepted (PEER-2, STORE-7)`() async throws {
        let stage = try await PeerStage("links/inbox-v1/private-v1/udp/envelope-v1")
        let (saro, raya) = (stage.peer("saro"), stage.peer("raya"))
        try await raya.start()
        try await saro.start()
        let link = try await raya.introduction()
        let (said, answered) = (lines("Saro", 0..<60), lines("Raya", 0..<60))
        _ = try await saro.ask(["do": "connect", "link": .string(link), "text": .string(said[0])])
        _ = try await raya.event { $0["event"] == "conversation" }
        // What was accepted a moment ago is still on its way when the power goes.
        try await saro.say(Array(said[1..<20]))
        await saro.kill()
        try await raya.say(Array(answered[0..<30]))
        await raya.kill()
        try await saro.start()
        try await saro.say(Array(said[20..<40]))
        try await raya.start()
        async let one: Void = saro.say(Array(said[40...]))
        async let other: Void = raya.say(Array(answered[30...]))
        _ = try await (one, other)
        #expect(await raya.receives(60, within: .seconds(20)))
        #expect(await saro.receives(60, within: .seconds(20)))
        #expect(await raya.texts == said)
        #expect(await saro.texts == answered)
        try await stage.end([saro, raya])
    }

    @Test func `a relay that is not there is named and sought, and what was kept goes out later (PEER-5)`() async throws
    {
        let stage = try await PeerStage("links/inbox-v1/private-v1-libchat/udp/envelope-v1")
        let (saro, raya) = (stage.peer("saro", ["--linger", "0"]), stage.peer("raya"))
        try await raya.start()
        try await saro.start()
        let link = try await raya.introduction()
        _ = try await saro.ask(["do": "connect", "link": .string(link), "text": "one"])
        #expect(await raya.receives(1, within: .seconds(20)))
        let address = stage.relay.place
        try await stage.relay.stop()
        let trouble = try await saro.event { $0["event"] == "link" && $0["state"] == "interrupted" }
        #expect(trouble["text"]?.text?.contains(address) == true)
        _ = try await saro.ask(["do": "send", "text": "two"])
        #expect(await saro.stop() == 0)
        let relay = try await RelayProcess(in: Programs.directory, after: stage.relay)
        try await saro.start()
        #expect(await raya.receives(2, within: .seconds(20)))
        #expect(await raya.texts == ["one", "two"])
        #expect(await saro.stop() == 0)
        #expect(await raya.stop() == 0)
        try await relay.stop()
    }

    @Test func `what was accepted and neither sent nor kept is an exit code of its own (PEER-5)`() async throws {
        let stage = try await PeerStage("links/inbox-v1/private-v1-libchat/udp/envelope-v1")
        let (saro, raya) = (stage.peer("saro", keeps: false, ["--linger", "0"]), stage.peer("raya", keeps: false))
        try await raya.start()
        try await saro.start()
        let link = try await raya.introduction()
        try await stage.relay.stop()
        _ = try await saro.ask(["do": "connect", "link": .string(link), "text": "one"])
        #expect(await saro.stop() == 1)
        let last = await saro.events.last
        #expect(last?["code"] == "lost")
        #expect(await raya.stop() == 0)
    }

    @Test func `a relay that comes after its peers is found (PEER-5)`() async throws {
        let stage = try await PeerStage("links/inbox-v1/private-v1-libchat/udp/envelope-v1")
        try await stage.relay.stop()
        let raya = stage.peer("raya", keeps: false)
        try await raya.start()
        let trouble = try await raya.event { $0["event"] == "error" && $0["code"] == "relay" }
        #expect(trouble["text"]?.text?.contains(stage.relay.address) == true)
        let relay = try await RelayProcess(in: Programs.directory, after: stage.relay)
        #expect(try await raya.introduction().hasPrefix("logos_"))
        #expect(await raya.stop() == 0)
        try await relay.stop()
    }

    @Test func `lines of a person go through pipes, and hostile content cannot move a cursor`() async throws {
        let stage = try await PeerStage("links/inbox-v1/private-v1-libchat/udp/envelope-v1")
        let raya = stage.peer("raya", keeps: false)
        try await raya.start()
        let link = try await raya.introduction()
        let saro = try ChildProcess(
            Programs.directory + "/chat-peer",
            ["--relay", stage.relay.address, "--suite", stage.suite, "--name", "Saro"], joinsErrors: true)
        await saro.write("to nobody")
        await saro.write("/nonsense")
        await saro.write("  \(link) ")
        await saro.write("Hello Raya")
        await saro.write("//slash")
        #expect(await raya.receives(2, within: .seconds(20)))
        #expect(await raya.texts == ["Hello Raya", "/slash"])
        try await raya.say(["\u{1B}[2Jone\ntwo\u{202E}"])
        var shown: [String] = []
        for await line in saro.lines {
            shown.append(line)
            if line.hasSuffix("two\u{FFFD}") { saro.closeInput() }
        }
        #expect(await saro.wait() == 0)
        #expect(shown.contains { $0.hasPrefix("! nobody to talk to yet") })
        #expect(shown.contains { $0.hasPrefix("! there is no command /nonsense") })
        #expect(shown.contains("Saro #1: Hello Raya"))
        #expect(shown.contains { $0.hasSuffix("#2 sent") })
        #expect(shown.contains { $0.hasSuffix(": \u{FFFD}[2Jone") })
        #expect(!shown.joined().contains("\u{1B}"))
        try await stage.end([raya])
    }

    @Test func `what cannot be opened or meant has its own exit code and says what to do (PEER-7)`() async throws {
        let stage = try await PeerStage("links/inbox-v1/private-v1-libchat/udp/envelope-v1")
        let raya = stage.peer("raya")
        try await raya.start()
        _ = try await raya.introduction()
        let data = "\(stage.directory)/raya"
        func run(_ arguments: [String], _ environment: [String] = []) async throws -> (Int32, String) {
            let child = try ChildProcess(
                Programs.directory + "/chat-peer", ["--relay", stage.relay.address] + arguments,
                environment: currentEnvironment() + environment, joinsErrors: true)
            child.closeInput()
            var text = ""
            for await line in child.lines { text += line + "\n" }
            return (await child.wait(), text)
        }
        let key = ["--key-file", stage.directory + "/key"]
        var result = try await run(["--data", data] + key)
        #expect(result.0 == 3 && result.1.contains("in use"))
        #expect(await raya.stop() == 0)
        result = try await run(["--data", data], ["CHAT_PASSPHRASE=x"])
        #expect(result.0 == 3 && result.1.contains("made with a key file"))
        result = try await run(["--data", data])
        #expect(result.0 == 3 && result.1.contains("CHAT_PASSPHRASE"))
        result = try await run(["--data", data, "--suite", "links/open-invite/private-v1-libchat/udp/plain"] + key)
        #expect(result.0 == 3 && result.1.contains("holds conversations of"))
        result = try await run(["--data", data] + key)
        #expect(result.0 == 0, "the composition is remembered: \(result.1)")
        for (arguments, words) in [
            (["--suite", "a/b"], "five are expected"),
            (["--suite", "links/inbox-v1/private-v1-libchat/udp/smoke"], "no framing strategy is named smoke"),
            (["--profile", "x"], "is not reference, libchat"), (["--linger", "-1"], "is not"),
            (["nonsense"], "unexpected"),
        ] {
            result = try await run(arguments)
            #expect(result.0 == 2 && result.1.contains(words), "\(arguments): \(result)")
        }
        result = try await run(["variants"])
        #expect(result.0 == 0 && result.1.contains("private-v1-libchat"))
        result = try await run(["describe", "--profile", "libchat", "--json"])
        #expect(result.0 == 0 && (try? JSON(parsing: result.1.trimmingCharacters(in: .newlines)))?["choices"] != nil)
        try await stage.end([])
    }
}
