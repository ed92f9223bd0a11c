import ChatCodec
import ChatEngine
import ChatModel

// Trees, whose messages say their own labels.
extension EngineVectors {
    static func tree(_ one: EngineCase) throws {
        var run = try TreeRun(hidden: one.json["hidden"])
        for op in try one.list("ops") { try run.perform(op) }
        try compare(run, with: one)
    }

    /// A case of operations, with what they lead to; one that is refused is marked, and one that needs a message which
    /// is not there is left out.
    static func complete(_ draft: JSON, ops: [JSON]) throws -> JSON {
        var run = try TreeRun(hidden: draft["hidden"])
        var done: [JSON] = []
        for op in ops {
            let before = run
            do {
                try run.perform(op)
                done.append(op)
            } catch let error as ErrorBody {
                run = before
                done.append(["refused", op, JSON(error.code.status)])
            } catch Problem.unreadable { run = before }
        }
        let tree = run.tree
        guard case .object(var object) = draft else { return draft }
        let indexes = try tree.visible.map { message in
            (try run.labels([message.id])[0], JSON(message.place?.index ?? 0))
        }
        object["ops"] = .array(done)
        object["active_path"] = .texts(try run.labels(tree.visiblePath.map(\.id)))
        object["list"] = .texts(try run.labels(tree.visible.map(\.id)))
        object["history_sent"] = .texts(try run.labels(run.history.map(\.id)))
        object["indexes"] = .object(
            indexes.reduce(into: JSON.Object()) { object, index in object[index.0] = index.1 })
        if let last = tree.visible.last {
            let variants = try tree.variants(of: last.id)
            object["variants_of"] = .string(try run.labels([last.id])[0])
            object["order"] = .texts(try run.labels(variants.variants.map(\.id)))
            object["current_index"] = JSON(variants.current)
        }
        return .object(object)
    }

    private static func compare(_ run: TreeRun, with one: EngineCase) throws {
        let tree = run.tree
        if one.json["active_path"] != nil {
            let path = try run.labels(tree.visiblePath.map(\.id))
            try EngineCase.expect("the active path", path, try one.texts("active_path"))
        }
        if one.json["list"] != nil {
            try EngineCase.expect("the list", try run.labels(tree.visible.map(\.id)), try one.texts("list"))
        }
        for member in one.json["indexes"]?.members ?? [] {
            let node = tree[try run.id(member.key)]
            try EngineCase.expect("the index of \(member.key)", node?.index, member.value.int)
        }
        if let label = one.json["variants_of"]?.text {
            let variants = try tree.variants(of: try run.id(label))
            let order = try run.labels(variants.variants.map(\.id))
            try EngineCase.expect("the variants", order, try one.texts("order"))
            if one.json["current_index"] != nil {
                try EngineCase.expect("the current variant", variants.current, try one.int("current_index"))
            }
        }
        if one.json["history_sent"] != nil {
            let history = try run.labels(run.history.map(\.id))
            try EngineCase.expect("the history", history, try one.texts("history_sent"))
        }
        if one.json["incomplete"] != nil {
            let incomplete = run.history.filter { $0.place?.isComplete == false }.map(\.id)
            try EngineCase.expect("what is incomplete", try run.labels(incomplete), try one.texts("incomplete"))
        }
    }
}

/// A tree whose messages have labels.
struct TreeRun {
    private(set) var tree: MessageTree
    private(set) var history: [Message] = []
    private let hidden: JSON?
    private var random: any RandomSource = RepeatableRandom(seed: 1)
    private var ids: [String: MessageID] = [:]
    private let time = DateTime(.zero)

    init(hidden: JSON?) throws {
        self.hidden = hidden
        tree = MessageTree(session: SessionID(random: &random))
        for stranger in ["ghost", "foreign"] { ids[stranger] = MessageID(random: &random) }
    }

    func id(_ label: String) throws -> MessageID {
        guard let id = ids[label] else { throw Problem.unreadable("no message is called \(label)") }
        return id
    }

    func labels(_ list: [MessageID]) throws -> [String] {
        try list.map { id in
            guard let label = ids.first(where: { $0.value == id })?.key else { throw Problem.differs("an unknown id") }
            return label
        }
    }

    mutating func perform(_ op: JSON) throws {
        guard let list = op.list, let word = list.first?.text else { throw Problem.unreadable("no operation") }
        switch (word, list.count) {
        case ("send", 4): try finish(try send(list[1], list[2], list[3]), try label(list[3]), isComplete: true)
        case ("partial", 4): try finish(try send(list[1], list[2], list[3]), try label(list[3]), isComplete: false)
        case ("fail", 3): try finish(try send(list[1], list[2], nil), nil, isComplete: false)
        case ("recreate", 3): try finish(try recreate(list[1], list[2]), try label(list[2]), isComplete: true)
        case ("partialrecreate", 3):
            try finish(try recreate(list[1], list[2]), try label(list[2]), isComplete: false)
        case ("failrecreate", 2): try finish(try recreate(list[1], nil), nil, isComplete: false)
        case ("streaming", 4):
            let reply = try send(.null, list[1], list[2])
            try perform(list[3])
            try finish(reply, try label(list[2]), isComplete: true)
        case ("refused", 3):
            let before = self
            do { try perform(list[1]) } catch let error as ErrorBody {
                try EngineCase.expect("the status", error.code.status, list[2].int)
                try EngineCase.expect("what a refusal leaves", tree, before.tree)
                return
            }
            throw Problem.differs("\(list[1]) is done, the file refuses it")
        default: throw Problem.notApplicable("operation \(word)")
        }
    }

    private func label(_ json: JSON) throws -> String { try EngineCase.text(json) }

    private mutating func newID(_ label: JSON?) throws -> MessageID {
        let id = MessageID(random: &random)
        if let label { ids[try self.label(label)] = id }
        return id
    }

    private mutating func send(_ parent: JSON, _ user: JSON, _ reply: JSON?) throws -> MessageID {
        let parent = try parent == .null ? nil : id(try label(parent))
        let before = ids
        let (userID, replyID) = (try newID(user), try newID(reply))
        let draft = MessageDraft(content: [.text(try label(user))])
        do {
            let generation = try tree.send(draft, as: userID, reply: replyID, under: parent, at: time)
            history = generation.history
        } catch {
            ids = before
            throw error
        }
        return replyID
    }

    private mutating func recreate(_ message: JSON, _ reply: JSON?) throws -> MessageID {
        let message = try id(try label(message))
        let before = ids
        let replyID = try newID(reply)
        do { history = try tree.recreate(message, reply: replyID).history } catch {
            ids = before
            throw error
        }
        return replyID
    }

    private mutating func finish(_ reply: MessageID, _ label: String?, isComplete: Bool) throws {
        var metadata = Metadata()
        if let label, let flag = hidden?[label]?.text {
            if flag != "llm" { metadata.set("is_hidden_from_user", true) }
            if flag != "user" { metadata.set("is_hidden_from_llm", true) }
        }
        tree.finish(
            reply, content: label.map { [.text($0)] } ?? [], metadata: metadata, isComplete: isComplete, at: time)
    }
}
