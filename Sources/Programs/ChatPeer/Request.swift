import ChatModel
import ChatWire

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
    /// Lists the conversations.
    case conversations
    /// Shows who is known under a text.
    case find(String)
    /// Shows composition, relay, storage and what waits.
    case status
    /// Lists the commands.
    case help
    /// Ends the peer once everything accepted is sent.
    case quit

    /// The commands that a person types.
    static let commands = """
        /intro              make a new introduction link
        /connect LINK       begin a conversation; what you say next travels in the invite (a pasted link does the same)
        /to ID              talk in another conversation: the beginning of its id or label
        /send-file PATH     send a file of at most 26 MB
        /conversations      list them
        /publish NAME       make yourself known under a name, where the discovery has names
        /find NAME          look for somebody
        /status             composition, relay, storage and what waits to be sent
        /help               this list
        /quit               send what is accepted and end
        //TEXT              say something that begins with a slash
        /say TEXT           say any text, also one with a link in it
        """
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
