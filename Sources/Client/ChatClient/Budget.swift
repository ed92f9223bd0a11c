internal import ChatModel

/// How many bytes of records the machines of conversations hold, and how many of them strangers made us keep (CORE-17).
struct Budget: Sendable {
    /// Whose a conversation is: of the peers that the initialization authenticated, or where it knows none, its own.
    enum Holder: Sendable, Hashable {
        case peers([PublicKey])
        case conversation(ConversationID)

        init(_ id: ConversationID, _ peers: [PublicKey]) {
            self = peers.isEmpty ? .conversation(id) : .peers(peers)
        }
    }

    /// Bytes of all conversations.
    private(set) var total = 0
    /// Bytes of strangers' conversations.
    private(set) var strangers = 0
    private var held: [Holder: Int] = [:]
    /// Strangers who came to hold more since somebody looked.
    private var grown: Set<Holder> = []
    /// Conversations that strangers began, the oldest first; after a restart in no particular order.
    private(set) var begun: [ConversationID] = []

    /// Counts bytes that came or went.
    ///
    /// - Parameter stranger: whose they are; nil where the application has spoken in the conversation.
    mutating func add(_ bytes: Int, of stranger: Holder?) {
        total += bytes
        guard let stranger, bytes != 0 else { return }
        strangers += bytes
        let sum = held[stranger, default: 0] + bytes
        held[stranger] = sum > 0 ? sum : nil
        if bytes > 0 { grown.insert(stranger) }
    }

    /// A stranger began a conversation.
    mutating func begin(_ id: ConversationID) { begun.append(id) }

    /// A conversation ended, or is no stranger's any more.
    mutating func end(_ id: ConversationID) { begun.removeAll { $0 == id } }

    /// Who must give way next: a stranger who holds more than one may, or the largest where all hold too much.
    mutating func next(_ limits: CoreLimits) -> Holder? {
        if let first = grown.first(where: { held[$0, default: 0] > limits.strangerBytes }) { return first }
        grown = []
        return strangers > limits.strangersBytes ? largest : nil
    }

    /// The stranger who holds most.
    var largest: Holder? { held.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key }
}

extension Budget.Holder: Comparable {
    /// An order that does not depend on hashing, so that runs repeat.
    static func < (left: Budget.Holder, right: Budget.Holder) -> Bool { left.name < right.name }

    private var name: String {
        switch self {
        case .peers(let keys): keys.map(\.description).joined()
        case .conversation(let id): id.text
        }
    }
}

extension ChatCore {
    /// Whose bytes a conversation's are; nil where the application has spoken in it.
    static func stranger(_ id: ConversationID, _ about: About) -> Budget.Holder? {
        about.hasSpoken ? nil : Budget.Holder(id, about.peers)
    }

    /// Ends conversations of strangers until what they hold is within the limits: the largest stranger first, and of a
    /// stranger the largest conversation. Where they are too many, those end that began first: who comes now is heard.
    mutating func makeRoom() {
        while let holder = budget.next(limits), end(holder, above: 0) {}
        while budget.begun.count > limits.strangerConversations, let first = budget.begun.first {
            let cause = ClientCause.tooMany("conversations of strangers", limit: limits.strangerConversations)
            remove(first)
            fresh.append(.failed(first, ClientEvent.Report(Refusal(.unable, cause))))
        }
    }

    /// Counts a conversation that began or was taken up.
    mutating func count(_ id: ConversationID, _ about: About) {
        if Self.stranger(id, about) != nil { budget.begin(id) }
    }

    /// Ends the largest conversation of the largest stranger, so that something else can be stored.
    ///
    /// - Parameter bytes: how much it is to be; false where there is none so large.
    mutating func giveWay(above bytes: Int) -> Bool {
        budget.largest.map { end($0, above: bytes) } ?? false
    }

    private mutating func end(_ holder: Budget.Holder, above bytes: Int) -> Bool {
        let candidates = hosted.filter { Self.stranger($0.key, $0.value.about) == holder && $0.value.bytes > bytes }
        guard let largest = candidates.max(by: { ($0.value.bytes, $1.key) < ($1.value.bytes, $0.key) }) else {
            return false
        }
        let cause = ClientCause.noRoom(bytes: largest.value.bytes)
        remove(largest.key)
        fresh.append(.failed(largest.key, ClientEvent.Report(Refusal(.unable, cause))))
        return true
    }

    /// Refuses what comes for a conversation of so many bytes while all of them together hold too much. It is not
    /// acknowledged, so a reliable type sends it again later.
    func checkRoom(bytes: Int) throws(Refusal) {
        guard budget.total > limits.machineBytes, bytes > limits.roomyBytes else { return }
        throw Refusal(.unable, ClientCause.noRoom(bytes: bytes))
    }

    /// Notes that the application has spoken in a conversation, whose peer is no stranger any more.
    mutating func speak(_ id: ConversationID) {
        guard let conversation = hosted[id], !conversation.about.hasSpoken else { return }
        let stranger = Self.stranger(id, conversation.about)
        budget.add(-conversation.bytes, of: stranger)
        budget.add(conversation.bytes, of: nil)
        budget.end(id)
        hosted[id]?.about.hasSpoken = true
        storeAbout(id)
    }
}
