import ChatSystem
import ChatTool
import ChatWire

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What the peer says: lines for a person, or one JSON object in each line for a program.
struct Output: Sendable {
    /// Whether a program listens.
    let isJSON: Bool
    /// Whether lines may be coloured.
    private let hasColour: Bool

    init(isJSON: Bool) {
        self.isJSON = isJSON
        let isPlain = unsafe getenv("NO_COLOR") != nil
        hasColour = !isJSON && !isPlain && isatty(STDOUT_FILENO) == 1
    }

    /// One thing to say, in both forms.
    struct Line: Sendable {
        enum Kind: Sendable {
            /// What people say to each other.
            case speech
            /// What the peer says about it.
            case remark
            /// What went wrong.
            case trouble
        }

        let kind: Kind
        let text: String
        let json: JSON

        static func speech(_ text: String, _ json: JSON) -> Line { Line(kind: .speech, text: text, json: json) }
        static func remark(_ text: String, _ json: JSON) -> Line { Line(kind: .remark, text: text, json: json) }
        static func trouble(_ text: String, _ json: JSON) -> Line { Line(kind: .trouble, text: text, json: json) }
    }

    /// Writes lines and returns when they are written; on a thread, because a reader may be slow.
    func show(_ lines: [Line]) async {
        guard !lines.isEmpty else { return }
        let text = lines.map { isJSON ? $0.json.printed() : coloured($0) }.joined(separator: "\n")
        await withCheckedContinuation { continuation in
            startThread {
                Terminal.print(text)
                continuation.resume()
            }
        }
    }

    /// Writes one line.
    func show(_ line: Line) async { await show([line]) }

    private func coloured(_ line: Line) -> String {
        guard hasColour else { return line.text }
        switch line.kind {
        case .speech: return line.text
        case .remark: return "\u{1B}[2m\(line.text)\u{1B}[0m"
        case .trouble: return "\u{1B}[31m\(line.text)\u{1B}[0m"
        }
    }
}

extension String {
    /// The text as a terminal may show it: what would move the cursor, change colours or turn the
    /// direction of writing is replaced, and further lines are set in.
    var forTerminal: String {
        var text = ""
        for scalar in unicodeScalars {
            switch scalar.value {
            case 0x0A: text += "\n    "
            case 0x09: text += "    "
            case 0..<0x20, 0x7F..<0xA0, 0x2028...0x202E, 0x2066...0x2069: text += "\u{FFFD}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
