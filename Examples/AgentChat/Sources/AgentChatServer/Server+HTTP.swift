import AgentChat
import ChatClient
import ChatCodec
import ChatStorage
import NIOCore
import NIOHTTP1

// Requests: the page, the chats of the account, tickets, and sockets that were not let in.
extension Server {
    /// Answers one request and closes, which keeps connections few.
    func serve(_ channel: HTTPChannel) async throws {
        try await channel.executeThenClose { inbound, outbound in
            var request: Request?
            for try await part in inbound {
                switch part {
                case .head(let head): request = Request(head)
                case .body(let buffer):
                    request?.body += Array(buffer.readableBytesView)
                    if let size = request?.body.count, size > house.limits.body {
                        return try await send(
                            .error(.payloadTooLarge, "too_large", "at most \(house.limits.body) bytes"), outbound)
                    }
                case .end:
                    guard let request else { return }
                    let response = await self.response(to: request)
                    log(
                        "request",
                        [
                            ("method", .string("\(request.head.method)")),
                            ("path", .string(request.path.joined(separator: "/"))),
                            ("status", JSON(Int(response.status.code))),
                        ])
                    return try await send(response, outbound)
                }
            }
        }
    }

    private func send(
        _ response: Response, _ outbound: NIOAsyncChannelOutboundWriter<HTTPPart<HTTPResponseHead, ByteBuffer>>
    ) async throws {
        try await outbound.write(contentsOf: [
            .head(response.head), .body(ByteBuffer(bytes: response.body)), .end(nil),
        ])
    }

    private func response(to request: Request) async -> Response {
        guard gate.isOwn(request.head) else {
            return .error(.forbidden, "unauthorized", "this service answers to its own pages alone")
        }
        if request.path.isEmpty {
            guard request.head.method == .GET else { return .error(.methodNotAllowed, "method", "GET alone") }
            return page.response()
        }
        guard request.path.prefix(2) == ["api", "v2"], request.path.count > 2 else {
            return .error(.notFound, "not_found", "there is nothing here")
        }
        guard gate.admits(request.head) else {
            return .error(.unauthorized, "unauthorized", "a bearer token is needed")
        }
        switch (request.head.method, request.path[2], request.path.count) {
        case (.GET, "whoami", 3): return Response(["name": .string(name)])
        case (.GET, "chats", 3): return await chats(request)
        case (.POST, "chats", 3): return await create(request)
        case (.POST, "tickets", 3): return ticket(request)
        case (.GET, "chat", 4): return refusal(of: request)
        case (_, "whoami", 3), (_, "chats", 3), (_, "tickets", 3), (_, "chat", 4):
            return .error(.methodNotAllowed, "method", "not with \(request.head.method)")
        default: return .error(.notFound, "not_found", "there is nothing here")
        }
    }

    private func chats(_ request: Request) async -> Response {
        guard let limit = Int(request.query["limit"] ?? "20"), (1...100).contains(limit),
            let offset = Int(request.query["offset"] ?? "0"), offset >= 0
        else { return .error(.badRequest, "bad_request", "limit is 1 to 100, offset not negative") }
        let list = await house.list(limit: limit, offset: offset, archived: request.query["archived"] == "true")
        return Response(["chats": .array(list.map(\.json))])
    }

    private func create(_ request: Request) async -> Response {
        guard let json = try? JSON(parsing: request.body), let title = json["title"]?.text, title.utf8.count <= 1_000
        else { return .error(.badRequest, "bad_request", "a JSON object with a title of at most 1,000 bytes") }
        do throws(StorageError) {
            guard let chat = try await house.create(title: title) else {
                return .error(.serviceUnavailable, "busy", "at most \(house.limits.chats) chats")
            }
            return Response(chat.json, .created)
        } catch { return .error(.internalServerError, "internal", "the chat could not be stored") }
    }

    private func ticket(_ request: Request) -> Response {
        guard let json = try? JSON(parsing: request.body),
            let chat = json["chat"]?.text.flatMap(Identifier.init(checking:)),
            house.has(chat)
        else { return .error(.badRequest, "bad_request", "a JSON object with the id of a chat") }
        guard let ticket = gate.ticket(for: chat) else {
            return .error(.serviceUnavailable, "busy", "too many tickets")
        }
        return Response(["ticket": .string(ticket)], .created)
    }

    /// Why a request for a chat got no socket.
    private func refusal(of request: Request) -> Response {
        guard let chat = request.chat, house.has(chat) else {
            return .error(.notFound, "not_found", "there is no such chat")
        }
        guard request.head.headers[Request.refusedUpgrade].contains("websocket") else {
            var response = Response.error(.upgradeRequired, "upgrade", "a chat is a WebSocket")
            response.headers.append(("Upgrade", "websocket"))
            return response
        }
        guard request.head.headers["sec-websocket-version"] == ["13"] else {
            return .error(.badRequest, "bad_request", "version 13 and one Sec-WebSocket-Key")
        }
        return .error(
            .serviceUnavailable, "busy",
            "at most \(house.limits.sockets) sockets, \(house.limits.socketsOfChat) of a chat")
    }
}

extension AgentChatSummary {
    var json: JSON { ["id": .string(id.text), "title": .string(title), "archived": .bool(isArchived)] }
}
