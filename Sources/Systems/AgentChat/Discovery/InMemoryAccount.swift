import ChatCodec
public import ChatCrypto
public import ChatModel

/// An account in memory, for tests and for services that keep no others.
public final class InMemoryAccount: AgentAccount {
    private let name: String
    private let random: Lock<any RandomSource>
    private let entries = Lock<[AgentChatSummary]>([])

    /// An account without chats.
    public init(_ name: String, random: any RandomSource = SystemRandom()) {
        self.name = name
        self.random = Lock(random)
    }

    /// The name of the account.
    public func whoami() async throws(DiscoveryError) -> String { name }

    /// Chats, the newest first.
    public func chats(limit: Int, offset: Int, archived: Bool) async throws(DiscoveryError) -> [AgentChatSummary] {
        entries.withLock { entries in
            Array(
                entries.reversed().filter { $0.isArchived == archived }.dropFirst(max(0, offset)).prefix(max(0, limit)))
        }
    }

    /// Makes a chat, or enters one that was made already, under a title.
    public func create(_ chat: Identifier?, title: String) async throws(DiscoveryError) -> AgentChatSummary {
        let drawn = random.withLock { Hex.encode($0.bytes(16, for: .identifier)) }
        guard let id = chat ?? Identifier(checking: "chat_\(drawn)") else { throw .unsupported("this id") }
        let summary = AgentChatSummary(id: id, title: title)
        return try entries.withLock { entries throws(DiscoveryError) in
            entries.removeAll { $0.id == id }
            guard entries.count < AgentChats.maximumChats else {
                throw .tooLarge("the account", count: entries.count + 1, limit: AgentChats.maximumChats)
            }
            entries.append(summary)
            return summary
        }
    }
}
