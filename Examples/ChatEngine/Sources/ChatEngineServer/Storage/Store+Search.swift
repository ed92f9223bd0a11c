import ChatEngine
import Foundation
import GRDB

// Search: FTS5 finds and ranks the messages, whose words were cut to stems by the library, and so are the query's.
extension Store {
    /// The words of a message as they are looked for.
    static func stems(of content: [ContentPart]) -> String {
        content.filter(\.kind.isWords).flatMap { Search.stems(of: $0.content) }.joined(separator: " ")
    }

    /// All stems have to occur; in quotes, none is syntax. Nil for a query without a word.
    private static func pattern(_ query: SearchQuery) -> String? {
        let stems = Search.stems(of: query.text)
        return stems.isEmpty ? nil : stems.map { "\"\($0)\"" }.joined(separator: " AND ")
    }

    /// The visible messages of a session that have all words.
    func search(_ query: SearchQuery, in session: SessionID) async throws(ErrorBody) -> SearchResults {
        var (total, hits) = (0, [SearchHit]())
        if let pattern = Self.pattern(query) {
            (total, hits) = try await internally {
                try await self.pool.read { db in
                    let hits = try Self.hits(query, pattern, in: session, limit: query.limit, offset: query.offset, db)
                    return (try Self.count(pattern, in: session, db), hits)
                }
            }
        }
        return SearchResults(results: hits, total: total, limit: query.limit, offset: query.offset)
    }

    /// The sessions of a client in which messages have all words; the one with the best message first.
    func search(_ query: SearchQuery, by client: String) async throws(ErrorBody) -> SessionSearchResults {
        var (total, found) = (0, [SessionSearchHit]())
        if let pattern = Self.pattern(query) {
            (total, found) = try await internally {
                try await self.pool.read { db in
                    let ids = try String.fetchAll(
                        db,
                        sql: """
                            SELECT session FROM (
                                SELECT messages.session AS session, search.rank AS score FROM search
                                JOIN messages ON messages.number = search.rowid
                                JOIN sessions ON sessions.id = messages.session
                                WHERE search MATCH ? AND sessions.client = ?
                            ) GROUP BY session ORDER BY MIN(score), session
                            """, arguments: [pattern, client])
                    return (ids.count, try Self.hits(query, pattern, in: query.page(ids), db))
                }
            }
        }
        return SessionSearchResults(results: found, total: total, limit: query.limit, offset: query.offset)
    }

    /// Sessions with all their hits. What matches is gone through once, however many sessions there are.
    private static func hits(
        _ query: SearchQuery, _ pattern: String, in ids: [String], _ db: Database
    ) throws -> [SessionSearchHit] {
        var hits: [String: [SearchHit]] = [:]
        let search = Search(query.text)
        let places = databaseQuestionMarks(count: ids.count)
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT messages.session, messages.body FROM search JOIN messages ON messages.number = search.rowid
                WHERE search MATCH ? AND messages.session IN (\(places)) ORDER BY search.rank, messages.number
                """, arguments: [pattern] + StatementArguments(ids))
        while let row = try rows.next() {
            let message = try EngineJSON().decode(
                Message.self, from: Array(row["body"] as Data).span, maximumBytes: .max)
            hits[row["session"], default: []].append(search.hit(in: message))
        }
        return try ids.compactMap { id in
            guard let body = try Data.fetchOne(db, sql: "SELECT body FROM sessions WHERE id = ?", arguments: [id])
            else {
                return nil
            }
            let session = try EngineJSON().decode(Session.self, from: Array(body).span, maximumBytes: .max)
            return SessionSearchHit(session: session.id, metadata: session.metadata, messages: hits[id] ?? [])
        }
    }

    private static func hits(
        _ query: SearchQuery, _ pattern: String, in session: SessionID, limit: Int, offset: Int, _ db: Database
    ) throws -> [SearchHit] {
        let bodies = try Data.fetchAll(
            db,
            sql: """
                SELECT messages.body FROM search JOIN messages ON messages.number = search.rowid
                WHERE search MATCH ? AND messages.session = ?
                ORDER BY search.rank, messages.number LIMIT ? OFFSET ?
                """, arguments: [pattern, session.text, limit, offset])
        let search = Search(query.text)
        return try bodies.map { body in
            search.hit(in: try EngineJSON().decode(Message.self, from: Array(body).span, maximumBytes: .max))
        }
    }

    private static func count(_ pattern: String, in session: SessionID, _ db: Database) throws -> Int {
        try Int.fetchOne(
            db,
            sql: """
                SELECT COUNT(*) FROM search JOIN messages ON messages.number = search.rowid
                WHERE search MATCH ? AND messages.session = ?
                """, arguments: [pattern, session.text]) ?? 0
    }
}
