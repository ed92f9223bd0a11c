import ChatCodec
import ChatEngine
import ChatModel

extension FuzzTarget {
    /// Bodies, lines and streams of Chat Engine, and its tree.
    static func chatEngine() -> [FuzzTarget] {
        [engineBodies, engineStreams, engineTree]
    }

    private static let session = "gts.hyperspot.chat_engine.entities.session.v1~11111111-1111-4111-8111-111111111111"
    private static let message = "gts.hyperspot.chat_engine.entities.message.v1~33333333-3333-4333-8333-333333333333"

    private static let bodies = [
        #"{"session_id":"\#(session)","content":"Quote A","file_ids":["22222222-2222-4222-8222-222222222222"],"enabled_capabilities":["web_search"]}"#,
        #"{"event":"message.new","session_id":"\#(session)","message_id":"\#(message)","message":{"role":"user","content":"hi"},"history":[{"message_id":"\#(message)","session_id":"\#(session)","role":"assistant","content":[{"type":"audio","audio_id":"22222222-2222-4222-8222-222222222222","duration_seconds":1e400}],"variant_index":0,"is_active":true,"is_complete":false,"metadata":{"usage":null,"n":9007199254740993},"created_at":"2026-02-13T10:00:00+05:30"}],"timestamp":"2026-02-13T10:00:00Z"}"#,
        #"{"type":"chunk","message_id":"\#(message)","chunk":{"type":"text","content":"é"}}"#,
        #"{"type":"error","message_id":"\#(message)","error_code":"BACKEND_TIMEOUT","message":"late","details":{"timeout_ms":120000}}"#,
        #"{"session_id":"\#(session)","client_id":"saro","session_type_id":"gts.hyperspot.chat_engine.session_types.x.v1~","available_capabilities":[],"created_at":"1998-12-31T23:59:60Z"}"#,
    ]

    /// What is read is written, and read again as the same; what a strict reader takes a lenient one takes alike.
    private static var engineBodies: FuzzTarget {
        FuzzTarget("chat-engine-bodies", seeds: bodies.map { Array($0.utf8) }) { bytes in
            let readers: [([UInt8], EngineJSON) throws -> [UInt8]?] = [
                again(SendMessage.self), again(Webhook.self), again(ReplyEvent.self), again(BackendEvent.self),
                again(Message.self), again(Session.self), again(MessageReply.self), again(ErrorBody.self),
            ]
            var isRead = false
            for reader in readers {
                guard let strict = try reader(bytes, EngineJSON(.strict)) else { continue }
                isRead = true
                let lenient = try reader(bytes, EngineJSON(.lenient))
                try demand(strict == lenient, "a lenient reader reads something else")
            }
            return isRead
        }
    }

    private static func again<Value: EngineObject>(
        _ type: Value.Type
    ) -> ([UInt8], EngineJSON) throws -> [UInt8]? {
        { bytes, codec in
            guard let value = try? codec.decode(Value.self, from: bytes.span) else { return nil }
            let once = codec.encode(value)
            let same = try? codec.decode(Value.self, from: once.span)
            try demand(same == value, "a \(Value.self) is not read as it was written")
            return once
        }
    }

    private static let lines = [
        "{\"type\":\"chunk\",\"chunk\":{\"type\":\"text\",\"content\":\"a\"}}\n{\"type\":\"complete\"}\n",
        "\n {\"type\":\"error\",\"error_code\":\"X\",\"message\":\"m\"}",
        "{\"type\":\"start\"}\n",
    ]

    /// A backend's answer comes to one end, the same whatever the pieces are; what a client gets of it is a stream.
    private static var engineStreams: FuzzTarget {
        FuzzTarget("chat-engine-streams", seeds: lines.map { Array($0.utf8) }) { bytes in
            guard let id = MessageID(message) else { return false }
            let whole = answer(bytes, id, bytes.count + 1)
            try demand(whole == answer(bytes, id, 1), "single bytes are read as something else")
            try demand(whole == answer(bytes, id, 7), "pieces of seven are read as something else")
            var reader = ReplyReader()
            for step in whole {
                switch step {
                case .start: try reader.receive(.start(id))
                case .chunk(let chunk): try reader.receive(.chunk(id, chunk))
                case .complete(let metadata): try reader.receive(.complete(id, metadata))
                case .failed(let failure): try reader.receive(.error(id, failure.error))
                }
            }
            try demand(reader.isOver, "the answer has no end")
            return reader.message == id
        }
    }

    private static func answer(_ bytes: [UInt8], _ id: MessageID, _ size: Int) -> [BackendReply.Step] {
        var reply = BackendReply(to: .messageNew, message: id)
        var steps = reply.receive(status: 200, contentType: "application/x-ndjson")
        for start in stride(from: 0, to: bytes.count, by: size) {
            steps += reply.receive(Array(bytes[start..<min(start + size, bytes.count)]).span)
        }
        return steps + reply.end()
    }

    /// An input is a sequence of choices. What is refused changes nothing; what is there stays as it is.
    private static var engineTree: FuzzTarget {
        FuzzTarget(
            "chat-engine-tree", seeds: [[0, 0, 1, 4, 0, 2], [0, 0, 1, 4, 0, 2, 2, 1, 4, 0, 2, 0, 0, 0, 4, 0, 1]]
        ) { bytes in
            var walk = EngineTreeWalk(bytes)
            return try walk.run()
        }
    }
}

/// A tree that grows as bytes decide.
private struct EngineTreeWalk {
    private var bytes: ArraySlice<UInt8>
    private var random: any RandomSource = RepeatableRandom(seed: 3)
    private var tree: MessageTree
    private var running: [MessageID] = []

    init(_ bytes: [UInt8]) {
        self.bytes = bytes[...].prefix(256)
        tree = MessageTree(session: SessionID(random: &random))
    }

    private mutating func choose(_ count: Int) -> Int { Int(bytes.popFirst() ?? 0) % max(1, count) }

    private mutating func any() -> MessageID? {
        let place = choose(tree.order.count + 2)
        guard tree.order.indices.contains(place) else { return place == tree.order.count ? nil : running.first }
        return tree.order[place]
    }

    /// Whether any answer was stored.
    mutating func run() throws -> Bool {
        while !bytes.isEmpty {
            let before = tree
            let isRefused = step()
            try demand(!isRefused || tree == before, "what is refused changes the tree")
            for id in before.order {
                try demand(tree[id]?.content == before[id]?.content, "a message changed")
                try demand(tree[id]?.index == before[id]?.index, "an index changed")
                let active = tree.siblings(under: tree[id]?.parent).filter(\.isActive).count
                try demand(active <= 1, "two siblings are active")
            }
        }
        return tree.order.contains { tree[$0]?.role == .assistant }
    }

    private mutating func step() -> Bool {
        let (time, reply) = (DateTime(.zero), MessageID(random: &random))
        do {
            switch choose(5) {
            case 0, 1:
                let draft = MessageDraft(content: [.text("u")])
                let user = MessageID(random: &random)
                _ = try tree.send(
                    draft, as: user, reply: reply, under: any(), isGuest: choose(8) == 0, at: time)
                running.append(reply)
            case 2:
                _ = try tree.recreate(any() ?? reply, reply: reply)
                running.append(reply)
            default:
                guard !running.isEmpty else { return false }
                let id = running.remove(at: choose(running.count))
                let end = choose(3)
                tree.finish(id, content: end == 0 ? [] : [.text("a")], isComplete: end > 1, at: time)
            }
            return false
        } catch { return true }
    }
}
