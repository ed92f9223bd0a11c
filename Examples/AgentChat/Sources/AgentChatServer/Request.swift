import AgentChat
import ChatCodec
import NIOCore
import NIOHTTP1

/// An HTTP request: its path in pieces, its query, and its body.
struct Request: Sendable {
    /// Where the `Upgrade` of a request stands that was not let in.
    static let refusedUpgrade = "x-refused-upgrade"

    let head: HTTPRequestHead
    let path: [String]
    let query: [String: String]
    var body: [UInt8] = []

    init(_ head: HTTPRequestHead) {
        self.head = head
        let pieces = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = pieces[0].split(separator: "/").map { Self.decoded($0) }
        var query: [String: String] = [:]
        for pair in (pieces.count > 1 ? pieces[1] : "").split(separator: "&") {
            let two = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            query[Self.decoded(two[0])] = two.count > 1 ? Self.decoded(two[1]) : ""
        }
        self.query = query
    }

    /// The chat of `/api/v2/chat/{chatId}`.
    var chat: Identifier? {
        guard path.count == 4, path.prefix(3) == ["api", "v2", "chat"] else { return nil }
        return Identifier(checking: path[3])
    }

    private static func decoded(_ text: Substring) -> String {
        let bytes = Array(text.utf8)
        var (result, index) = ([UInt8](), 0)
        while index < bytes.count {
            if bytes[index] == 0x25, index + 2 < bytes.count,
                let byte = UInt8(String(decoding: bytes[index + 1...index + 2], as: UTF8.self), radix: 16)
            {
                result.append(byte)
                index += 3
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// An HTTP response.
struct Response: Sendable {
    var status: HTTPResponseStatus
    var type = "application/json"
    var headers: [(String, String)] = []
    var body: [UInt8]

    init(_ json: JSON, _ status: HTTPResponseStatus = .ok) {
        (self.status, body) = (status, Array(json.description.utf8))
    }

    init(html: [UInt8], policy: String) {
        (status, type, body) = (.ok, "text/html; charset=utf-8", html)
        headers = [("Content-Security-Policy", policy)]
    }

    /// What an error looks like, as over a socket.
    static func error(_ status: HTTPResponseStatus, _ code: String, _ message: String) -> Response {
        Response(["code": .string(code), "message": .string(message)], status)
    }

    var head: HTTPResponseHead {
        var fields = HTTPHeaders([
            ("Content-Type", type), ("Content-Length", String(body.count)), ("Connection", "close"),
            ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
        ])
        if status == .unauthorized { fields.add(name: "WWW-Authenticate", value: "Bearer") }
        for (name, value) in headers { fields.add(name: name, value: value) }
        return HTTPResponseHead(version: .http1_1, status: status, headers: fields)
    }
}
