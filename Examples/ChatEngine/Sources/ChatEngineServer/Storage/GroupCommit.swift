import ChatEngine
import GRDB
import Synchronization

/// Stores changes in groups: what waits while one commit is under way shares the next one, and its one wait for the
/// disk. A change that fails is taken back by itself, and the others of its group are stored.
final class GroupCommit: Sendable {
    /// The sessions that a group has changed so far, as they are in it; nil for one that is deleted.
    typealias Sessions = [SessionID: Engine.Stored?]

    /// One change of a session, and who waits for it.
    struct Change: Sendable {
        /// Writes its rows. It is called again where the group of its first call could not be stored.
        let apply: @Sendable (Database, Sessions) throws -> Applied
        /// Takes why it is not stored.
        let fail: @Sendable (any Error) -> Void
    }

    /// A change whose rows are written, and not yet on disk.
    struct Applied: Sendable {
        /// The session that was changed; nil where none was.
        let session: SessionID?
        /// As it is now; nil where it was deleted.
        let stored: Engine.Stored?
        /// Is called once it is on disk, in the order of the changes.
        let succeed: @Sendable () -> Void
    }

    private let pool: DatabasePool
    /// The next group.
    let waiting = Mutex<[Change]>([])

    init(_ pool: DatabasePool) { self.pool = pool }

    /// Adds a change to the next group, which has all that comes until the writer is free.
    func add(_ change: Change) {
        let isFirst = waiting.withLock { waiting in
            waiting.append(change)
            return waiting.count == 1
        }
        guard isFirst else { return }
        pool.asyncWriteWithoutTransaction { db in
            let group = self.waiting.withLock { waiting in
                defer { waiting = [] }
                return waiting
            }
            self.store(group, db)
        }
    }

    private func store(_ group: [Change], _ db: Database) {
        var (sessions, results) = (Sessions(), [Result<Applied, any Error>]())
        var hasBegun = false
        do {
            try db.inTransaction(.immediate) {
                hasBegun = true
                for change in group {
                    let result = try apply(change, sessions, db)
                    if case .success(let applied) = result, let session = applied.session {
                        sessions.updateValue(applied.stored, forKey: session)
                    }
                    results.append(result)
                }
                return .commit
            }
        } catch {
            // Nothing of it is stored: each has a transaction of its own, so that one does not fail another.
            guard hasBegun, group.count > 1 else { return group.forEach { $0.fail(error) } }
            return group.forEach { store([$0], db) }
        }
        for (change, result) in zip(group, results) {
            switch result {
            case .success(let applied): applied.succeed()
            case .failure(let error): change.fail(error)
            }
        }
    }

    /// Applies a change, and takes it back where it fails. Throws where SQLite has taken back the whole group.
    private func apply(
        _ change: Change, _ sessions: Sessions, _ db: Database
    ) throws -> Result<Applied, any Error> {
        do {
            var applied: Applied?
            try db.inSavepoint {
                applied = try change.apply(db, sessions)
                return .commit
            }
            guard let applied else { throw CancellationError() }
            return .success(applied)
        } catch {
            guard db.isInsideTransaction else { throw error }
            return .failure(error)
        }
    }
}
