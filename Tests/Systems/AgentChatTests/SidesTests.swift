import ChatCodec
import ChatModel
import TestSupport
import Testing

@testable import AgentChat

/// A client and an agent over a link that is cut at random, and both restarted at random.
struct SidesTests {
    @Test func `nothing is lost or done twice over cuts and restarts, and both fold the same, for 60 seeds`() throws {
        var (cuts, restarts, jobs) = (0, 0, 0)
        let seeds = Seeds.all(60)
        for seed in seeds {
            var world = World(seed: seed)
            for _ in 0..<120 { try world.step() }
            try world.settle()
            #expect(world.client.chat.shown == world.agent.chat.shown, "seed \(seed)")
            let users = world.agent.chat.shown.filter { $0.role == .user }.map(\.id)
            let missing = world.sent.filter { !users.contains($0) }
            #expect(missing.isEmpty, "seed \(seed): \(missing)")
            #expect(Set(users).count == users.count && world.started == world.sent, "seed \(seed)")
            #expect(world.client.waiting.isEmpty && world.taken == world.sent, "seed \(seed)")
            (cuts, restarts, jobs) = (cuts + world.cuts, restarts + world.restarts, jobs + world.started.count)
        }
        let runs = seeds.count
        #expect(
            60 * cuts > 100 * runs && restarts > runs && 60 * jobs > 100 * runs,
            "\(cuts) cuts, \(restarts) restarts, \(jobs) jobs")
    }

    @Test func `a run may branch off a message of the path, and off no other (AC-34)`() throws {
        var chat = ChatState(chat: "c")
        chat.open()
        _ = try chat.apply(.ready(.init()))
        func run(_ id: Identifier, behind parent: Identifier? = nil) throws {
            let message = Message(id: id, role: .user, parts: [.text(TextPart("Hello"))])
            _ = try chat.apply(.run(.init(chat: "c", message: message, parent: parent)))
            let (job, answer) = (Identifier(checking: "j\(id)") ?? "j", Identifier(checking: "a\(id)") ?? "a")
            _ = try chat.apply(.run(job: job, message: answer))
            _ = try chat.apply(.done(job: job, message: nil))
        }
        try run("1")
        try run("2")
        try run("3", behind: "a1")
        #expect(chat.path == ["1", "a1", "3", "a3"])
        #expect(chat.all.map(\.id) == ["1", "a1", "2", "a2", "3", "a3"])
        let before = chat
        for parent in ["2", "nobody", "4"] as [Identifier] {
            let violation = #expect(throws: Violation.self) { try run("4", behind: parent) }
            #expect(violation?.rule == .path && chat == before)
        }
        try run("4", behind: "a3")
        #expect(chat.path == ["1", "a1", "3", "a3", "4", "a4"])
    }

    @Test func `a tool waits for an approval, and a refusal is told (AC-31)`() throws {
        var world = World(seed: 1)
        try world.connect()
        try world.client.send(
            Message(id: "m1", role: .user, parts: [.text(TextPart("Book a table"))]), now: 0, random: 0
        )
        .frames.forEach { world.toAgent.append($0) }
        world.deliver()
        let call = ToolPart(name: .fixed("book"), callID: "c1", state: .inputAvailable(input: ["seats": 2]))
        var asking = call
        asking.state = .approvalRequested(input: ["seats": 2], id: "p1")
        world.say(try world.agent.write(.tool(call)))
        world.say(try world.agent.write(.tool(asking)))
        world.say(try world.agent.finish())
        world.deliver()
        #expect(throws: Violation.self) { try world.client.approve("p9", true, now: 0, random: 0) }
        world.toAgent += try world.client.approve("p1", false, reason: "too late", now: 0, random: 0).frames
        world.deliver()
        let id = try #require(world.agent.chat.job.message)
        guard case .tool(let answered)? = world.agent.chat[id]?.parts.first else {
            Issue.record("there is no tool")
            return
        }
        #expect(answered.state.approval == .init(id: "p1", approved: false, reason: "too late"))
        #expect(throws: Violation.self) {
            var running = answered
            running.state = .outputAvailable(input: ["seats": 2], output: 7, nil, preliminary: nil)
            return try world.agent.write(.tool(running))
        }
        #expect(world.client.chat[id]?.parts == world.agent.chat[id]?.parts)
    }

    @Test func `an agent answers what breaks a rule, and changes nothing (AC-23, AC-24, AC-29)`() throws {
        var agent = AgentSide(chat: "c")
        let before = agent.chat
        for (frame, code) in [
            (#"{"type":"get_chat","data":{"id":"c"}}"#, "bad_frame"), ("hello", "bad_frame"),
        ] {
            let bytes = Array(frame.utf8)
            let output = agent.receive(bytes.span, limit: 1 << 20) { "x" }
            let answer = output.frames[0]
            guard case .error(let failure) = try AgentJSON().serverMessage(answer.span) else {
                Issue.record("no error")
                continue
            }
            #expect(failure.code == code)
        }
        #expect(agent.chat == before)
    }
}

/// What answers an earlier hello breaks no rule: it is late, and the history has what it said.
@Test(arguments: [false, true]) func `answers that took longer than the pause are no violations (AC-29)`(
    afterReady: Bool
) throws {
    var (client, agent) = (ClientSide(chat: "c"), AgentSide(chat: "c"))
    var (frames, events): ([[UInt8]], [SideEvent]) = ([], [])
    func answers(_ output: SideOutput) -> [[UInt8]] {
        output.frames.flatMap { agent.receive($0.span, limit: 1 << 20) { "x" }.frames }
    }
    func hear(_ frame: [UInt8]) throws -> [[UInt8]] {
        let output = try client.receive(frame.span, now: 10_000, random: 0)
        events += output.events
        return answers(output)
    }
    frames = answers(client.begin(now: 0, random: 0))
    // The history is late where ready was not.
    if afterReady { frames = try hear(frames[0]) }
    let again = client.wake(now: 10_000, random: 0)
    #expect(again.frames.count == 1)
    frames += answers(again)
    while !frames.isEmpty { frames += try hear(frames.removeFirst()) }
    #expect(client.chat.connection.phase == .ready && client.deadline == nil)
    #expect(events == [.history([])], "\(events)")
}

/// Two sides, and what is on its way.
private struct World {
    var client = ClientSide(chat: "c")
    var agent = AgentSide(chat: "c")
    var toAgent: [[UInt8]] = []
    var toClient: [[UInt8]] = []
    var sent: [Identifier] = []
    var started: [Identifier] = []
    var taken: [Identifier] = []
    var (cuts, restarts) = (0, 0)
    private var random: SplitMix64
    private var (minted, now): (Int, UInt64) = (0, 0)
    private var injections: [Identifier] = []

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    private mutating func mint(_ prefix: String) -> Identifier {
        minted += 1
        return Identifier(checking: "\(prefix)\(minted)") ?? "x"
    }

    mutating func connect() throws {
        hear(client.begin(now: now, random: 0))
        deliver()
    }

    mutating func step() throws {
        now += 10
        switch random.below(20) {
        case 0...7: deliverOne()
        case 8: try send()
        case 9: cut()
        case 10: try restart()
        case 11: hear(client.wake(now: now, random: random.next()))
        case 12: _ = try? hear(client.cancel(now: now, random: 0))
        case 13: _ = try? hear(client.inject("more", as: mint("i"), now: now, random: 0))
        case 14: if let request = client.chat.job.request { try? answer(request) }
        default: work()
        }
    }

    /// Everything arrives, jobs end, and the client looks once more.
    mutating func settle() throws {
        for _ in 0..<40 {
            cut()
            deliver()
            if let request = client.chat.job.request {
                try answer(request)
                deliver()
            }
            if let output = try? agent.finish() { say(output) }
            deliver()
        }
    }

    private mutating func send() throws {
        let message = Message(id: mint("m"), role: .user, parts: [.text(TextPart("hello"))])
        guard let output = try? client.send(message, now: now, random: 0) else { return }
        sent.append(message.id)
        hear(output)
    }

    private mutating func answer(_ request: ServerMessage.ClarifyRequest) throws {
        let answers = request.questions.map { Command.Answer(question: $0.id, text: "yes") }
        hear(try client.answer(answers, now: now, random: 0))
    }

    private mutating func work() {
        let output =
            switch random.below(8) {
            case 0: try? agent.finish()
            case 1: try? agent.fail("broke")
            case 2: try? agent.ask([.init(id: "q", text: "?")], as: mint("r"))
            case 3: agent.chat.job.phase == .cancelling ? try? agent.acknowledgeCancel() : nil
            case 4: injections.popLast().flatMap { try? agent.split(at: $0, user: mint("u"), new: mint("a")) }
            default: try? agent.write(.text(TextPart("word \(random.below(100)) ", state: .streaming)))
            }
        if let output { say(output) }
    }

    private mutating func cut() {
        (toAgent, toClient) = ([], [])
        client.lose()
        hear(client.begin(now: now, random: 0))
        cuts += 1
    }

    /// What was stored comes back; what was on its way is gone.
    private mutating func restart() throws {
        restarts += 1
        let isClient = random.below(2) == 0
        let old = isClient ? client.chat : agent.chat
        let all = Dictionary(uniqueKeysWithValues: old.all.map { ($0.id, $0) })
        let head = try JSON(parsing: old.head.description)
        guard let chat = ChatState(head: head, messages: all) else {
            Issue.record("a chat cannot be restored")
            return
        }
        if isClient {
            client = ClientSide(chat: chat, waiting: client.waiting)
        } else {
            agent = AgentSide(restoring: chat, cause: agent.cause)
            say(agent.settleRestart())
        }
        cut()
    }

    mutating func deliver() { while !toAgent.isEmpty || !toClient.isEmpty { deliverOne() } }

    private mutating func deliverOne() {
        if !toAgent.isEmpty, toClient.isEmpty || random.below(2) == 0 {
            let frame = toAgent.removeFirst()
            var next = minted
            let output = agent.receive(frame.span, limit: 1 << 20) {
                next += 1
                return Identifier(checking: "s\(next)") ?? "x"
            }
            minted = next
            say(output)
        } else if !toClient.isEmpty {
            let frame = toClient.removeFirst()
            do { hear(try client.receive(frame.span, now: now, random: 0)) } catch { Issue.record("\(error)") }
        }
    }

    mutating func say(_ output: SideOutput) {
        toClient += output.frames
        for event in output.events {
            if case .submitted(let message, _, _) = event { started.append(message.id) }
            if case .injected(let injection) = event { injections.append(injection.inject) }
        }
    }

    mutating func hear(_ output: SideOutput) {
        toAgent += output.frames
        for event in output.events { if case .taken(let id) = event { taken.append(id) } }
    }
}
