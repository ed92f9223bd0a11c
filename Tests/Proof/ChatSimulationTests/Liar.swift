import ChatModel
import ChatReliability

/// Messages that no honest participant sends, made of one that it does send, under its own name: whoever holds the keys
/// of a conversation can send them.
enum Lie: Int, CaseIterable {
    /// A clock that takes everybody along to the last number there is, or one that has none after it.
    case lastClock, noClock
    /// A clock from before everything.
    case firstClock
    /// It comes after a hundred messages that nobody sent, some of them of others.
    case endlessGap
    /// Two that come after each other.
    case circle
    /// Everything is asked for, and much that nobody sent.
    case asksForAll
    /// What was said last is gone, whoever said it.
    case allGone
    /// Another content under an id that is in use.
    case otherContent

    /// The messages, encoded.
    func forge(from honest: SDSMessage, _ random: inout any RandomSource) -> [Bytes] {
        func name() -> Identifier { Identifier(hex: random.bytes(16, for: .identifier).span) ?? honest.id }
        func names(_ count: Int) -> [SDSMessage.HistoryEntry] {
            (0..<count).map { index in
                let senders = honest.history.compactMap(\.sender) + [honest.sender]
                return SDSMessage.HistoryEntry(name(), sender: senders[index % senders.count])
            }
        }
        // A segment, so that who takes contents hears it.
        let words = Bytes("a lie, \(name())")
        let content = (try? Segmentation(segmentSize: 100).split(words))?.first ?? words
        var lie = SDSMessage(
            sender: honest.sender, id: name(), channel: honest.channel, lamport: honest.lamport,
            history: honest.history, content: content)
        switch self {
        case .lastClock: lie.lamport = SDSChannel.maximumLamport
        case .noClock: lie.lamport = .max
        case .firstClock: lie.lamport = 0
        case .endlessGap: lie.history = names(100)
        case .circle:
            var other = lie
            other.id = name()
            (lie.history, other.history) = ([.init(other.id)], [.init(lie.id)])
            return [lie.encoded(), other.encoded()]
        case .asksForAll: (lie.repairs, lie.content) = (honest.history + names(100), nil)
        case .allGone: (lie.gone, lie.content) = (honest.history + names(100), nil)
        case .otherContent: lie.id = honest.id
        }
        return [lie.encoded()]
    }

    /// One drawn at random, beside a message with content: who lied in answer to every question would be asked for ever.
    static func about(_ message: Bytes, _ random: inout any RandomSource) -> [Bytes] {
        guard let honest = try? SDSMessage(decoding: message), honest.lamport != nil, honest.content?.isEmpty == false,
            !honest.history.isEmpty
        else { return [] }
        let number = random.bytes(1, for: .identifier).first.map { Int($0) } ?? 0
        return allCases[number % allCases.count].forge(from: honest, &random)
    }
}

/// The inner type of a reliable conversation, of a participant who lies: it seals lies as it seals what is true.
struct Lying<Inner: SimpleConversation>: SimpleConversation {
    static var facts: Facts { Inner.facts }
    private var inner: Inner
    /// The other side was heard, so that nothing goes into an invite any more.
    private var isAnswered = false

    var id: ConversationID { inner.id }
    var acceptsContent: Bool { inner.acceptsContent }
    var listening: [Listening] { inner.listening }
    var nextWake: Timestamp? { inner.nextWake }

    init(_ seed: ConversationSeed, in step: inout Step) throws(Refusal) { inner = try Inner(seed, in: &step) }
    init(restoring records: [Record]) throws(Refusal) { inner = try Inner(restoring: records) }

    mutating func perform(_ action: Action, as id: ContentID, in step: inout Step) throws(Refusal) {
        try inner.perform(action, as: id, in: &step)
        guard isAnswered, case .send(let message, _, _) = action else { return }
        for lie in Lie.about(message, &step.random) {
            let left = try step.lend { (step) throws(Refusal) in
                try inner.perform(.send(lie), as: ContentID(0), in: &step)
            }.output
            for send in left.sends { step.send(send.routed) }
        }
    }

    mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
        try inner.receive(routed, in: &step)
        isAnswered = true
    }

    mutating func handle(_ signal: Signal, in step: inout Step) { inner.handle(signal, in: &step) }
    mutating func takeChanges() -> [Record] { inner.takeChanges() }
}

/// A reliable channel of a participant who lies.
struct LyingTalk: SimpleConversation {
    static let facts = ChannelTalk.facts
    private var talk: ChannelTalk

    var id: ConversationID { talk.id }
    var listening: [Listening] { talk.listening }
    var nextWake: Timestamp? { talk.nextWake }

    init(_ seed: ConversationSeed, in step: inout Step) throws(Refusal) { talk = try ChannelTalk(seed, in: &step) }
    init(restoring records: [Record]) throws(Refusal) { talk = try ChannelTalk(restoring: records) }

    mutating func perform(_ action: Action, as id: ContentID, in step: inout Step) throws(Refusal) {
        try talk.perform(action, as: id, in: &step)
        lie(in: &step)
    }

    mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
        try talk.receive(routed, in: &step)
        lie(in: &step)
    }

    mutating func handle(_ signal: Signal, in step: inout Step) {
        talk.handle(signal, in: &step)
        lie(in: &step)
    }

    mutating func takeChanges() -> [Record] { talk.takeChanges() }

    private func lie(in step: inout Step) {
        for send in step.sends {
            for lie in Lie.about(send.routed.payload, &step.random) {
                step.send(Routed(send.routed.address, send.routed.route, payload: lie))
            }
        }
    }
}
