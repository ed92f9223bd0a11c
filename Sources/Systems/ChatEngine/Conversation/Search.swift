/// Finds messages by words: all of them have to occur, case is ignored, and English words agree by their stems.
///
/// Nothing in a query is syntax, and a query without a word finds nothing. Better matches come first: more occurrences
/// in less text.
public struct Search: Hashable, Sendable {
    private let stems: [String]

    /// A search for the words of a text.
    public init(_ query: String) {
        var stems: [String] = []
        for stem in Self.stems(of: query) where !stems.contains(stem) { stems.append(stem) }
        self.stems = stems
    }

    /// The words of a text, in lower case, cut to their stems.
    public static func stems(of text: String) -> [String] {
        words(of: text).map { PorterStemmer.stem($0.lowercased()) }
    }

    /// Runs of letters and digits; marks belong to the letters before them.
    private static func words(of text: String) -> [Substring] {
        text.split { character in !isOfWord(character) }
    }

    private static func isOfWord(_ character: Character) -> Bool { character.isLetter || character.isNumber }

    /// How well a text matches: occurrences by words; 0 for a text that lacks a word.
    public func score(of text: String) -> Double {
        guard !stems.isEmpty else { return 0 }
        var counts: [String: Int] = [:]
        let found = Self.stems(of: text)
        for stem in found { counts[stem, default: 0] += 1 }
        let hits = stems.map { counts[$0] ?? 0 }
        guard hits.allSatisfy({ $0 > 0 }) else { return 0 }
        return Double(hits.reduce(0, +)) / Double(found.count)
    }

    /// The messages that match, the best first; of equals, the older first.
    public func hits(in messages: [Message]) -> [SearchHit] {
        let scored = messages.enumerated().map { place, message in
            (place: place, message: message, score: score(of: Self.text(of: message)))
        }
        return scored.filter { $0.score > 0 }.sorted { ($1.score, $0.place) < ($0.score, $1.place) }
            .map { hit(in: $0.message) }
    }

    /// What is answered for a message that is known to match.
    public func hit(in message: Message) -> SearchHit {
        let text = Self.text(of: message)
        return SearchHit(
            message: message.id, content: text, context: excerpt(text), createdAt: message.createdAt)
    }

    private static func text(of message: Message) -> String {
        message.content.filter(\.kind.isWords).map(\.content).joined(separator: "\n")
    }

    /// Some text around the first word that matches; what comes behind it is not looked at.
    private func excerpt(_ text: String) -> String {
        var rest = text[...]
        while let first = rest.firstIndex(where: Self.isOfWord) {
            let word = rest[first...].prefix(while: Self.isOfWord)
            if stems.contains(PorterStemmer.stem(word.lowercased())) {
                let start = text.index(first, offsetBy: -60, limitedBy: text.startIndex) ?? text.startIndex
                return String(text[start...].prefix(160))
            }
            rest = rest[word.endIndex...]
        }
        return String(text.prefix(160))
    }
}
