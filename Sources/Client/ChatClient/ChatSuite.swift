public import ChatModel

/// A chat protocol as five choices (FW-01): a value that a client runs.
public struct ChatSuite: Sendable {
    /// How a sender learns of others.
    public let discovery: any DiscoveryProtocol
    /// How a recipient learns that someone wants to talk.
    public let initialization: any InitializationProtocol
    /// How participants exchange content; the first is the default for new conversations.
    public let conversations: [any ConversationProtocol]
    /// How payloads are routed and delivered.
    public let delivery: any DeliveryService
    /// How payloads are encoded and told apart.
    public let framing: any FramingStrategy

    /// Composes a protocol.
    ///
    /// - Throws: no conversation type, two of the same name, or a component that needs what the
    ///   delivery service does not offer.
    public init(
        discovery: any DiscoveryProtocol, initialization: any InitializationProtocol,
        conversations: [any ConversationProtocol], delivery: any DeliveryService, framing: any FramingStrategy
    ) throws(SuiteError) {
        guard !conversations.isEmpty else { throw .noConversationType }
        let names = conversations.map { $0.facts.name }
        for (index, name) in names.enumerated() where names[..<index].contains(name) { throw .twice(name) }
        let facts = [discovery.facts, initialization.facts, framing.facts] + conversations.map { $0.facts }
        for facts in facts {
            for need in facts.needs.subtracting(delivery.limits.offers) {
                throw .unmet(need, of: facts.name, by: delivery.facts.name)
            }
        }
        (self.discovery, self.initialization, self.conversations) = (discovery, initialization, conversations)
        (self.delivery, self.framing) = (delivery, framing)
    }

    /// The same composition with some of the five chosen anew; the others stay as they are (FW-02).
    ///
    /// - Throws: as the initializer.
    public func changing(
        discovery: (any DiscoveryProtocol)? = nil, initialization: (any InitializationProtocol)? = nil,
        conversations: [any ConversationProtocol]? = nil, delivery: (any DeliveryService)? = nil,
        framing: (any FramingStrategy)? = nil
    ) throws(SuiteError) -> ChatSuite {
        try ChatSuite(
            discovery: discovery ?? self.discovery, initialization: initialization ?? self.initialization,
            conversations: conversations ?? self.conversations, delivery: delivery ?? self.delivery,
            framing: framing ?? self.framing)
    }

    /// The name by which the composition stands in logs, vectors and tables; it parses back.
    public var name: SuiteName {
        SuiteName(
            discovery: discovery.facts.name, initialization: initialization.facts.name,
            conversations: conversations.map { $0.facts.name }, delivery: delivery.facts.name,
            framing: framing.facts.name)
    }

    /// The five choices with what each says of itself, in the order of the specification.
    public var choices: [(component: Component, facts: Facts)] {
        [(.discovery, discovery.facts), (.initialization, initialization.facts)]
            + conversations.map { (.conversation, $0.facts) }
            + [(.delivery, delivery.facts), (.framing, framing.facts)]
    }
}

/// One of the five choices.
public enum Component: String, Sendable, Hashable, CaseIterable {
    /// How does a sender learn of others?
    case discovery
    /// How does a recipient learn that someone wants to talk?
    case initialization
    /// How is content exchanged?
    case conversation
    /// How are payloads routed?
    case delivery
    /// How are payloads encoded and told apart?
    case framing

    /// The specification's name for it.
    public var title: String {
        switch self {
        case .discovery: "Discovery"
        case .initialization: "Initialization"
        case .conversation: "Conversation"
        case .delivery: "Delivery Service"
        case .framing: "Framing Strategy"
        }
    }
}

/// Why five choices do not make a protocol.
public enum SuiteError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A suite has at least one conversation type.
    case noConversationType
    /// Two conversation types have the same name.
    case twice(String)
    /// A component needs what the delivery service does not offer.
    case unmet(Capability, of: String, by: String)
    /// A composition's name has another number of parts than five.
    case parts(Int, in: String)
    /// The text behind the first `;` of a conversation type's name is not `key=value;key=value`.
    case malformedParameters(in: String)
    /// No component of that name is registered.
    case unknown(String, Component, known: [String])

    /// One line that a person can act on.
    public var description: String {
        switch self {
        case .noConversationType: "a suite needs at least one conversation type"
        case .twice(let name): "conversation type \(name) is given twice"
        case .unmet(let need, let name, let service): "\(name) needs \(need.rawValue), which \(service) does not offer"
        case .parts(let count, let text): "\(text) has \(count) parts; five are expected, separated by /"
        case .malformedParameters(let text): "the parameters of \(text) are not of the form key=value;key=value"
        case .unknown(let name, let component, let known):
            "no \(component.title.lowercased()) is named \(name); there are \(known.joined(separator: ", "))"
        }
    }
}
