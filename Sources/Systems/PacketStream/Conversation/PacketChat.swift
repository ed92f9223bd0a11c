import ChatCodec
import ChatCrypto
public import ChatModel

/// The conversation type `packet-chat`: two participants that talk in packets of the streaming contract (PS-11).
///
/// Who invites says `chat.message.v1`, who is invited `chat.response.v1`. Each payload is a whole packet, counted, kept
/// until a receipt comes, and delivered once and in order, whatever the delivery service loses, repeats or reorders.
/// Hooks, errors and packets of any other kind are the application's, as events and actions of kind `packet`
/// (``PacketChatEvent``). Nothing is encrypted: put another type's payloads into packets for that (``PacketFraming``).
public struct PacketChat: ConversationProtocol {
    /// The type's name without parameters.
    public static let name = "packet-chat"
    /// The beginning of its routes.
    static let routePrefix = "packet-chat/"

    /// Whether the application says when it is done with a content, by ``PacketChatEvent/done(_:)``. Otherwise a content
    /// is done once the client has stored it.
    public let isDoneByApplication: Bool

    /// A type.
    public init(doneByApplication: Bool = false) {
        isDoneByApplication = doneByApplication
    }

    /// Name, claims, and plainly what it lacks.
    public var facts: Facts {
        Facts(
            name: ConversationType(Self.name, parameters: isDoneByApplication ? ["done": "application"] : [:]).name,
            summary: "Two participants in packets of the streaming contract, with receipts; in clear.",
            claims: [
                Claim(.confidentiality, "PS-11", holds: false, "packets travel in clear"),
                Claim(.integrity, "PS-11", holds: false), Claim(.authentication, "PS-11", holds: false),
                Claim(.forwardSecrecy, "PS-11", holds: false),
                Claim(.replayProtection, "PS-7", "against repeats on the way, not against forgeries"),
                Claim(.lossDetection, "PS-7", "by gaps in the sequence"),
                Claim(.lossRecovery, "PS-7", "what has no receipt is sent again"),
            ])
    }

    /// Begins a conversation.
    public func begin(_ seed: ConversationSeed, in step: inout Step) throws(Refusal) -> any Conversation {
        try PacketChatConversation(seed, self, in: &step)
    }

    /// Makes a conversation again from all its records.
    public func restore(_ records: [Record]) throws(Refusal) -> any Conversation {
        try PacketChatConversation(restoring: records, self)
    }

    /// Whether payloads of a route are packets.
    static func isRoute(_ route: Route) -> Bool { route.id.hasPrefix(routePrefix) }

    /// How a chat's packets are delivered: in order, until a receipt comes, from 1 on. Receipts are the credit.
    static let policy = DeliveryPolicy(
        ordering: .perStream, maximumMessages: 1_000, maximumBytes: 3 << 20, chunkSize: .max, replayAfter: .seconds(5),
        grantsCredit: false, holdAfter: nil, firstSequence: 1)
}

/// What a chat's application hears and says besides contents, as frames of kind ``kind``.
public enum PacketChatEvent: Hashable, Sendable {
    /// The word for frames of this type.
    public static let kind = "packet"
    /// The word with which an application says that it is done with a content.
    public static let doneKind = "done"

    /// A packet of any kind but chat: a hook, an error, data, media, or opaque bytes. What comes is received already,
    /// what is said is sent as it is.
    case packet(Packet)
    /// The application is done with the content of a reference.
    case done(String)

    /// The action that says it (SA-62 for a packet that breaks a rule).
    public func action() throws(PacketViolation) -> Action {
        switch self {
        case .packet(let packet):
            .frame(kind: Self.kind, bytes: try PacketV1().encode(packet, as: .dataPacket))
        case .done(let reference): .frame(kind: Self.doneKind, bytes: Bytes(reference))
        }
    }

    /// What an event says; nil if it is another one.
    public init?(_ event: Event) {
        guard case .frame(Self.kind, let bytes, _) = event,
            case .packet(let packet, _)? = try? PacketV1().decode(bytes, as: .dataPacket)
        else { return nil }
        self = .packet(packet)
    }
}

/// The content of a chat as the payload of a packet (PS-11): a text, or bytes that are none.
enum ChatPayload {
    private static let textKey = "text", bytesKey = "bytes"

    static func object(_ content: Content) -> PacketObject {
        guard let text = String(validating: content.array, as: UTF8.self) else {
            return [bytesKey: .string(Base64URL.encode(content.array))]
        }
        return [textKey: .string(text)]
    }

    /// Nil where the payload is of another form.
    static func content(_ payload: PacketObject) -> Content? {
        if let text = payload[textKey]?.text { return Bytes(text) }
        return payload[bytesKey]?.text.flatMap { try? Base64URL.decode($0) }.map { Bytes($0) }
    }
}
