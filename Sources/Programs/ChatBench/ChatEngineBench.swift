import ChatCodec
import ChatEngine
import ChatModel

/// Chunks of an answer, 32 bytes of text each, from a backend's lines to a client's; and the tree they end in.
///
/// There is no cryptography to compare with, so the rows show shares of the whole way instead of a ratio.
enum ChatEngineBench {
    private static let chunks = 10_000
    private static let messages = 100

    static func run(_ plan: Bench.Plan) async throws {
        guard plan.includes("chat-engine") else { return }
        let codec = EngineJSON(.lenient)
        var random: any RandomSource = RepeatableRandom(seed: 1)
        let id = MessageID(random: &random)
        let chunk = Chunk.piece(.text, "twelve tables are free on Friday")
        let line = codec.line(BackendEvent.chunk(nil, chunk))
        let stream = Array((0..<chunks).map { _ in line }.joined())

        await plan.row("chat-engine/chunk-32/encode") { effort in
            measure("chat-engine/chunk-32/encode", "chunks/s", chunks, effort) {
                for _ in 0..<chunks { consume(codec.line(ReplyEvent.chunk(id, chunk))) }
            }
        }
        try await plan.row("chat-engine/chunk-32/split") { effort in
            try measure("chat-engine/chunk-32/split", "chunks/s", chunks, effort) {
                var lines = LineSplitter()
                lines.append(stream.span)
                while let line = try lines.next() { consume(line) }
            }
        }
        await plan.row("chat-engine/chunk-32/read") { effort in
            measure("chat-engine/chunk-32/read", "chunks/s", chunks, effort) {
                var reply = BackendReply(to: .messageNew, message: id)
                consume(reply.receive(status: 200, contentType: "application/x-ndjson"))
                for _ in 0..<chunks { consume(reply.receive(line.span)) }
            }
        }
        try await plan.row("chat-engine/chunk-32/all") { effort in
            try measure("chat-engine/chunk-32/all", "chunks/s", chunks, effort) {
                var (reply, client) = (BackendReply(to: .messageNew, message: id), ReplyLines())
                consume(reply.receive(status: 200, contentType: "application/x-ndjson"))
                consume(try client.receive(codec.line(ReplyEvent.start(id)).span))
                for _ in 0..<chunks {
                    for case .chunk(let chunk) in reply.receive(line.span) {
                        consume(try client.receive(codec.line(ReplyEvent.chunk(id, chunk)).span))
                    }
                }
            }
        }
        try await plan.row("chat-engine/tree-100/send") { effort in
            try measure("chat-engine/tree-100/send", "messages/s", messages, effort) {
                var tree = MessageTree(session: SessionID(random: &random))
                let draft = MessageDraft(content: [.text("What is free?")])
                for _ in 0..<messages {
                    let (user, reply) = (MessageID(random: &random), MessageID(random: &random))
                    consume(try tree.send(draft, as: user, reply: reply, at: DateTime(.zero)))
                    consume(tree.finish(reply, content: [.text("Friday")], isComplete: true, at: DateTime(.zero)))
                }
            }
        }
    }

    /// The median of some rounds.
    private static func measure(
        _ name: String, _ unit: String, _ count: Int, _ effort: Effort, _ body: () throws -> Void
    ) rethrows -> Row {
        try body()
        var times: [Double] = []
        for _ in 0..<effort.rounds { times.append(try time(body) / .nanoseconds(count)) }
        let nanoseconds = median(times)
        return Row(name: name, values: [Row.Value(unit, 1e9 / nanoseconds), Row.Value("ns", nanoseconds)])
    }
}
