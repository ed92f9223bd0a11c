/// An answer that is being generated: what the backend is asked, and where the answer will stand.
public struct Generation: Hashable, Sendable {
    /// Why there will be an answer.
    public enum Purpose: String, Hashable, Sendable {
        /// A person has said something.
        case send
        /// A person wants another answer.
        case recreate
    }

    /// The id under which the answer will be stored (CE-G12).
    public let id: MessageID
    /// The message that it answers.
    public let parent: MessageID
    /// Why.
    public let purpose: Purpose
    /// What was said; none where another answer is wanted.
    public let draft: MessageDraft?
    /// What came before, from the root: without the draft.
    public let history: [Message]
}

// The operations of section 8.2.
extension MessageTree {
    /// Stores what a person says, and begins the answer (operation 10).
    ///
    /// Without a parent it hangs on the last message of the active path that is no person's: after a failed answer the
    /// next question is a sibling of the one that failed. It is active at once, with the whole path to it; a guest's
    /// is not, and may stand only where the owner's next would (CE-35).
    public mutating func send(
        _ draft: MessageDraft, as id: MessageID, reply: MessageID, under parent: MessageID? = nil,
        isGuest: Bool = false, at time: DateTime
    ) throws(ErrorBody) -> Generation {
        let parent = try place(for: parent, isGuest: isGuest)
        let history = history(to: parent)
        insert(
            Node(
                id: id, parent: parent, role: draft.role, content: draft.content, files: draft.files,
                index: nextIndex(under: parent), createdAt: time, isActive: false))
        if !isGuest { activatePath(to: id) }
        let generation = Generation(id: reply, parent: id, purpose: .send, draft: draft, history: history)
        generating[reply] = generation
        return generation
    }

    /// Begins another answer to what a message answers (operation 11).
    public mutating func recreate(_ id: MessageID, reply: MessageID) throws(ErrorBody) -> Generation {
        guard generating[id] == nil else {
            throw ErrorBody(Violation(.recreate, "is still being generated", at: "message_id"))
        }
        let node = try visibleNode(id)
        guard node.role == .assistant, let parent = node.parent else {
            throw ErrorBody(Violation(.recreate, "is no answer of an assistant", at: "message_id"))
        }
        let generation = Generation(
            id: reply, parent: parent, purpose: .recreate, draft: nil, history: history(to: parent))
        generating[reply] = generation
        return generation
    }

    /// Ends an answer, and stores what there is of it.
    ///
    /// One that is complete is stored even if it says nothing; one that is not, if it says something. The answer to
    /// what a person said is the active one of its group, and turns no path back that has moved on meanwhile. Another
    /// answer is active only when complete, with the whole path to it.
    @discardableResult
    public mutating func finish(
        _ reply: MessageID, content: [ContentPart], metadata: Metadata? = nil, isComplete: Bool, at time: DateTime
    ) -> Node? {
        guard let generation = generating.removeValue(forKey: reply), isComplete || !content.isEmpty else {
            return nil
        }
        var metadata = metadata ?? Metadata()
        let visibility = metadata.takeVisibility()
        insert(
            Node(
                id: reply, parent: generation.parent, role: .assistant, content: content,
                index: nextIndex(under: generation.parent), isComplete: isComplete, visibility: visibility,
                metadata: metadata, createdAt: time, isActive: false))
        switch generation.purpose {
        case .send: activate(reply)
        case .recreate: if isComplete { activatePath(to: reply) }
        }
        return self[reply]
    }

    /// Takes up an answer that was under way when the engine stopped, so that `finish` stores what had come of it;
    /// false where it is here already, or what it answers is not.
    public mutating func resume(_ reply: MessageID, to parent: MessageID, _ purpose: Generation.Purpose) -> Bool {
        guard self[reply] == nil, generating[reply] == nil, self[parent] != nil else { return false }
        generating[reply] = Generation(id: reply, parent: parent, purpose: purpose, draft: nil, history: [])
        return true
    }

    /// The message under which a person's next one stands (CE-25).
    private func place(for parent: MessageID?, isGuest: Bool) throws(ErrorBody) -> MessageID? {
        let usual = activePath.last { $0.role != .user }?.id
        guard let parent else { return usual }
        guard generating[parent] == nil else {
            throw ErrorBody(Violation(.parent, "is still being generated", at: "parent_message_id"))
        }
        let node = try visibleNode(parent)
        guard node.role != .user else {
            throw ErrorBody(Violation(.parent, "is a message of a user", at: "parent_message_id"))
        }
        guard !isGuest || parent == usual else {
            throw ErrorBody(Violation(.share, "is not the last message", at: "parent_message_id"))
        }
        return parent
    }
}
