public import ChatCodec

/// A part of a message: words, or a file by its UUID (section 4 of `Specs/chat-engine.md`).
public enum ContentPart: EngineValue {
    /// Words.
    case text(String)
    /// Words of a programming language.
    case code(String, language: String? = nil)
    /// A picture.
    case image(UUIDText, mimeType: String? = nil)
    /// A sound; its duration in seconds.
    case audio(UUIDText, mimeType: String? = nil, seconds: JSON? = nil)
    /// A film; its duration in seconds.
    case video(UUIDText, mimeType: String? = nil, seconds: JSON? = nil)
    /// Any other file.
    case document(UUIDText, mimeType: String? = nil, filename: String? = nil)

    /// What it is.
    public var kind: ContentKind {
        switch self {
        case .text: .text
        case .code: .code
        case .image: .image
        case .audio: .audio
        case .video: .video
        case .document: .document
        }
    }

    /// The words, or the UUID of the file.
    public var content: String {
        switch self {
        case .text(let words), .code(let words, _): words
        case .image(let id, _), .audio(let id, _, _), .video(let id, _, _), .document(let id, _, _): id.description
        }
    }

    /// A part without what is optional; nil for empty words and for a file whose name is no UUID.
    public init?(_ kind: ContentKind, _ content: String) {
        if kind.isWords {
            guard !content.isEmpty else { return nil }
            self = kind == .text ? .text(content) : .code(content)
            return
        }
        guard let id = UUIDText(content) else { return nil }
        switch kind {
        case .image: self = .image(id)
        case .audio: self = .audio(id)
        case .video: self = .video(id)
        default: self = .document(id)
        }
    }
}

// Reading.
extension ContentPart {
    /// The field with the words or the file, for each kind.
    private static let payloads: [ContentKind: String] = [
        .text: "text", .code: "code", .image: "image_id", .audio: "audio_id", .video: "video_id",
        .document: "document_id",
    ]

    /// Reads a part (CE-11).
    public init(_ json: JSON, _ tolerance: Tolerance) throws(Violation) {
        do { self = try Self.read(try Fields(json, tolerance)) } catch {
            throw error.rule == .unknownField ? error : error.under(.part)
        }
    }

    private static func read(_ fields: Fields) throws(Violation) -> ContentPart {
        let kind: ContentKind = try fields.get("type")
        let payload = payloads[kind] ?? ""
        for other in payloads.values where other != payload && fields.value(other) != nil {
            throw Violation(.part, "is not for \(kind.rawValue)", at: other)
        }
        switch kind {
        case .text:
            try fields.allow("type", payload)
            return .text(try fields.fullText(payload))
        case .code:
            try fields.allow("type", payload, "language")
            return .code(try fields.fullText(payload), language: try fields.optionalText("language"))
        case .image:
            try fields.allow("type", payload, "mime_type")
            return .image(try fields.get(payload), mimeType: try fields.mimeType(of: kind))
        case .audio:
            try fields.allow("type", payload, "mime_type", "duration_seconds")
            return .audio(
                try fields.get(payload), mimeType: try fields.mimeType(of: kind), seconds: try fields.duration())
        case .video:
            try fields.allow("type", payload, "mime_type", "duration_seconds")
            return .video(
                try fields.get(payload), mimeType: try fields.mimeType(of: kind), seconds: try fields.duration())
        case .document:
            try fields.allow("type", payload, "mime_type", "filename")
            return .document(
                try fields.get(payload), mimeType: try fields.optionalText("mime_type"),
                filename: try fields.optionalFullText("filename"))
        }
    }
}

extension Fields {
    fileprivate func mimeType(of kind: ContentKind) throws(Violation) -> String? {
        guard let type = try optionalText("mime_type") else { return nil }
        guard type.utf8.starts(with: "\(kind.rawValue)/".utf8) else {
            throw Violation(.part, "is no type of \(kind.rawValue)", at: "mime_type")
        }
        return type
    }

    /// A number of 0 or more, with every digit.
    fileprivate func duration() throws(Violation) -> JSON? {
        guard let json = value("duration_seconds") else { return nil }
        let isGood =
            switch json {
            case .integer(let value): value >= 0
            case .unsigned: true
            case .number(let value): value >= 0
            case .decimal(let value): !value.description.hasPrefix("-")
            default: false
            }
        guard isGood else { throw Violation(.part, "is no number of 0 or more", at: "duration_seconds") }
        return json
    }
}

// Writing.
extension ContentPart {
    /// Writes the part.
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("type", kind)
            switch self {
            case .text(let words): writer.field("text", words)
            case .code(let words, let language):
                writer.field("code", words)
                writer.optional("language", language)
            case .image(let id, let mimeType):
                writer.field("image_id", id)
                writer.optional("mime_type", mimeType)
            case .audio(let id, let mimeType, let seconds):
                writer.field("audio_id", id)
                writer.optional("mime_type", mimeType)
                writer.optional("duration_seconds", seconds)
            case .video(let id, let mimeType, let seconds):
                writer.field("video_id", id)
                writer.optional("mime_type", mimeType)
                writer.optional("duration_seconds", seconds)
            case .document(let id, let mimeType, let filename):
                writer.field("document_id", id)
                writer.optional("mime_type", mimeType)
                writer.optional("filename", filename)
            }
        }
    }
}
