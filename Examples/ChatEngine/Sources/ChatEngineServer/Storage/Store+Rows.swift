import ChatEngine
import ChatModel
import Foundation
import GRDB

// A session as rows.
extension Store {
    /// Reads a session and all that belongs to it; nil where there is none.
    static func load(_ id: SessionID, _ db: Database) throws -> Engine.Stored? {
        guard let body = try Data.fetchOne(db, sql: "SELECT body FROM sessions WHERE id = ?", arguments: [id.text])
        else { return nil }
        let codec = EngineJSON()
        let session = try codec.decode(Session.self, from: Array(body).span, maximumBytes: .max)
        var nodes: [MessageTree.Node] = []
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT body, is_active, is_hidden_from_user, is_hidden_from_llm FROM messages
                WHERE session = ? ORDER BY number
                """, arguments: [id.text])
        while let row = try rows.next() { nodes.append(try node(row, codec)) }
        guard let tree = MessageTree(session: id, nodes: nodes) else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "the messages of a session are no tree")
        }
        return Engine.Stored(session: session, tree: tree, reactions: try reactions(id, db), shares: try shares(id, db))
    }

    private static func node(_ row: Row, _ codec: EngineJSON) throws -> MessageTree.Node {
        let message = try codec.decode(Message.self, from: Array(row["body"] as Data).span, maximumBytes: .max)
        return MessageTree.Node(
            id: message.id, parent: message.parent, role: message.role, content: message.content,
            files: message.files, index: message.place?.index ?? 0, isComplete: message.place?.isComplete ?? false,
            visibility: Visibility(
                isHiddenFromUser: row["is_hidden_from_user"], isHiddenFromBackend: row["is_hidden_from_llm"]),
            metadata: message.metadata ?? Metadata(), createdAt: message.createdAt, isActive: row["is_active"])
    }

    private static func reactions(_ id: SessionID, _ db: Database) throws -> Reactions {
        var reactions = Reactions()
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT message, user, reaction FROM reactions
                WHERE message IN (SELECT id FROM messages WHERE session = ?)
                """, arguments: [id.text])
        while let row = try rows.next() {
            guard let message = MessageID(row["message"] as String),
                let reaction = ReactionType(rawValue: row["reaction"])
            else { continue }
            _ = reactions.react(reaction, to: message, by: row["user"])
        }
        return reactions
    }

    private static func shares(_ id: SessionID, _ db: Database) throws -> [ShareToken: Timestamp?] {
        var shares: [ShareToken: Timestamp?] = [:]
        let rows = try Row.fetchCursor(
            db, sql: "SELECT token, expires_at FROM shares WHERE session = ?", arguments: [id.text])
        while let row = try rows.next() {
            guard let token = ShareToken(row["token"] as String) else { continue }
            let expiry: Int64? = row["expires_at"]
            shares.updateValue(expiry.map { Timestamp(milliseconds: UInt64(max(0, $0))) }, forKey: token)
        }
        return shares
    }

    /// Writes what differs.
    static func save(_ before: Engine.Stored?, _ after: Engine.Stored?, _ db: Database) throws {
        guard let after else {
            guard let before else { return }
            return try delete(before.session.id, db)
        }
        if before?.session != after.session { try save(after.session, db) }
        if before?.tree != after.tree { try save(before?.tree, after.tree, db) }
        if before?.reactions != after.reactions { try save(after.reactions, of: after.session.id, db) }
        if before?.shares != after.shares { try save(after.shares, of: after.session.id, db) }
    }

    private static func save(_ session: Session, _ db: Database) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO sessions (id, client, body) VALUES (?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET body = excluded.body
                """
        ).execute(arguments: [session.id.text, session.client, Data(EngineJSON().encode(session))])
    }

    /// A tree only grows, and the path through it moves: whoever is active no more goes first, since one of a group is
    /// active at most.
    private static func save(_ before: MessageTree?, _ after: MessageTree, _ db: Database) throws {
        let before = before ?? MessageTree(session: after.session)
        let moved = after.moved(since: before)
        for id in moved.inactive { try set(false, id, db) }
        for id in after.order.dropFirst(before.order.count) {
            guard let node = after[id] else { continue }
            try insert(node, of: after.session, db)
        }
        for id in moved.active where before[id] != nil { try set(true, id, db) }
    }

    private static func set(_ isActive: Bool, _ id: MessageID, _ db: Database) throws {
        try db.cachedStatement(sql: "UPDATE messages SET is_active = ? WHERE id = ?")
            .execute(arguments: [isActive, id.text])
    }

    private static func insert(_ node: MessageTree.Node, of session: SessionID, _ db: Database) throws {
        let message = Message(
            id: node.id, session: session, parent: node.parent, role: node.role, content: node.content,
            files: node.files, place: .init(index: node.index, isActive: false, isComplete: node.isComplete),
            metadata: node.metadata, createdAt: node.createdAt)
        try db.cachedStatement(
            sql: """
                INSERT INTO messages (
                    id, session, parent, variant_index, is_active, is_hidden_from_user, is_hidden_from_llm, body
                ) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            node.id.text, session.text, node.parent?.text, node.index, node.isActive,
            node.visibility.isHiddenFromUser, node.visibility.isHiddenFromBackend,
            Data(EngineJSON().encode(message)),
        ])
        guard !node.visibility.isHiddenFromUser else { return }
        try db.cachedStatement(sql: "INSERT INTO search (rowid, stems) VALUES (?, ?)")
            .execute(arguments: [db.lastInsertedRowID, stems(of: node.content)])
    }

    private static func save(_ reactions: Reactions, of session: SessionID, _ db: Database) throws {
        try db.execute(
            sql: "DELETE FROM reactions WHERE message IN (SELECT id FROM messages WHERE session = ?)",
            arguments: [session.text])
        for one in reactions.all {
            try db.execute(
                sql: "INSERT INTO reactions (message, user, reaction) VALUES (?, ?, ?)",
                arguments: [one.message.text, one.user, one.reaction.rawValue])
        }
    }

    private static func save(_ shares: [ShareToken: Timestamp?], of session: SessionID, _ db: Database) throws {
        try db.execute(sql: "DELETE FROM shares WHERE session = ?", arguments: [session.text])
        for (token, expiry) in shares {
            try db.execute(
                sql: "INSERT INTO shares (token, session, expires_at) VALUES (?, ?, ?)",
                arguments: [token.text, session.text, expiry.map { Int64(clamping: $0.milliseconds) }])
        }
    }

    private static func delete(_ id: SessionID, _ db: Database) throws {
        try db.execute(
            sql: "DELETE FROM search WHERE rowid IN (SELECT number FROM messages WHERE session = ?)",
            arguments: [id.text])
        try db.execute(sql: "DELETE FROM sessions WHERE id = ?", arguments: [id.text])
    }
}
