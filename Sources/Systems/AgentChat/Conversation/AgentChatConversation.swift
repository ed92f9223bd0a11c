import ChatCodec
import ChatCrypto
public import ChatModel

/// One agent chat: the client's machine or the agent's, and how its frames travel.
public struct AgentChatConversation: Conversation {
    /// How frames travel.
    enum Transport: Sendable {
        /// As payloads on an address of the chat. The client's first goes into the invite.
        case own(DeliveryAddress, remote: Route, isOpened: Bool)
        /// As contents of another conversation.
        case carried(any Conversation)
    }

    private var party: AgentChatParty
    private var transport: Transport
    private let type: String
    private let ownListening: [Listening]
    private let ownID: ConversationID

    /// The routes of both kinds of machine; they tell a framing which direction a frame has.
    static let (clientRoute, agentRoute) = (Route("client"), Route("agent"))
    private static let carrierPrefix = "carrier/"

    init(
        _ seed: ConversationSeed, type: String, carrier: (any ConversationProtocol)?, in step: inout Step
    ) throws(Refusal) {
        let isClient = seed.role == .initiator
        self.type = type
        guard let carrier else {
            let chat = try Self.chat(of: seed, type: type)
            party = AgentChatParty(isClient: isClient, chat: chat)
            ownID = Self.id(chat, isClient: isClient)
            (transport, ownListening) = Self.own(chat, isClient: isClient, isOpened: !isClient)
            guard let opening = seed.opening else {
                try send(party.begin(in: &step), for: nil, in: &step)
                return
            }
            try send(party.receive(opening, in: &step), for: nil, in: &step)
            return
        }
        // The id of a chat that has a conversation to itself tells nobody anything.
        party = AgentChatParty(isClient: isClient, chat: "chat")
        ownID = Self.id("chat", isClient: isClient)
        let (inner, left) = try step.lend { (step) throws(Refusal) in try carrier.begin(seed, in: &step) }
        (transport, ownListening) = (.carried(inner), [])
        try absorb(left, isOpening: true, in: &step)
        try send(party.begin(in: &step), for: nil, in: &step)
    }

    init(restoring records: [Record], type: String, carrier: (any ConversationProtocol)?) throws(Refusal) {
        self.type = type
        let inner = records.filter { $0.key.hasPrefix(Self.carrierPrefix) }
        let (party, place) = try AgentChatParty.restore(
            records.filter { !$0.key.hasPrefix(Self.carrierPrefix) }, type: type)
        self.party = party
        ownID = Self.id(party.chat.chat, isClient: party.isClient)
        guard let carrier else {
            let chat = party.chat.chat
            (transport, ownListening) = Self.own(
                chat, isClient: party.isClient, isOpened: place["opened"]?.bool == true)
            return
        }
        let stripped = inner.map { Record(String($0.key.dropFirst(Self.carrierPrefix.count)), $0.bytes) }
        (transport, ownListening) = (.carried(try carrier.restore(stripped)), [])
    }

    /// Ids of chats may have any characters, those of conversations are keys of stored records.
    private static func id(_ chat: Identifier, isClient: Bool) -> ConversationID {
        let named = "agent-chat|\(isClient ? clientRoute : agentRoute)|\(chat)"
        return ConversationID(bytes: BLAKE2b.hash(count: 16, Array(named.utf8)))
    }

    private static func own(
        _ chat: Identifier, isClient: Bool, isOpened: Bool
    ) -> (Transport, [Listening]) {
        let address = DeliveryAddress(chat.text)
        let (own, remote) = isClient ? (clientRoute, agentRoute) : (agentRoute, clientRoute)
        return (.own(address, remote: remote, isOpened: isOpened), [Listening(address, own)])
    }

    /// The chat that a bundle names, or one that both compute from the secret.
    private static func chat(of seed: ConversationSeed, type: String) throws(Refusal) -> Identifier {
        if let bundle = seed.bundle, bundle.scheme == AgentReady.scheme { return try AgentReady.chat(of: bundle) }
        let hash = seed.secret.map { secret in
            BLAKE2b.derive(count: 16, key: secret, personal: "AgentChat-ChatID").lend { Bytes(copying: $0).array }
        }
        guard let hash, let chat = Identifier(checking: Hex.encode(hash)) else {
            throw Refusal(.unable, CommonCause.incompleteSeed("a chat or a secret", type: type))
        }
        return chat
    }

    /// What is known of the chat.
    public var chat: ChatState { party.chat }

    /// Messages that were stored and could not be read: they are lost, the rest of the chat is not.
    public var unreadableMessages: [Identifier] { party.unreadable }

    /// The chat's job; cheaper to ask than the whole ``chat``.
    public var job: Job { party.job }

    /// The carrier's id, or a hash of the chat's and of the kind of machine.
    public var id: ConversationID {
        if case .carried(let inner) = transport { inner.id } else { ownID }
    }

    /// What is listened to; for a chat with an address of its own it never changes.
    public var listening: [Listening] {
        if case .carried(let inner) = transport { inner.listening } else { ownListening }
    }

    /// When the client begins anew if nothing came, or the carrier wants to be woken.
    public var nextWake: Timestamp? {
        guard case .carried(let inner) = transport, let own = inner.nextWake else { return party.nextWake }
        return party.nextWake.map { min($0, own) } ?? own
    }

    /// The records that changed since the last call; pieces of text change none.
    public mutating func takeChanges() -> [Record] {
        switch transport {
        case .own(_, _, let isOpened):
            guard party.isHeadChanged else { return [] }
            return party.takeChanges(["opened": .bool(isOpened)])
        case .carried(var inner):
            let records = inner.takeChanges().map { Record(Self.carrierPrefix + $0.key, $0.bytes) }
            transport = .carried(inner)
            return records + party.takeChanges(.null)
        }
    }
}

// Steps.
extension AgentChatConversation {
    /// Sends text, or does what ``AgentChatAction`` says.
    public mutating func perform(_ action: Action, as id: ContentID, in step: inout Step) throws(Refusal) {
        let content: ContentID? = if case .send = action { id } else { nil }
        if let piece = party.piece(of: action) { return try write(piece, for: content, in: &step) }
        var trial = self
        let left = try step.lend { (step) throws(Refusal) in
            let snapshot = trial.missing(in: step)
            let frames = try trial.party.perform(action, as: id, type: trial.type, in: &step)
            try trial.send(snapshot.map { [$0] + frames } ?? frames, for: content, in: &step)
        }.output
        step.take(left)
        self = trial
    }

    /// Writes a piece of the message. What may refuse it comes first; then it is appended where the message stands.
    private mutating func write(
        _ piece: (part: MessagePart, consolidated: Bool), for content: ContentID?, in step: inout Step
    ) throws(Refusal) {
        let draft = try Self.unable { () throws(Violation) in try party.draft(piece, limit: step.maximumPayload) }
        guard let draft else { return }
        guard case .carried = transport else {
            let isHeard = try Self.unable { () throws(Violation) in try party.write(draft) }
            // The frame is known to fit, so nothing refuses it any more. Nobody needs it after a restart: the job has
            // ended then.
            if isHeard { try send(draft.frame, for: content, isTransient: true, in: &step) }
            return
        }
        let before = transport
        do throws(Refusal) {
            let left = try step.lend { (step) throws(Refusal) in
                if party.agent?.isHeard == true { try send(draft.frame, for: content, in: &step) }
                _ = try Self.unable { () throws(Violation) in try party.write(draft) }
            }.output
            step.take(left)
        } catch {
            transport = before
            throw error
        }
    }

    /// What goes in front of whatever an agent does while deltas still wait for the service: they are lost if the process
    /// ends now, and what comes behind them must not end a message that lacks them.
    private func missing(in step: borrowing Step) -> [UInt8]? {
        guard case .own = transport, step.waiting.own > 0, let agent = party.agent, agent.isHeard,
            let snapshot = agent.snapshot, snapshot.count <= step.maximumPayload
        else { return nil }
        return snapshot
    }

    private static func unable<Value>(_ body: () throws(Violation) -> Value) throws(Refusal) -> Value {
        do throws(Violation) { return try body() } catch { throw Refusal(.unable, error) }
    }

    /// Takes a frame of the other side, or a payload of the carrier.
    public mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
        guard case .carried(var inner) = transport else {
            return try send(party.receive(routed.payload, in: &step), for: nil, in: &step)
        }
        let left = try step.lend { (step) throws(Refusal) in try inner.receive(routed, in: &step) }.output
        transport = .carried(inner)
        try absorb(left, isOpening: false, in: &step)
    }

    /// Begins anew after a restart and a loss of the link.
    public mutating func handle(_ signal: Signal, in step: inout Step) {
        if case .carried(var inner) = transport {
            let left = step.lend { step in inner.handle(signal, in: &step) }.output
            transport = .carried(inner)
            try? absorb(left, isOpening: false, in: &step)
        }
        if case .due = signal, party.nextWake.map({ $0 <= step.now }) != true { return }
        // A frame that the carrier refuses now is made up for by the next history.
        try? send(party.handle(signal, in: &step), for: nil, in: &step)
    }

    private mutating func send(_ frames: [[UInt8]], for content: ContentID?, in step: inout Step) throws(Refusal) {
        for frame in frames { try send(frame, for: content, in: &step) }
    }

    private mutating func send(
        _ frame: [UInt8], for content: ContentID?, isTransient: Bool = false, in step: inout Step
    ) throws(Refusal) {
        switch transport {
        case .own(let address, let remote, let isOpened):
            guard frame.count <= step.maximumPayload else {
                let cause = CommonCause.tooLarge("frame", bytes: frame.count, limit: step.maximumPayload)
                throw Refusal(.unable, cause)
            }
            var payload = Bytes(frame)
            if step.headRoom > 0 {
                payload = Bytes(headRoom: step.headRoom, count: frame.count) { output in
                    for byte in frame { output.append(byte) }
                }
            }
            if isOpened {
                step.send(Routed(address, remote, payload: payload), for: content, isTransient: isTransient)
            } else {
                step.open(payload, for: content)
                transport = .own(address, remote: remote, isOpened: true)
            }
        case .carried(var inner):
            var left = try step.lend { (step) throws(Refusal) in
                try inner.perform(.send(Bytes(frame)), as: content ?? ContentID(0), in: &step)
            }.output
            // What becomes of a frame is not what becomes of a content.
            left.events.removeAll { if case .status = $0 { true } else { false } }
            if content == nil {
                for index in left.sends.indices { left.sends[index].content = nil }
                for index in left.openings.indices { left.openings[index].content = nil }
            }
            transport = .carried(inner)
            step.take(left)
        }
    }

    /// Takes what the carrier left: its contents are frames, what else it says is passed on.
    private mutating func absorb(
        _ left: consuming Step.Output, isOpening: Bool, in step: inout Step
    ) throws(Refusal) {
        var rest = left
        let events = rest.events
        rest.events = []
        step.take(rest)
        for event in events {
            switch event {
            case .content(let received):
                do throws(Refusal) {
                    try send(party.receive(received.content, in: &step), for: nil, in: &step)
                } catch {
                    // The payload itself was good, and is used up; in an opening nothing is yet.
                    guard !isOpening else { throw error }
                    step.report(.refused(error))
                }
            case .status, .progress: break
            default: step.report(event)
            }
        }
    }
}
