public import ChatClient
public import ChatModel

/// What runs in every peer of a simulation: a composition without its discovery and its delivery service.
///
/// Machines and framing are used as they are; the virtual network stands in for the service, and
/// bundles are handed over.
public struct Composition: Sendable {
    /// By which it is known.
    public let name: String
    /// The conversation types; the first is the one that is used.
    public let conversations: [any ConversationProtocol]
    /// The framing.
    public let framing: any FramingStrategy
    /// What a client keeps at most.
    public var limits = CoreLimits()
    /// The keys that a payload on the wire was sealed with, as far as a stranger can tell; nil where it has none.
    public var keyUses: (@Sendable (Addressed) -> [KeyUse])?
    /// What a conversation has, in an order that both sides share once nothing is missing; nil where a type has none.
    public var order: (@Sendable (any Conversation) -> [String]?)?
    /// The type that a participant runs who lies, in place of the first; nil where nobody can.
    ///
    /// It has the name of the first, and the keys of its conversations.
    public var liar: (any ConversationProtocol)?
    /// Codes of refusals by which a type tells that a conversation cannot go on.
    public var endings: Set<String> = ["keys_do_not_fit"]
    /// How bundles get from one peer to the other: through a text that is printed and read again, for example.
    public var handOver: @Sendable (IntroductionBundle) throws -> IntroductionBundle = { $0 }
    private let makeInitialization: @Sendable (Int, inout any RandomSource) throws -> any InitializationProtocol

    /// Composes what runs in a peer.
    ///
    /// - Parameters:
    ///   - name: the composition's name.
    ///   - conversations: the conversation types.
    ///   - framing: the framing.
    ///   - initialization: makes that of a peer by its number, with keys from the given source.
    public init(
        _ name: String, conversations: [any ConversationProtocol], framing: any FramingStrategy,
        initialization: @escaping @Sendable (Int, inout any RandomSource) throws -> any InitializationProtocol
    ) {
        (self.name, self.conversations, self.framing) = (name, conversations, framing)
        makeInitialization = initialization
    }

    /// Takes the machines and the framing of suites, one for each peer.
    ///
    /// - Parameter suites: at least as many as there will be peers; the first gives framing and types.
    public init(_ suites: [ChatSuite]) {
        precondition(!suites.isEmpty, "a composition needs a suite")
        let initializations = suites.map(\.initialization)
        self.init(suites[0].name.description, conversations: suites[0].conversations, framing: suites[0].framing) {
            peer, _ in initializations[peer % initializations.count]
        }
    }

    /// The types of a peer.
    func types(isLiar: Bool) -> [any ConversationProtocol] {
        guard isLiar, let liar else { return conversations }
        return [liar] + conversations.dropFirst()
    }

    func initialization(of peer: Int, seed: UInt64) throws -> any InitializationProtocol {
        var random: any RandomSource = Dice(seed: seed, peer: peer, life: .max)
        return try makeInitialization(peer, &random)
    }

    /// What the components need of a delivery service.
    var needs: Set<Capability> {
        let initialization = (try? initialization(of: 0, seed: 0))?.facts.needs ?? []
        return conversations.reduce(initialization.union(framing.facts.needs)) { $0.union($1.facts.needs) }
    }

    /// What the components need and a scenario's service does not offer; a run would prove nothing.
    public func unmet(by scenario: Scenario) -> Set<Capability> {
        needs.subtracting(scenario.service.limits.offers)
    }

    /// Whether the initialization claims a property.
    func initializationClaims(_ property: Property) -> Bool {
        guard let initialization = try? initialization(of: 0, seed: 0) else { return false }
        return initialization.facts.claims.contains { $0.property == property && $0.holds }
    }

    /// Whether the type that is used claims a property.
    func conversationClaims(_ property: Property) -> Bool {
        conversations[0].facts.claims.contains { $0.property == property && $0.holds }
    }
}

/// One key that sealed something, and what it sealed; the same key must never seal something else.
public struct KeyUse: Hashable, Sendable {
    /// What names the key: for a double ratchet the public key and the number of the message.
    public let key: Bytes
    /// What it sealed.
    public let sealed: Bytes

    /// A use of a key.
    public init(key: Bytes, sealed: Bytes) {
        (self.key, self.sealed) = (key, sealed)
    }
}
