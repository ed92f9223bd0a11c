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

    init(_ description: String, tag: JSON? = nil) {
        (self.description, self.tag) = (description, tag)
    }
}

// What a person types.
extension Request {
    /// Reads a line; nil if it is empty.
    init?(line: String) throws(RequestError) {
        let text = line.trimmed
        guard !text.isEmpty else { return nil }
        if text.hasPrefix("//") {
            self = .send(Content(String(line.drop { $0 == " " }.dropFirst())), to: nil)
        } else if text.hasPrefix("/") {
            try self.init(command: text)
        } else if text.isLink {
            self = .connect(text, saying: nil, type: nil)
        } else {
            self = .send(Content(line), to: nil)
        }
    }

    private init(command text: String) throws(RequestError) {
        let word = text.prefix { $0 != " " }
        let rest = String(text.dropFirst(word.count)).trimmed
        let argument: (String) throws(RequestError) -> String = { what throws(RequestError) in
            guard !rest.isEmpty else { throw RequestError("\(word) needs \(what)") }
            return rest
        }
        switch word {
        case "/intro": self = .introduce(name: rest)
        case "/connect": self = .connect(try argument("a link or a name"), saying: nil, type: nil)
        case "/to": self = .choose(try argument("the beginning of an id or a label; /conversations lists them"))
        case "/send-file": self = .sendFile(try argument("the path of a file"), to: nil)
        case "/conversations": self = .conversations
        case "/publish": self = .introduce(name: try argument("a name"))
        case "/find": self = .find(try argument("a name or a link"))
        case "/status": self = .status
        case "/help": self = .help
        case "/quit": self = .quit
        default: throw RequestError("there is no command \(word); /help lists them, // begins a text with a slash")
        }
    }
}

// What a program writes.
extension TaggedRequest {
    /// Reads a line of a program: a JSON object, or what a person would type.
    init?(programLine line: String) throws(RequestError) {
        guard line.trimmed.hasPrefix("{") else {
            guard let request = try Request(line: line) else { return nil }
            self.init(request: request, tag: nil)
            return
        }
        let json: JSON
        do { json = try JSON(parsing: line) } catch { throw RequestError("not JSON: \(error)") }
        self.init(request: try Self.request(json), tag: json["tag"])
    }

    private static func request(_ json: JSON) throws(RequestError) -> Request {
        let text = { (key: String) throws(RequestError) -> String in
            guard let text = json[key]?.text else {
                throw RequestError("\"\(key)\" with a text is missing", tag: json["tag"])
            }
            return text
        }
        switch try text("do") {
        case "introduce": return .introduce(name: json["name"]?.text ?? "")
        case "connect":
            return .connect(try text("link"), saying: try content(json), type: json["type"]?.text)
        case "send":
            guard let content = try content(json) else {
                throw RequestError("\"text\" or \"bytes\" (hex) is missing", tag: json["tag"])
            }
            return .send(content, to: json["to"]?.text)
        case "send-file": return .sendFile(try text("path"), to: json["to"]?.text)
        case "to": return .choose(try text("conversation"))
        case "conversations": return .conversations
        case "find": return .find(try text("text"))
        case "status": return .status
        case "help": return .help
        case "quit": return .quit
        case let other: throw RequestError("there is nothing to do that is called \(other)", tag: json["tag"])
        }
    }

    private static func content(_ json: JSON) throws(RequestError) -> Content? {
        if let text = json["text"]?.text { return Content(text) }
        guard let digits = json["bytes"]?.text else { return nil }
        do { return Content(try Hex.decode(digits)) } catch {
            throw RequestError("\"bytes\": \(error)", tag: json["tag"])
        }
    }
}

extension String {
    /// Without the white space around it.
    var trimmed: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }

    /// Whether it is an introduction link and nothing else.
    var isLink: Bool { hasPrefix("logos_") && !contains(where: \.isWhitespace) }
}
