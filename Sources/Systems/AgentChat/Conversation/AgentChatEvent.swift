import ChatCodec
public import ChatModel

/// What a client or an agent is told that is no plain text: made of an `Event` of this conversation type.
///
/// The text of an answer comes as content, so that any application shows it: pieces as deltas, all so far as a
/// snapshot, and all of it at the end, under the message's id as the reference. Everything else is here.
public enum AgentChatEvent: Hashable, Sendable {
    /// A piece that is no text to append: a tool, data, a source, reasoning, or one that replaces the last.
    case delta(Identifier, MessagePart, consolidated: Bool)
    /// A message as it is so far.
    case snapshot(Message)
    /// A message is whole.
    case whole(Message)
    /// The messages that are shown.
    case history([Message])
    /// A person submitted a message, and a job began that writes another one. For the agent.
    case submitted(Message, job: Identifier, writes: Identifier)
    /// The job asks.
    case asked(ServerMessage.ClarifyRequest)
    /// The person answered. For the agent.
    case answered([Command.Answer])
    /// The person wants the job to end. For the agent.
    case cancelAsked
    /// A text was put into the job. For the agent.
    case injected(Identifier, String)
    /// A text that was put in was accepted.
    case acknowledged(Identifier)
    /// The job is over; with the texts that it did not read.
    case ended(Job.Outcome, String?, unread: [String])

    /// The event, if it is one of this type.
    public init?(_ event: Event) {
        guard case .frame(AgentChatAction.kind, let bytes, _) = event,
            let json = try? JSON(parsing: bytes.span, maximumBytes: 4 * AgentJSON.maximumFrame, maximumDepth: 131),
            let event = try? Self.read(json)
        else { return nil }
        self = event
    }

    var event: Event { .frame(kind: AgentChatAction.kind, bytes: Bytes(json.description), isTransient: isTransient) }

    /// Pieces are not kept: the message so far is shown again after a restart.
    private var isTransient: Bool {
        switch self {
        case .delta, .snapshot: true
        default: false
        }
    }

    private var json: JSON {
        switch self {
        case .delta(let id, let part, let consolidated):
            ["event": "delta", "message": .string(id.text), "part": part.json, "consolidated": .bool(consolidated)]
        case .snapshot(let message): ["event": "snapshot", "message": message.json]
        case .whole(let message): ["event": "whole", "message": message.json]
        case .history(let messages): ["event": "history", "messages": .array(messages.map(\.json))]
        case .submitted(let message, let job, let writes):
            ["event": "submitted", "message": message.json, "job": .string(job.text), "writes": .string(writes.text)]
        case .asked(let request): ["event": "asked", "request": ServerMessage.clarifyRequest(request).json]
        case .answered(let answers):
            [
                "event": "answered",
                "answers": Command.clarifyResponse(.init(job: "j", request: "r", answers: answers)).json,
            ]
        case .cancelAsked: ["event": "cancel_asked"]
        case .injected(let id, let text): ["event": "injected", "id": .string(id.text), "text": .string(text)]
        case .acknowledged(let id): ["event": "acknowledged", "id": .string(id.text)]
        case .ended(let outcome, let reason, let unread):
            [
                "event": "ended", "outcome": .string(outcome.rawValue), "reason": reason.map { .string($0) } ?? .null,
                "unread": .array(unread.map { .string($0) }),
            ]
        }
    }

    private static func read(_ json: JSON) throws(Violation) -> AgentChatEvent? {
        let codec = AgentJSON(.conformant)
        switch json["event"]?.text {
        case "delta"?:
            guard let id = json.id("message"), let consolidated = json["consolidated"]?.bool else { return nil }
            return .delta(id, try codec.part(json["part"] ?? .null), consolidated: consolidated)
        case "snapshot"?: return .snapshot(try codec.message(json["message"] ?? .null))
        case "whole"?: return .whole(try codec.message(json["message"] ?? .null))
        case "history"?:
            var messages: [Message] = []
            for message in json["messages"]?.list ?? [] { messages.append(try codec.message(message)) }
            return .history(messages)
        case "submitted"?:
            guard let job = json.id("job"), let writes = json.id("writes") else { return nil }
            return .submitted(try codec.message(json["message"] ?? .null), job: job, writes: writes)
        case "asked"?:
            guard case .clarifyRequest(let request) = try ServerMessage(json["request"] ?? .null, .strict) else {
                return nil
            }
            return .asked(request)
        case "answered"?:
            guard case .clarifyResponse(let response) = try Command(json["answers"] ?? .null, .strict) else {
                return nil
            }
            return .answered(response.answers)
        case "cancel_asked"?: return .cancelAsked
        case "injected"?:
            guard let id = json.id("id"), let text = json["text"]?.text else { return nil }
            return .injected(id, text)
        case "acknowledged"?: return json.id("id").map { .acknowledged($0) }
        case "ended"?:
            guard let outcome = json["outcome"]?.text.flatMap(Job.Outcome.init) else { return nil }
            return .ended(outcome, json["reason"]?.text, unread: (json["unread"]?.list ?? []).compactMap(\.text))
        default: return nil
        }
    }
}
