import ChatCodec
import ChatDriver
import Foundation
import Testing

/// What a person sees and can do in a terminal (PEER-18 to PEER-20).
@Suite(
    .enabled(if: PeerStage.isBuilt, "chat-peer and chat-relay are not built beside the tests"),
    .timeLimit(.minutes(30)))
struct PersonTests {
    private static let suite = "links/inbox-v1/private-v1-libchat/udp/envelope-v1"

    @Test func `a peer has one label, which is kept, and numbers switch (PEER-18)`() async throws {
        let stage = try await PeerStage(Self.suite)
        let (raya, pax) = (stage.peer("raya", keeps: false), stage.peer("pax", keeps: false))
        try await raya.start()
        try await pax.start()
        let saro = try TerminalProgram("chat-peer", stage.arguments("saro"))
        #expect(await saro.shows("your introduction"))
        for (peer, name) in [(raya, "Raya"), (pax, "Pax")] {
            saro.type("\(try await peer.introduction())\n")
            #expect(await saro.shows("say something", times: name == "Raya" ? 1 : 2))
            saro.type("Hello \(name)\n")
            #expect(await peer.receives(1, within: .seconds(60)))
            saro.type("/name \(name)\n")
            #expect(await saro.shows("-- you talk to \(name)"))
        }
        saro.type("/name Raya\n")
        #expect(await saro.shows("not done: a name"))
        try await raya.say(["Hello Saro\u{202E}\u{200B}"])
        #expect(await saro.shows(" Raya: Hello Saro\u{FFFD}\u{FFFD}"))
        saro.type("/conversations\n")
        #expect(await saro.shows("(1 new)"))
        #expect(await saro.shows("-- 2  Pax: private-v1-libchat"))
        saro.type("/to 1\n")
        #expect(await saro.shows("-- you talk to Raya", times: 2))
        saro.type("for Raya\n/hlep\n/help to\n")
        #expect(await raya.receives(2, within: .seconds(60)))
        #expect(await saro.shows("there is no command /hlep (/help?)"))
        #expect(await saro.shows("/to WHO "))
        saro.type("/quit\n")
        #expect(await saro.end() == 0)
        let again = try TerminalProgram("chat-peer", stage.arguments("saro"))
        #expect(await again.shows("Raya: private-v1-libchat"))
        again.type("/to Pax\nfor Pax\n")
        #expect(await pax.receives(2, within: .seconds(60)))
        again.type("/quit\n")
        #expect(await again.end() == 0)
        #expect(await raya.texts == ["Hello Raya", "for Raya"])
        #expect(await pax.texts == ["Hello Pax", "for Pax"])
        try await stage.end([raya, pax])
    }

    @Test func `what was said is there after a restart, and again on request (PEER-21)`() async throws {
        let stage = try await PeerStage(Self.suite)
        let raya = stage.peer("raya", keeps: false)
        try await raya.start()
        let saro = try TerminalProgram("chat-peer", stage.arguments("saro"))
        #expect(await saro.shows("your introduction"))
        saro.type("\(try await raya.introduction())\n")
        #expect(await saro.shows("say something"))
        saro.type("Hello Raya\n")
        #expect(await raya.receives(1, within: .seconds(60)))
        saro.type("/name Raya\n")
        try await raya.say(["Hello Saro", "How are you?"])
        #expect(await saro.shows("Raya: How are you?"))
        saro.type("/quit\n")
        #expect(await saro.end() == 0)
        let again = try TerminalProgram("chat-peer", stage.arguments("saro"))
        #expect(await again.shows("me: Hello Raya"))
        #expect(await again.shows("Raya: How are you?"))
        again.type("/history 1\n")
        #expect(await again.shows("Raya: How are you?", times: 2))
        #expect(again.screen.components(separatedBy: "Raya: Hello Saro").count == 2)
        again.type("/quit\n")
        #expect(await again.end() == 0)
        try await stage.end([raya])
    }

    @Test func `a relay that cannot be reached is named with the system's reason (PEER-20, UDP-24)`() async throws {
        for (relay, words) in [
            ("relay.invalid:9220", "looking up 'relay.invalid'"), ("127.0.0.1:1", "is chat-relay running"),
        ] {
            let raya = PeerProcess("raya", in: Programs.directory, arguments: ["--relay", relay])
            try await raya.start()
            let trouble = try await raya.event(within: .seconds(60)) { $0["code"] == "relay" }
            #expect(trouble["text"]?.text?.contains(words) == true, "\(trouble.printed())")
            #expect(await raya.stop() == 0)
        }
        // A network of its own, which has no way out.
        let cut = try ChildProcess(
            "unshare", ["-rn", Programs.directory + "/chat-peer", "--relay", "192.0.2.1:9220"], joinsErrors: true)
        var shown = ""
        for await line in cut.lines {
            shown += line + "\n"
            if line.hasPrefix("! ") { cut.closeInput() }
        }
        let isAllowed = !shown.contains("unshare:")
        #expect(!isAllowed || shown.contains("no link to 192.0.2.1:9220: Network is unreachable"), "\(shown)")
    }

    @Test func `a lone process and a mistyped option hear of it (PEER-20)`() async throws {
        let stage = try await PeerStage(Self.suite)
        var ended = try await stage.shell(#""$0/chat-peer" --delivery memory"#, [])
        #expect(ended.text.contains("delivery memory reaches nobody outside this process"))
        ended = try await stage.shell(#""$0/chat-peer" --convresation plain"#, [])
        #expect(ended.code == 2 && ended.text.contains("there is no option --convresation; --conversation perhaps?"))
        try await stage.end([])
    }

    @Test func `peers that are composed otherwise are told what may be wrong (PEER-20)`() async throws {
        let stage = try await PeerStage(Self.suite)
        let saro = stage.peer("saro", keeps: false)
        let raya = PeerProcess(
            "raya", in: Programs.directory, arguments: ["--relay", stage.relay.address, "--profile", "libchat"])
        try await raya.start()
        try await saro.start()
        let link = try await raya.introduction()
        _ = try await saro.ask(["do": "connect", "link": .string(link), "text": "Hello"])
        _ = try await saro.event(within: .seconds(120)) { $0["event"] == "unanswered" }
        try await stage.end([saro, raya])
    }

    @Test(arguments: [("", true), ("1", false)])
    func `colours respect NO_COLOR where it is not empty`(value: String, hasColour: Bool) async throws {
        let stage = try await PeerStage(Self.suite)
        let saro = try TerminalProgram(
            "chat-peer", stage.arguments("saro", keeps: false), environment: ["NO_COLOR=\(value)"])
        #expect(await saro.shows("your introduction"))
        saro.type("/quit\n")
        #expect(await saro.end() == 0)
        #expect(saro.screen.contains("\u{1B}[") == hasColour)
        try await stage.end([])
    }
}
