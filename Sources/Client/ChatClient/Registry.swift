public import ChatModel

/// Components by name, so that a composition's name becomes a composition.
///
/// A component from outside is registered like ours and stands beside them.
public struct Registry: Sendable {
    /// Makes a component when it is wanted; closures carry what it needs.
    public typealias Maker<Product> = @Sendable () async throws -> Product
    /// Makes the conversation type of a family that has these parameters, or says what is wrong with them.
    public typealias FamilyMaker = @Sendable ([String: String]) throws -> any ConversationProtocol
    /// A directory may work over the delivery service of the same composition.
    public typealias DiscoveryMaker = @Sendable (any DeliveryService) async throws -> any DiscoveryProtocol

    private var discoveries: [String: DiscoveryMaker] = [:]
    private var initializations: [String: Maker<any InitializationProtocol>] = [:]
    private var conversations: [String: any ConversationProtocol] = [:]
    private var families: [String: FamilyMaker] = [:]
    private var deliveries: [String: Maker<any DeliveryService>] = [:]
    private var framings: [String: Maker<any FramingStrategy>] = [:]

    /// An empty registry.
    public init() {}

    /// Adds a discovery.
    public mutating func discovery(_ name: String, _ make: @escaping DiscoveryMaker) { discoveries[name] = make }

    /// Adds an initialization.
    public mutating func initialization(_ name: String, _ make: @escaping Maker<any InitializationProtocol>) {
        initializations[name] = make
    }

    /// Adds a conversation type under its own name.
    public mutating func conversation(_ type: any ConversationProtocol) { conversations[type.facts.name] = type }

    /// Adds conversation types that differ in parameters, under the name that they have in front of these.
    public mutating func conversations(_ base: String, _ make: @escaping FamilyMaker) { families[base] = make }

    /// The conversation type of a name, with parameters or without (`ConversationType.parameters`).
    ///
    /// The type has the canonical name, which another spelling of the same parameters is no part of.
    public func conversation(_ name: String) throws -> any ConversationProtocol {
        if let type = conversations[name] { return type }
        let wanted = ConversationType(name)
        guard let make = families[wanted.base] else {
            throw SuiteError.unknown(name, .conversation, known: names(of: .conversation))
        }
        guard let parameters = wanted.parameters else { throw SuiteError.malformedParameters(in: name) }
        return try make(parameters)
    }

    /// Adds a delivery service.
    public mutating func delivery(_ name: String, _ make: @escaping Maker<any DeliveryService>) {
        deliveries[name] = make
    }

    /// Adds a framing strategy.
    public mutating func framing(_ name: String, _ make: @escaping Maker<any FramingStrategy>) { framings[name] = make }

    /// The names that are known of a component, sorted.
    public func names(of component: Component) -> [String] {
        switch component {
        case .discovery: discoveries.keys.sorted()
        case .initialization: initializations.keys.sorted()
        case .conversation: conversations.keys.sorted()
        case .delivery: deliveries.keys.sorted()
        case .framing: framings.keys.sorted()
        }
    }

    /// Makes the composition of a name.
    ///
    /// - Throws: ``SuiteError`` for names and needs, and whatever a component's maker throws.
    public func suite(_ name: SuiteName) async throws -> ChatSuite {
        let makeDiscovery = try pick(name.discovery, .discovery, discoveries)
        let makeInitialization = try pick(name.initialization, .initialization, initializations)
        let types = try name.conversations.map { try conversation($0) }
        let makeDelivery = try pick(name.delivery, .delivery, deliveries)
        let makeFraming = try pick(name.framing, .framing, framings)
        let delivery = try await makeDelivery()
        return try ChatSuite(
            discovery: try await makeDiscovery(delivery), initialization: try await makeInitialization(),
            conversations: types, delivery: delivery, framing: try await makeFraming())
    }

    private func pick<Product>(
        _ name: String, _ component: Component, _ table: [String: Product]
    ) throws(SuiteError) -> Product {
        guard let product = table[name] else { throw .unknown(name, component, known: names(of: component)) }
        return product
    }
}
