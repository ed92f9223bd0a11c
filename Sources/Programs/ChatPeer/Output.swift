import ChatCodec
import ChatModel
import ChatPlatform
import ChatTool

/// What the peer says: lines for a person, or one JSON object in each line for a program.
///
/// Once a line could not be written, nothing more is, so that what was shown has no gap (PEER-12).
final class Output: Sendable {
    /// Whether a program listens.
    let isJSON: Bool
    /// Whether lines may be coloured.
    private let hasColour: Bool
    /// Whether what people say is shown with the time: for a person who looks at it, not for a pipe.
    private let hasTime: Bool
    private let failure = Lock<ErrorNumber?>(nil)
    private let failing: AsyncStream<ErrorNumber>.Continuation
    /// Says once that nothing more can be shown, and why.
    let failures: AsyncStream<ErrorNumber>

    init(isJSON: Bool) {
        self.isJSON = isJSON
        let isPlain = ThisProcess.environment("NO_COLOR").map { !$0.isEmpty } ?? false
        hasTime = !isJSON && TerminalMode.isTerminal(StandardStream.output)
        hasColour = hasTime && !isPlain
        (failures, failing) = AsyncStream.makeStream()
    }

    /// Whether something could not be shown.
    var isBroken: Bool { failure.withLock { $0 != nil } }

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
    ///
    /// - Returns: whether they are written; what is not must not be confirmed to anybody.
    func show(_ lines: [Line]) async -> Bool {
        guard !lines.isEmpty else { return !isBroken }
        let text = lines.map { isJSON ? $0.json.printed() : coloured($0) }.joined(separator: "\n")
        return await withCheckedContinuation { continuation in
            startThread { [self] in continuation.resume(returning: write(text)) }
        }
    }

    /// Writes one line.
    func show(_ line: Line) async { _ = await show([line]) }

    private func write(_ text: String) -> Bool {
        guard !isBroken else { return false }
        do throws(ErrorNumber) {
            try Terminal.write(text)
            return true
        } catch {
            let isFirst = failure.withLock { failure in
                defer { failure = failure ?? error }
                return failure == nil
            }
            guard isFirst else { return false }
            Terminal.complain("chat-peer: standard output: \(error)")
            failing.yield(error)
            return false
        }
    }

    private func coloured(_ line: Line) -> String {
        if line.kind == .speech, hasTime { return "\(LocalTime.text(LocalTime.now)) \(line.text)" }
        guard hasColour else { return line.text }
        switch line.kind {
        case .speech: return line.text
        case .remark: return "\u{1B}[2m\(line.text)\u{1B}[0m"
        case .trouble: return "\u{1B}[31m\(line.text)\u{1B}[0m"
        }
    }
}
