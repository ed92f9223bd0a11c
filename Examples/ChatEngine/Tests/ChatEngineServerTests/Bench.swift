import AsyncHTTPClient
import ChatCodec
import ChatEngine
import ChatEngineServer
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import Testing

/// An engine on a socket, a backend, and a client.
struct Bench: Sendable {
    static let secret = Array("a secret of at least thirty-two bytes".utf8)
    static let type = "gts.hyperspot.chat_engine.session_types.assistant.v1~"
    static let other = "gts.hyperspot.chat_engine.session_types.other.v1~"

    let base: String
    let backend: FakeBackend
    let http: HTTPClient
    let token: String
    let server: EngineServer
    let folder: String

    /// An answer of the engine.
    struct Answer: Sendable {
        let status: Int
        let bytes: [UInt8]
        let headers: HTTPHeaders

        var json: JSON { (try? JSON(parsing: bytes)) ?? .null }
        var code: String? { json["error_code"]?.text }
        var fields: [String] { json["details"]?["validation_errors"]?.list?.compactMap { $0["field"]?.text } ?? [] }

        /// The answer as a type of the library, whose codec refuses what the schemas refuse.
        func read<Value: EngineObject>(_ type: Value.Type = Value.self) throws -> Value {
            try EngineJSON().decode(from: bytes.span, maximumBytes: .max)
        }
    }

    /// Runs engine and backend, in a new folder or in one that is there, and a test with them.
    static func run(
        _ backend: FakeBackend = FakeBackend(), scale: Double = 1, folder: String? = nil,
        timeLimit: Duration = .seconds(100), _ body: @escaping @Sendable (Bench) async throws -> Void
    ) async throws {
        let path = folder ?? NSTemporaryDirectory() + "chat-engine-\(UUID())"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { if folder == nil { try? FileManager.default.removeItem(atPath: path) } }
        try await withThrowingTaskGroup(of: Void.self) { group in
            let (hooks, hook) = AsyncStream<String>.makeStream()
            group.addTask { try await backend.run { hook.yield($0) } }
            guard let url = await hooks.first(where: { _ in true }) else { return }
            let server = try await EngineServer(settings(path, url, scale))
            let (bases, base) = AsyncStream<String>.makeStream()
            group.addTask { try await server.run { base.yield($0) } }
            guard let address = await bases.first(where: { _ in true }) else { return }
            let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: Self.configuration)
            let token = try await Tokens(secret: secret).sign(client: "saro", seconds: 600)
            let bench = Bench(
                base: address, backend: backend, http: http, token: token, server: server, folder: path)
            let result = await Task {
                try await within(timeLimit) { try await body(bench) }
            }.result
            await server.stop()
            try await http.shutdown()
            try await Task.sleep(for: .milliseconds(10))
            group.cancelAll()
            while (try? await group.next()) != nil {}
            try result.get()
        }
    }

    private static var configuration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1_000
        configuration.httpVersion = .http1Only
        return configuration
    }

    private static func settings(_ folder: String, _ hook: String, _ scale: Double) throws -> Settings {
        let types = """
            {"session_types":[{"session_type_id":"\(type)","name":"Assistant","webhook_url":"\(hook)","capabilities":[],
              "timeout_seconds":10,"summarization_settings":{"enabled":true,"max_length":200}},
             {"session_type_id":"\(other)","name":"Other","webhook_url":"\(hook)","capabilities":[]}]}
            """
        var settings = Settings(
            port: 0, database: folder + "/engine.sqlite", secret: secret,
            types: try SessionTypes(parsing: Array(types.utf8).span), scale: scale, logLevel: .critical)
        settings.host = "127.0.0.1"
        return settings
    }
}

/// Runs something, and fails where it does not end in time.
func within<Value: Sendable>(_ time: Duration, _ body: @escaping @Sendable () async throws -> Value) async throws
    -> Value
{
    try await withThrowingTaskGroup(of: Value.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: time)
            throw TimeLimit()
        }
        defer { group.cancelAll() }
        guard let value = try await group.next() else { throw TimeLimit() }
        return value
    }
}

struct TimeLimit: Error {}

// Requests.
extension Bench {
    /// Sends a request and reads the whole answer; an empty token sends none.
    func call(
        _ method: String, _ path: String, _ body: String? = nil, token: String? = nil, share: String? = nil,
        type: String = "application/json"
    ) async throws -> Answer {
        let response = try await http.execute(
            request(method, path, body, token: token, share: share, type: type), timeout: .seconds(100))
        let bytes = Array(try await response.body.collect(upTo: 64 << 20).readableBytesView)
        Exchanges.log(method, path, Int(response.status.code), bytes)
        return Answer(status: Int(response.status.code), bytes: bytes, headers: response.headers)
    }

    func request(
        _ method: String, _ path: String, _ body: String? = nil, token: String? = nil, share: String? = nil,
        type: String = "application/json"
    ) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: path.hasPrefix("http") ? path : base + path)
        request.method = .init(rawValue: method)
        let token = token ?? self.token
        if !token.isEmpty { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let share { request.headers.add(name: "X-Share-Token", value: share) }
        if let body {
            request.headers.add(name: "Content-Type", value: type)
            request.body = .bytes(ByteBuffer(string: body))
        }
        return request
    }

    /// A new session.
    func session(token: String? = nil, client: String = "saro") async throws -> String {
        let body = #"{"session_type_id":"\#(Self.type)","client_id":"\#(client)"}"#
        let answer = try await call("POST", "/sessions", body, token: token)
        try #require(answer.status == 201)
        return try answer.read(SessionCreated.self).session.text
    }

    /// Sends a message, and reads the stream to its end.
    func send(_ session: String, _ text: String, parent: String? = nil) async throws -> Stream {
        let parent = parent.map { #","parent_message_id":"\#($0)""# } ?? ""
        return try await stream(
            "/messages/send", #"{"session_id":"\#(session)","content":"\#(text)"\#(parent)}"#)
    }

    /// Sends a request that is answered with a stream, and reads it to its end.
    func stream(_ path: String, _ body: String? = nil) async throws -> Stream {
        try Stream(try await call("POST", path, body))
    }

    func messages(_ session: String) async throws -> [Message] {
        try await call("GET", "/sessions/\(session)/messages").read(MessageList.self).messages
    }

    func client(_ name: String) async throws -> String {
        try await Tokens(secret: Self.secret).sign(client: name, seconds: 600)
    }
}

/// A stream that has ended, as the library's automaton sees it.
struct Stream {
    let answer: Bench.Answer
    var reader = ReplyReader()
    var chunks = 0

    init(_ answer: Bench.Answer) throws {
        self.answer = answer
        guard answer.status == 200 else { return }
        var lines = LineSplitter()
        lines.append(answer.bytes.span)
        while let line = try lines.next() {
            let event = try EngineJSON().decode(ReplyEvent.self, from: line.span, maximumBytes: .max)
            if case .chunk = event { chunks += 1 }
            try reader.receive(event)
        }
    }

    var text: String { reader.content.words }
    var id: String { reader.message?.text ?? "" }
    var isComplete: Bool { if case .complete = reader.state { true } else { false } }
    var error: ErrorCode? { if case .failed(let error) = reader.state { error.code } else { nil } }
}

/// All that was said, for a check by the published schemas: a file that the environment names.
enum Exchanges {
    private static let file: FileHandle? = {
        guard let path = ProcessInfo.processInfo.environment["CHAT_ENGINE_EXCHANGES"] else { return nil }
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        return FileHandle(forWritingAtPath: path)
    }()

    static func log(_ method: String, _ path: String, _ status: Int, _ bytes: [UInt8]) {
        guard let file, bytes.count < 1 << 20 else { return }
        let line = "\(method)\t\(path)\t\(status)\t\(Data(bytes).base64EncodedString())\n"
        try? file.write(contentsOf: Data(line.utf8))
    }
}
