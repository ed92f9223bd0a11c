import ChatClient
import ChatModel
import ChatStorage
import ChatTool

// With whom what is typed is said, and what they are called.
extension Session {
    /// The most bytes of a name.
    private static let maximumName = 64

    /// Calls a conversation something on this screen, after a restart, too; false if the name cannot be told from others.
    func call(_ id: ConversationID, _ name: String) throws(ClientError) -> Bool {
        let isFree = !labels.contains { $0.key != id && $0.value == name } && Int(name) == nil
        guard isFree, name.utf8.count <= Self.maximumName, name == name.forTerminal, !name.contains(where: \.isNewline)
        else { return false }
        do throws(StorageError) { try stored.keep(name, of: id) } catch { throw .storage(error) }
        labels[id] = name
        return true
    }

    /// The conversation that a text names; nil if there is none or several.
    ///
    /// A label or an id counts before a number of the list, and that before the beginning of a label or an id.
    func conversation(_ text: String) async -> ConversationID? {
        let all = await client.conversations.map(\.id)
        let exact = all.filter { $0.text == text || labels[$0] == text }
        guard exact.isEmpty else { return exact.count == 1 ? exact[0] : nil }
        if text.count < 4, let number = Int(text), number > 0 { return number <= known.count ? known[number - 1] : nil }
        let matching = all.filter { $0.text.hasPrefix(text) || name($0).hasPrefix(text) }
        return matching.count == 1 ? matching[0] : nil
    }

    /// Talks in a conversation from now on, after a restart, too.
    func choose(_ id: ConversationID) throws(ClientError) {
        do throws(StorageError) { try stored.keep(.chosen(id)) } catch { throw .storage(error) }
        choice = .chosen(id)
        pending = nil
        unread[id] = nil
    }

    /// Talks to nobody until somebody is chosen: what was to choose somebody failed, and what follows was meant for them.
    func chooseNobody() {
        pending = nil
        guard choice != .open else { return }
        choice = .nobody
        // If this cannot be kept, nobody is chosen in this run all the same, and later choices are.
        try? stored.keep(.nobody)
    }

    /// Talks in the first conversation that there is; a later one is never chosen by itself.
    func chooseFirst(_ id: ConversationID) {
        guard choice == .open else { return }
        choice = .chosen(id)
        // Without it the next start finds one conversation and chooses it, or several and chooses nobody.
        try? stored.keep(.chosen(id))
    }
}

extension Session.Choice {
    /// What is chosen at a start: what was when the last run ended, or the only conversation that there is.
    init(kept: Session.Choice?, among ids: [ConversationID]) {
        switch kept {
        case .chosen(let id) where ids.contains(id): self = .chosen(id)
        case .nobody where !ids.isEmpty: self = .nobody
        default: self = ids.isEmpty ? .open : ids.count == 1 ? .chosen(ids[0]) : .nobody
        }
    }
}
