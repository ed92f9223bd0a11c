import ChatCodec

extension ServerMessage {
    init(_ json: JSON, _ mode: Mode) throws(Violation) {
        let fields = try Fields(json, mode, else: .frame)
        let type = try fields.text("type", .type)
        guard let keys = Self.keys[type] else {
            throw Violation(.type, "\(type.prefix(64)) is no server message", at: ".type")
        }
        guard fields.value("data") == nil else {
            throw Violation(.envelope, "has no place in a server message", at: ".data")
        }
        try fields.allow(keys)
        self = try Self.read(type, fields)
    }

    private static let keys: [String: [String]] = [
        "ready": ["type", "chat_id", "protocol", "active_job"],
        "run": ["type", "job_id", "message_id"],
        "stream": ["type", "message_id", "delta", "consolidated", "job_id", "seq"],
        "stream_resume": ["type", "message_id", "parts", "job_id", "seq"],
        "chat_history": ["type", "initialPath", "chat_id", "messages"],
        "done": ["type", "job_id", "message_id"],
        "cancel": ["type", "job_id"],
        "error": ["type", "message", "error", "code", "job_id"],
        "clarify_request": ["type", "job_id", "request_id", "questions"],
        "inject_ack": ["type", "job_id", "inject_id"],
        "inject_split": ["type", "job_id", "inject_id", "message_id", "user_message_id", "new_message_id"],
    ]

    private static func read(_ type: String, _ fields: Fields) throws(Violation) -> ServerMessage {
        switch type {
        case "ready": .ready(try Ready(fields))
        case "run": .run(job: try fields.id("job_id"), message: try fields.id("message_id"))
        case "stream": .stream(try Stream(fields))
        case "stream_resume": .streamResume(try StreamResume(fields))
        case "chat_history": .chatHistory(try ChatHistory(fields))
        case "done": .done(job: try fields.optionalID("job_id"), message: try fields.optionalID("message_id"))
        case "cancel": .cancel(job: try fields.optionalID("job_id"))
        case "error": .error(try Failure(fields))
        case "clarify_request": .clarifyRequest(try ClarifyRequest(fields))
        case "inject_ack": .injectAck(job: try fields.id("job_id"), inject: try fields.id("inject_id"))
        default:
            .injectSplit(
                InjectSplit(
                    job: try fields.id("job_id"), inject: try fields.id("inject_id"),
                    closed: try fields.id("message_id"), user: try fields.id("user_message_id"),
                    new: try fields.id("new_message_id")))
        }
    }
}

extension ServerMessage.Ready {
    fileprivate init(_ fields: Fields) throws(Violation) {
        let mode = fields.mode
        chat = try fields.optionalID("chat_id")
        version = try fields.optionalText("protocol")
        switch fields.value("active_job") {
        case nil: activeJob = nil
        case .null?: activeJob = ServerMessage.ActiveJob.none
        case let json?:
            activeJob = try within("active_job") { () throws(Violation) in
                let fields = try Fields(json, mode)
                try fields.allow(["job_id", "message_id"])
                return .job(try fields.id("job_id"), message: try fields.id("message_id"))
            }
        }
    }
}

extension ServerMessage.Stream {
    fileprivate init(_ fields: Fields) throws(Violation) {
        let mode = fields.mode
        message = try fields.id("message_id")
        let json = try fields.required("delta")
        delta = try within("delta") { () throws(Violation) in try MessagePart(json, mode) }
        consolidated = try fields.optionalBool("consolidated")
        job = try fields.optionalID("job_id")
        sequence = try fields.optionalNumber("seq")
    }
}

extension ServerMessage.StreamResume {
    fileprivate init(_ fields: Fields) throws(Violation) {
        let mode = fields.mode
        message = try fields.id("message_id")
        parts = try fields.list("parts", .snapshot) { json throws(Violation) in try MessagePart(json, mode) }
        job = try fields.optionalID("job_id")
        sequence = try fields.optionalNumber("seq")
    }
}

extension ServerMessage.ChatHistory {
    fileprivate init(_ fields: Fields) throws(Violation) {
        let mode = fields.mode
        initialPath = try fields.list("initialPath", .snapshot) { json throws(Violation) in try Message(json, mode) }
        chat = try fields.optionalID("chat_id")
        guard fields.value("messages") != nil else { return }
        messages = try fields.list("messages") { json throws(Violation) in try Message(json, mode) }
    }
}

extension ServerMessage.Failure {
    fileprivate init(_ fields: Fields) throws(Violation) {
        self.init(
            message: try fields.optionalText("message"), error: try fields.optionalText("error"),
            code: try fields.optionalText("code"), job: try fields.optionalID("job_id"))
        guard message != nil || error != nil else { throw Violation(.error, "has neither message nor error") }
    }
}

extension ServerMessage.ClarifyRequest {
    fileprivate init(_ fields: Fields) throws(Violation) {
        let mode = fields.mode
        job = try fields.id("job_id")
        request = try fields.id("request_id")
        questions = try fields.list("questions") { json throws(Violation) in
            try ServerMessage.Question(json, mode)
        }
        guard !questions.isEmpty else { throw Violation(.field, "is empty", at: ".questions") }
    }
}

extension ServerMessage.Question {
    fileprivate init(_ json: JSON, _ mode: Mode) throws(Violation) {
        let fields = try Fields(json, mode)
        try fields.allow(["id", "text", "options", "multiple"])
        id = try fields.id("id")
        text = try fields.text("text")
        if fields.value("options") != nil {
            options = try fields.list("options") { json throws(Violation) in
                let fields = try Fields(json, mode)
                try fields.allow(["id", "label"])
                return Option(id: try fields.id("id"), label: try fields.text("label"))
            }
        }
        multiple = try fields.optionalBool("multiple")
    }
}
