import ChatCodec

extension Command {
    init(_ json: JSON, _ mode: Mode) throws(Violation) {
        let frame = try Fields(json, mode, else: .frame)
        let type = try frame.text("type", .type)
        guard ["run", "get_chat", "cancel", "clarify_response", "inject_message"].contains(type) else {
            throw Violation(.type, "\(type.prefix(64)) is no command", at: ".type")
        }
        let data = try frame.required("data", .envelope)
        try frame.allow(["type", "data"])
        self = try within("data") { () throws(Violation) in try Self.read(type, data, mode) }
    }

    private static func read(_ type: String, _ data: JSON, _ mode: Mode) throws(Violation) -> Command {
        let fields = try Fields(data, mode, else: .envelope)
        let command: Command
        switch type {
        case "run": command = .run(try Run(fields))
        case "get_chat":
            try fields.allow(["id"])
            command = .getChat(try fields.id("id"))
        case "cancel":
            try fields.allow(["job_id", "id"])
            command = .cancel(job: try fields.id("job_id"), chat: try fields.optionalID("id"))
        case "clarify_response": command = .clarifyResponse(try ClarifyResponse(fields))
        default:
            try fields.allow(["job_id", "inject_id", "text"])
            command = .injectMessage(
                InjectMessage(
                    job: try fields.id("job_id"), inject: try fields.id("inject_id"), text: try fields.text("text")))
        }
        return command
    }
}

extension Command.Run {
    fileprivate init(_ fields: Fields) throws(Violation) {
        let mode = fields.mode
        try fields.allow(["id", "message", "vaultItems", "timezone", "parent_id"])
        chat = try fields.id("id")
        let json = try fields.required("message")
        message = try within("message") { () throws(Violation) in try Message(json, mode) }
        guard message.role == .user || message.isContinuation else {
            throw Violation(.role, "is not user, and nothing answers an approval", at: ".message.role")
        }
        vaultItems = try fields.list("vaultItems", .zone)
        timezone = try fields.text("timezone", .zone)
        guard TimeZoneName.isGood(timezone) else {
            throw Violation(.zone, "is not shaped like the name of a time zone", at: ".timezone")
        }
        parent = try fields.optionalID("parent_id")
    }
}

extension Message {
    /// Whether a decoder takes it for the continuation of an assistant's message (AC-07, AC-31).
    public var isContinuation: Bool {
        role == .assistant
            && parts.contains { part in
                if case .tool(let tool) = part, case .approvalResponded = tool.state { true } else { false }
            }
    }
}

/// Names of time zones: `[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*`, at most 64 characters (AC-22).
enum TimeZoneName {
    static func isGood(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard let first = bytes.first, bytes.count <= 64, isLetter(first) else { return false }
        let areas = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return areas.allSatisfy { !$0.isEmpty && $0.allSatisfy(isNameByte) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) && byte < 0x80
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        isLetter(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
    }
}

extension Command.ClarifyResponse {
    fileprivate init(_ fields: Fields) throws(Violation) {
        let mode = fields.mode
        try fields.allow(["job_id", "request_id", "answers"])
        job = try fields.id("job_id")
        request = try fields.id("request_id")
        answers = try fields.list("answers") { json throws(Violation) in
            let fields = try Fields(json, mode)
            try fields.allow(["question_id", "text", "option_ids"])
            let question = try fields.id("question_id")
            let text = try fields.optionalText("text")
            let options = try fields.optionalIDs("option_ids")
            return Command.Answer(question: question, text: text, options: options)
        }
    }
}

extension Fields {
    /// A list of ids, where there is one.
    fileprivate func optionalIDs(_ key: String) throws(Violation) -> [Identifier]? {
        guard value(key) != nil else { return nil }
        return try list(key) { json throws(Violation) in
            guard case .string(let text) = json else { throw Violation(.field, "is no text") }
            guard let id = Identifier(checking: text) else { throw Violation(.identifier, "is no id") }
            return id
        }
    }
}
