import ChatCodec
import ChatDriver
import Foundation
import Testing

/// Nothing goes to somebody for whom it was not meant (PEER-13 to PEER-15).
@Suite(
    .enabled(if: PeerStage.isBuilt, "chat-peer and chat-relay are not built beside the tests"),
    .timeLimit(.minutes(30)))
struct RecipientTests {
    private static let suite = "links/inbox-v1/private-v1-libchat/udp/envelope-v1"

    @Test func `requests are closed objects, and nothing but an object is one (PEER-13)`() async throws {
        let stage = try await PeerStage(Self.suite)
        let raya = stage.peer("raya", keeps: false)
        try await raya.start()
        let link = try await raya.introduction()
        let saro = try ChildProcess(
            Programs.directory + "/chat-peer", ["--json"] + stage.arguments("saro", keeps: false))
        await saro.write(#"{"do":"connect","link":"\#(link)","text":"first"}"#)
        let wrong = [
            #"{"do":"send","text":"x","to":["id"]}"#, #"{"do":"send","text":"x","to":5}"#,
            #"{"do":"send","text":"x","to":null}"#, #"{"do":"send","text":"x","to":""}"#,
            #"{"do":"send","text":"x","To":"id"}"#, #"{"do":"send","text":"x","conversation":"id"}"#,
            #"{"do":"send","text":"x","bytes":"00"}"#, #"{"do":"send","text":5}"#, #"{"do":"send"}"#,
            #"{"Do":"send","text":"x"}"#, #"{"do":"quit","now":true}"#, #"{"do":"status","text":"x"}"#,
            #"{"do":"send-file","path":"/etc/hostname","name":"x"}"#, #"{"do":"introduce","name":7}"#,
            #"["x"]"#, #""x""#, "x", "/quit", "\u{200B}{\"do\":\"send\",\"text\":\"x\"}",
        ]
        for (index, line) in wrong.enumerated() {
            await saro.write(line.hasPrefix("{") ? "\(line.dropLast()),\"tag\":\(index)}" : line)
        }
        await saro.write("")
        await saro.write("\u{FEFF}{\"do\":\"send\",\"text\":\"last\"}")
        #expect(await raya.receives(2, within: .seconds(60)))
        saro.closeInput()
        var codes: [String] = []
        for await line in saro.lines {
            let event = try JSON(parsing: line)
            if event["event"] == "error" { codes.append(event["code"]?.text ?? "") }
        }
        #expect(codes == wrong.map { _ in "malformed" })
        #expect(await saro.wait() == 0)
        #expect(await raya.texts == ["first", "last"])
        try await stage.end([raya])
    }

    @Test func `who is talked to is kept over a restart, and a failed choice leaves nobody (PEER-14)`() async throws {
        let stage = try await PeerStage(Self.suite)
        let (saro, raya) = (stage.peer("saro"), stage.peer("raya", keeps: false))
        try await raya.start()
        try await saro.start()
        _ = try await raya.introduction()
        var ids: [String] = []
        for number in 0..<6 {
            let link = try await raya.ask(["do": "introduce"])["links"]?.list?.first ?? ""
            let answer = try await saro.ask(["do": "connect", "link": link, "text": .string("\(number)")])
            ids.append(answer["conversation"]?.text ?? "")
        }
        for id in [ids[4], ids[0], ids[2]] {
            _ = try await saro.ask(["do": "to", "conversation": .string(id)])
            #expect(await saro.stop() == 0)
            try await saro.start()
            #expect(try await saro.ask(["do": "send", "text": "x"])["conversation"]?.text == id)
        }
        // A link that was used refuses what is said with it, once; what follows finds nobody chosen.
        let used = try await raya.ask(["do": "introduce"])["links"]?.list?.first ?? ""
        _ = try await saro.ask(["do": "connect", "link": used, "text": "with it"])
        _ = try await saro.ask(["do": "connect", "link": used])
        for code in ["used_bundle", "nobody", "nobody"] {
            await #expect { _ = try await saro.ask(["do": "send", "text": "again"]) } throws: { error in
                "\(error)".contains("\"code\":\"\(code)\"")
            }
        }
        for failing: JSON in [
            ["do": "to", "conversation": "nobody"],
            ["do": "connect", "link": "logos_chatintro_1_AAAA"],
            ["do": "connect", "link": "logos_chatintro_1_AAAA", "text": "x"],
        ] {
            _ = try await saro.ask(["do": "to", "conversation": .string(ids[1])])
            await #expect(throws: DriverError.self) { try await saro.ask(failing) }
            await #expect(throws: DriverError.self) { try await saro.ask(["do": "send", "text": "for somebody else"]) }
            #expect(await saro.stop() == 0)
            try await saro.start()
            await #expect(throws: DriverError.self) { try await saro.ask(["do": "send", "text": "for somebody else"]) }
        }
        try await stage.end([saro, raya])
        #expect(await !raya.texts.contains("for somebody else"))
    }

    @Test func `a link of one's own, or of another composition, is refused where it is pasted (PEER-23, PEER-24)`()
        async throws
    {
        let stage = try await PeerStage(Self.suite)
        let (saro, raya) = (stage.peer("saro", keeps: false), stage.peer("raya", keeps: false))
        try await raya.start()
        try await saro.start()
        let (own, link) = (try await saro.introduction(), try await raya.introduction())
        func refusal(_ request: JSON, _ code: String) async {
            await #expect { _ = try await saro.ask(request) } throws: { error in
                "\(error)".contains("\"code\":\"\(code)\"")
            }
        }
        await refusal(["do": "connect", "link": .string(own)], "own_bundle")
        await refusal(["do": "connect", "link": .string(own), "text": "to myself"], "own_bundle")
        let other = Self.suite.replacingOccurrences(of: "envelope-v1", with: "plain")
        await refusal(["do": "connect", "link": .string("\(link) \(other)")], "other_suite")
        await refusal(["do": "connect", "link": .string("\(link) \(other)"), "text": "x"], "other_suite")
        await refusal(["do": "send", "text": "to nobody"], "nobody")
        _ = try await saro.ask(["do": "connect", "link": .string("\(link) \(Self.suite)"), "text": "hello"])
        #expect(await raya.receives(1, within: .seconds(60)))
        #expect(await raya.texts == ["hello"])
        try await stage.end([saro, raya])
    }

    @Test func `what was meant for the program does not go to a person (PEER-15)`() async throws {
        let stage = try await PeerStage(Self.suite)
        let raya = stage.peer("raya", keeps: false)
        try await raya.start()
        let first = try await raya.introduction()
        var links: [String] = []
        for _ in 0..<2 { links.append(try await raya.ask(["do": "introduce"])["links"]?.list?.first?.text ?? "") }
        let saro = try ChildProcess(
            Programs.directory + "/chat-peer", stage.arguments("saro", keeps: false), joinsErrors: true)
        await saro.write("\u{FEFF}\(first)")
        await saro.write("one")
        #expect(await raya.receives(1, within: .seconds(60)))
        let id = try await raya.event { $0["event"] == "ready" }["identity"]?.text?.prefix(8) ?? ""
        for command in ["\u{FEFF}/status", "\u{200B}/status", "\u{200E} /status\u{200B}"] { await saro.write(command) }
        let link = links[0]
        let wrong = [
            "<\(link)>", "> \(link)", link.uppercased(), "my link: \(link)", "\"\(link)\"",
            String(link.prefix(80)), "see \(link.prefix(80))", "lo\u{200B}gos_chatintro_1_AAAA",
        ]
        for line in wrong {
            await saro.write("/to \(id)")
            await saro.write(line)
            await saro.write(String(link.dropFirst(80)))
        }
        await saro.write("/to \(id)")
        await saro.write("/say look: \(link)")
        await saro.write("\u{200B}\(links[1])\u{200B}")
        await saro.write("two")
        #expect(await raya.receives(3, within: .seconds(60)))
        saro.closeInput()
        var refused = 0
        var shown = ""
        for await line in saro.lines {
            if line.hasPrefix("! not sent: nobody is chosen") { refused += 1 }
            shown += line + "\n"
        }
        #expect(await saro.wait() == 0)
        #expect(refused == wrong.count, "\(shown)")
        #expect(shown.components(separatedBy: "waiting to be sent").count == 4)
        #expect(await raya.texts == ["one", "look: \(link)", "two"])
        try await stage.end([raya])
    }

    @Test func `a link that a terminal has broken is whole again when it is pasted in brackets (PEER-15)`() async throws
    {
        let stage = try await PeerStage(Self.suite)
        let raya = stage.peer("raya", keeps: false)
        try await raya.start()
        let link = try await raya.introduction()
        let saro = try TerminalProgram("chat-peer", stage.arguments("saro", keeps: false))
        #expect(await saro.shows("your introduction"))
        let broken = "\(link.prefix(80))\r\(link.dropFirst(80).prefix(80))\r\(link.dropFirst(160))"
        saro.type("\u{1B}[200~\(broken)\u{1B}[201~\r")
        #expect(await saro.shows("say something"))
        saro.type("\u{1B}[200~one\rtwo\u{1B}[201~ three\r")
        #expect(await raya.receives(1, within: .seconds(60)))
        #expect(await raya.texts == ["one\ntwo three"])
        saro.type("\u{4}")
        #expect(await saro.end() == 0)
        try await stage.end([raya])
    }
}
