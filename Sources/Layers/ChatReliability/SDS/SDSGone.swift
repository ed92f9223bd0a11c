import ChatModel

/// Messages that were requested from this participant and that it will never send (SDS-R11); told with the next message.
struct SDSGone: Sendable {
    /// More than this at once are told when they are asked for again.
    private static let limit = 64
    private(set) var asked: [Identifier] = []

    var isEmpty: Bool { asked.isEmpty }

    mutating func insert(_ id: Identifier) {
        guard asked.count < Self.limit, !asked.contains(id) else { return }
        asked.append(id)
    }

    /// These were told.
    mutating func didTell(_ told: [SDSMessage.HistoryEntry]) {
        guard !asked.isEmpty else { return }
        asked.removeAll { id in told.contains { $0.id == id } }
    }
}

extension SDSChannel {
    /// The ids that a message with a history tells to be gone: those that it names and that were given up, and those asked for; as many
    /// entries as a message may ask for, so that it grows no larger by it than messages may be.
    func goneEntries(naming history: [SDSMessage.HistoryEntry]) -> [SDSMessage.HistoryEntry] {
        guard hasGone || !gone.isEmpty else { return [] }
        let named = history.map(\.id).filter { log.entry($0)?.isGone == true && kept[$0] == nil }
        let ids = named + gone.asked.filter { !named.contains($0) }
        return ids.prefix(settings.maximumGone).map { id in
            SDSMessage.HistoryEntry(id, hint: log.entry(id)?.isReplaced == true ? Bytes() : nil)
        }
    }

    /// An own message is given up: it is never sent again, and whoever waits for it is told.
    ///
    /// - Parameter isReplaced: whether what was in it comes in other messages.
    mutating func abandon(_ id: Identifier, isReplaced: Bool = false) {
        guard let entry = log.markGone(id, isReplaced: isReplaced) else { return }
        hasGone = true
        store(entry)
    }

    /// Whether a request for a message is one that only this participant could meet, and it cannot.
    func isGone(_ request: SDSMessage.HistoryEntry) -> Bool {
        guard outgoing[request.id] == nil, kept[request.id] == nil, incoming.missing[request.id] == nil else {
            return false
        }
        // Of two, the one who is asked is the one who sent it.
        if settings.repair?.answersForOthers == false { return true }
        return (log.entry(request.id)?.sender ?? request.sender) == participant
    }

    /// Takes what a message tells to be gone: it is no longer waited for. Only of what is missing, or what the
    /// message itself names; and only the sender's own messages.
    mutating func takeGone(_ message: SDSMessage, in step: inout SDSStep) {
        for entry in message.gone {
            let named = message.history.first { $0.id == entry.id }
            guard !log.contains(entry.id), incoming.waiting[entry.id] == nil, !incoming.lost.contains(entry.id),
                let known = incoming.missing[entry.id]?.entry ?? named
            else { continue }
            let sender = known.sender ?? named?.sender
            guard settings.repair?.answersForOthers == false || sender == message.sender else { continue }
            // With a hint, even an empty one, nothing is lost: it comes in other messages.
            if entry.hint == nil { step.events.append(.lost(entry.id, sender: sender)) }
            rememberLoss(entry.id)
            pace.encourage(step.now)
            release(incoming.resolve(entry.id), in: &step)
        }
    }
}
