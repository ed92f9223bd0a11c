public import ChatCodec

/// What a client's machine says to an engine's: a request, or that it wants no more of an answer (section 13 of
/// `Specs/chat-engine.md`).
public struct ClientFrame: EngineObject {
    /// What it says.
    public enum Saying: Hashable, Sendable {
        /// An operation, with the id in its path and its body, where it has them.
        case operation(Operation, id: String?, body: JSON?)
        /// The request is closed.
        case close
    }

    /// The request; a client counts up from 1.
    public var request: Int
    /// What it says.
    public var saying: Saying

    /// A frame.
    public init(_ request: Int, _ saying: Saying) {
        (self.request, self.saying) = (request, saying)
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        request = try fields.count("request", 1...Fields.counts.upperBound)
        guard fields.value("operation") != nil else {
            try fields.allow("request", "close")
            try fields.isTrue("close")
            saying = .close
            return
        }
        try fields.allow("request", "operation", "id", "body")
        guard let operation = Operation(rawValue: try fields.text("operation")) else {
            throw Violation(.event, "is no operation", at: "operation")
        }
        saying = .operation(operation, id: try fields.optionalText("id"), body: try fields.optionalObject("body"))
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("request", request)
        switch saying {
        case .close: writer.field("close", true)
        case .operation(let operation, let id, let body):
            writer.field("operation", operation.rawValue)
            writer.optional("id", id)
            writer.optional("body", body)
        }
    }
}

/// What an engine's machine says to a client's: an answer, or an event of a stream.
public struct EngineFrame: EngineObject {
    /// What it says.
    public enum Saying: Hashable, Sendable {
        /// The status and body of an answer.
        case answer(status: Int, body: JSON)
        /// An event; those of one stream count up from 0, so that a hole is noticed.
        case event(number: Int, ReplyEvent)
    }

    /// The request that it answers.
    public var request: Int
    /// What it says.
    public var saying: Saying

    /// A frame.
    public init(_ request: Int, _ saying: Saying) {
        (self.request, self.saying) = (request, saying)
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        request = try fields.count("request", 1...Fields.counts.upperBound)
        guard fields.value("event") != nil else {
            try fields.allow("request", "status", "body")
            let body = try fields.required("body")
            guard body.members != nil else { throw Violation(.field, "is no object", at: "body") }
            saying = .answer(status: try fields.count("status", 100...599, .status), body: body)
            return
        }
        try fields.allow("request", "number", "event")
        saying = .event(number: try fields.count("number", Fields.counts), try fields.get("event"))
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("request", request)
        switch saying {
        case .answer(let status, let body):
            writer.field("status", status)
            writer.field("body", body)
        case .event(let number, let event):
            writer.field("number", number)
            writer.field("event", event)
        }
    }
}

extension EngineJSON {
    /// A value as JSON that was parsed.
    func json(_ value: some EngineValue) -> JSON {
        (try? JSON(parsing: encode(value).span, maximumBytes: .max, maximumDepth: Self.maximumDepth)) ?? .null
    }
}
