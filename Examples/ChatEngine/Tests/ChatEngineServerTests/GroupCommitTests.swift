import ChatCrypto
import ChatEngine
import ChatModel
import Foundation
import GRDB
import Testing

@testable import ChatEngineServer

@Suite struct GroupCommitTests {
    @Test func `messages that wait at once share one commit, and each is on disk (CE-37)`() async throws {
        try await StoreBench.run { bench in
            var sessions: [SessionID] = []
            for _ in 0..<16 { sessions.append(try await bench.session()) }
            let commits = CommitCounter(bench.store.pool)
            try await bench.gather(64) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<64 {
                        let session = sessions[number % sessions.count]
                        group.addTask { try await bench.send("\(number)", to: session) }
                    }
                    try await group.waitForAll()
                }
            }
            #expect(commits.count == 1)
            for bench in [bench, try bench.reopened()] {
                var texts: [String] = []
                for session in sessions { texts += try await bench.texts(session) ?? [] }
                #expect(texts.sorted() == (0..<64).map { "\($0)" }.sorted())
            }
        }
    }

    @Test func `one that fails in a group is taken back by itself (CE-37)`() async throws {
        try await StoreBench.run { bench in
            let session = try await bench.session()
            try await bench.send("hi", to: session)
            let stored = try await bench.store.read(.session(session)) { $0.stored(session) }
            let first = try #require(stored)
            let nodes = first.tree.order.compactMap { first.tree[$0] }
            var random: any RandomSource = SystemRandom()
            let other = Session(
                id: SessionID(random: &random), client: "saro", sessionType: first.session.sessionType,
                capabilities: [], createdAt: first.session.createdAt)
            let unknown = SessionID(random: &random)
            let commits = CommitCounter(bench.store.pool)
            try await bench.gather(4) {
                async let one: Void = bench.send("one", to: session)
                // The session's row is written before SQLite refuses a message that another session has.
                async let twice: Void = bench.put(nodes, in: other)
                async let nowhere: Void = bench.send("nobody", to: unknown)
                async let two: Void = bench.send("two", to: session)
                do { try await twice; Issue.record("a message has two sessions") } catch {}
                do { try await nowhere; Issue.record("a session that is not there is written") } catch {}
                _ = try await (one, two)
            }
            #expect(commits.count == 1)
            for bench in [bench, try bench.reopened()] {
                #expect(try await Set(bench.texts(session) ?? []) == ["hi", "one", "two"])
                #expect(try await bench.texts(other.id) == nil)
            }
        }
    }

    @Test func `where SQLite takes back a whole group, the others are stored (CE-37)`() async throws {
        try await StoreBench.run { bench in
            let session = try await bench.session()
            try await bench.store.pool.write { db in
                try db.execute(
                    sql: """
                        CREATE TEMP TRIGGER refuse BEFORE INSERT ON sessions WHEN new.client = 'pax'
                        BEGIN SELECT RAISE (ROLLBACK, 'refused'); END
                        """)
            }
            try await bench.gather(3) {
                async let one: Void = bench.send("one", to: session)
                async let refused = bench.session("pax")
                async let two: Void = bench.send("two", to: session)
                do { _ = try await refused; Issue.record("a refused session is stored") } catch {}
                _ = try await (one, two)
            }
            #expect(try await Set(bench.reopened().texts(session) ?? []) == ["one", "two"])
        }
    }
}
