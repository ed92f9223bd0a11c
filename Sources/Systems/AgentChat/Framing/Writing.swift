import ChatCodec

// What is absent is not written; nothing here writes `null` for it (AC-35).
extension JSONWriter {
    mutating func field(_ key: StaticString, _ text: String) {
        self.key(key)
        self.text(text)
    }

    mutating func field(_ key: StaticString, _ id: Identifier) { field(key, id.text) }

    mutating func field(_ key: StaticString, _ json: JSON) {
        self.key(key)
        value(json)
    }

    mutating func optional(_ key: StaticString, _ text: String?) {
        if let text { field(key, text) }
    }

    mutating func optional(_ key: StaticString, _ id: Identifier?) {
        if let id { field(key, id) }
    }

    mutating func optional(_ key: StaticString, _ json: JSON?) {
        if let json { field(key, json) }
    }

    mutating func optional(_ key: StaticString, _ bool: Bool?) {
        if let bool { field(key, .bool(bool)) }
    }

    mutating func optional(_ key: StaticString, _ number: UInt64?) {
        if let number { field(key, JSON(number)) }
    }

    mutating func list<Element>(
        _ key: StaticString, _ elements: [Element], _ body: (Element, inout JSONWriter) -> Void
    ) {
        self.key(key)
        array { writer in for element in elements { body(element, &writer) } }
    }
}

extension Message {
    func write(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("id", id)
            writer.field("role", role.rawValue)
            writer.list("parts", parts) { $0.write(into: &$1) }
            writer.optional("metadata", metadata)
            switch parent {
            case nil: break
            case .root?: writer.field("parent_id", .null)
            case .message(let id)?: writer.field("parent_id", id)
            }
            writer.optional("created_at", createdAt)
        }
    }
}

extension Command {
    func write(into writer: inout JSONWriter) {
        writer.object { writer in
            switch self {
            case .run(let run):
                writer.data("run") { run.write(into: &$0) }
            case .getChat(let chat):
                writer.data("get_chat") { $0.field("id", chat) }
            case .cancel(let job, let chat):
                writer.data("cancel") { writer in
                    writer.field("job_id", job)
                    writer.optional("id", chat)
                }
            case .clarifyResponse(let response):
                writer.data("clarify_response") { response.write(into: &$0) }
            case .injectMessage(let inject):
                writer.data("inject_message") { writer in
                    writer.field("job_id", inject.job)
                    writer.field("inject_id", inject.inject)
                    writer.field("text", inject.text)
                }
            }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func data(_ type: String, _ body: (inout JSONWriter) -> Void) {
        field("type", type)
        key("data")
        object(body)
    }
}

extension Command.Run {
    fileprivate func write(into writer: inout JSONWriter) {
        writer.field("id", chat)
        writer.key("message")
        message.write(into: &writer)
        writer.list("vaultItems", vaultItems) { $1.value($0) }
        writer.field("timezone", timezone)
        writer.optional("parent_id", parent)
    }
}

extension Command.ClarifyResponse {
    fileprivate func write(into writer: inout JSONWriter) {
        writer.field("job_id", job)
        writer.field("request_id", request)
        writer.list("answers", answers) { answer, writer in
            writer.object { writer in
                writer.field("question_id", answer.question)
                writer.optional("text", answer.text)
                if let options = answer.options { writer.list("option_ids", options) { $1.text($0.text) } }
            }
        }
    }
}
