import AgentChat
import ChatClient
import ChatCodec
import ChatModel
import TestSupport
import Testing

/// Deltas of text, of which there are most: read in one pass, appended where they stand, and not flushed one by one.
struct DeltaTests {
    private static let frames = [
        #"{"type":"stream","message_id":"a1","delta":{"type":"text","text":"Table 7","state":"streaming"},"job_id":"j1","seq":12}"#,
        #"{"type":"stream","message_id":"s0123456789abcdef","delta":{"type":"reasoning","text":"près, 東京","state":"done"}}"#,
        #"{"type":"stream","message_id":"a1","delta":{"type":"text","text":""},"seq":0}"#,
    ]

    /// What stands behind the first byte is read by the parser alone if a space is put in front of it.
    private func parsed(_ frame: [UInt8]) -> Result<ServerMessage, Violation> {
        var spaced = frame
        spaced.insert(UInt8(ascii: " "), at: min(1, spaced.count))
        return Result { () throws(Violation) in try AgentJSON().serverMessage(spaced.span) }
    }

    private func read(_ frame: [UInt8]) -> Result<ServerMessage, Violation> {
        Result { () throws(Violation) in try AgentJSON().serverMessage(frame.span) }
    }

    @Test(arguments: frames) func `a delta is read as the parser reads it (AC-35)`(frame: String) throws {
        let frame = Array(frame.utf8)
        let message = try read(frame).get()
        #expect(try message == parsed(frame).get())
        #expect(AgentJSON().encode(message) == frame)
    }

    @Test func `30,000 deltas with hostile bytes in them are read as the parser reads them (AC-35)`() throws {
        var random = SplitMix64(seed: 7)
        let bytes = Array(#""\{}[],:0123456789"#.utf8) + [0, 9, 0x1f, 0x7f, 0x80, 0xc2, 0xe2, 0xff, 0x20, 0x61]
        var good = 0
        for round in 0..<30_000 {
            var frame = Array(Self.frames[round % Self.frames.count].utf8)
            for _ in 0...Int(random.next() % 2) {
                let place = Int(random.next() % UInt64(frame.count))
                switch random.next() % 3 {
                case 0: frame[place] = bytes[Int(random.next() % UInt64(bytes.count))]
                case 1: frame.insert(bytes[Int(random.next() % UInt64(bytes.count))], at: place)
                default: frame.remove(at: place)
                }
            }
            let (read, parsed) = (read(frame), parsed(frame))
            let isSame =
                switch (read, parsed) {
                case (.success(let left), .success(let right)): left == right
                case (.failure(let left), .failure(let right)): left.rule == right.rule && left.place == right.place
                default: false
                }
            if case .success = read { good += 1 }
            try #require(isSame, "\(String(decoding: frame, as: UTF8.self)) is \(read), and not \(parsed)")
        }
        #expect(good > 1_000)
    }

    @Test func `a delta is written as any value is, whatever its text (AC-35)`() throws {
        var random = SplitMix64(seed: 8)
        let rare = ["\"", "\\", "\n", "\u{7f}", "\u{0}", "\u{1f}", "é", "東", "\u{80}", "\u{2028}", "🦭"]
        let ids: [Identifier] = ["a1", "s0123456789abcdef", "mé", "q\"", "b\\c", "a/b"]
        for _ in 0..<5_000 {
            var text = ""
            for _ in 0..<random.below(40) { text += random.below(16) == 0 ? rare[random.below(rare.count)] : "x" }
            let part = TextPart(text, state: [nil, .streaming, .done][random.below(3)])
            let stream = ServerMessage.Stream(
                message: ids[random.below(ids.count)], delta: random.below(2) == 0 ? .text(part) : .reasoning(part),
                consolidated: [nil, nil, true, false][random.below(4)],
                job: random.below(2) == 0 ? nil : ids[random.below(ids.count)],
                sequence: [nil, 0, 7, .max, random.next()][random.below(5)])
            let frame = AgentJSON().encode(.stream(stream))
            let json = try JSON(parsing: frame.span)
            #expect(frame == Array(json.description.utf8))
            #expect(try AgentJSON().serverMessage(frame.span) == .stream(stream))
        }
    }

    @Test(.timeLimit(.minutes(30)))
    func `a delta moves no text that is there, in the cores of both sides`() throws {
        var pair = try CorePair()
        for _ in 0..<2_000 { try pair.say("twelve tables are free on Friday") }
        let text = try #require(pair.text(pair.client))
        #expect(text.utf8.count == 64_000)
        #expect(pair.text(pair.agent) == text)
        // The text grows by doubling its room, which moves it a few times.
        #expect(pair.moves.agent < 40, "the agent's text was moved \(pair.moves.agent) times")
        #expect(pair.moves.client < 40, "the client's text was moved \(pair.moves.client) times")
    }

    @Test(.timeLimit(.minutes(30)))
    func `deltas are not flushed one by one, on either side (AC-37)`() throws {
        var pair = try CorePair()
        try pair.say("Looking")
        let before = pair.flushes
        for _ in 0..<100 { try pair.say(" for a table") }
        #expect(pair.flushes == before)
    }
}

extension DeltaTests {
    @Test(.timeLimit(.minutes(30)))
    func `a message that was finished before its deltas left is whole after a restart (AC-37)`() throws {
        var pair = try CorePair()
        try pair.say("Looking")
        try pair.finishAndRestart(after: [" for", " a", " table"])
        #expect(pair.whole == "Looking for a table")
    }
}

/// A client's core and an agent's whose job writes a message, with nothing between them.
private struct CorePair {
    private(set) var (client, agent): (ChatCore, ChatCore)
    private var conversation = ConversationID("")
    private var content: ContentID?
    /// How often the text of the message stood elsewhere than before.
    private(set) var moves = (client: 0, agent: 0)
    private var places = (client: 0, agent: 0)
    /// How often records had to be stored at once.
    private(set) var flushes = 0
    private var disk: [String: Bytes] = [:]
    /// What the client's application was told to be the whole message.
    private(set) var whole: String?

    init() throws {
        (client, agent) = (try Self.core(1), try Self.core(2))
        let bundle = try agent.introduce(1, now: .zero)[0]
        for record in agent.takeRecords() { disk[record.key] = record.bytes }
        _ = try client.begin(ConversationType(AgentChat.name), with: bundle, saying: Bytes("Tables?"), now: .zero)
        while exchange() {}
        conversation = try #require(agent.conversations.first?.id)
    }

    private static func core(_ seed: UInt64, _ disk: [String: Bytes] = [:]) throws -> ChatCore {
        try ChatCore(
            AgentReady(), conversations: [AgentChat()], framing: AgentFraming(),
            delivery: DeliveryLimits(maximumPayload: AgentJSON.maximumFrame, offers: [.ordering]),
            random: RepeatableRandom(seed: seed), restoring: disk.map { Record($0.key, $0.value) }, now: .zero)
    }

    /// The agent writes, is done, and its process ends before anything left.
    mutating func finishAndRestart(after pieces: [String]) throws {
        for piece in pieces {
            _ = try agent.perform(.send(Bytes(piece), part: .delta), in: conversation, as: content, now: .zero)
        }
        _ = try agent.perform(AgentChatAction.finish.action, in: conversation, now: .zero)
        flush(\.agent)
        agent = try Self.core(3, disk)
        while exchange() {}
    }

    mutating func say(_ text: String) throws {
        content = try agent.perform(
            .send(Bytes(text), part: .delta), in: conversation, as: content, now: .zero)
        while exchange() {}
        let now = (client: place(client), agent: place(agent))
        if now.client != places.client { moves.client += 1 }
        if now.agent != places.agent { moves.agent += 1 }
        places = now
    }

    /// The text of the message that is written.
    func text(_ core: ChatCore) -> String? {
        guard let id = core.conversations.first?.id, let machine = core.machine(id) as? AgentChatConversation,
            let message = machine.chat.job.message.flatMap({ machine.chat[$0] })
        else { return nil }
        return message.text
    }

    /// Where the text stands in memory.
    private func place(_ core: ChatCore) -> Int {
        guard let id = core.conversations.first?.id, let machine = core.machine(id) as? AgentChatConversation,
            case .text(let part)? = machine.chat.job.message.flatMap({ machine.chat[$0]?.parts.last })
        else { return 0 }
        return unsafe part.text.utf8.span.withUnsafeBufferPointer { Int(bitPattern: $0.baseAddress) }
    }

    private mutating func exchange() -> Bool {
        let (down, up) = (step(\.agent), step(\.client))
        if !down.isEmpty { client.receive(down, now: .zero) }
        if !up.isEmpty { agent.receive(up, now: .zero) }
        flush(\.client)
        flush(\.agent)
        return !(down.isEmpty && up.isEmpty)
    }

    private mutating func step(_ side: WritableKeyPath<CorePair, ChatCore>) -> [Delivery] {
        flush(side)
        let payloads = self[keyPath: side].takeOutbox(now: .zero)
        guard !payloads.isEmpty else { return [] }
        self[keyPath: side].settle(payloads, payloads.map { _ in .success(Receipt()) }, now: .zero)
        return payloads.map { Delivery($0.addressed) }
    }

    private mutating func flush(_ side: WritableKeyPath<CorePair, ChatCore>) {
        let records = self[keyPath: side].takeUrgentRecords()
        if !records.isEmpty { flushes += 1 }
        if side == \.agent { for record in records { disk[record.key] = record.bytes } }
        while let batch = self[keyPath: side].nextBatch {
            for case .conversation(_, .content(let received)) in batch.events
            where side == \.client && received.part == .whole {
                whole = String(decoding: received.content.array, as: UTF8.self)
            }
            self[keyPath: side].confirm(batchesUpTo: batch.number)
        }
    }
}
