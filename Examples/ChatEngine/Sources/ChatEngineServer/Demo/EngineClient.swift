import AsyncHTTPClient
import ChatCodec
import ChatEngine
import Foundation
import NIOCore
import NIOHTTP1

/// A client of an engine, over HTTP.
struct EngineClient: Sendable {
    let url: String
    let token: String
    private let http = HTTPClient(eventLoopGroupProvider: .singleton)

    init(url: String, token: String) { (self.url, self.token) = (url, token) }

    func end() async throws { try await http.shutdown() }

    /// Asks, and reads the answer, or throws what the engine says.
    func ask<Reply: EngineObject>(
        _ method: HTTPMethod, _ path: String, _ body: (any EngineObject)? = nil,
        as: Reply.Type = Reply.self
    ) async throws -> Reply {
        let response = try await http.execute(request(method, path, body), timeout: .seconds(60))
        let bytes = try await whole(response)
        return try EngineJSON(.lenient).decode(from: bytes.span, maximumBytes: .max)
    }

    /// Asks, and hands on the events of the answer as they come; returns how it ended.
    func stream(
        _ path: String, _ body: any EngineObject, _ hear: (ReplyEvent) -> Void
    ) async throws -> ReplyReader {
        let response = try await http.execute(request(.POST, path, body), deadline: .distantFuture)
        guard response.status == .ok else {
            _ = try await whole(response)
            throw StartError(.unavailable, "the engine answers \(response.status.code)")
        }
        var (lines, reader) = (LineSplitter(), ReplyReader())
        for try await piece in response.body {
            lines.append(piece.readableBytesUInt8Span)
            while let line = try lines.next() {
                let event = try EngineJSON(.lenient).decode(ReplyEvent.self, from: line.span, maximumBytes: .max)
                try reader.receive(event)
                hear(event)
            }
        }
        return reader
    }

    private func request(
        _ method: HTTPMethod, _ path: String, _ body: (any EngineObject)?
    ) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url + path)
        request.method = method
        request.headers.add(name: "Authorization", value: "Bearer \(token)")
        guard let body else { return request }
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(ByteBuffer(bytes: EngineJSON().encode(body)))
        return request
    }

    /// The body of a good answer; what is refused is thrown.
    private func whole(_ response: HTTPClientResponse) async throws -> [UInt8] {
        let bytes = Array(try await response.body.collect(upTo: 256 << 20).readableBytesView)
        guard (200..<300).contains(response.status.code) else {
            let body = try EngineJSON(.lenient).decode(ErrorBody.self, from: bytes.span)
            throw body
        }
        return bytes
    }
}
