import ChatCodec

// What is kept over restarts: the head, and each message by itself. Connections are not kept.
extension ChatState {
    /// All but the messages.
    var head: JSON {
        var head = JSON.Object()
        head["chat"] = .string(chat.text)
        head["path"] = .ids(path)
        head["order"] = .ids(order)
        head["failed"] = .ids(failed.sorted { $0.text < $1.text })
        head["submission"] = submission.map { .string($0.text) }
        head["job"] = job.stored
        return .object(head)
    }

    /// A chat as it was kept, without the messages that are missing; nil where the head is none.
    init?(head: JSON, messages: [Identifier: Message]) {
        guard let chat = head["chat"]?.text.flatMap(Identifier.init(checking:)), let path = head["path"]?.ids,
            let order = head["order"]?.ids, let failed = head["failed"]?.ids, let stored = head["job"],
            let job = Job(stored: stored), Set(order).count == order.count,
            messages.keys.allSatisfy(Set(order).contains), path.allSatisfy(Set(order).contains)
        else { return nil }
        self.init(chat: chat)
        self.path = path.filter { messages[$0] != nil }
        self.order = order.filter { messages[$0] != nil }
        (self.failed, self.job) = (Set(failed), job)
        self.messages = messages
        submission = head["submission"]?.text.flatMap(Identifier.init(checking:))
        if let id = job.message { current = PartAccumulator(messages[id]?.parts ?? []) }
    }

    /// The messages of a head that are not here.
    func missing(in head: JSON) -> [Identifier] { (head["order"]?.ids ?? []).filter { messages[$0] == nil } }

    /// The ids of messages that are no longer kept, since the last call.
    mutating func takeForgotten() -> [Identifier] {
        defer { forgotten = [] }
        return forgotten
    }
}

extension JSON {
    static func ids(_ ids: [Identifier]) -> JSON { .array(ids.map { .string($0.text) }) }

    /// A list of ids; nil where one is none.
    var ids: [Identifier]? {
        guard let list else { return nil }
        let ids = list.compactMap { $0.text.flatMap(Identifier.init(checking:)) }
        return ids.count == list.count ? ids : nil
    }

    /// An id under a key.
    func id(_ key: String) -> Identifier? { self[key]?.text.flatMap(Identifier.init(checking:)) }
}
