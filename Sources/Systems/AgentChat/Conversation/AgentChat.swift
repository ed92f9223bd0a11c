public import ChatModel

/// The conversation type `agent-chat`: a person and an agent, two kinds of machine under one name.
///
/// Who invites is the client, who is invited the agent. Contents are texts: the client's become messages of the user,
/// the agent's the answer of the job that lives, whole or in parts; ``AgentChatAction`` and ``AgentChatEvent`` have
/// the rest. By itself a payload is one frame of the protocol, in clear. ``init(inside:)`` puts the same chat into a
/// conversation of another type, so that what that one protects is protected: `agent-chat;in=private-v1` is
/// end-to-end encrypted between client and agent, over a relay that nobody trusts.
public struct AgentChat: ConversationProtocol {
    /// The type's name without parameters.
    public static let name = "agent-chat"

    /// Name, claims, and plainly what it lacks.
    public let facts: Facts
    private let carrier: (any ConversationProtocol)?

    /// The type that sends its frames as they are.
    public init() {
        carrier = nil
        facts = Facts(
            name: Self.name, summary: "A person and an agent: jobs, streamed answers, tools with approval; in clear.",
            claims: [
                Claim(.confidentiality, "AC-36", holds: false, "frames travel in clear"),
                Claim(.integrity, "AC-36", holds: false), Claim(.authentication, "AC-36", holds: false),
                Claim(.forwardSecrecy, "AC-36", holds: false),
                Claim(
                    .lossRecovery, "AC-37", "what was submitted is submitted again, what was written is in the history"),
            ],
            needs: [.ordering])
    }

    /// The type whose frames are contents of another conversation of two, whose claims hold for the chat.
    public init(inside carrier: any ConversationProtocol) {
        self.carrier = carrier
        var parameters = carrier.name.parameters ?? [:]
        parameters["in"] = carrier.name.base
        facts = Facts(
            name: ConversationType(Self.name, parameters: parameters).name,
            summary: "A person and an agent, inside a conversation: \(carrier.facts.summary)",
            claims: carrier.facts.claims, needs: carrier.facts.needs)
    }

    /// Begins a conversation.
    public func begin(_ seed: ConversationSeed, in step: inout Step) throws(Refusal) -> any Conversation {
        try AgentChatConversation(seed, type: facts.name, carrier: carrier, in: &step)
    }

    /// Makes a conversation again from all its records.
    public func restore(_ records: [Record]) throws(Refusal) -> any Conversation {
        try AgentChatConversation(restoring: records, type: facts.name, carrier: carrier)
    }
}
