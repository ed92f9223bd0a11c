import ChatCodec
import ChatModel

// Stored: the head under one key, and each message under its own, as JSON behind a version of one byte. Pieces of an
// answer change nothing that is stored.
extension TreeEngine {
    private static let version: UInt8 = 1
    static let headKey = "engine"
    private static let messagePrefix = "message/"

    mutating func takeChanges() -> [Record] {
        guard isChanged else { return [] }
        isChanged = false
        var records: [Record] = []
        let held = session.flatMap { engine.held[$0.id] }
        for (number, id) in (held?.tree.order ?? []).enumerated() {
            guard let node = held?.tree[id], stored[id] != node.isActive else { continue }
            stored[id] = node.isActive
            records.append(Self.record(Self.messagePrefix + id.text) { Self.write(node, number, to: &$0) })
        }
        records.append(Self.record(Self.headKey) { writeHead(held?.reactions ?? Reactions(), to: &$0) })
        return records
    }

    private static func record(_ key: String, _ write: (inout JSONWriter) -> Void) -> Record {
        var writer = JSONWriter(capacity: 512)
        writer.object(write)
        return Record(key, Bytes([version] + writer.bytes))
    }

    private func writeHead(_ reactions: Reactions, to writer: inout JSONWriter) {
        writer.optional("session", session)
        writer.field("memory", .array(memory.map { [JSON($0.request), .string($0.reply.text)] }))
        let list = reactions.all.sorted { ($0.message.text, $0.user) < ($1.message.text, $1.user) }
        writer.field(
            "reactions",
            .array(list.map { [.string($0.message.text), .string($0.user), .string($0.reaction.rawValue)] }))
    }

    private static func write(_ node: MessageTree.Node, _ number: Int, to writer: inout JSONWriter) {
        writer.field("number", number)
        writer.field("message_id", node.id)
        writer.nullable("parent_message_id", node.parent)
        writer.field("role", node.role)
        writer.field("content", node.content)
        writer.optional("file_ids", node.files)
        writer.field("variant_index", node.index)
        writer.field("is_complete", node.isComplete)
        writer.field("is_active", node.isActive)
        writer.field("is_hidden_from_user", node.visibility.isHiddenFromUser)
        writer.field("is_hidden_from_llm", node.visibility.isHiddenFromBackend)
        writer.field("metadata", node.metadata)
        writer.field("created_at", node.createdAt)
    }
}

// Taken up again.
extension TreeEngine {
    mutating func restore(_ records: [Record]) throws(Refusal) {
        var trial = TreeEngine(sessionType)
        var nodes: [(number: Int, node: MessageTree.Node)] = []
        var head: Fields?
        for record in records {
            do throws(Violation) {
                guard let bytes = record.bytes?.array, bytes.first == Self.version else {
                    throw Violation(.json, "is of another version")
                }
                let fields = try Fields(try EngineJSON.parse(Array(bytes.dropFirst()).span, .max), .strict)
                if record.key == Self.headKey { head = fields } else { nodes.append(try Self.node(fields)) }
            } catch { throw Self.unreadable(record.key) }
        }
        guard let head else { throw Self.unreadable(Self.headKey) }
        do throws(Violation) {
            try trial.takeUp(head, nodes.sorted { $0.number < $1.number }.map(\.node))
        } catch { throw Self.unreadable(Self.headKey) }
        self = trial
    }

    private static func unreadable(_ key: String) -> Refusal {
        Refusal(.invalid, CommonCause.unreadableRecord(key, machine: EngineTree.name))
    }

    private mutating func takeUp(_ head: Fields, _ nodes: [MessageTree.Node]) throws(Violation) {
        try head.allow("session", "memory", "reactions")
        session = try head.optional("session")
        for json in try head.required("memory").list ?? [] {
            guard let pair = json.list, pair.count == 2, let request = pair[0].int,
                let reply = pair[1].text.flatMap({ MessageID($0) })
            else { throw Violation(.field, "is no request and answer", at: "memory") }
            memory.append((request, reply))
        }
        var reactions = Reactions()
        for json in try head.required("reactions").list ?? [] {
            guard let list = json.list, list.count == 3, let message = list[0].text.flatMap({ MessageID($0) }),
                let user = list[1].text, let reaction = list[2].text.flatMap({ ReactionType(rawValue: $0) })
            else { throw Violation(.field, "is no reaction", at: "reactions") }
            _ = reactions.react(reaction, to: message, by: user)
        }
        isChanged = false
        guard let session else { return }
        guard let tree = MessageTree(session: session.id, nodes: nodes) else {
            throw Violation(.siblings, "the messages are no tree")
        }
        engine.adopt(session, tree, reactions)
        for node in nodes { stored[node.id] = node.isActive }
    }

    private static func node(_ fields: Fields) throws(Violation) -> (Int, MessageTree.Node) {
        let node = MessageTree.Node(
            id: try fields.get("message_id"), parent: try fields.nullable("parent_message_id"),
            role: try fields.get("role"), content: try fields.list("content"), files: try fields.files(),
            index: try fields.count("variant_index", Fields.counts), isComplete: try fields.bool("is_complete"),
            visibility: Visibility(
                isHiddenFromUser: try fields.bool("is_hidden_from_user"),
                isHiddenFromBackend: try fields.bool("is_hidden_from_llm")),
            metadata: try fields.get("metadata"), createdAt: try fields.get("created_at"),
            isActive: try fields.bool("is_active"))
        return (try fields.count("number", Fields.counts), node)
    }
}
