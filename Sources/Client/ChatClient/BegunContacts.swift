internal import ChatCrypto
internal import ChatModel

/// Conversations that this client began: with which bundles, and until when each waits for an answer (CORE-21,
/// CORE-22).
struct BegunContacts: Sendable {
    struct Entry: Sendable, Hashable {
        /// Names the bundle and the type where the bundle is good once, otherwise the conversation.
        let name: String
        let conversation: ConversationID
        /// Whether the entry stays when there is nothing to wait for any more, because the bundle is good once.
        let isSingleUse: Bool
        /// When it is told that nobody has answered; nil where that is over.
        var end: Timestamp?
    }

    /// As long as an invite is sent again, and a day more.
    static let patience = Duration.seconds(15 * 86_400)
    /// How long it waits again where the invite has not left yet, or is still sent again.
    static let grace = Duration.seconds(86_400)
    /// Entries at once; beyond it one is forgotten, first those that wait for nothing.
    static let capacity = 1_024

    private var entries: [String: Entry] = [:]
    /// When the first entry ends.
    private(set) var nextEnd: Timestamp?

    subscript(name: String) -> Entry? { entries[name] }

    /// The entries of a conversation, by name.
    func all(of conversation: ConversationID) -> [Entry] {
        entries.values.filter { $0.conversation == conversation }.sorted { $0.name < $1.name }
    }

    /// Adds or replaces an entry; returns one that is forgotten for it.
    mutating func insert(_ entry: Entry) -> Entry? {
        let isFull = entries[entry.name] == nil && entries.count >= Self.capacity
        let oldest = isFull ? entries.values.min(by: Self.precedes) : nil
        if let oldest { entries[oldest.name] = nil }
        entries[entry.name] = entry
        findNextEnd()
        return oldest
    }

    mutating func remove(_ name: String) {
        entries[name] = nil
        findNextEnd()
    }

    /// The entries whose time is over, in an order that does not depend on hashing.
    func ended(at now: Timestamp) -> [Entry] {
        guard let nextEnd, nextEnd <= now else { return [] }
        return entries.values.filter { $0.end.map { $0 <= now } ?? false }.sorted(by: Self.precedes)
    }

    private mutating func findNextEnd() { nextEnd = entries.values.lazy.compactMap(\.end).min() }

    private static func precedes(_ left: Entry, _ right: Entry) -> Bool {
        (left.end?.milliseconds ?? 0, left.name) < (right.end?.milliseconds ?? 0, right.name)
    }
}

extension ChatCore {
    /// Refuses a bundle that is good once and has begun a conversation of this type that is still here (CORE-21).
    func checkUnused(_ bundle: IntroductionBundle, _ type: ConversationType) throws(Refusal) {
        guard bundle.isSingleUse, let entry = begun[Self.name(of: bundle, type)] else { return }
        throw Refusal(.unable, ClientCause.usedBundle(entry.conversation))
    }

    /// Notes that a conversation was begun, and waits for an answer.
    ///
    /// - Parameter bundle: nil where the conversation began after messages had gone back and forth, by which the
    ///   other side took the bundle or refused it.
    mutating func noteBegun(_ type: ConversationType, with bundle: IntroductionBundle?, as id: ConversationID) {
        let single = bundle.flatMap { $0.isSingleUse ? $0 : nil }
        let name = single.map { Self.name(of: $0, type) } ?? Self.name(["", id.text])
        update(
            BegunContacts.Entry(
                name: name, conversation: id, isSingleUse: single != nil, end: now + BegunContacts.patience))
    }

    /// Notes that somebody was invited into a conversation with a bundle that is good once.
    mutating func noteMember(of id: ConversationID, _ type: ConversationType, with bundle: IntroductionBundle) {
        update(
            BegunContacts.Entry(name: Self.name(of: bundle, type), conversation: id, isSingleUse: true, end: nil))
    }

    /// Waits no longer for an answer to a conversation; a bundle that is good once stays used.
    mutating func settleBegun(_ id: ConversationID) {
        for var entry in begun.all(of: id) {
            guard entry.isSingleUse else {
                forget(entry)
                continue
            }
            guard entry.end != nil else { continue }
            entry.end = nil
            update(entry)
        }
    }

    /// Forgets with which bundle a conversation was begun.
    mutating func forgetBegun(_ id: ConversationID) {
        for entry in begun.all(of: id) { forget(entry) }
    }

    /// Tells of conversations that nobody has answered for as long as somebody could (CORE-22).
    mutating func tellUnanswered() {
        for var entry in begun.ended(at: now) {
            guard let about = hosted[entry.conversation]?.about, !contacts.isUnderWay(about.contact) else {
                entry.end = now + BegunContacts.grace
                update(entry)
                continue
            }
            settleBegun(entry.conversation)
            guard !about.isAnswered else { continue }
            let cause = ClientCause.unanswered
            let trouble = Trouble(isOwn: true, reason: cause.description)
            troubles[entry.conversation] = trouble
            changes.records.append(Record(Keys.trouble(entry.conversation), trouble.encoded))
            fresh.append(.broken(entry.conversation, ClientEvent.Report(Refusal(.unable, cause))))
        }
    }

    private mutating func update(_ entry: BegunContacts.Entry) {
        if let oldest = begun.insert(entry) { changes.records.append(Record(Keys.begun(oldest.name), nil)) }
        changes.records.append(Record(Keys.begun(entry.name), entry.encoded))
    }

    private mutating func forget(_ entry: BegunContacts.Entry) {
        begun.remove(entry.name)
        changes.records.append(Record(Keys.begun(entry.name), nil))
    }

    private static func name(of bundle: IntroductionBundle, _ type: ConversationType) -> String {
        name([bundle.scheme, type.name], bundle.bytes.array)
    }

    private static func name(_ texts: [String], _ bytes: [UInt8] = []) -> String {
        let parts = texts.map { Array($0.utf8) } + [bytes]
        return hex(BLAKE2b.hash(count: 16, parts.flatMap { BLAKE2b.hash(count: 16, $0) }))
    }
}

extension BegunContacts.Entry {
    var encoded: Bytes {
        var writer = RecordWriter(version: 1)
        writer.write(name)
        writer.write(conversation.text)
        writer.write(isSingleUse)
        writer.write(end != nil)
        writer.write(end?.milliseconds ?? 0)
        return writer.record
    }

    init(_ record: Record) throws(Refusal) {
        var reader = try RecordReader(record, version: 1)
        name = try reader.text()
        conversation = ConversationID(try reader.text())
        isSingleUse = try reader.flag()
        let waits = try reader.flag()
        let time = Timestamp(milliseconds: try reader.number())
        end = waits ? time : nil
        try reader.end()
    }
}
