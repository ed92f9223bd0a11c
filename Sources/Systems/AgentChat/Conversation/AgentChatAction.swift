import ChatCodec
public import ChatModel

/// What only this conversation type knows, asked by an application: `action` makes an action of it for any client.
public enum AgentChatAction: Hashable, Sendable {
    /// The client submits a message of any parts; text alone is sent like any content.
    case submit([MessagePart])
    /// The client wants the job to end.
    case cancel
    /// The client answers all questions that are open.
    case answer([Command.Answer])
    /// The client puts a text into the job.
    case inject(String)
    /// The client answers an approval.
    case approve(Identifier, Bool, reason: String?)
    /// The agent writes a piece of the message.
    case write(MessagePart, consolidated: Bool)
    /// The agent asks.
    case ask([ServerMessage.Question])
    /// The agent closes the message at a text that was put in, and goes on in a new one.
    case split(Identifier)
    /// The agent is done.
    case finish
    /// The agent stops, because the person wanted it.
    case acknowledgeCancel
    /// The agent failed.
    case fail(String)

    /// The kind of frames that these actions and the events of this type are.
    public static let kind = "agent-chat"

    /// The action of a client of this package.
    public var action: Action { .frame(kind: Self.kind, bytes: Bytes(json.description)) }

    private var json: JSON {
        switch self {
        case .submit(let parts): ["do": "submit", "parts": .array(parts.map(\.json))]
        case .cancel: ["do": "cancel"]
        case .answer(let answers):
            ["do": "answer", "answers": Command.clarifyResponse(.init(job: "j", request: "r", answers: answers)).json]
        case .inject(let text): ["do": "inject", "text": .string(text)]
        case .approve(let id, let approved, let reason):
            [
                "do": "approve", "id": .string(id.text), "approved": .bool(approved),
                "reason": reason.map { .string($0) } ?? .null,
            ]
        case .write(let part, let consolidated):
            ["do": "write", "part": part.json, "consolidated": .bool(consolidated)]
        case .ask(let questions):
            [
                "do": "ask",
                "questions": ServerMessage.clarifyRequest(.init(job: "j", request: "r", questions: questions)).json,
            ]
        case .split(let inject): ["do": "split", "inject": .string(inject.text)]
        case .finish: ["do": "finish"]
        case .acknowledgeCancel: ["do": "acknowledge_cancel"]
        case .fail(let reason): ["do": "fail", "reason": .string(reason)]
        }
    }

    /// The action in a frame of this kind; refuses what is none.
    init(_ bytes: Bytes) throws(Violation) {
        guard let json = try? JSON(parsing: bytes.span, maximumBytes: 2 * AgentJSON.maximumFrame, maximumDepth: 130),
            let action = try Self.read(json)
        else { throw Violation(.field, "is no action of agent chat") }
        self = action
    }

    private static func read(_ json: JSON) throws(Violation) -> AgentChatAction? {
        let codec = AgentJSON()
        switch json["do"]?.text {
        case "submit"?:
            var parts: [MessagePart] = []
            for part in json["parts"]?.list ?? [] { parts.append(try codec.part(part)) }
            return .submit(parts)
        case "cancel"?: return .cancel
        case "answer"?:
            guard case .clarifyResponse(let response) = try Command(json["answers"] ?? .null, .strict) else {
                return nil
            }
            return .answer(response.answers)
        case "inject"?: return json["text"]?.text.map { .inject($0) }
        case "approve"?:
            guard let id = json.id("id"), let approved = json["approved"]?.bool else { return nil }
            return .approve(id, approved, reason: json["reason"]?.text)
        case "write"?:
            return .write(try codec.part(json["part"] ?? .null), consolidated: json["consolidated"]?.bool == true)
        case "ask"?:
            guard case .clarifyRequest(let request) = try ServerMessage(json["questions"] ?? .null, .strict) else {
                return nil
            }
            return .ask(request.questions)
        case "split"?: return json.id("inject").map { .split($0) }
        case "finish"?: return .finish
        case "acknowledge_cancel"?: return .acknowledgeCancel
        case "fail"?: return json["reason"]?.text.map { .fail($0) }
        default: return nil
        }
    }
}

extension MessagePart {
    var json: JSON { (try? JSON(parsing: AgentJSON().encode(self).span, maximumDepth: 130)) ?? .null }
}

extension Message {
    var json: JSON { (try? JSON(parsing: AgentJSON().encode(self).span, maximumDepth: 130)) ?? .null }

    /// The texts of its parts, one behind the other.
    public var text: String {
        parts.reduce(into: "") { text, part in if case .text(let piece) = part { text += piece.text } }
    }
}

extension Command {
    var json: JSON { (try? JSON(parsing: AgentJSON().encode(self).span, maximumDepth: 130)) ?? .null }
}

extension ServerMessage {
    var json: JSON { (try? JSON(parsing: AgentJSON().encode(self).span, maximumDepth: 130)) ?? .null }
}
