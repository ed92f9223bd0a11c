import ChatModel

/// Messages kept whole, to be sent again on request (SDSR-03); the oldest are forgotten first.
struct SDSRetransmitCache: Sendable {
    struct Entry: Sendable {
        let bytes: Bytes
        /// Names its record.
        let serial: UInt64
        /// Whether it is an own message whose record says that no acknowledgement is awaited.
        let isDone: Bool
        /// When it is to be sent again; nil without a request.
        var answerAt: Timestamp?
        /// When it last was.
        var answered: Timestamp?
    }

    private var entries: [Identifier: Entry] = [:]
    private(set) var bytes = 0
    /// Oldest first.
    private var order: [Identifier] = []
    private var start = 0
    private var answers = PriorityQueue<SDSDue>()

    var nextDue: Timestamp? { answers.first?.time }
    subscript(id: Identifier) -> Entry? { entries[id] }

    /// Keeps a message; returns those that are forgotten for it.
    mutating func insert(_ id: Identifier, _ entry: Entry, _ limits: SDSSettings.Limits) -> [Entry] {
        guard entries.updateValue(entry, forKey: id) == nil else { return [] }
        order.append(id)
        bytes += entry.bytes.count
        var forgotten: [Entry] = []
        while entries.count > limits.kept || bytes > limits.keptBytes, start < order.count {
            if let gone = entries.removeValue(forKey: order[start]) {
                forgotten.append(gone)
                bytes -= gone.bytes.count
            }
            start += 1
        }
        if start > 64, start > order.count / 2 {
            order.removeFirst(start)
            start = 0
        }
        return forgotten
    }

    /// Plans to send a message again, unless that is planned, or was done just now.
    mutating func plan(_ id: Identifier, at time: Timestamp, now: Timestamp, pause: UInt64) {
        guard let entry = entries[id], entry.answerAt == nil else { return }
        if let answered = entry.answered, now < answered.later(by: pause) { return }
        entries[id]?.answerAt = time
        answers.insert(SDSDue(id, time))
    }

    /// Another participant sent it again.
    mutating func cancel(_ id: Identifier, now: Timestamp) {
        guard entries[id] != nil else { return }
        entries[id]?.answerAt = nil
        entries[id]?.answered = now
    }

    /// Messages to be sent again now.
    mutating func takeDue(_ now: Timestamp, limit: Int) -> [(id: Identifier, bytes: Bytes)] {
        var due: [(Identifier, Bytes)] = []
        while due.count < limit, let next = answers.first, next.time <= now {
            _ = answers.popFirst()
            let id = next.id
            guard let entry = entries[id], entry.answerAt == next.time else { continue }
            entries[id]?.answerAt = nil
            entries[id]?.answered = now
            due.append((id, entry.bytes))
        }
        return due
    }
}
