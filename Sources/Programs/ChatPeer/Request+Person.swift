import ChatModel

// What a person types, or pastes.
extension Request {
    /// Reads a line, or several that were pasted at once; nil if nothing is to be seen of it (PEER-15).
    init?(line: String) throws(RequestError) {
        let text = line.visible
        guard !text.isEmpty else { return nil }
        if text.hasPrefix("//") {
            self = .send(Content(String(text.dropFirst())), to: nil)
        } else if text.hasPrefix("/") {
            try self.init(command: text)
        } else if text.joined.isLink || PastedLink(text.oneLine).suite != nil {
            self = .connect(text.joined.isLink ? text.joined : text.oneLine, saying: nil, type: nil)
        } else if text.holdsLink {
            throw RequestError(
                "not sent: there is a link in it; paste the link alone and whole, in one line, or say it with /say TEXT",
                leavesNobody: true)
        } else {
            self = .send(Content(line.first == "\u{FEFF}" ? String(line.dropFirst()) : line), to: nil)
        }
    }

    private init(command text: String) throws(RequestError) {
        let word = text.prefix { !$0.isWhitespace }
        let rest = String(text.dropFirst(word.count)).visible
        let argument: (String) throws(RequestError) -> String = { what throws(RequestError) in
            guard !rest.isEmpty else { throw RequestError("\(word) needs \(what)") }
            return rest
        }
        guard word == "/say" || !text.contains(where: \.isNewline) else {
            throw RequestError("not done: a command is one line; say several lines with /say TEXT", leavesNobody: true)
        }
        switch word {
        case "/intro": self = .introduce(name: rest)
        case "/connect": self = .connect(try argument("a link or a name"), saying: nil, type: nil)
        case "/to": self = .choose(try argument("the beginning of an id or a label; /conversations lists them"))
        case "/say": self = .send(Content(try argument("a text")), to: nil)
        case "/send-file": self = .sendFile(try argument("the path of a file"), to: nil)
        case "/history": self = .history(try Self.count(rest), of: nil)
        case "/conversations": self = .conversations
        case "/publish": self = .introduce(name: try argument("a name"))
        case "/find": self = .find(try argument("a name or a link"))
        case "/status": self = .status
        case "/qr": self = .code
        case "/name": self = .name(try argument("a name"), of: nil)
        case "/help": self = .help(rest)
        case "/quit": self = .quit
        default:
            let meant = Self.suggestion(for: String(word))
            throw RequestError(
                "there is no command \(word)\(meant); /help lists them, // begins a text with a slash")
        }
    }
}

extension Request {
    /// How many lines are asked for; nil where nobody says.
    private static func count(_ text: String) throws(RequestError) -> Int? {
        guard !text.isEmpty else { return nil }
        guard let count = Int(text), count > 0 else {
            throw RequestError("/history takes a number of lines, such as 50")
        }
        return count
    }
}

extension String {
    /// Without what is not seen at either end: white space, control characters, byte order marks, characters of no width.
    var visible: String {
        let scalars = unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.isUnseen }) else { return "" }
        let last = scalars.lastIndex { !$0.isUnseen } ?? first
        return String(scalars[first...last])
    }

    /// Whether it is an introduction link and nothing else.
    var isLink: Bool { hasPrefix("logos_") && utf8.allSatisfy { (0x21...0x7E).contains($0) } }

    /// The lines of a paste as one, as a terminal had broken them; other text as it is.
    fileprivate var joined: String {
        contains(where: \.isNewline) ? String(unicodeScalars.filter { !$0.isUnseen }) : self
    }

    /// The lines of a paste as one, with the blanks that are in it.
    fileprivate var oneLine: String { filter { !$0.isNewline } }

    /// Whether some link is in it, whatever its letters' case, and what is not seen between them.
    fileprivate var holdsLink: Bool {
        var rest = String(unicodeScalars.filter { !$0.isUnseen }).lowercased().utf8[...]
        while let start = rest.firstRange(of: "logos_".utf8) {
            rest = rest[start.upperBound...]
            let parts = rest.split(separator: UInt8(ascii: "_"), maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, !parts[0].isEmpty, !parts[1].isEmpty else { return false }
            if parts[1].allSatisfy({ (0x30...0x39).contains($0) }) { return true }
        }
        return false
    }
}

extension Unicode.Scalar {
    /// Whether nothing is seen of it: white space, control and format characters, and those that a font may ignore.
    var isUnseen: Bool {
        properties.isWhitespace || properties.isDefaultIgnorableCodePoint
            || [.control, .format].contains(properties.generalCategory)
    }
}
