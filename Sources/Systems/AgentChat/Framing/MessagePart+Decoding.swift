import ChatCodec

extension MessagePart {
    init(_ json: JSON, _ mode: Mode) throws(Violation) {
        let fields = try Fields(json, mode, else: .partType)
        let type = try fields.text("type", .partType)
        switch type {
        case "text": self = .text(try TextPart(fields))
        case "reasoning": self = .reasoning(try TextPart(fields))
        case "source-url": self = .sourceURL(try SourceURLPart(fields))
        case "source-document": self = .sourceDocument(try SourceDocumentPart(fields))
        case "file": self = .file(try FilePart(fields))
        case "step-start":
            try fields.allow(["type"])
            self = .stepStart
        case "dynamic-tool":
            self = .tool(try ToolPart(.dynamic(try fields.text("toolName", .tool)), fields))
        default:
            if let name = try Self.name(of: type, behind: "data-") {
                self = .data(try DataPart(name, fields))
            } else if let name = try Self.name(of: type, behind: "tool-") {
                self = .tool(try ToolPart(.fixed(name), fields))
            } else if mode == .conformant {
                self = .opaque(json)
            } else {
                throw Violation(.partType, "\(type.prefix(64)) is none of the nine forms", at: ".type")
            }
        }
    }

    /// Exact names come first, so `dynamic-tool` never gets here; a name may have `-` in it, and must not be empty.
    private static func name(of type: String, behind prefix: String) throws(Violation) -> String? {
        guard type.utf8.starts(with: prefix.utf8) else { return nil }
        let name = type.unicodeScalars.dropFirst(prefix.utf8.count)
        guard !name.isEmpty else { throw Violation(.emptyName, "\(prefix) has no name", at: ".type") }
        return String(name)
    }
}

extension TextPart {
    private static let keys = ["type", "text", "state", "providerMetadata"]

    fileprivate init(_ fields: Fields) throws(Violation) {
        try fields.allow(Self.keys)
        text = try fields.text("text", .text)
        if let value = fields.value("state") {
            guard let state = value.text.flatMap(State.init) else {
                throw Violation(.text, "is neither streaming nor done", at: ".state")
            }
            self.state = state
        }
        providerMetadata = try fields.metadata("providerMetadata")
    }
}

extension SourceURLPart {
    fileprivate init(_ fields: Fields) throws(Violation) {
        try fields.allow(["type", "sourceId", "url", "title", "providerMetadata"])
        sourceID = try fields.id("sourceId", missing: .source)
        url = try fields.text("url", .source)
        title = try fields.optionalText("title")
        providerMetadata = try fields.metadata("providerMetadata")
    }
}

extension SourceDocumentPart {
    fileprivate init(_ fields: Fields) throws(Violation) {
        try fields.allow(["type", "sourceId", "mediaType", "title", "filename", "providerMetadata"])
        sourceID = try fields.id("sourceId", missing: .source)
        mediaType = try fields.text("mediaType", .source)
        title = try fields.text("title", .source)
        filename = try fields.optionalText("filename")
        providerMetadata = try fields.metadata("providerMetadata")
    }
}

extension FilePart {
    fileprivate init(_ fields: Fields) throws(Violation) {
        try fields.allow(["type", "mediaType", "url", "filename", "providerMetadata"])
        mediaType = try fields.text("mediaType", .file)
        url = try fields.text("url", .file)
        filename = try fields.optionalText("filename")
        providerMetadata = try fields.metadata("providerMetadata")
    }
}

extension DataPart {
    fileprivate init(_ name: String, _ fields: Fields) throws(Violation) {
        try fields.allow(["type", "id", "data"])
        self.name = name
        id = try fields.optionalText("id")
        data = try fields.required("data", .data)
    }
}
