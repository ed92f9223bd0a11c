public import ChatClient
internal import ChatConversation
internal import ChatCrypto
public import ChatDeliveryService
internal import ChatDiscovery
internal import ChatFraming
internal import ChatInitialization
public import ChatModel
internal import ChatReliability

/// The components of this package by name, for programs that let a person or a test choose.
///
/// An application that knows what it wants composes a `ChatSuite` itself; a component from outside
/// is added to the registry that this gives.
public struct Variants: Sendable {
    /// The installation's X25519 key pair, for initializations that have identities.
    public var identity: KeyPair
    /// The service behind the name `memory`, shared by the clients of a process.
    public var memory: InMemoryDeliveryService
    /// The relay behind the name `udp`, as `HOST:PORT`.
    public var relay: String

    /// Adds components from outside.
    public var additions: Additions

    /// Adds components from outside to a registry that has ours; the variants say for whom.
    public typealias Additions = @Sendable (inout Registry, Variants) -> Void

    /// The variants of one client, and components from outside beside them.
    public init(
        identity: KeyPair, memory: InMemoryDeliveryService = InMemoryDeliveryService(),
        relay: String = "127.0.0.1:9220", adding additions: @escaping Additions = { _, _ in }
    ) {
        (self.identity, self.memory, self.relay, self.additions) = (identity, memory, relay, additions)
    }

    /// A registry with every component of this package, and those from outside.
    public var registry: Registry {
        var registry = Registry()
        let variants = self
        registry.discovery("links") { _ in IntroLinks() }
        registry.discovery("directory") { delivery in
            // A key of its own, so that entries do not show which installation publishes them.
            let seed = BLAKE2b.derive(count: 32, key: variants.identity.secret, personal: "chat-directory")
            return try DirectoryDiscovery(over: delivery, signingWith: seed)
        }
        registry.initialization("inbox-v1") { try InboxV1(identity: variants.identity) }
        registry.initialization("inbox-v1-libchat") { try InboxV1(identity: variants.identity, profile: .libchat) }
        registry.initialization("open-invite") { OpenInvite() }
        registry.conversation(PrivateV1.type)
        registry.conversation(PrivateV1.Compact.type)
        registry.conversation(PrivateV1.Ratchet.type)
        registry.conversation(PrivateV1.Libchat.type)
        registry.conversation(PlainConversation.type)
        registry.conversation(Reliable<PlainConversation>.type)
        registry.conversations("private-v1") { try PrivateV1.type(parameters: $0) }
        registry.delivery("memory") { variants.memory }
        registry.delivery("udp") { try await UDPDeliveryService(relay: variants.relay) }
        registry.framing("envelope-v1") { EnvelopeV1(.reference) }
        registry.framing("envelope-v1-libchat") { EnvelopeV1(.libchat) }
        registry.framing("plain") { PlainFraming() }
        registry.framing("rpi-v1") { RPIV1() }
        additions(&registry, self)
        return registry
    }
}
