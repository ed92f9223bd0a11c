public import AgentChat
import ChatCodec
import ChatCrypto
import ChatModel
public import ChatStorage

/// All chats of one account: their list, their rooms, and what they share.
public actor House {
    /// What it takes on.
    public nonisolated let limits: Limits
    nonisolated let agent: any Agent
    nonisolated let log: Log
    nonisolated let slots: Slots
    nonisolated let backlog: Backlog
    private nonisolated let ledger: Ledger
    private nonisolated let random = SystemRandom()
    /// The chats, the oldest first.
    private var order: [Identifier] = []
    private var chats: [Identifier: AgentChatSummary] = [:]
    /// New chats that are being stored: nobody sees them before.
    private var underWay = 0
    /// Their ids, which are asked for before a request has a place in this actor's queue.
    private nonisolated let ids = Lock<Set<Identifier>>([])
    private var rooms: [Identifier: Room] = [:]
    /// What is stored of chats that nobody has entered since the start.
    private var dormant: [Identifier: [Record]] = [:]
    private let storage: any Storage
    private var isStopping = false

    /// Takes up what is stored.
    public init(
        _ agent: any Agent, storage: any Storage = InMemoryStorage(), limits: Limits = Limits(), log: Log
    ) throws(StorageError) {
        (self.agent, self.storage, self.limits, self.log) = (agent, storage, limits, log)
        (ledger, slots, backlog) = (Ledger(storage), Slots(limits.jobs), Backlog(limit: limits.waitingOfAll))
        var numbered: [(Int, AgentChatSummary)] = []
        for record in try storage.load() {
            let key = record.key.split(separator: "/", maxSplits: 2).map(String.init)
            guard key.count >= 2, let id = Identifier(checking: key[1]) else { continue }
            if key[0] == "room", key.count == 3 {
                dormant[id, default: []].append(Record(key[2], record.bytes))
            } else if let bytes = record.bytes, let json = try? JSON(parsing: bytes.span) {
                let summary = AgentChatSummary(
                    id: id, title: json["title"]?.text ?? "", isArchived: json["archived"]?.bool == true)
                numbered.append((json["number"]?.int ?? 0, summary))
            }
        }
        numbered.sort { $0.0 < $1.0 }
        order = numbered.map(\.1.id)
        for (_, summary) in numbered { chats[summary.id] = summary }
        let known = Set(order)
        ids.withLock { $0 = known }
    }

    /// Chats, the newest first.
    public func list(limit: Int, offset: Int, archived: Bool) -> [AgentChatSummary] {
        Array(
            order.reversed().compactMap { chats[$0] }.filter { $0.isArchived == archived }.dropFirst(max(0, offset))
                .prefix(max(0, limit)))
    }

    /// Makes a chat; nil where there are too many. Returns when it is stored.
    public func create(title: String) async throws(StorageError) -> AgentChatSummary? {
        var random: any RandomSource = random
        guard order.count + underWay < limits.chats,
            let id = Identifier(checking: "chat_" + Hex.encode(random.bytes(16, for: .identifier)))
        else { return nil }
        let summary = AgentChatSummary(id: id, title: title)
        underWay += 1
        defer { underWay -= 1 }
        let json: JSON = ["title": .string(title), "archived": false, "number": JSON(order.count + underWay)]
        try await ledger.commit([Record("chat/" + id.text, Bytes(json.description))])
        chats[id] = summary
        order.append(id)
        ids.withLock { _ = $0.insert(id) }
        log("chat_created", [("chat", .string(id.text))])
        return summary
    }

    /// Whether there is such a chat.
    nonisolated func has(_ chat: Identifier) -> Bool { ids.withLock { $0.contains(chat) } }

    /// The room of a chat; nil where there is no such chat, or its records cannot be read.
    func room(_ chat: Identifier) -> Room? {
        guard chats[chat] != nil, !isStopping else { return nil }
        if let room = rooms[chat] { return room }
        do throws(Refusal) {
            let room = try Room(chat, records: dormant[chat] ?? [], house: self)
            (rooms[chat], dormant[chat]) = (room, nil)
            for message in room.unreadable {
                log("message_unreadable", [("chat", .string(chat.text)), ("message", .string(message.text))])
            }
            return room
        } catch {
            log("chat_unreadable", [("chat", .string(chat.text)), ("reason", .string("\(error)"))])
            return nil
        }
    }

    /// A room that could not store is taken up anew from what is stored.
    func forget(_ chat: Identifier) {
        rooms[chat] = nil
        let prefix = "room/\(chat.text)/"
        let stored = (try? storage.load()) ?? []
        dormant[chat] = stored.filter { $0.key.hasPrefix(prefix) }
            .map { Record(String($0.key.dropFirst(prefix.count)), $0.bytes) }
    }

    /// Stores what changed in a chat.
    nonisolated func store(_ records: [Record], of chat: Identifier) async throws(StorageError) {
        try await ledger.commit(records.map { Record("room/\(chat.text)/\($0.key)", $0.bytes) })
    }

    /// The service stops: every job fails, every socket is closed.
    func stop() async {
        isStopping = true
        for room in rooms.values { await room.stop() }
        await agent.stop()
    }
}

/// A number of places.
final class Slots: Sendable {
    private let free: Lock<Int>

    init(_ count: Int) { free = Lock(count) }

    /// Takes a place, if one is free.
    func take() -> Bool {
        free.withLock { free in
            guard free > 0 else { return false }
            free -= 1
            return true
        }
    }

    /// Gives it back.
    func give() { free.withLock { $0 += 1 } }
}
