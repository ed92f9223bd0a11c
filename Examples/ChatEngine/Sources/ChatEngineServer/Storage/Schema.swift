import GRDB

/// The tables, and how older ones become them.
enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1: sessions, messages, reactions, shares, exports, search") { db in
            // `body` is the JSON of the library's codec; the other columns are what is looked for or changes.
            try db.execute(
                sql: """
                    CREATE TABLE sessions (
                        id TEXT NOT NULL PRIMARY KEY, client TEXT NOT NULL, body BLOB NOT NULL
                    ) WITHOUT ROWID;
                    CREATE INDEX sessions_of_client ON sessions (client);

                    CREATE TABLE messages (
                        number INTEGER PRIMARY KEY AUTOINCREMENT,
                        id TEXT NOT NULL UNIQUE,
                        session TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE,
                        parent TEXT REFERENCES messages (id) ON DELETE CASCADE,
                        variant_index INTEGER NOT NULL,
                        is_active INTEGER NOT NULL,
                        is_hidden_from_user INTEGER NOT NULL,
                        is_hidden_from_llm INTEGER NOT NULL,
                        body BLOB NOT NULL
                    );
                    CREATE INDEX messages_of_session ON messages (session, number);
                    CREATE INDEX messages_of_parent ON messages (parent);
                    CREATE UNIQUE INDEX one_message_at_an_index
                        ON messages (session, IFNULL(parent, ''), variant_index);
                    CREATE UNIQUE INDEX one_active_message
                        ON messages (session, IFNULL(parent, '')) WHERE is_active;

                    CREATE TABLE reactions (
                        message TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
                        user TEXT NOT NULL, reaction TEXT NOT NULL, PRIMARY KEY (message, user)
                    ) WITHOUT ROWID;

                    CREATE TABLE shares (
                        token TEXT NOT NULL PRIMARY KEY,
                        session TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE,
                        expires_at INTEGER
                    ) WITHOUT ROWID;
                    CREATE INDEX shares_of_session ON shares (session);

                    CREATE TABLE exports (
                        token TEXT NOT NULL PRIMARY KEY,
                        session TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE,
                        content_type TEXT NOT NULL, expires_at INTEGER NOT NULL
                    ) WITHOUT ROWID;
                    CREATE INDEX exports_of_session ON exports (session);

                    -- The stems of a message's words, under its number.
                    CREATE VIRTUAL TABLE search USING fts5 (stems, tokenize = 'unicode61 remove_diacritics 0');
                    """)
        }
        migrator.registerMigration("2: the files of exports") { db in
            // Of each file that may be there, also of one whose token is gone or was never committed.
            try db.execute(
                sql: """
                    CREATE TABLE export_files (token TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID;
                    INSERT INTO export_files SELECT token FROM exports;
                    """)
        }
        return migrator
    }
}
