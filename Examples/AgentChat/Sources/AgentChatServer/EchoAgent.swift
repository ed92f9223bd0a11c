import AgentChat

/// Says what was said, a word at a time.
public struct EchoAgent: Agent {
    private let pause: Duration

    /// An echo with a pause between two words.
    public init(pause: Duration = .milliseconds(30)) { self.pause = pause }

    /// Streams the text of the message.
    public func run(_ job: AgentJob) async throws {
        for word in pieces(of: job.message.text) {
            try await job.say(word)
            if pause > .zero { try await Task.sleep(for: pause) }
        }
    }
}

/// A text cut behind its spaces; no piece is longer than 4,096 characters.
func pieces(of text: String) -> [String] {
    var (pieces, piece) = ([String](), "")
    for character in text {
        piece.append(character)
        guard character == " " || character == "\n" || piece.count == 4_096 else { continue }
        pieces.append(piece)
        piece = ""
    }
    return piece.isEmpty ? pieces : pieces + [piece]
}
