internal import ChatModel

/// First contacts of this client that have not ended, what is sent again for them, and what waits for them.
struct Contacts: Sendable {
    /// One attempt to reach somebody.
    struct Entry: Sendable, Hashable {
        let id: ContactID
        let type: ConversationType
        /// By what the application knows the conversation; drawn where the contact was pending at first.
        let conversation: ConversationID
        /// Whether it adds a member to a conversation that is here.
        let isMember: Bool
        /// Whether messages must still go back and forth before there is a seed.
        var isPending: Bool
        /// Whether its invite has left.
        var isInvited = false
    }

    /// A payload that is sent until a contact ends.
    struct Repeat: Sendable, Hashable {
        let number: UInt64
        let contact: ContactID
        let routed: Routed
        var due: Timestamp
        /// How often it was sent again.
        var count = 0
    }

    /// Content that waits until its conversation takes it.
    struct Waiting: Sendable, Hashable {
        let id: ContentID
        let conversation: ConversationID
        let content: Content
    }

    private(set) var entries: [ContactID: Entry] = [:]
    private(set) var repeats: [UInt64: Repeat] = [:]
    private(set) var waiting: [ConversationID: [Waiting]] = [:]
    /// Contacts whose invite has not left, by conversation.
    private var uninvited: [ConversationID: Set<ContactID>] = [:]
    private(set) var waitingCount = 0
    private(set) var waitingBytes = 0

    /// Payloads that are sent again, at most; the oldest is given up beyond that, which loses nothing but its repeats.
    static let maximumRepeats = 256
    /// How long after each sending the next one comes: from three seconds, against loss, to every day for two weeks,
    /// as long as a bundle is good, against a recipient who was away longer than the service retains.
    static let pauses: [Duration] =
        ([3, 10, 30, 120, 480, 1_920, 7_680, 30_720] + repeatElement(86_400, count: 13)).map { .seconds($0) }

    /// When something is next sent again.
    var nextDue: Timestamp? { repeats.values.lazy.map(\.due).min() }

    subscript(id: ContactID) -> Entry? { entries[id] }

    /// The pending contact of a conversation that is not here yet.
    func pending(_ conversation: ConversationID) -> Entry? {
        entries.values.first { $0.isPending && !$0.isMember && $0.conversation == conversation }
    }

    /// All contacts of a conversation, oldest first.
    func all(of conversation: ConversationID) -> [ContactID] {
        entries.values.filter { $0.conversation == conversation }.map(\.id).sorted()
    }

    /// Whether an invite of a conversation has not left yet.
    func awaitsInvite(of conversation: ConversationID) -> Bool { uninvited[conversation] != nil }

    /// Whether the invite of a contact has not left yet, or is still to be sent again.
    func isUnderWay(_ contact: ContactID?) -> Bool {
        guard let contact, let entry = entries[contact] else { return false }
        return !entry.isInvited || repeats.values.contains { $0.contact == contact }
    }

    mutating func insert(_ entry: Entry) {
        entries[entry.id] = entry
        note(entry.id, of: entry.conversation, awaits: !entry.isPending && !entry.isInvited)
    }

    /// Ends a contact; returns the numbers of what is no longer sent again for it.
    mutating func remove(_ id: ContactID) -> [UInt64] {
        guard let entry = entries.removeValue(forKey: id) else { return [] }
        note(id, of: entry.conversation, awaits: false)
        return removeRepeats(of: id)
    }

    private mutating func note(_ id: ContactID, of conversation: ConversationID, awaits: Bool) {
        if awaits {
            uninvited[conversation, default: []].insert(id)
        } else {
            uninvited[conversation]?.remove(id)
            if uninvited[conversation]?.isEmpty == true { uninvited[conversation] = nil }
        }
    }

    mutating func removeRepeats(of contact: ContactID) -> [UInt64] {
        let numbers = repeats.values.filter { $0.contact == contact }.map(\.number).sorted()
        for number in numbers { repeats[number] = nil }
        return numbers
    }

    /// Adds a payload that was sent now; returns it, and which one was given up for it.
    mutating func add(_ routed: Routed, until contact: ContactID, now: Timestamp) -> (added: Repeat, lost: UInt64?) {
        let lost = repeats.count >= Self.maximumRepeats ? repeats.keys.min() : nil
        if let lost { repeats[lost] = nil }
        let number = (repeats.keys.max() ?? 0) + 1
        let added = Repeat(number: number, contact: contact, routed: routed, due: now + Self.pauses[0])
        repeats[number] = added
        return (added, lost)
    }

    /// The payloads that are due, oldest first, with when each is due next; nil where it is given up.
    mutating func takeDue(at now: Timestamp) -> [(sent: Repeat, next: Repeat?)] {
        repeats.values.filter { $0.due <= now }.sorted { $0.number < $1.number }.map { sent in
            var next: Repeat? = sent
            next?.count += 1
            next?.due = now + Self.pauses[min(sent.count + 1, Self.pauses.count - 1)]
            if sent.count + 1 >= Self.pauses.count { next = nil }
            repeats[sent.number] = next
            return (sent, next)
        }
    }

    /// Puts back what an earlier run stored.
    mutating func restore(_ one: Repeat) { repeats[one.number] = one }

    /// Adds content at the end of what waits for its conversation.
    mutating func wait(_ one: Waiting) {
        waiting[one.conversation, default: []].append(one)
        waitingCount += 1
        waitingBytes += one.content.count
    }

    /// Drops one content that waits.
    mutating func stopWaiting(_ id: ContentID, for conversation: ConversationID) {
        let rest = takeWaiting(for: conversation)
        for one in rest where one.id != id { wait(one) }
    }

    /// Takes what waits for a conversation, oldest first.
    mutating func takeWaiting(for conversation: ConversationID) -> [Waiting] {
        let all = waiting.removeValue(forKey: conversation) ?? []
        waitingCount -= all.count
        waitingBytes -= all.reduce(0) { $0 + $1.content.count }
        return all
    }
}
