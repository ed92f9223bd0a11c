public import ChatCodec

/// A piece of an answer: its kind and its words, or the UUID of a file (CE-12).
public enum Chunk: EngineValue {
    /// The form of this protocol, `{type, content}`; an empty piece of words is one.
    case piece(ContentKind, String)
    /// The form of the published schema, which is read in interop mode and never made (CE-G01).
    case part(ContentPart)

    /// What it is.
    public var kind: ContentKind {
        switch self {
        case .piece(let kind, _): kind
        case .part(let part): part.kind
        }
    }

    /// The words, or the UUID of the file.
    public var content: String {
        switch self {
        case .piece(_, let content): content
        case .part(let part): part.content
        }
    }

    /// Reads a chunk; a file is named by its UUID.
    public init(_ json: JSON, _ tolerance: Tolerance) throws(Violation) {
        let fields = try Fields(json, tolerance)
        if tolerance.contains(.interop), fields.value("content") == nil {
            self = .part(try ContentPart(json, tolerance))
            return
        }
        do throws(Violation) {
            try fields.allow("type", "content")
            let kind: ContentKind = try fields.get("type")
            let content = try fields.text("content")
            guard kind.isWords || UUIDText(content) != nil else {
                throw Violation(.chunk, "is no UUID in lower case", at: "content")
            }
            self = .piece(kind, content)
        } catch { throw error.rule == .name ? error : error.under(.chunk) }
    }

    /// Writes the chunk in its form.
    public func write(to writer: inout JSONWriter) {
        switch self {
        case .part(let part): part.write(to: &writer)
        case .piece(let kind, let content):
            writer.object { writer in
                writer.field("type", kind)
                writer.field("content", content)
            }
        }
    }
}

/// A line of a stream to a client (section 6 of `Specs/chat-engine.md`).
public enum ReplyEvent: EngineObject {
    /// The answer begins.
    case start(MessageID)
    /// A piece of it.
    case chunk(MessageID, Chunk)
    /// It is whole, and stored.
    case complete(MessageID, Metadata?)
    /// It failed; what came before is stored.
    case error(MessageID, ErrorBody)

    /// The message that is generated.
    public var message: MessageID {
        switch self {
        case .start(let id), .chunk(let id, _), .complete(let id, _), .error(let id, _): id
        }
    }

    /// Whether it is the last of its stream.
    public var isTerminal: Bool {
        switch self {
        case .start, .chunk: false
        case .complete, .error: true
        }
    }

    /// Reads a line (CE-03).
    public init(_ fields: Fields) throws(Violation) {
        switch try fields.text("type") {
        case "start":
            try fields.allow("type", "message_id")
            self = .start(try fields.get("message_id"))
        case "chunk":
            try fields.allow("type", "message_id", "chunk")
            self = .chunk(try fields.get("message_id"), try fields.get("chunk"))
        case "complete":
            try fields.allow("type", "message_id", "metadata")
            self = .complete(try fields.get("message_id"), try fields.streamMetadata())
        case "error":
            try fields.allow("type", "message_id", "error_code", "message", "details")
            let code: ErrorCode = try fields.get("error_code")
            let details: ErrorDetails? = try fields.optional("details")
            if let key = details?.key(notFor: code) {
                throw Violation(.details, "is not for \(code.rawValue)", at: "details.\(key)")
            }
            self = .error(
                try fields.get("message_id"), ErrorBody(code, try fields.fullText("message"), details: details))
        default: throw Violation(.event, "is none of start, chunk, complete, error", at: "type")
        }
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        switch self {
        case .start(let id):
            writer.field("type", "start")
            writer.field("message_id", id)
        case .chunk(let id, let chunk):
            writer.field("type", "chunk")
            writer.field("message_id", id)
            writer.field("chunk", chunk)
        case .complete(let id, let metadata):
            writer.field("type", "complete")
            writer.field("message_id", id)
            writer.optional("metadata", metadata)
        case .error(let id, let error):
            writer.field("type", "error")
            writer.field("message_id", id)
            error.writeMembers(to: &writer)
        }
    }
}

/// A line of a backend's stream to the engine (section 7): there is no start, and the id need not be there.
public enum BackendEvent: EngineObject {
    /// A piece of the answer.
    case chunk(MessageID?, Chunk)
    /// It is whole.
    case complete(MessageID?, Metadata?)
    /// It failed; a code that the protocol does not know is BACKEND_ERROR.
    case error(MessageID?, ErrorCode, String)

    /// The message that is generated, where the line says it.
    public var message: MessageID? {
        switch self {
        case .chunk(let id, _), .complete(let id, _), .error(let id, _, _): id
        }
    }

    /// Reads a line (CE-21).
    public init(_ fields: Fields) throws(Violation) {
        switch try fields.text("type") {
        case "chunk":
            try fields.allow("type", "message_id", "chunk")
            self = .chunk(try fields.optional("message_id"), try fields.get("chunk"))
        case "complete":
            try fields.allow("type", "message_id", "metadata")
            self = .complete(try fields.optional("message_id"), try fields.streamMetadata())
        case "error":
            try fields.allow("type", "message_id", "error_code", "message", "details")
            let code = ErrorCode(rawValue: try fields.text("error_code")) ?? .backendError
            self = .error(try fields.optional("message_id"), code, try fields.fullText("message"))
        case "start": throw Violation(.backendStream, "is start, which only an engine says", at: "type")
        default: throw Violation(.event, "is none of chunk, complete, error", at: "type")
        }
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        switch self {
        case .chunk(let id, let chunk):
            writer.field("type", "chunk")
            writer.optional("message_id", id)
            writer.field("chunk", chunk)
        case .complete(let id, let metadata):
            writer.field("type", "complete")
            writer.optional("message_id", id)
            writer.optional("metadata", metadata)
        case .error(let id, let code, let message):
            writer.field("type", "error")
            writer.optional("message_id", id)
            writer.field("error_code", code)
            writer.field("message", message)
        }
    }
}

extension Fields {
    /// Counts of tokens in a stream may lack their total (CE-15).
    fileprivate func streamMetadata() throws(Violation) -> Metadata? {
        guard let json = value("metadata") else { return nil }
        do { return try Metadata(json, tolerance, mayLackTotal: true) } catch { throw error.within("metadata") }
    }
}
