import ChatCodec
import ChatEngine
import Foundation
import NIOHTTP1

/// A conversation in the terminal: what is typed is said, and answers are written as they come.
public struct TalkCommands: Sendable {
    /// What can be typed.
    public static let help = """
        /list           the active path; each message has a number
        /branch N TEXT  say something under message N, an answer
        /again N        have answer N made again, or the last one
        /variants N     the variants of message N, or of the last one
        /pick N         go on from answer N: what is said next stands under it
        /like N         like message N
        /search WORDS   the messages that have all words
        /summary        have the session summarized
        /quit           end
        """

    private let client: EngineClient
    private let session: SessionID
    /// The messages that were listed or heard, by their numbers from 1.
    private var known: [MessageID] = []
    /// The answer under which the next thing is said; the last one where there is none.
    private var parent: MessageID?

    /// Begins a session, or goes on with one.
    public init(url: String, token: String, type: String? = nil, session: String? = nil) async throws {
        client = EngineClient(url: url, token: token)
        do {
            if let session {
                guard let id = SessionID(session) else { throw StartError(.configuration, "\(session): no session id") }
                self.session = try await client.ask(.GET, "/sessions/\(id)", as: Session.self).id
                return
            }
            let types = try await client.ask(.GET, "/session-types", as: SessionTypeList.self).sessionTypes
            guard let chosen = types.first(where: { type == nil || $0.id.text == type }) else {
                throw StartError(.configuration, "the engine has no such session type")
            }
            let body = CreateSession(sessionType: chosen.id, client: Self.client(of: token))
            self.session = try await client.ask(.POST, "/sessions", body, as: SessionCreated.self).session
            Self.write("\(chosen.name), \(self.session)\n")
        } catch {
            try await client.end()
            throw Self.plain(error)
        }
    }

    /// Ends the connections.
    public func end() async throws { try await client.end() }

    /// Does what a line says; false where that is to end. What the engine refuses is written, and changes nothing.
    public mutating func obey(_ line: String) async throws -> Bool {
        let words = line.split(separator: " ", maxSplits: 1).map(String.init)
        guard let first = words.first else { return true }
        let rest = words.count > 1 ? words[1] : ""
        do {
            switch first {
            case "/quit": return false
            case "/help": Self.write(Self.help + "\n")
            case "/list": try await list()
            case "/branch":
                let pieces = rest.split(separator: " ", maxSplits: 1).map(String.init)
                try await send(pieces.count > 1 ? pieces[1] : "", under: try message(pieces.first ?? ""))
            case "/again": try await hear("/messages/\(try message(rest))/recreate", EnableCapabilities())
            case "/variants": try await variants(try message(rest))
            case "/pick":
                parent = try message(rest)
                Self.write("what is said next stands under \(rest)\n")
            case "/like":
                let path = "/messages/\(try message(rest))/reaction"
                _ = try await client.ask(.POST, path, ReactToMessage(reaction: .like), as: ReactionApplied.self)
            case "/search": try await search(rest)
            case "/summary": try await hear("/sessions/\(session)/summarize", EnableCapabilities())
            default: try await send(line, under: parent)
            }
        } catch { Self.write("! \(Self.plain(error))\n") }
        return true
    }

    private mutating func send(_ text: String, under parent: MessageID?) async throws {
        self.parent = nil
        try await hear("/messages/send", SendMessage(session: session, content: text, parent: parent))
    }

    private mutating func hear(_ path: String, _ body: any EngineObject) async throws {
        var began: MessageID?
        let end = try await client.stream(path, body) { event in
            switch event {
            case .start(let id): began = id
            case .chunk(_, let chunk): Self.write(chunk.content)
            case .complete: Self.write("\n")
            case .error(_, let error): Self.write("\n! \(error.code.rawValue): \(error.message)\n")
            }
        }
        if end.state == .truncated { Self.write("\n! the connection ended\n") }
        guard let began, path != "/sessions/\(session)/summarize" else { return }
        Self.write("  [\(number(of: began))] \(try await place(of: began))\n")
    }

    /// "k of n" for an answer.
    private func place(of id: MessageID) async throws -> String {
        guard let all = try? await client.ask(.GET, "/messages/\(id)/variants", as: MessageVariants.self),
            let index = all.variants.firstIndex(where: { $0.id == id })
        else { return "not stored" }
        return "\(index + 1) of \(all.variants.count)"
    }

    private mutating func list() async throws {
        let all = try await client.ask(.GET, "/sessions/\(session)/messages", as: MessageList.self).messages
        var next: MessageID?
        while let message = all.first(where: { $0.parent == next && $0.place?.isActive == true }) {
            let total = message.variant.map { " of \($0.total)" } ?? ""
            let mark = message.place?.isComplete == false ? " (incomplete)" : ""
            let text = message.content.map(\.content).joined(separator: " ")
            let variants = all.filter { $0.parent == next && $0.role == message.role }
            let place = (variants.firstIndex { $0.id == message.id } ?? 0) + 1
            Self.write("[\(number(of: message.id))] \(message.role.rawValue) \(place)\(total)\(mark): \(text)\n")
            next = message.id
        }
    }

    private mutating func variants(_ id: MessageID) async throws {
        let all = try await client.ask(.GET, "/messages/\(id)/variants", as: MessageVariants.self)
        for (index, message) in all.variants.enumerated() {
            let mark = index == all.current ? "*" : " "
            let text = message.content.map(\.content).joined(separator: " ")
            Self.write("\(mark) [\(number(of: message.id))] \(index + 1) of \(all.variants.count): \(text)\n")
        }
    }

    private func search(_ words: String) async throws {
        let query = words.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        let found = try await client.ask(
            .GET, "/sessions/\(session)/search?query=\(query)", as: SearchResults.self)
        for hit in found.results { Self.write("  \(hit.context)\n") }
        Self.write("\(found.total) found\n")
    }
}

extension TalkCommands {
    private mutating func number(of id: MessageID) -> Int {
        if let index = known.firstIndex(of: id) { return index + 1 }
        known.append(id)
        return known.count
    }

    /// The message of a number; the last one where there is none.
    private func message(_ number: String) throws -> MessageID {
        if number.isEmpty, let last = known.last { return last }
        guard let index = Int(number), known.indices.contains(index - 1) else {
            throw StartError(.configuration, "\(number): no number of a message; /list shows them")
        }
        return known[index - 1]
    }

    private static func write(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }

    /// The claim `client_id`, which the engine compares.
    private static func client(of token: String) -> String {
        let pieces = token.split(separator: ".")
        guard pieces.count == 3 else { return "" }
        return Tokens.claims(pieces[1])?["client_id"]?.text ?? ""
    }

    private static func plain(_ error: any Error) -> StartError {
        switch error {
        case let error as StartError: error
        case let error as ErrorBody: StartError(.unavailable, "\(error.code.rawValue): \(error.message)")
        default: StartError(.unavailable, "the engine cannot be reached")
        }
    }
}
