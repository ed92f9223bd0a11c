import ChatCodec

/// A session as a file (operation 5).
public struct Export: Hashable, Sendable {
    /// Its bytes.
    public let bytes: [UInt8]
    /// Its content type.
    public let contentType: String

    /// Messages in the order of the file: in JSON with all their fields, otherwise role and text.
    public init(_ messages: [Message], of session: Session, as body: ExportSession, at time: DateTime) {
        switch body.format {
        case .json:
            var writer = JSONWriter()
            writer.object { writer in
                writer.field("session_id", session.id)
                writer.field("session_type_id", session.sessionType)
                writer.field("scope", body.scope)
                writer.field("exported_at", time)
                writer.field("messages", messages)
            }
            (bytes, contentType) = (writer.bytes, "application/json")
        case .markdown:
            let text = messages.map { "## \($0.role.rawValue)\n\n\(Self.text($0, code: Self.fenced))\n" }
            (bytes, contentType) = (Array(text.joined(separator: "\n").utf8), "text/markdown")
        case .txt:
            let text = messages.map { "\($0.role.rawValue):\n\(Self.text($0, code: { words, _ in words }))\n" }
            (bytes, contentType) = (Array(text.joined(separator: "\n").utf8), "text/plain")
        }
    }

    private static func text(_ message: Message, code: (String, String?) -> String) -> String {
        message.content.map { part in
            switch part {
            case .text(let words): words
            case .code(let words, let language): code(words, language)
            default: "[\(part.kind.rawValue) \(part.content)]"
            }
        }.joined(separator: "\n\n")
    }

    /// A fence is longer than every run of its mark in the words.
    private static func fenced(_ words: String, _ language: String?) -> String {
        let runs = words.split { $0 != "`" }.map(\.count)
        let fence = String(repeating: "`", count: max(3, (runs.max() ?? 0) + 1))
        return "\(fence)\(language ?? "")\n\(words)\n\(fence)"
    }
}
