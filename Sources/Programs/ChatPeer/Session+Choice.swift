import ChatClient
import ChatModel
import ChatStorage

// With whom what is typed is said.
extension Session {
    /// Talks in a conversation from now on, after a restart, too.
    func choose(_ id: ConversationID) throws(ClientError) {
        do throws(StorageError) { try stored.keep(.chosen(id)) } catch { throw .storage(error) }
        choice = .chosen(id)
        pending = nil
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
