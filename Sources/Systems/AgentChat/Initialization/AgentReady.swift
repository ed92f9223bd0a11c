import ChatCodec
public import ChatModel

/// First contact with the service of a chat: who knows the chat's id may talk.
///
/// A bundle names a chat, and is good for any number of conversations. The client's machine begins at once: what it
/// says first, that it is there, goes to the chat's address, again until something comes back; the service begins its
/// machine, which answers `ready`. History and resume recur with each connection, and are the conversation's.
public struct AgentReady: InitializationProtocol {
    /// The scheme of its bundles: the bytes are the chat's id.
    public static let scheme = "agentchat_1"
    /// The most chats that one service answers for.
    public static let maximumChats = 10_000

    private static let name = "agent-ready"
    private static let prefix = "chat/"
    /// Where a first word is heard, apart from the frames of a conversation.
    static let route = Route("agent-ready")

    private var chats: [Identifier] = []
    private var begun: Set<Identifier> = []
    private var contacts: [ContactID: Identifier] = [:]
    private var changes: [Record] = []
    /// Where chats are heard that nobody has opened yet.
    public private(set) var listening: [Listening] = []

    /// An initialization without chats.
    public init() {}

    /// Name and claims.
    public var facts: Facts {
        Facts(
            name: Self.name, summary: "Whoever knows the id of a chat may open it.",
            claims: [
                Claim(.confidentiality, "AC-36", holds: false, "the chat's id is the address"),
                Claim(.authentication, "AC-36", holds: false, "the transport's token has to see to that"),
            ])
    }

    /// The chat that a bundle names.
    static func chat(of bundle: IntroductionBundle) throws(Refusal) -> Identifier {
        guard bundle.scheme == scheme else {
            throw Refusal(.unsupported, CommonCause.unsupportedScheme(bundle.scheme, initialization: name))
        }
        guard let text = String(validating: bundle.bytes.array, as: UTF8.self), let chat = Identifier(checking: text)
        else { throw Refusal(.invalid, CommonCause.malformed("the id of a chat", at: 0)) }
        return chat
    }

    /// The bundle of a chat.
    public static func bundle(for chat: Identifier) -> IntroductionBundle {
        IntroductionBundle(scheme: scheme, bytes: Bytes(chat.text))
    }

    /// Makes new chats, each with an id of 128 random bits.
    public mutating func introduce(_ count: Int, in step: inout Step) throws(Refusal) -> [IntroductionBundle] {
        guard count <= Self.maximumChats - chats.count else {
            throw Refusal(.unable, CommonCause.tooLarge("chats", bytes: chats.count + count, limit: Self.maximumChats))
        }
        var bundles: [IntroductionBundle] = []
        for _ in 0..<max(0, count) {
            let text = "chat_" + Hex.encode(step.random.bytes(16, for: .identifier))
            guard let chat = Identifier(checking: text) else { continue }
            chats.append(chat)
            changes.append(Record(Self.prefix + chat.text, [0]))
            listening.append(Listening(DeliveryAddress(chat.text), Self.route))
            bundles.append(Self.bundle(for: chat))
        }
        return bundles
    }

    /// The client's seed: the chat is in its bundle, and there is no secret.
    public mutating func begin(
        _ type: ConversationType, with bundle: IntroductionBundle, as contact: ContactID, in step: inout Step
    ) throws(Refusal) -> ConversationSeed? {
        contacts[contact] = try Self.chat(of: bundle)
        return ConversationSeed(type: type, side: .inviting(), contact: contact, bundle: bundle)
    }

    /// Sends the first word; again until something comes back.
    public mutating func invite(
        _ contact: ContactID, opening: Payload, for content: ContentID?, in step: inout Step
    ) throws(Refusal) {
        guard let chat = contacts[contact] else {
            throw Refusal(.unable, CommonCause.incompleteSeed("contact \(contact)", type: Self.name))
        }
        step.send(
            Routed(DeliveryAddress(chat.text), Self.route, payload: opening), for: content, until: contact)
    }

    /// Begins the agent's machine of a chat, once; later first words are the conversation's, which is told by a
    /// repetition of the first one that the client did not hear the answer.
    public mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
        guard let chat = chats.first(where: { $0.text == routed.address.text }), !begun.contains(chat) else {
            throw Refusal(.invalid, CommonCause.malformed("a chat that is open already", at: 0))
        }
        begun.insert(chat)
        changes.append(Record(Self.prefix + chat.text, [1]))
        step.start(
            ConversationSeed(
                type: ConversationType(AgentChat.name), side: .invited(opening: routed.payload),
                bundle: Self.bundle(for: chat)))
    }

    /// Forgets a contact that has ended.
    public mutating func handle(_ signal: Signal, in step: inout Step) {
        if case .contactEnded(let contact) = signal { contacts[contact] = nil }
    }

    /// The records that changed since the last call.
    public mutating func takeChanges() -> [Record] {
        defer { changes = [] }
        return changes
    }

    /// Takes up all records of an earlier run.
    public mutating func restore(_ records: [Record]) throws(Refusal) {
        var trial = AgentReady()
        for record in records {
            guard record.key.hasPrefix(Self.prefix), let bytes = record.bytes, bytes.count == 1, bytes[0] <= 1,
                let chat = Identifier(checking: String(record.key.dropFirst(Self.prefix.count)))
            else { throw Refusal(.invalid, CommonCause.unreadableRecord(record.key, machine: Self.name)) }
            trial.chats.append(chat)
            trial.listening.append(Listening(DeliveryAddress(chat.text), Self.route))
            if bytes[0] == 1 { trial.begun.insert(chat) }
        }
        self = trial
    }
}
