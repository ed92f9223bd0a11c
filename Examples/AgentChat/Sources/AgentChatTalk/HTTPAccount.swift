public import AgentChat
import ChatCodec
public import ChatModel
import NIOCore
import NIOHTTP1
import NIOPosix

/// The account of a service over HTTP/1, for the discovery `agent-chats`.
public struct HTTPAccount: AgentAccount {
    private static let maximumAnswer = 4 << 20
    private let address: ServiceAddress

    /// The account of a service.
    public init(_ address: ServiceAddress) { self.address = address }

    /// The name of the account.
    public func whoami() async throws(DiscoveryError) -> String {
        guard let name = try await ask(.GET, "whoami")["name"]?.text else { throw malformed("whoami") }
        return name
    }

    /// Chats, the newest first.
    public func chats(
        limit: Int, offset: Int, archived: Bool
    ) async throws(DiscoveryError) -> [AgentChatSummary] {
        let answer = try await ask(.GET, "chats?limit=\(limit)&offset=\(offset)&archived=\(archived)")
        guard let list = answer["chats"]?.list else { throw malformed("chats") }
        var chats: [AgentChatSummary] = []
        for json in list { chats.append(try summary(json)) }
        return chats
    }

    /// Makes a chat under a title; the service chooses its id.
    public func create(_ chat: Identifier?, title: String) async throws(DiscoveryError) -> AgentChatSummary {
        guard chat == nil else { throw .unsupported("an id of one's own") }
        return try summary(try await ask(.POST, "chats", ["title": .string(title)]))
    }

    private func summary(_ json: JSON) throws(DiscoveryError) -> AgentChatSummary {
        guard let id = json["id"]?.text.flatMap(Identifier.init(checking:)), let title = json["title"]?.text else {
            throw malformed("chat")
        }
        return AgentChatSummary(id: id, title: title, isArchived: json["archived"]?.bool == true)
    }

    private func malformed(_ what: String) -> DiscoveryError { .malformed(what, at: 0) }

    private func ask(
        _ method: HTTPMethod, _ path: String, _ body: JSON? = nil
    ) async throws(DiscoveryError) -> JSON {
        let status: HTTPResponseStatus
        let json: JSON?
        do {
            let bytes: [UInt8]
            (status, bytes) = try await exchange(method, path, body.map { Array($0.description.utf8) } ?? [])
            json = try? JSON(parsing: bytes, maximumBytes: Self.maximumAnswer)
        } catch { throw .unavailable("\(address.host):\(address.port)", reason: "\(error)") }
        guard status.code < 300, let json else {
            throw .unavailable("\(method) \(path)", reason: json?["message"]?.text ?? "\(status)")
        }
        return json
    }

    private func exchange(
        _ method: HTTPMethod, _ path: String, _ body: [UInt8]
    ) async throws -> (HTTPResponseStatus, [UInt8]) {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(10))
            .connect(host: address.host, port: address.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    return try NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>(
                        wrappingChannelSynchronously: channel)
                }
            }
        let fields = HTTPHeaders(address.headers + [("Content-Length", String(body.count)), ("Connection", "close")])
        return try await channel.executeThenClose { inbound, outbound in
            let head = HTTPRequestHead(version: .http1_1, method: method, uri: "/api/v2/" + path, headers: fields)
            try await outbound.write(.head(head))
            try await outbound.write(.body(.byteBuffer(ByteBuffer(bytes: body))))
            try await outbound.write(.end(nil))
            var (status, answer) = (HTTPResponseStatus.internalServerError, [UInt8]())
            for try await part in inbound {
                switch part {
                case .head(let head): status = head.status
                case .body(let buffer):
                    answer += Array(buffer.readableBytesView)
                    guard answer.count <= Self.maximumAnswer else { throw ChannelError.inputClosed }
                case .end: return (status, answer)
                }
            }
            return (status, answer)
        }
    }
}
