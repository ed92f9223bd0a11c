public import ChatClient
internal import ChatConversation
public import ChatDeliveryService
internal import ChatDiscovery
internal import ChatFraming
public import ChatModel

/// The components of this package by name, for programs that let a person or a test choose.
///
/// An application that knows what it wants composes a ``ChatSuite`` itself; a component from outside
/// is added to the registry that this gives.
public struct Variants: Sendable {
    /// The installation's X25519 key pair, for initializations that have identities.
    public var identity: KeyPair
    /// The service behind the name `memory`, shared by the clients of a process.
    public var memory: InMemoryDeliveryService

    /// What the components need.
    public init(identity: KeyPair, memory: InMemoryDeliveryService) {
        (self.identity, self.memory) = (identity, memory)
    }

    /// A registry with every component of this package.
    public var registry: Registry {
        var registry = Registry()
        let variants = self
        registry.discovery("links") { _ in IntroLinks() }
        registry.conversation(PrivateV1.Libchat.self)
        registry.delivery("memory") { variants.memory }
        registry.framing("envelope-v1") { EnvelopeV1(.reference) }
        registry.framing("envelope-v1-libchat") { EnvelopeV1(.libchat) }
        registry.framing("plain") { PlainFraming() }
        return registry
    }
}
