import ChatCodec

extension ToolPart {
    private static let keys = [
        "type", "toolCallId", "state", "input", "output", "errorText", "approval", "title", "providerExecuted",
        "callProviderMetadata",
    ]

    init(_ name: Name, _ fields: Fields) throws(Violation) {
        self.name = name
        callID = try fields.id("toolCallId", missing: .tool)
        title = try fields.optionalText("title")
        providerExecuted = try fields.optionalBool("providerExecuted")
        callProviderMetadata = try fields.metadata("callProviderMetadata")
        state = try State(fields)
        // Fields of another state are no unknown keys, so they come first: AC-16 holds in both modes.
        var keys = Self.keys
        if case .dynamic = name { keys.append("toolName") }
        if case .outputError = state { keys.append("rawInput") }
        if case .outputAvailable = state { keys.append("preliminary") }
        try fields.allow(keys)
    }
}

extension ToolPart.State {
    fileprivate init(_ fields: Fields) throws(Violation) {
        let word = try fields.text("state", .tool)
        switch word {
        case "input-streaming":
            try Self.forbid(["output", "errorText", "approval"], in: word, fields)
            self = .inputStreaming(input: fields.value("input"))
        case "input-available":
            try Self.forbid(["output", "errorText", "approval"], in: word, fields)
            self = .inputAvailable(input: try Self.input(fields))
        case "approval-requested":
            try Self.forbid(["output", "errorText"], in: word, fields)
            self = .approvalRequested(input: try Self.input(fields), id: try Self.request(fields))
        case "approval-responded":
            try Self.forbid(["output", "errorText"], in: word, fields)
            self = .approvalResponded(input: try Self.input(fields), try Self.answer(fields))
        case "output-available":
            try Self.forbid(["errorText"], in: word, fields)
            self = .outputAvailable(
                input: try Self.input(fields), output: try fields.required("output", .missingField),
                try Self.given(fields), preliminary: try fields.optionalBool("preliminary"))
        case "output-error":
            try Self.forbid(["output"], in: word, fields)
            self = .outputError(
                input: fields.value("input"), rawInput: fields.value("rawInput"),
                errorText: try fields.text("errorText", .missingField), try Self.given(fields))
        case "output-denied":
            try Self.forbid(["output", "errorText"], in: word, fields)
            let answer = try Self.answer(fields)
            guard !answer.approved else { throw Violation(.approval, "is true", at: ".approval.approved") }
            self = .outputDenied(input: try Self.input(fields), answer)
        default: throw Violation(.tool, "is none of the seven states", at: ".state")
        }
        // Behind every other rule, because the conformant mode drops it.
        if case .outputAvailable = self { return }
        if fields.mode == .strict, fields.value("preliminary") != nil {
            throw Violation(.preliminary, "belongs to output-available", at: ".preliminary")
        }
    }

    private static func forbid(
        _ keys: [String], in word: String, _ fields: Fields
    ) throws(Violation) {
        for key in keys where fields.value(key) != nil {
            throw Violation(.forbiddenField, "has no place in \(word)", at: ".\(key)")
        }
    }

    private static func input(_ fields: Fields) throws(Violation) -> JSON {
        try fields.required("input", .missingField)
    }

    private static func request(_ fields: Fields) throws(Violation) -> Identifier {
        let json = try fields.required("approval", .missingField)
        let mode = fields.mode
        return try within("approval") { () throws(Violation) in
            let fields = try Fields(json, mode, else: .approval)
            try fields.allow(["id", "approved", "reason"])
            let id = try fields.id("id", missing: .approval)
            for key in ["approved", "reason"] where fields.value(key) != nil {
                throw Violation(.approval, "has no place in a request", at: ".\(key)")
            }
            return id
        }
    }

    private static func answer(_ fields: Fields) throws(Violation) -> ToolPart.Approval {
        let json = try fields.required("approval", .missingField)
        return try answer(json, fields.mode)
    }

    private static func answer(_ json: JSON, _ mode: Mode) throws(Violation) -> ToolPart.Approval {
        try within("approval") { () throws(Violation) in
            let fields = try Fields(json, mode, else: .approval)
            try fields.allow(["id", "approved", "reason"])
            let id = try fields.id("id", missing: .approval)
            guard case .bool(let approved)? = fields.value("approved") else {
                throw Violation(.approval, "is neither true nor false", at: ".approved")
            }
            let reason = try fields.optionalText("reason")
            return ToolPart.Approval(id: id, approved: approved, reason: reason)
        }
    }

    /// The approval of a tool that ran: there need be none, and it was given.
    private static func given(_ fields: Fields) throws(Violation) -> ToolPart.Approval? {
        guard let json = fields.value("approval") else { return nil }
        let answer = try answer(json, fields.mode)
        guard answer.approved else { throw Violation(.approval, "is false", at: ".approval.approved") }
        return answer
    }
}
