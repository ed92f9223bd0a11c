import AgentChat
import ChatClient
import ChatCodec
import ChatModel

/// Deltas of an agent's answer, 32 bytes of text each, through codec, fold and core; what each step takes of it.
///
/// There is no cryptography to compare with, so the rows show shares of the whole way instead of a ratio.
enum AgentChatBench {
    /// Deltas of one message, which stays below the limit of a message.
    private static let deltas = 10_000

    static func run(_ plan: Bench.Plan) async throws {
        guard plan.includes("agent-chat") else { return }
        let codec = AgentJSON()
        let part = MessagePart.text(TextPart("twelve tables are free on Friday", state: .streaming))
        let message = ServerMessage.stream(.init(message: "a1", delta: part))
        let frame = codec.encode(message)

        await plan.row("agent-chat/delta-32/encode") { effort in
            measure("agent-chat/delta-32/encode", effort) { for _ in 0..<deltas { consume(codec.encode(message)) } }
        }
        try await plan.row("agent-chat/delta-32/parse") { effort in
            try measure("agent-chat/delta-32/parse", effort) {
                for _ in 0..<deltas { consume(try JSON(parsing: frame.span)) }
            }
        }
        try await plan.row("agent-chat/delta-32/decode") { effort in
            try measure("agent-chat/delta-32/decode", effort) {
                for _ in 0..<deltas { consume(try codec.serverMessage(frame.span)) }
            }
        }
        try await plan.row("agent-chat/delta-32/fold") { effort in
            try measure("agent-chat/delta-32/fold", effort) {
                var chat = try running()
                for _ in 0..<deltas { consume(try chat.apply(message)) }
            }
        }
        try await plan.row("agent-chat/delta-32/all") { effort in
            try measure("agent-chat/delta-32/all", effort) {
                var (client, agent) = (try running(), try running())
                for _ in 0..<deltas {
                    consume(try agent.apply(message))
                    let frame = codec.encode(message)
                    consume(try client.apply(try codec.serverMessage(frame.span)))
                }
            }
        }
        try await cores(plan)
    }

    /// From the agent's application to the client's, through the cores of both: what is stored and shown included; each
    /// delta by itself, and sixteen at a time as a stream leaves that is faster than its service.
    private static func cores(_ plan: Bench.Plan) async throws {
        for (name, batch) in [("agent-chat/delta-32/core", 1), ("agent-chat/delta-32/core-16", 16)] {
            try await plan.row(name) { effort in
                try measure(name, effort) {
                    var pair = try AgentChatPair()
                    let piece = Bytes("twelve tables are free on Friday")
                    for _ in 0..<(deltas / batch) { try pair.say(piece, times: batch) }
                    guard pair.shown == deltas else { throw Violation(.stream, "\(pair.shown) deltas were shown") }
                }
            }
        }
    }

    /// A chat whose job writes a message.
    private static func running() throws -> ChatState {
        var chat = ChatState(chat: "chat_1")
        chat.open()
        _ = try chat.apply(.ready(.init()))
        let question = Message(id: "m1", role: .user, parts: [.text(TextPart("What is free?"))])
        _ = try chat.apply(.run(Command.Run(chat: "chat_1", message: question)))
        _ = try chat.apply(.run(job: "j1", message: "a1"))
        return chat
    }

    /// The median of some rounds.
    private static func measure(_ name: String, _ effort: Effort, _ body: () throws -> Void) rethrows -> Row {
        try body()
        var times: [Double] = []
        for _ in 0..<effort.rounds { times.append(try time(body) / .nanoseconds(deltas)) }
        let nanoseconds = median(times)
        return Row(name: name, values: [Row.Value("deltas/s", 1e9 / nanoseconds), Row.Value("ns", nanoseconds)])
    }
}

/// A client's core and an agent's, with a job that writes a message, and nothing between them.
private struct AgentChatPair {
    private var (client, agent): (ChatCore, ChatCore)
    private var conversation = ConversationID("")
    /// The content whose pieces the deltas are.
    private var content: ContentID?
    /// Deltas that the client's application was shown.
    private(set) var shown = 0

    init() throws {
        (client, agent) = (try Self.core(1), try Self.core(2))
        let bundle = try agent.introduce(1, now: .zero)[0]
        _ = agent.takeRecords()
        _ = try client.begin(ConversationType(AgentChat.name), with: bundle, saying: Bytes("What is free?"), now: .zero)
        while exchange() {}
        guard let id = agent.conversations.first?.id else { throw Violation(.ready, "no chat began") }
        conversation = id
    }

    private static func core(_ seed: UInt64) throws -> ChatCore {
        try ChatCore(
            AgentReady(), conversations: [AgentChat()], framing: AgentFraming(),
            delivery: DeliveryLimits(maximumPayload: AgentJSON.maximumFrame, offers: [.ordering]),
            random: RepeatableRandom(seed: seed), now: .zero)
    }

    mutating func say(_ piece: Content, times: Int) throws {
        for _ in 0..<times {
            content = try agent.perform(.send(piece, part: .delta), in: conversation, as: content, now: .zero)
        }
        _ = exchange()
    }

    /// What each has for the other; false where that is nothing.
    private mutating func exchange() -> Bool {
        let (down, up) = (Self.step(&agent), Self.step(&client))
        if !down.isEmpty { client.receive(down, now: .zero) }
        if !up.isEmpty { agent.receive(up, now: .zero) }
        show()
        return !(down.isEmpty && up.isEmpty)
    }

    /// Stores, and hands out.
    private static func step(_ core: inout ChatCore) -> [Delivery] {
        consume(core.takeUrgentRecords())
        let payloads = core.takeOutbox(now: .zero)
        guard !payloads.isEmpty else { return [] }
        core.settle(payloads, payloads.map { _ in .success(Receipt()) }, now: .zero)
        return payloads.map { Delivery($0.addressed) }
    }

    private mutating func show() {
        consume(client.takeUrgentRecords())
        consume(agent.takeUrgentRecords())
        while let batch = client.nextBatch {
            for case .conversation(_, .content(let received)) in batch.events where received.part == .delta {
                shown += 1
            }
            client.confirm(batchesUpTo: batch.number)
        }
        while let batch = agent.nextBatch { agent.confirm(batchesUpTo: batch.number) }
    }
}
