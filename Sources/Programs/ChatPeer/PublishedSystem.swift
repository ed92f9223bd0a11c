import AgentChat
import ChatClient
import ChatEngine
import ChatTool
import PacketStream

/// A published system, by the name under which `describe` shows it as five choices.
enum PublishedSystem: String, CaseIterable, OptionValue {
    /// The CHAT protocols: the reference profile.
    case logos
    case agentChat = "agent-chat"
    case chatEngine = "chat-engine"
    case packetStream = "packet-stream"

    /// Its five choices, with the delivery service of the CHAT protocols, whose composition is given.
    func suite(beside chat: ChatSuite) throws(SuiteError) -> ChatSuite {
        switch self {
        case .logos: chat
        case .agentChat:
            try ChatSuite(
                discovery: AgentChats(InMemoryAccount("nobody")), initialization: AgentReady(),
                conversations: [AgentChat()], delivery: chat.delivery, framing: AgentFraming())
        case .chatEngine:
            try ChatSuite(
                discovery: EngineTypes(EngineCatalog()), initialization: EngineSession(),
                conversations: [EngineTree()], delivery: chat.delivery, framing: EngineFraming())
        case .packetStream:
            try ChatSuite(
                discovery: PacketBindings([]), initialization: PacketReady(), conversations: [PacketChat()],
                delivery: chat.delivery, framing: PacketFraming())
        }
    }
}
