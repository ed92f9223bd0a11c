import AgentChat
import ChatWire

/// Deltas of an agent's answer, 32 bytes of text each, through codec and fold; what each step takes of it.
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
