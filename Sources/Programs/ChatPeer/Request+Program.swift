import ChatCodec
import ChatModel

// What a program writes.
extension TaggedRequest {
    /// Reads a line of a program: one JSON object; nil if the line is empty.
    init?(programLine line: String) throws(RequestError) {
        let line = line.unicodeScalars.first == "\u{FEFF}" ? String(line.unicodeScalars.dropFirst()) : line
        guard !line.allSatisfy(\.isWhitespace) else { return nil }
        let json: JSON
        do { json = try JSON(parsing: line) } catch { throw RequestError("not JSON: \(error)") }
        guard case .object(let object) = json else { throw RequestError("a request is a JSON object") }
        var fields = RequestFields(object)
        self.init(request: try fields.request(), tag: fields.tag)
        try fields.end()
    }
}

/// The fields of a request, which is a closed object: each is taken once, and what is left is refused (PEER-13).
private struct RequestFields {
    private var rest: JSON.Object
    let tag: JSON?

    init(_ object: JSON.Object) {
        (rest, tag) = (object, object["tag"])
        rest["tag"] = nil
    }

    mutating func request() throws(RequestError) -> Request {
        switch try needed("do") {
        case "introduce": .introduce(name: try text("name") ?? "")
        case "connect": .connect(try needed("link"), saying: try content(), type: try name("type"))
        case "send": try send()
        case "send-file": .sendFile(try needed("path"), to: try name("to"))
        case "to": .choose(try needed("conversation"))
        case "history": .history(nil, of: try name("conversation"))
        case "conversations": .conversations
        case "find": .find(try needed("text"))
        case "status": .status
        case "help": .help(try text("command") ?? "")
        case "name": .name(try needed("name"), of: try name("conversation"))
        case "quit": .quit
        case let other: throw error("there is nothing to do that is called \(other)")
        }
    }

    /// Refuses what nobody asked for: a field that is not understood may be the one that matters.
    func end() throws(RequestError) {
        guard let member = rest.members.first else { return }
        throw error("the field \"\(member.key)\" is not known here")
    }

    private mutating func send() throws(RequestError) -> Request {
        guard let content = try content() else { throw error("\"text\" or \"bytes\" (hex) is missing") }
        return .send(content, to: try name("to"))
    }

    private mutating func content() throws(RequestError) -> Content? {
        let (said, digits) = (try text("text"), try text("bytes"))
        switch (said, digits) {
        case (nil, nil): return nil
        case (let text?, nil): return Content(text)
        case (nil, let digits?):
            do { return Content(try Hex.decode(digits)) } catch { throw self.error("\"bytes\": \(error)") }
        case (_?, _?): throw error("either \"text\" or \"bytes\", not both")
        }
    }

    private mutating func needed(_ key: String) throws(RequestError) -> String {
        guard let text = try name(key) else { throw error("\"\(key)\" with a text is missing") }
        return text
    }

    /// A text with something in it; nil if the field is not there.
    private mutating func name(_ key: String) throws(RequestError) -> String? {
        guard let text = try text(key) else { return nil }
        guard !text.isEmpty else { throw error("\"\(key)\" is empty") }
        return text
    }

    private mutating func text(_ key: String) throws(RequestError) -> String? {
        guard let value = rest[key] else { return nil }
        rest[key] = nil
        guard let text = value.text else { throw error("\"\(key)\" is a text") }
        return text
    }

    private func error(_ description: String) -> RequestError { RequestError(description, tag: tag) }
}
