import ChatEngine

/// The words of an answer, and how fast they come.
struct DemoSpeech {
    let words: [String]
    let pause: Duration

    init(_ style: BackendStyle, said: String, history: [Message], isAgain: Bool = false) {
        let heard = said.split { $0.isWhitespace }.map(String.init)
        pause = style == .slow ? .seconds(1) : .milliseconds(30)
        switch style {
        case .markov:
            let all = history.flatMap(\.content).filter(\.kind.isWords).map(\.content) + [said]
            words = Self.ramble(through: all.flatMap { $0.split { $0.isWhitespace }.map(String.init) })
        case .echo, .slow, .failing:
            words = (isAgain ? ["Again,", "you", "said:"] : ["You", "said:"]) + heard
        }
    }

    /// Goes from a word to one that followed it somewhere, twenty times at most.
    private static func ramble(through heard: [String]) -> [String] {
        var followers: [String: [String]] = [:]
        for (word, next) in zip(heard, heard.dropFirst()) { followers[word, default: []].append(next) }
        guard var word = heard.randomElement() else { return ["…"] }
        var words = [word]
        while words.count < 20, let next = followers[word]?.randomElement() ?? heard.randomElement() {
            words.append(next)
            word = next
        }
        return words
    }
}
