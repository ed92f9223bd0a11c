public import ChatCodec
public import ChatModel

/// What applications of `engine-tree` say and hear besides contents: JSON objects of the protocol in actions and events
/// of kind `chat-engine`.
///
/// A client's application says operations, and hears the frames that answer them; an engine's hears webhooks, and says
/// the lines of a backend.
public enum EngineTreeAction: Hashable, Sendable {
    /// The kind of action and event.
    public static let kind = "chat-engine"

    /// A client's: an operation with the id in its path and its body; a session's id is filled in.
    case operation(Operation, id: MessageID? = nil, body: JSON? = nil)
    /// An engine's: a line of the answer with an id.
    case line(BackendEvent)

    /// The action.
    public var action: Action {
        switch self {
        case .operation(let operation, let id, let body):
            let frame = ClientFrame(1, .operation(operation, id: id?.text, body: body))
            return .frame(kind: Self.kind, bytes: Bytes(EngineJSON().encode(frame)))
        case .line(let line): return .frame(kind: Self.kind, bytes: Bytes(EngineJSON().encode(line)))
        }
    }

    /// What a client's application hears, if an event is of this kind.
    public static func answer(in event: Event) -> EngineFrame? {
        guard case .frame(kind, let bytes, _) = event else { return nil }
        return try? EngineJSON().decode(EngineFrame.self, from: bytes.span, maximumBytes: EngineJSON.maximumLine)
    }

    /// What an engine's application hears, if an event is of this kind.
    public static func webhook(in event: Event) -> Webhook? {
        guard case .frame(kind, let bytes, _) = event else { return nil }
        return try? EngineJSON().decode(Webhook.self, from: bytes.span, maximumBytes: EngineJSON.maximumLine)
    }
}
