import ChatCodec
import ChatConversation
import ChatEngine
import ChatModel
import TestSupport
import Testing

/// A client's and an engine's machine without anything between them but two lists of payloads.
struct Both {
    let type = EngineTree()
    var client: any Conversation
    var engine: any Conversation
    var random: any RandomSource = RepeatableRandom(seed: 7)
    var now = Timestamp(milliseconds: 1_000)
    var toEngine: [Routed] = []
    var toClient: [Routed] = []
    var heard: [Event] = []
    var told: [Event] = []
    private var content: UInt64 = 0
    /// All records of each, as a client stores them.
    private(set) var records: [[String: Bytes]] = [[:], [:]]

    init() throws {
        let secret = Secret(copying: [UInt8](repeating: 7, count: 32).span)
        var step = Step(now: now, random: random)
        let inviting = ConversationSeed(type: type.name, side: .inviting(), secret: secret)
        client = try type.begin(inviting, in: &step)
        let opening = try #require(step.openings.first?.payload)
        random = step.random
        var other = Step(now: now, random: random)
        let invited = ConversationSeed(type: type.name, side: .invited(opening: opening), secret: secret)
        engine = try type.begin(invited, in: &other)
        random = other.random
        (toClient, told) = (other.sends.map(\.routed), other.events)
        store()
    }

    private mutating func store() {
        for record in client.takeChanges() { records[0][record.key] = record.bytes }
        for record in engine.takeChanges() { records[1][record.key] = record.bytes }
    }

    mutating func step(client isClient: Bool, _ body: (inout any Conversation, inout Step) throws -> Void) throws {
        var step = Step(now: now, random: random)
        defer { random = step.random }
        if isClient {
            try body(&client, &step)
            toEngine += step.sends.map(\.routed)
            heard += step.events
        } else {
            try body(&engine, &step)
            toClient += step.sends.map(\.routed)
            told += step.events
        }
        store()
    }

    mutating func act(client isClient: Bool, _ action: Action) throws {
        content += 1
        let id = ContentID(content)
        try step(client: isClient) { try $0.perform(action, as: id, in: &$1) }
    }

    /// Carries all payloads over; a loss drops those of the engine for which it says so.
    mutating func carry(losing: (Int) -> Bool = { _ in false }) throws {
        var count = 0
        while !toEngine.isEmpty || !toClient.isEmpty {
            let (there, back) = (toEngine, toClient)
            (toEngine, toClient) = ([], [])
            for routed in there { try step(client: false) { try $0.receive(routed, in: &$1) } }
            for routed in back {
                count += 1
                if losing(count) { continue }
                try step(client: true) { try $0.receive(routed, in: &$1) }
            }
        }
    }

    mutating func signal(_ signal: Signal, client isClient: Bool) throws {
        try step(client: isClient) { $0.handle(signal, in: &$1) }
    }

    mutating func restart(client isClient: Bool) throws {
        let list = records[isClient ? 0 : 1].map { Record($0.key, $0.value) }
        if isClient { client = try type.restore(list) } else { engine = try type.restore(list) }
        try signal(.restored, client: isClient)
    }

    /// The id of the answer that was asked for last.
    var asked: MessageID? {
        told.reversed().lazy.compactMap { event -> MessageID? in
            guard case .content(let received) = event else { return nil }
            return received.reference.flatMap { MessageID($0) }
        }.first
    }

    /// The questions that the engine's application heard.
    var questions: [String] {
        told.compactMap { event in
            guard case .content(let received) = event else { return nil }
            return String(decoding: received.content.array, as: UTF8.self)
        }
    }

    /// The texts that the client has whole.
    var answers: [String] {
        heard.compactMap { event in
            guard case .content(let received) = event, received.part == .whole else { return nil }
            return String(decoding: received.content.array, as: UTF8.self)
        }
    }
}

struct MachineTests {
    @Test func `what is lost of a stream is noticed, and the answer is said again (CE-41)`() throws {
        for lost in 1...6 {
            var both = try Both()
            try both.carry()
            try both.act(client: true, .send(Bytes("What is free?")))
            try both.carry()
            for piece in ["Fri", "day", ", and ", "Sat"] {
                try both.act(client: false, .send(Bytes(piece), part: .delta))
            }
            try both.act(client: false, .send(Bytes("urday"), part: .delta))
            try both.act(client: false, .send(Bytes(), part: .whole))
            try both.carry { $0 == lost }
            for _ in 0..<3 where both.answers.isEmpty {
                both.now = max(both.now + .seconds(1), both.client.nextWake ?? both.now)
                try both.signal(.due, client: true)
                if let wake = both.client.nextWake { #expect(wake > both.now, "MODEL-6") }
                try both.carry()
            }
            #expect(both.answers == ["Friday, and Saturday"], "payload \(lost) was lost")
            #expect(both.told.filter { if case .content = $0 { true } else { false } }.count == 1, "asked once")
            #expect(both.client.nextWake == nil)
        }
    }

    @Test func `a client that restarts in the middle hears all of it, once whole (CE-41)`() throws {
        var both = try Both()
        try both.carry()
        try both.act(client: true, .send(Bytes("What is free?")))
        try both.carry()
        try both.act(client: false, .send(Bytes("Friday"), part: .delta))
        try both.carry()
        try both.restart(client: true)
        try both.carry()
        let snapshots = both.heard.compactMap { event -> String? in
            guard case .content(let received) = event, received.part == .snapshot else { return nil }
            return String(decoding: received.content.array, as: UTF8.self)
        }
        #expect(snapshots.last == "Friday")
        try both.act(client: false, .send(Bytes(" and Saturday"), part: .delta))
        try both.act(client: false, .send(Bytes(), part: .whole))
        try both.carry()
        #expect(both.answers == ["Friday and Saturday"])
        // After it all is over a restart says nothing again.
        try both.restart(client: true)
        #expect(both.toEngine.isEmpty)
    }

    @Test func `an engine that restarts keeps its tree, and an answer under way is cut (CE-37)`() throws {
        var both = try Both()
        try both.carry()
        for text in ["one", "two"] {
            try both.act(client: true, .send(Bytes(text)))
            try both.carry()
            try both.act(client: false, .send(Bytes("answer \(text)"), part: .whole))
            try both.carry()
        }
        let second = try #require(both.asked)
        try both.act(client: true, EngineTreeAction.operation(.recreateMessage, id: second).action)
        try both.carry()
        try both.act(client: false, .send(Bytes("better two"), part: .whole))
        try both.carry()
        try both.act(client: true, .send(Bytes("three")))
        try both.carry()
        try both.act(client: false, .send(Bytes("half"), part: .delta))
        try both.carry()
        try both.restart(client: false)
        try both.signal(.linkBack(on: nil), client: true)
        try both.carry()
        #expect(both.answers == ["answer one", "answer two", "better two"])
        let isCut = both.heard.contains { event in
            guard case .content(let received) = event, case .cut(.failed) = received.part else { return false }
            return true
        }
        #expect(isCut)
        try both.act(client: true, EngineTreeAction.operation(.listMessages).action)
        try both.carry()
        let frame = try #require(both.heard.last.flatMap { EngineTreeAction.answer(in: $0) })
        guard case .answer(200, let body) = frame.saying else {
            Issue.record("the list is refused: \(frame)")
            return
        }
        let list = try EngineJSON().decode(MessageList.self, from: body).messages
        let texts = list.map { $0.content.map(\.content).joined() }
        #expect(texts == ["one", "answer one", "two", "answer two", "better two", "three"])
        #expect(list.filter { $0.place?.isActive == true }.count == 5)
        #expect(list[3].place?.isActive == false, "what was active when it was stored is so no more")
    }

    @Test func `a client that wants no more is obeyed, and the backend is told (CE-38)`() throws {
        var both = try Both()
        try both.carry()
        try both.act(client: true, .send(Bytes("What is free?")))
        try both.carry()
        try both.act(client: false, .send(Bytes("Fri"), part: .delta))
        try both.carry()
        let asked = try #require(both.asked)
        try both.act(client: true, .cancel(.received(asked.text)))
        try both.carry()
        #expect(both.told.contains(.cancelled(.received(asked.text))))
        let aborted = both.told.compactMap { EngineTreeAction.webhook(in: $0) }.compactMap { webhook in
            if case .messageAborted(let event) = webhook.event { event.content } else { nil }
        }
        #expect(aborted == [[.text("Fri")]])
        #expect(throws: Refusal.self) { try both.act(client: false, .send(Bytes("day"), part: .delta)) }
        #expect(both.client.nextWake == nil)
    }

    @Test func `what is refused changes nothing, and hostile lines end nothing`() throws {
        var both = try Both()
        try both.carry()
        let address = try #require(both.engine.listening.first)
        var random = RepeatableRandom(seed: 9)
        let good = Array(#"{"request":9,"operation":"sendMessage","body":{"session_id":"x","content":"y"}}"#.utf8)
        for _ in 0..<500 {
            var line = good
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                line[Int.random(in: 0..<line.count, using: &random)] = UInt8.random(in: 0x20...0x7e, using: &random)
            }
            try? both.step(client: false) {
                try $0.receive(Routed(address.address, address.route, payload: Bytes(line)), in: &$1)
            }
        }
        both.toClient = []
        try both.act(client: true, .send(Bytes("Still there?")))
        try both.carry()
        try both.act(client: false, .send(Bytes("Yes"), part: .whole))
        try both.carry()
        #expect(both.answers == ["Yes"])
    }
}
