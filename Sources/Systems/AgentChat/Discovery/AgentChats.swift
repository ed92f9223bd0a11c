public import ChatModel

/// What an account of an agent's service offers about its chats: over HTTP, or in memory.
public protocol AgentAccount: Sendable {
    /// The name of the account.
    func whoami() async throws(DiscoveryError) -> String
    /// Chats, the newest first.
    func chats(limit: Int, offset: Int, archived: Bool) async throws(DiscoveryError) -> [AgentChatSummary]
    /// Makes a chat, or enters one that was made already, under a title.
    func create(_ chat: Identifier?, title: String) async throws(DiscoveryError) -> AgentChatSummary
}

/// A chat in a list.
public struct AgentChatSummary: Hashable, Sendable {
    /// Its id.
    public let id: Identifier
    /// Its title.
    public let title: String
    /// Whether it is put away.
    public let isArchived: Bool

    /// Describes a chat.
    public init(id: Identifier, title: String, isArchived: Bool = false) {
        (self.id, self.title, self.isArchived) = (id, title, isArchived)
    }
}

/// The discovery `agent-chats`: what is found are the chats of an account, by id or title.
///
/// The other side of every chat is the account's agent, so there are no people to look up.
public struct AgentChats: DiscoveryProtocol {
    /// How many chats are asked for at once, and looked through at most.
    public static let pageSize = 20, maximumChats = 10_000

    private let account: any AgentAccount

    /// The chats of an account.
    public init(_ account: any AgentAccount) {
        self.account = account
    }

    /// Name and claims.
    public var facts: Facts {
        Facts(
            name: "agent-chats", summary: "The chats of an account, from the service that keeps them.",
            claims: [
                Claim(.authentication, "AC-38", "of the service, by the transport; of the account, by its token"),
                Claim(.confidentiality, "AC-38", holds: false, "the service knows all chats"),
            ])
    }

    /// Enters chats under a title; the texts are their ids.
    public func publish(_ bundles: [IntroductionBundle], as name: String) async throws(DiscoveryError) -> [String] {
        var texts: [String] = []
        for bundle in bundles {
            let chat: Identifier
            do { chat = try AgentReady.chat(of: bundle) } catch { throw .unsupported("a bundle of \(bundle.scheme)") }
            texts.append(try await account.create(chat, title: name).id.text)
        }
        return texts
    }

    /// Finds a chat by its id or its title, the newest first.
    public func find(_ text: String) async throws(DiscoveryError) -> Introductions {
        var found: [Introduction] = []
        var offset = 0
        while offset < Self.maximumChats {
            let page = try await account.chats(limit: Self.pageSize, offset: offset, archived: false)
            for chat in page where chat.id.text == text || chat.title == text {
                found.append(Introduction(name: chat.title, bundles: [AgentReady.bundle(for: chat.id)]))
            }
            guard page.count == Self.pageSize else { break }
            offset += page.count
        }
        guard !found.isEmpty else { throw .notFound(text) }
        return Introductions(found)
    }
}
