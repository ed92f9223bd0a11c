import ChatCodec
import ChatModel
import ChatTool

/// What a person or a program asks the peer to do.
enum Request: Equatable {
    /// Makes an introduction, under a name where the discovery has names.
    case introduce(name: String)
    /// Looks for somebody and begins a conversation; without content, what is sent next travels in the invite.
    case connect(String, saying: Content?, type: String?)
    /// Talks in another conversation from now on: the beginning of its id or label.
    case choose(String)
    /// Sends content, to the current conversation or to the one named.
    case send(Content, to: String?)
    /// Sends a file, to the current conversation or to the one named.
    case sendFile(String, to: String?)
    /// Shows the last lines of the current conversation or of the one named.
    case history(Int?, of: String?)
    /// Lists the conversations.
    case conversations
    /// Shows who is known under a text.
    case find(String)
    /// Shows composition, relay, storage and what waits.
    case status
    /// Shows the newest introduction as a QR code.
    case code
    /// Lists the commands, or explains one.
    case help(String)
    /// Calls a conversation something on this screen: the current one, or the one named.
    case name(String, of: String?)
    /// Ends the peer once everything accepted is sent.
    case quit

    /// A command that a person types: the word, what follows it, and what it does.
    private static let commands: [(word: String, rest: String, help: String)] = [
        ("/intro", "", "make a new introduction link; each is good for one conversation"),
        ("/qr", "", "show the newest of your links as a QR code"),
        (
            "/connect", "LINK",
            "begin a conversation; what you say next travels in the invite (a pasted link does the same)"
        ),
        ("/to", "WHO", "talk in another conversation: its number, its name or the beginning of its id"),
        ("/name", "NAME", "call whom you talk to by a name of your own, on this screen"),
        ("/send-file", "PATH", "send a file of at most 26 MB"),
        ("/history", "COUNT", "show the last lines of the conversation, 20 or as many as you say"),
        ("/conversations", "", "list them, each with its number"),
        ("/publish", "NAME", "make yourself known under a name, where the discovery has names"),
        ("/find", "NAME", "look for somebody"),
        ("/status", "", "composition, relay, storage and what waits to be sent"),
        ("/help", "COMMAND", "this list, or one of its lines"),
        ("/quit", "", "send what is accepted and end"),
        ("//TEXT", "", "say something that begins with a slash"),
        ("/say", "TEXT", "say any text, also one with a link in it"),
    ]

    /// What a command does, or all of them where none is named so.
    static func explanation(of command: String) -> String {
        let word = command.hasPrefix("/") ? command : "/\(command)"
        let one = commands.filter { $0.word == word }
        return (one.isEmpty ? commands : one).map { command in
            let left = command.rest.isEmpty ? command.word : "\(command.word) \(command.rest)"
            return left + String(repeating: " ", count: max(1, 20 - left.count)) + command.help
        }.joined(separator: "\n")
    }

    /// What may have been meant by a word that is no command: ` (/help?)`; empty where nothing is near.
    static func suggestion(for word: String) -> String {
        Spelling.nearest(to: word, among: commands.map(\.word)).map { " (\($0)?)" } ?? ""
    }
}

/// A request, and what its answer is to carry so that a program can tell answers apart.
struct TaggedRequest: Equatable {
    let request: Request
    let tag: JSON?
}

/// A line that is no request.
struct RequestError: Error, CustomStringConvertible {
    let description: String
    let tag: JSON?
    /// Whether it was to say who is talked to, so that what follows it must not go to anybody else (PEER-14).
    let leavesNobody: Bool

    init(_ description: String, tag: JSON? = nil, leavesNobody: Bool = false) {
        (self.description, self.tag, self.leavesNobody) = (description, tag, leavesNobody)
    }
}
