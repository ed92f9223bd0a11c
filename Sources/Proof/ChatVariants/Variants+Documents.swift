public import ChatClient
internal import ChatModel

extension Variants {
    /// The document in `Specs/` with a requirement that a component of this package names; nil for one from outside.
    ///
    /// Stages and contracts that several components share have documents of their own.
    public static func document(with requirement: String, of component: Component, named name: String) -> String? {
        guard let own = document(of: component, named: name) else { return nil }
        if requirement == "PV1-09" { return "reliable.md" }
        switch requirement.prefix(while: { $0 != "-" }) {
        case "SDS": return "sds.md"
        case "REL": return "reliable.md"
        case "DS": return "delivery-service.md"
        case "PLAIN", "CONV": return "plain-conversation.md"
        default: return own
        }
    }

    /// The document in `Specs/` that specifies a component of this package; nil for one from outside.
    public static func document(of component: Component, named name: String) -> String? {
        switch (component, component == .conversation ? ConversationType(name).base : name) {
        case (.discovery, "links"): "intro-links.md"
        case (.discovery, "directory"): "directory.md"
        case (.initialization, "inbox-v1"), (.initialization, "inbox-v1-libchat"): "inbox-v1.md"
        case (.initialization, "open-invite"): "open-invite.md"
        case (.conversation, "private-v1"), (.conversation, "private-v1-compact"),
            (.conversation, "private-v1-libchat"):
            "private-v1.md"
        case (.conversation, "ratchet"): "private-v1.md"
        case (.conversation, "plain"): "plain-conversation.md"
        case (.conversation, "plain-reliable"): "reliable.md"
        case (.delivery, "memory"): "in-memory.md"
        case (.delivery, "udp"): "udp.md"
        case (.framing, "envelope-v1"), (.framing, "envelope-v1-libchat"): "envelope-v1.md"
        case (.framing, "plain"): "plain-framing.md"
        case (.framing, "rpi-v1"): "rpi-v1.md"
        default: nil
        }
    }
}
