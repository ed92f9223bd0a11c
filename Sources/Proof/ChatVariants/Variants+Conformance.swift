public import ChatClient
public import ChatConformance
internal import ChatConversation
internal import ChatCrypto
internal import ChatDeliveryService
internal import ChatInitialization
internal import ChatModel

extension Variants {
    /// Runs the conformance suite of a component of this package, by its name.
    ///
    /// Two clients are made, each with an identity of its own. A relay of `udp` is started in this process.
    ///
    /// - Parameters:
    ///   - component: which of the five.
    ///   - name: the implementation's name.
    ///   - patience: how long a payload may take, or finding, for the suites that wait.
    ///   - seed: makes the run repeatable.
    ///   - only: the ids of the checks to run; all where nil.
    ///   - additions: components from outside that can be named too.
    /// - Throws: `SuiteError` for a name that is not registered, and whatever a component's maker throws.
    public static func conformance(
        of component: Component, _ name: String, patience: Duration = .seconds(10), seed: UInt64 = 1,
        only: Set<String>? = nil, adding additions: @escaping Additions = { _, _ in }
    ) async throws -> Report {
        let relay = name == "udp" ? try UDPRelay(listen: "127.0.0.1:0") : nil
        defer { relay?.close() }
        let memory = InMemoryDeliveryService(limits: smallLimits)
        let clients = try (0..<2).map { number in
            let secret = BLAKE2b.hash(count: 32, Array("conformance \(number)".utf8))
            let identity = try X25519.keyPair(Secret(copying: secret.span))
            return Variants(
                identity: identity, memory: memory, relay: relay?.address ?? "127.0.0.1:9", adding: additions)
        }
        var suites: [ChatSuite] = []
        for client in clients { suites.append(try await choice(component, name)(client)) }
        switch component {
        case .framing:
            return Conformance.check(framing: { suites[0].framing }, seed: seed, only: only)
        case .initialization:
            return Conformance.check(initialization: { suites[$0].initialization }, seed: seed, only: only)
        case .conversation:
            // The published profile has ids of another length (CT-02).
            let idBits = name == PrivateV1.Libchat.facts.name ? 144 : 128
            return Conformance.check(conversation: suites[0].conversations[0], idBits: idBits, seed: seed, only: only)
        case .delivery:
            return await Conformance.check(
                delivery: { suites[$0].delivery }, patience: patience, seed: seed, only: only)
        case .discovery:
            return await Conformance.check(
                discovery: { suites[$0].discovery }, patience: patience, seed: seed, only: only)
        }
    }

    /// Limits that can be tried out in a moment.
    private static var smallLimits: DeliveryLimits {
        DeliveryLimits(
            maximumPayload: 64 << 10,
            retention: DeliveryLimits.Retention(payloads: 500, bytes: 1 << 20, age: .seconds(60)))
    }

    /// A component in the simplest company.
    private static func choice(_ component: Component, _ name: String) -> (Variants) async throws -> ChatSuite {
        var suite = SuiteName(
            discovery: "links", initialization: "open-invite", conversations: ["plain"], delivery: "memory",
            framing: "plain")
        switch component {
        case .discovery: suite.discovery = name
        case .initialization: suite.initialization = name
        case .conversation: suite.conversations = [name]
        case .delivery: suite.delivery = name
        case .framing: suite.framing = name
        }
        let chosen = suite
        return { variants in try await variants.registry.suite(chosen) }
    }
}
