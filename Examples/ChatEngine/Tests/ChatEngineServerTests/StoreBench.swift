import ChatCrypto
import ChatEngine
import ChatModel
import ChatRecords
import Foundation
import GRDB
import Logging
import Synchronization
import Testing

@testable import ChatEngineServer

/// A store in a folder of its own, without a server.
struct StoreBench: Sendable {
    let store: Store
    let types: SessionTypes
    let path: String

    /// Runs a test with an empty store, and removes it.
    static func run(_ body: (StoreBench) async throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + "chat-engine-\(UUID())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let bench = try StoreBench(folder + "/engine.sqlite")
        try await body(bench)
        try bench.store.pool.close()
    }

    init(_ path: String) throws {
        let json = """
            {"session_types":[{"session_type_id":"\(Bench.type)","name":"Assistant",
              "webhook_url":"http://127.0.0.1:9/","capabilities":[]}]}
            """
        self.path = path
        types = try SessionTypes(parsing: Array(json.utf8).span)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        store = try Store(path: path, types: types, logger: logger)
    }

    /// The same database as another process finds it.
    func reopened() throws -> StoreBench { try StoreBench(path) }

    /// A new session of a client.
    func session(_ client: String = "saro") async throws -> SessionID {
        var random: any RandomSource = SystemRandom()
        let type = try #require(SessionTypeID(Bench.type))
        let body = CreateSession(sessionType: type, client: client)
        let ask = try Engine(types).create(body, by: client, at: time, random: &random)
        let time = time
        return try await store.write(.session(ask.session)) { engine throws(ErrorBody) in
            engine.created(ask, SessionCreatedReply(capabilities: []), at: time).session
        }
    }

    /// Says something in a session, to which no answer comes.
    func send(_ text: String, to session: SessionID) async throws {
        let time = time
        _ = try await store.write(.session(session)) { engine throws(ErrorBody) in
            var random: any RandomSource = SystemRandom()
            return try engine.send(SendMessage(session: session, content: text), by: "saro", at: time, random: &random)
        }
    }

    /// Stores a session with these messages, whatever is stored already.
    func put(_ nodes: [MessageTree.Node], in session: Session) async throws {
        try await store.write(.session(session.id)) { engine throws(ErrorBody) in
            guard let tree = MessageTree(session: session.id, nodes: nodes) else {
                throw ErrorBody(.internalError, "the messages are no tree")
            }
            engine.adopt(Engine.Stored(session: session, tree: tree))
        }
    }

    /// What a session says; nil where there is none.
    func texts(_ session: SessionID, by client: String = "saro") async throws -> [String]? {
        try await store.read(.session(session)) { engine throws(ErrorBody) in
            guard engine.stored(session) != nil else { return nil }
            return try engine.messages(of: session, by: client).messages.flatMap { $0.content.map(\.content) }
        }
    }

    /// Keeps the writer busy until a number of changes wait, which makes them one group.
    func gather<Value: Sendable>(_ count: Int, _ body: () async throws -> Value) async throws -> Value {
        let isOver = DispatchSemaphore(value: 0)
        store.pool.asyncWriteWithoutTransaction { _ in isOver.wait() }
        let commits = store.commits
        let opener = Task {
            while commits.waiting.withLock({ $0.count }) < count { try await Task.sleep(for: .milliseconds(1)) }
            isOver.signal()
        }
        defer { opener.cancel() }
        return try await body()
    }

    private var time: Timestamp { Timestamp(milliseconds: 1_771_000_000_000) }
}

/// Counts the commits of a database.
final class CommitCounter: TransactionObserver, Sendable {
    private let commits = Mutex(0)

    init(_ pool: DatabasePool) { pool.add(transactionObserver: self, extent: .databaseLifetime) }

    var count: Int { commits.withLock { $0 } }

    func observes(eventsOfKind eventKind: DatabaseEventKind) -> Bool { true }
    func databaseDidChange(with event: DatabaseEvent) {}
    func databaseDidCommit(_ db: Database) { commits.withLock { $0 += 1 } }
    func databaseDidRollback(_ db: Database) {}
}
