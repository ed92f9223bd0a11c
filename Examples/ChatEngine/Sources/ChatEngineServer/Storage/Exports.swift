import ChatCrypto
import ChatEngine
import ChatModel
import Foundation
import GRDB

/// Exported sessions: files in a folder, each under a token of 256 bits, until they expire or their session is deleted.
struct Exports: Sendable {
    /// How long a link works; the protocol wants a day at least.
    static let lifetime = Duration.seconds(7 * 86_400)

    /// A file that a token names.
    struct File: Sendable {
        let path: String
        let contentType: String
    }

    let folder: String
    let store: Store

    /// Keeps a session as a file. Its token works when the file is whole.
    func keep(
        _ export: Export, of session: SessionID, at time: Timestamp
    ) async throws(ErrorBody) -> (token: String, expiry: Timestamp) {
        var random = SystemRandom()
        let token = ShareToken(bits: random.bytes(32, for: .secret)).text
        let expiry = time + Self.lifetime
        let path = path(token)
        try await store.internally {
            // Before there is a file, so that one which a crash left is found again.
            try await store.pool.write { db in try Self.list(token, in: db) }
            // One transaction, so that nobody who cleans up sees the file without its token.
            try await store.pool.write { db in
                try Self.list(token, in: db)
                try db.execute(
                    sql: "INSERT INTO exports (token, session, content_type, expires_at) VALUES (?, ?, ?, ?)",
                    arguments: [token, session.text, export.contentType, Int64(clamping: expiry.milliseconds)])
                try Files.write(export.bytes, to: path)
            }
        }
        return (token, expiry)
    }

    /// The file of a token; nil for one that is unknown or expired.
    func file(_ token: ShareToken, at time: Timestamp) async throws(ErrorBody) -> File? {
        let type = try await store.internally {
            try await store.pool.read { db in
                try String.fetchOne(
                    db, sql: "SELECT content_type FROM exports WHERE token = ? AND expires_at > ?",
                    arguments: [token.text, Int64(clamping: time.milliseconds)])
            }
        }
        return type.map { File(path: path(token.text), contentType: $0) }
    }

    /// Removes files that this database has made and whose tokens have expired or went with their sessions. Nothing else
    /// in the folder is touched: it may have been there before, and belong to somebody else.
    func clean(at time: Timestamp) async throws {
        try await store.pool.write { db in
            try db.execute(
                sql: "DELETE FROM exports WHERE expires_at <= ?", arguments: [Int64(clamping: time.milliseconds)])
            let gone = try String.fetchAll(
                db, sql: "SELECT token FROM export_files WHERE token NOT IN (SELECT token FROM exports)")
            for token in gone {
                for path in [path(token), Files.unfinished(path(token))] {
                    try? FileManager.default.removeItem(atPath: path)
                }
                try db.execute(sql: "DELETE FROM export_files WHERE token = ?", arguments: [token])
            }
        }
    }

    private static func list(_ token: String, in db: Database) throws {
        try db.execute(sql: "INSERT OR IGNORE INTO export_files (token) VALUES (?)", arguments: [token])
    }

    private func path(_ name: String) -> String { "\(folder)/\(name)" }
}
