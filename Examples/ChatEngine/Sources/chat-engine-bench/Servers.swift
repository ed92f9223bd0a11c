import ArgumentParser
import AsyncHTTPClient
import Dispatch
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1

/// A backend that streams chunks, each with the moment at which it was written.
struct Backend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Answer `stream COUNT PAUSE` with so many chunks, PAUSE microseconds apart.")

    func run() async throws {
        try await serve { request in
            let body = try await request.body.collect(upTo: 64 << 20)
            let words = String(buffer: body).split { !$0.isLetter && !$0.isNumber }
            guard let place = words.firstIndex(of: "stream"), place + 2 < words.endIndex,
                let count = Int(words[place + 1]), let pause = Int(words[place + 2])
            else {
                let reply = #"{"available_capabilities":[]}"#
                return Response(
                    status: .ok, headers: [.contentType: "application/json"],
                    body: ResponseBody(byteBuffer: ByteBuffer(string: reply)))
            }
            let lines = ResponseBody { writer in
                for _ in 0..<count {
                    let time = DispatchTime.now().uptimeNanoseconds
                    let chunk = #"{"type":"chunk","chunk":{"type":"text","content":"\#(time) "}}"# + "\n"
                    try await writer.write(ByteBuffer(string: chunk))
                    if pause > 0 { try await Task.sleep(for: .microseconds(pause)) }
                }
                try await writer.write(ByteBuffer(string: #"{"type":"complete"}"# + "\n"))
                try await writer.finish(nil)
            }
            return Response(status: .ok, headers: [.contentType: "application/x-ndjson"], body: lines)
        }
    }
}

/// A bare proxy of Hummingbird and async-http-client, which passes on what comes as it comes.
struct Proxy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Pass requests on to a backend, and its answers back.")

    @Argument(help: "Where the backend is.") var backend: String

    func run() async throws {
        var configuration = HTTPClient.Configuration()
        configuration.httpVersion = .http1Only
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 100_000
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let backend = backend
        try await serve { request in
            var call = HTTPClientRequest(url: backend)
            call.method = .POST
            call.headers = ["Content-Type": "application/json", "Connection": "close"]
            call.body = .bytes(try await request.body.collect(upTo: 64 << 20))
            let response = try await client.execute(call, deadline: .distantFuture)
            let lines = ResponseBody { writer in
                for try await piece in response.body { try await writer.write(piece) }
                try await writer.finish(nil)
            }
            return Response(status: .ok, headers: [.contentType: "application/x-ndjson"], body: lines)
        }
        try await client.shutdown()
    }
}

/// Serves on a free port until a signal comes, and says where.
private func serve(_ respond: @escaping @Sendable (Request) async throws -> Response) async throws {
    var logger = Logger(label: "bench") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = .critical
    let application = Application(
        responder: CallbackResponder<BasicRequestContext> { request, _ in try await respond(request) },
        configuration: .init(address: .hostname("127.0.0.1", port: 0), backlog: 1_024),
        onServerRunning: { channel in
            let line = "listening on http://127.0.0.1:\(channel.localAddress?.port ?? 0)/\n"
            try? FileHandle.standardOutput.write(contentsOf: Data(line.utf8))
        }, logger: logger)
    try await application.runService()
}
