import ChatModel
import Testing

@testable import AgentChat

/// Two clients on one chat, and answers that are lost or come twice: what was accepted is neither lost nor done twice.
struct RaceTests {
    private var agent = AgentSide(chat: "c")
    private var minted = 0

    private func message(_ id: Identifier) -> Message {
        Message(id: id, role: .user, parts: [.text(TextPart("hello"))])
    }

    private mutating func answers(to output: SideOutput) -> SideOutput {
        var result = SideOutput()
        for frame in output.frames {
            let answer = agent.receive(frame.span, limit: 1 << 20) {
                minted += 1
                return Identifier(checking: "s\(minted)") ?? "x"
            }
            result.frames += answer.frames
            result.events += answer.events
        }
        return result
    }

    /// Gives a client frames, and the agent what it says to them, until nobody says anything.
    private mutating func settle(_ client: inout ClientSide, _ frames: [[UInt8]]) throws -> [SideEvent] {
        var (frames, events): ([[UInt8]], [SideEvent]) = (frames, [])
        while !frames.isEmpty {
            let frame = frames.removeFirst()
            let output = try client.receive(frame.span, now: 0, random: 0)
            events += output.events
            frames += answers(to: output).frames
        }
        return events
    }

    /// What a client makes of one message.
    private func hear(_ message: ServerMessage, _ client: inout ClientSide) throws -> SideOutput {
        let frame = AgentJSON().encode(message)
        return try client.receive(frame.span, now: 0, random: 0)
    }

    private mutating func connected() throws -> ClientSide {
        var client = ClientSide(chat: "c")
        _ = try settle(&client, answers(to: client.begin(now: 0, random: 0)).frames)
        return client
    }

    private var users: [Identifier] { agent.chat.shown.filter { $0.role == .user }.map(\.id) }

    @Test mutating func `who loses a race of submissions submits again when the other's job is over (AC-23)`() throws {
        var (saro, raya) = (try connected(), try connected())
        let first = try saro.send(message("saro1"), now: 0, random: 0)
        let second = try raya.send(message("raya1"), now: 0, random: 0)
        // A job that begins is told to both; Raya takes it for hers, until she hears that there was one.
        let started = answers(to: first)
        _ = try settle(&saro, started.frames)
        #expect(try settle(&raya, started.frames).contains(.taken("raya1")))
        let restored = ClientSide(chat: raya.chat, waiting: raya.unsettled)
        #expect(restored.waiting.map(\.message.id) == ["raya1"])
        _ = try settle(&raya, answers(to: second).frames)
        #expect(users == ["saro1"] && raya.chat.path.contains("raya1") == false)
        let done = try agent.finish().frames
        _ = try settle(&saro, done)
        _ = try settle(&raya, done)
        #expect(users == ["saro1", "raya1"] && raya.unsettled.map(\.message.id) == ["raya1"])
        _ = try settle(&raya, try agent.finish().frames)
        #expect(raya.unsettled.isEmpty && raya.chat.path == agent.chat.path)
    }

    @Test mutating func `a run that comes again when its job is over changes nothing (AC-37)`() throws {
        var saro = try connected()
        let said = try saro.send(message("m1"), now: 0, random: 0)
        _ = try settle(&saro, answers(to: said).frames)
        #expect(answers(to: said).frames.count == 1)
        _ = try settle(&saro, try agent.finish().frames)
        let before = agent
        let again = answers(to: said)
        #expect(agent == before && again.frames.isEmpty && again.events.isEmpty)
    }

    @Test mutating func `a message whose job failed before it was heard of is not told to have failed (AC-37)`() throws
    {
        var saro = try connected()
        // `run` is lost.
        _ = answers(to: try saro.send(message("m1"), now: 0, random: 0))
        let events = try settle(&saro, try agent.fail("broke").frames)
        #expect(events.contains(.taken("m1")) && saro.unsettled.isEmpty && users == ["m1"])
    }

    @Test mutating func `a service that names a job in a refusal is believed the second time`() throws {
        var saro = try connected()
        _ = try saro.send(message("m1"), now: 0, random: 0)
        let refusal = ServerMessage.error(.init("no", job: "j9"))
        // Nothing came to the service; the message is sent again, and refused again.
        #expect(try hear(refusal, &saro).frames == [SideOutput.hello])
        _ = try hear(.ready(.init(chat: "c", activeJob: ServerMessage.ActiveJob.none)), &saro)
        _ = try hear(.chatHistory(.init(initialPath: [], chat: "c")), &saro)
        #expect(saro.chat.job.phase == .submitted)
        #expect(try hear(refusal, &saro).events == [.refused("m1", "no")])
    }

    @Test func `a client waits for what the service said lives before it submits more (AC-23)`() throws {
        // It was started again, and the service has the first message.
        let runs = ["m1", "m2"].map { (id: Identifier) in Command.Run(chat: "c", message: message(id)) }
        var saro = ClientSide(chat: ChatState(chat: "c"), waiting: runs)
        _ = saro.begin(now: 0, random: 0)
        let job = ServerMessage.ActiveJob.job("j1", message: "a1")
        _ = try hear(.ready(.init(chat: "c", activeJob: job)), &saro)
        let output = try hear(.chatHistory(.init(initialPath: [message("m1")], chat: "c")), &saro)
        #expect(output.frames.isEmpty && saro.deadline != nil)
        let resumed = try hear(.streamResume(.init(message: "a1", parts: [], job: "j1")), &saro)
        #expect(!resumed.events.contains(.taken("m2")))
        let done = try hear(.done(job: "j1", message: nil), &saro)
        #expect(done.frames.count == 1 && saro.unsettled.map(\.message.id) == ["m2"])
    }

    @Test(arguments: [Job.Outcome.completed, .cancelled, .failed], [false, true])
    mutating func `a job that ends between ready and history is told with its whole message, once (AC-37)`(
        outcome: Job.Outcome, knowsJob: Bool
    ) throws {
        var saro = try connected()
        _ = try settle(&saro, answers(to: try saro.send(message("m1"), now: 0, random: 0)).frames)
        _ = try settle(&saro, try agent.write(.text(TextPart("Look", state: .streaming))).frames)
        // The link is lost, or the device starts again and knows less.
        if !knowsJob { saro = ClientSide(chat: "c") }
        let ready = answers(to: saro.begin(now: 0, random: 0)).frames
        let asked = try ready.map { try saro.receive($0.span, now: 0, random: 0) }
        // The agent goes on before it is asked for the chat.
        var late = try agent.write(.text(TextPart("ing", state: .streaming))).frames
        switch outcome {
        case .completed: late += try agent.finish().frames
        case .cancelled: late += try agent.acknowledgeCancel().frames
        case .failed: late += try agent.fail("broke").frames
        }
        late += asked.flatMap { answers(to: $0).frames }
        let events = try settle(&saro, late)
        let told = events.compactMap { if case .whole(let message) = $0 { message.text } else { nil } }
        let ends = events.compactMap { if case .ended(let outcome, _, _) = $0 { outcome } else { nil } }
        #expect(told == (knowsJob ? ["Looking"] : []) && ends == (knowsJob ? [outcome] : []), "\(events)")
        #expect(saro.chat.shown.map(\.text) == ["hello", "Looking"])
        #expect(try saro.send(message("m2"), now: 0, random: 0).frames.count == 1, "nothing is waited for")
    }
}
