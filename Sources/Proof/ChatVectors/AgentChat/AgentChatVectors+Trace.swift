import AgentChat
import ChatCodec

// Whole chats.
extension AgentChatVectors {
    /// What client, service and connection did, event by event.
    @Sendable static func trace(_ one: AgentChatCase) throws {
        guard let id = Identifier(checking: try one.text("chat")) else { throw Problem.unreadable("chat is no id") }
        let states = try one.list("job_states")
        var violations: [Int: JSON] = [:]
        for violation in try one.list("violations") {
            guard let at = violation["at"]?.int else { throw Problem.unreadable("a violation has no place") }
            violations[at] = violation["rule"]
        }
        var chat = ChatState(chat: id)
        var own: Set<Identifier> = []
        for (step, event) in try one.list("events").enumerated() {
            let before = chat
            let violation = try apply(event, to: &chat, own: &own)
            try AgentChatCase.expect(violations[step], "event \(step)", violation)
            guard violation == nil || chat == before else {
                throw Problem.differs("event \(step) is refused and changed the chat")
            }
            guard states.indices.contains(step) else { throw Problem.unreadable("job_states has no \(step)") }
            try AgentChatCase.expect("job after event \(step)", .string(chat.job.word), states[step])
        }
        try check(chat, own, AgentChatCase(json: try one.value("end"), templates: nil))
    }

    private static func apply(
        _ event: JSON, to chat: inout ChatState, own: inout Set<Identifier>
    ) throws -> Violation? {
        let codec = AgentJSON()
        let bytes = Array((event["msg"] ?? .null).description.utf8)
        switch (event["from"]?.text, event["event"]?.text) {
        case ("C", _):
            let command = try codec.command(bytes.span)
            if case .run(let run) = command, run.message.role == .user { own.insert(run.message.id) }
            return AgentChatCase.violation { () throws(Violation) in _ = try chat.apply(command) }
        case ("S", _):
            let message = try codec.serverMessage(bytes.span)
            return AgentChatCase.violation { () throws(Violation) in _ = try chat.apply(message) }
        case ("X", "open"?): chat.open()
        case ("X", "drop"?): chat.drop()
        case (_, let what): throw Problem.notApplicable("event \(what ?? "without a name")")
        }
        return nil
    }

    /// The file counts messages of the service, of histories and of injected texts; not those that were submitted.
    private static func check(_ chat: ChatState, _ own: Set<Identifier>, _ end: AgentChatCase) throws {
        try AgentChatCase.expect("connection", .string(chat.connection.phase.rawValue), end.value("connection"))
        try AgentChatCase.expect("job", .string(chat.job.word), end.value("job"))
        try AgentChatCase.expect(
            "current", chat.job.message.map { .string($0.text) } ?? .null, end.json["current"] ?? .null)
        if let path = end.json["path"] {
            try AgentChatCase.expect("path", .array(chat.path.map { .string($0.text) }), path)
        }
        var messages = JSON.Object()
        for message in chat.all where !own.contains(message.id) {
            messages[message.id.text] = try AgentChatCase.json(message.parts)
        }
        try AgentChatCase.expect("messages", .object(messages), end.value("messages"))
    }
}
