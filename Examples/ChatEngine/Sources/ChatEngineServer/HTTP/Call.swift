import ChatEngine
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// One request whose operation and client are known.
struct Call {
    let operation: ChatEngine.Operation
    /// The ids and tokens of the path; nil for one that is no text.
    let ids: [String?]
    let client: String
    let target: RequestTarget
    /// The body; empty where there is none.
    let bytes: [UInt8]
    /// The value of `X-Share-Token`.
    let guestToken: ShareToken?
    let service: EngineService
    let channel: any Channel

    func respond() async throws(ErrorBody) -> Response {
        switch operation {
        case .createSession: return .json(try await service.create(try body(), by: client), status: 201)
        case .getSession:
            let (id, client) = (try session(), client)
            let value = try await read(.session(id)) { engine throws(ErrorBody) in try engine.session(id, by: client) }
            return .json(value)
        case .deleteSession: return .json(try await service.delete(try session(), by: client))
        case .switchSessionType:
            return .json(try await service.switchType(try session(), try body(), by: client))
        case .exportSession: return .json(try await service.export(try session(), try body(), by: client))
        case .shareSession:
            let body: ShareSession = try optionalBody()
            return .json(try await service.share(try session(), body, by: client), status: 201)
        case .accessSharedSession:
            let token = try token(0)
            let value = try await read(.share(token)) { engine throws(ErrorBody) in try engine.shared(token, at: now())
            }
            return .json(value)
        case .revokeShare: return .json(try await revoke())
        case .readExport: return try await file()
        case .searchSession: return .json(try await search(in: try session()))
        case .searchAllSessions: return .json(try await service.store.search(try query(), by: client))
        case .sendMessage:
            return try await stream(try await service.send(try body(), by: client, token: guestToken))
        case .recreateMessage:
            let (id, body): (MessageID, EnableCapabilities) = (try message(), try optionalBody())
            return try await stream(try await service.recreate(id, body, by: client))
        case .summarizeSession:
            let (id, body): (SessionID, EnableCapabilities) = (try session(), try optionalBody())
            return try await stream(try await service.summarize(id, body, by: client))
        case .listMessages: return .json(try await messages())
        case .getMessage:
            let (id, client) = (try message(), client)
            let value = try await read(.message(id)) { engine throws(ErrorBody) in try engine.message(id, by: client) }
            return .json(value)
        case .getMessageVariants:
            let (id, client) = (try message(), client)
            let value = try await read(.message(id)) { engine throws(ErrorBody) in
                try engine.variants(of: id, by: client)
            }
            return .json(value)
        case .reactToMessage: return .json(try await service.react(to: try message(), try body(), by: client))
        case .listSessionTypes: return .json(service.types.forClients)
        }
    }

    private func read<Value: Sendable>(
        _ place: Store.Place, _ body: @Sendable (Engine) throws(ErrorBody) -> Value
    ) async throws(ErrorBody) -> Value {
        try await service.store.read(place, body)
    }

    /// The stream of an answer, when it begins.
    private func stream(_ answer: Answer) async throws(ErrorBody) -> Response {
        CloseWatch.onClose(of: channel) { [weak answer] in answer?.cut(.closed) }
        try await answer.beginning()
        return .stream(answer, on: channel)
    }

    private func revoke() async throws(ErrorBody) -> ShareRevoked {
        let (id, token, client) = (try session(), try token(1), client)
        return try await service.store.write(.session(id)) { engine throws(ErrorBody) in
            try engine.revoke(token, of: id, by: client)
        }
    }

    private func file() async throws(ErrorBody) -> Response {
        guard let file = try await service.exports.file(try token(0), at: now()),
            let data = FileManager.default.contents(atPath: file.path)
        else { throw .noSession(nil) }
        let isText = file.contentType.hasPrefix("text/")
        return .bytes(data, isText ? file.contentType + "; charset=utf-8" : file.contentType)
    }

    private func messages() async throws(ErrorBody) -> MessageList {
        let (id, client) = (try session(), client)
        let parents = try parameters().filter { $0.0 == "parent_message_id" }
        guard parents.count <= 1 else { throw Responder.invalid("comes more than once", at: "parent_message_id") }
        let parent = try parents.first.map { parent throws(ErrorBody) in
            guard let id = MessageID(parent.1) else {
                throw ErrorBody(Violation(.identifier, "is no message id", at: "parent_message_id"))
            }
            return id
        }
        return try await read(.session(id)) { engine throws(ErrorBody) in
            try engine.messages(of: id, under: parent, by: client)
        }
    }

    private func search(in id: SessionID) async throws(ErrorBody) -> SearchResults {
        let client = client
        let query = try query()
        _ = try await read(.session(id)) { engine throws(ErrorBody) in try engine.session(id, by: client) }
        return try await service.store.search(query, in: id)
    }
}

// What a request says.
extension Call {
    private func session() throws(ErrorBody) -> SessionID {
        guard let id = ids.first?.flatMap({ SessionID($0) }) else { throw .noSession(nil) }
        return id
    }

    private func message() throws(ErrorBody) -> MessageID {
        guard let id = ids.first?.flatMap({ MessageID($0) }) else { throw .noMessage(nil) }
        return id
    }

    private func token(_ place: Int) throws(ErrorBody) -> ShareToken {
        guard let token = ids[place].flatMap({ ShareToken($0) }) else { throw .noSession(nil) }
        return token
    }

    private func parameters() throws(ErrorBody) -> [(String, String)] {
        guard let parameters = target.parameters else { throw Responder.invalid("is no text", at: "query") }
        return parameters
    }

    private func query() throws(ErrorBody) -> SearchQuery {
        let parameters = try parameters()
        do throws(Violation) { return try SearchQuery(parameters) } catch { throw ErrorBody(error) }
    }

    private func body<Value: EngineObject>() throws(ErrorBody) -> Value { try decode(bytes) }

    /// A body that may be absent.
    private func optionalBody<Value: EngineObject>() throws(ErrorBody) -> Value {
        try decode(bytes.isEmpty ? Array("{}".utf8) : bytes)
    }

    private func decode<Value: EngineObject>(_ bytes: [UInt8]) throws(ErrorBody) -> Value {
        do throws(Violation) { return try EngineJSON().decode(Value.self, from: bytes.span) } catch {
            throw ErrorBody(error)
        }
    }
}
