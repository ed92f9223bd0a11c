/// What of an answer is stored: neighbouring pieces of text are one part, neighbouring pieces of code are one, each
/// file is one, and empty words are none (section 5.3 of `Specs/chat-engine.md`).
public struct ContentBuilder: Hashable, Sendable {
    /// The most bytes of one answer, names of files included.
    public static let maximumBytes = 64 << 20
    /// The most parts of one answer.
    public static let maximumParts = 1_000_000

    private var pieces: [Piece] = []
    /// The bytes of all words so far.
    public private(set) var bytes = 0

    private struct Piece: Hashable {
        let kind: ContentKind
        var content: String
        let part: ContentPart?
    }

    /// Nothing yet.
    public init() {}

    /// Takes a chunk; one with which the answer would be too long is refused.
    public mutating func append(_ chunk: Chunk) throws(Violation) {
        guard chunk.content.utf8.count <= Self.maximumBytes - bytes, pieces.count < Self.maximumParts else {
            throw Violation(.line, "the answer has more than \(Self.maximumBytes) bytes or \(Self.maximumParts) parts")
        }
        switch chunk {
        case .piece(let kind, let content):
            bytes += content.utf8.count
            if kind.isWords, let last = pieces.indices.last, pieces[last].kind == kind, pieces[last].part == nil {
                pieces[last].content += content
            } else {
                pieces.append(Piece(kind: kind, content: content, part: nil))
            }
        case .part(let part):
            bytes += part.content.utf8.count
            pieces.append(Piece(kind: part.kind, content: part.content, part: part))
        }
    }

    /// The parts so far.
    public var parts: [ContentPart] { pieces.compactMap { $0.part ?? ContentPart($0.kind, $0.content) } }

    /// All words so far, as they came.
    public var words: String { pieces.filter(\.kind.isWords).map(\.content).joined() }
}
