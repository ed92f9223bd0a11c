import ChatEngine
import ChatModel
import GRDB
import Logging
import Synchronization

/// Where sessions are kept: SQLite with a write-ahead log, one writer, and readers beside it.
///
/// An operation is a method of the library's `Engine`, which gets the one session that the operation is about; what it
/// changed is stored in the same transaction. When `write` returns, it is on disk. The sessions that were written last
/// stay in memory, with the answers that are under way in them.
final class Store: Sendable {
    /// The session that an operation is about.
    enum Place: Sendable {
        case session(SessionID)
        case message(MessageID)
        case share(ShareToken)
    }

    let pool: DatabasePool
    private let types: SessionTypes
    private let recent = Mutex(RecentSessions())
    let commits: GroupCommit
    private let logger: Logger

    /// Opens the file, or makes it, and brings its tables up to date.
    init(path: String, types: SessionTypes, logger: Logger) throws(StartError) {
        (self.types, self.logger) = (types, logger)
        do {
            var configuration = Configuration()
            configuration.busyMode = .timeout(10)
            configuration.maximumReaderCount = 8
            pool = try DatabasePool(path: path, configuration: configuration)
            commits = GroupCommit(pool)
            // Acknowledged is on disk: each commit waits for the disk, which the pool leaves off.
            try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            guard try !pool.read(Schema.migrator.hasBeenSuperseded) else {
                throw StartError(.inputOutput, "\(path): the database was written by a newer engine")
            }
            try Schema.migrator.migrate(pool)
        } catch let error as StartError { throw error } catch let error as DatabaseError {
            throw StartError(.inputOutput, "\(path): the database cannot be opened: \(error.message ?? "no reason")")
        } catch { throw StartError(.inputOutput, "\(path): the database cannot be opened") }
    }

    /// Reads what is committed, beside the writer.
    func read<Value: Sendable>(
        _ place: Place, _ body: @Sendable (Engine) throws(ErrorBody) -> Value
    ) async throws(ErrorBody) -> Value {
        var engine = Engine(types)
        if case .session(let id) = place, let stored = recent.withLock({ $0[id] }) {
            engine.adopt(stored)
        } else {
            let stored = try await internally {
                try await self.pool.read { db in
                    guard let id = try self.session(of: place, db) else { return Engine.Stored?.none }
                    return try self.recent.withLock { $0[id] } ?? Self.load(id, db)
                }
            }
            if let stored { engine.adopt(stored) }
        }
        return try body(engine)
    }

    /// Changes the session, and stores what has changed, with what others change meanwhile in one commit. The body is
    /// called again where that could not be stored; what it changed before is forgotten.
    func write<Value: Sendable>(
        _ place: Place, _ body: @escaping @Sendable (inout Engine) throws(ErrorBody) -> Value
    ) async throws(ErrorBody) -> Value {
        try await internally {
            try await withCheckedThrowingContinuation { (waiting: CheckedContinuation<Value, any Error>) in
                let apply = { @Sendable (db: Database, changed: GroupCommit.Sessions) in
                    let (value, id, stored) = try self.change(place, changed, db, body)
                    return GroupCommit.Applied(session: id, stored: stored) {
                        if let id { self.recent.withLock { $0[id] = stored } }
                        waiting.resume(returning: value)
                    }
                }
                self.commits.add(GroupCommit.Change(apply: apply) { waiting.resume(throwing: $0) })
            }
        }
    }

    /// Changes a session after others of the same group, and writes its rows.
    private func change<Value>(
        _ place: Place, _ changed: GroupCommit.Sessions, _ db: Database,
        _ body: (inout Engine) throws(ErrorBody) -> Value
    ) throws -> (value: Value, session: SessionID?, stored: Engine.Stored?) {
        var engine = Engine(types)
        guard let id = try session(of: place, db) else { return (try body(&engine), nil, nil) }
        let before = try changed[id] ?? recent.withLock { $0[id] } ?? Self.load(id, db)
        if let before { engine.adopt(before) }
        let value = try body(&engine)
        let after = engine.stored(id)
        try Self.save(before, after, db)
        return (value, id, after)
    }

    /// What SQLite refuses is nobody's business but the operator's.
    func internally<Value: Sendable>(
        _ body: @Sendable () async throws -> Value
    ) async throws(ErrorBody) -> Value {
        do { return try await body() } catch let error as ErrorBody { throw error } catch {
            logger.error("the database refused an operation", metadata: ["error": "\(Self.describe(error))"])
            throw ErrorBody(.internalError, "the engine failed")
        }
    }

    /// Without the arguments of a statement, which are contents.
    private static func describe(_ error: any Error) -> String {
        guard let error = error as? DatabaseError else { return "\(type(of: error))" }
        return "\(error.extendedResultCode): \(error.message ?? "")"
    }

    /// The session of a message or a token.
    private func session(of place: Place, _ db: Database) throws -> SessionID? {
        let text: String?
        switch place {
        case .session(let id): return id
        case .message(let id):
            if let session = recent.withLock({ $0.session(generating: id) }) { return session }
            text = try String.fetchOne(db, sql: "SELECT session FROM messages WHERE id = ?", arguments: [id.text])
        case .share(let token):
            text = try String.fetchOne(db, sql: "SELECT session FROM shares WHERE token = ?", arguments: [token.text])
        }
        return text.flatMap { SessionID($0) }
    }
}

/// The sessions that were written last; those with answers under way never go.
struct RecentSessions {
    private static let limit = 128
    private var sessions: [SessionID: Engine.Stored] = [:]
    private var order: [SessionID] = []

    /// The session in which an answer is under way.
    func session(generating reply: MessageID) -> SessionID? {
        sessions.first { $0.value.tree.generating[reply] != nil }?.key
    }

    subscript(id: SessionID) -> Engine.Stored? {
        get { sessions[id] }
        set {
            order.removeAll { $0 == id }
            sessions[id] = newValue
            guard newValue != nil else { return }
            order.append(id)
            guard order.count > Self.limit,
                let oldest = order.firstIndex(where: { sessions[$0]?.tree.generating.isEmpty ?? true })
            else { return }
            sessions[order.remove(at: oldest)] = nil
        }
    }
}
