import ChatClient
import ChatModel
import ChatTool
import ChatVariants

/// What the peer can be composed of.
enum Composition {
    /// The variants by name, made for one identity.
    static func registry(identity: KeyPair, relay: String) -> Registry {
        Variants(identity: identity, relay: relay).registry
    }
}

/// A named set of five choices.
enum Profile: String, CaseIterable, OptionValue {
    /// What the documents say, strictly.
    case reference
    /// Byte for byte what the existing libchat does.
    case libchat

    /// The five choices.
    var suite: SuiteName {
        switch self {
        case .reference:
            SuiteName(
                discovery: "links", initialization: "inbox-v1", conversations: ["private-v1"], delivery: "udp",
                framing: "envelope-v1")
        case .libchat:
            SuiteName(
                discovery: "links", initialization: "inbox-v1-libchat", conversations: ["private-v1-libchat"],
                delivery: "udp", framing: "envelope-v1-libchat")
        }
    }
}
