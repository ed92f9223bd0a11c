import ChatCrypto
import ChatEngine
import ChatModel
import Foundation
import GRDB
import Testing

@testable import ChatEngineServer

/// The database finds what the library's own search finds, whose engine reads every message.
@Suite struct SearchTests {
    private static let words = [
        "race", "races", "racing", "Zebra", "straße", "naïve", "oyster", "oysters", "sand", "w7", "日本", "kings",
    ]

    @Test func `pages of hits are those of the library (CE-13)`() async throws {
        try await StoreBench.run { bench in
            var random = RepeatableRandom(seed: 12)
            var sessions: [SessionID] = []
            for _ in 0..<8 { sessions.append(try await fill(bench, 20, &random)) }
            for query in ["race", "oyster sand", "ZEBRA", "naïve kings w7", "日本", "\"sand\" OR *", "absent", "--"] {
                let expected = try await expected(query, sessions, bench)
                for session in sessions {
                    let found = try await pages(query, 7) { try await bench.store.search($0, in: session) }
                    #expect(Set(found.hits) == expected[session] ?? [] && found.hits.count == found.total, "\(query)")
                }
                let found = try await pages(query, 3) { query in
                    let page = try await bench.store.search(query, by: "saro")
                    return (page.results, page.total)
                }
                #expect(found.hits.count == expected.count && found.total == expected.count, "\(query)")
                for hit in found.hits {
                    #expect(hit.messages.count == expected[hit.session]?.count, "\(query)")
                    #expect(Set(hit.messages) == expected[hit.session], "\(query)")
                }
            }
        }
    }

    /// All pages of a search, one after another.
    private func pages<Hit>(
        _ query: String, _ limit: Int, _ search: (SearchQuery) async throws -> (hits: [Hit], total: Int)
    ) async throws -> (hits: [Hit], total: Int) {
        var (hits, total) = ([Hit](), 0)
        repeat {
            let page = try await search(SearchQuery(query, limit: limit, offset: hits.count))
            guard !page.hits.isEmpty else { break }
            hits += page.hits
            total = page.total
        } while hits.count < total
        return (hits, total)
    }

    private func pages(
        _ query: String, _ limit: Int, _ search: (SearchQuery) async throws -> SearchResults
    ) async throws -> (hits: [SearchHit], total: Int) {
        try await pages(query, limit) { query in
            let page = try await search(query)
            return (page.results, page.total)
        }
    }

    /// What the library finds in each session.
    private func expected(
        _ query: String, _ sessions: [SessionID], _ bench: StoreBench
    ) async throws -> [SessionID: Set<SearchHit>] {
        var expected: [SessionID: Set<SearchHit>] = [:]
        for session in sessions {
            let hits = try await bench.store.read(.session(session)) { engine throws(ErrorBody) in
                Search(query).hits(in: try engine.messages(of: session, by: "saro").messages)
            }
            if !hits.isEmpty { expected[session] = Set(hits) }
        }
        return expected
    }

    /// A session with messages of seeded words, some of them hidden.
    private func fill(_ bench: StoreBench, _ count: Int, _ random: inout RepeatableRandom) async throws -> SessionID {
        let id = try await bench.session()
        let session = try await bench.store.read(.session(id)) { $0.stored(id)?.session }
        var nodes: [MessageTree.Node] = []
        var ids: any RandomSource = SystemRandom()
        for place in 0..<count {
            let said = (0..<Int.random(in: 1...30, using: &random)).map { _ in
                Self.words.randomElement(using: &random) ?? ""
            }
            nodes.append(
                MessageTree.Node(
                    id: MessageID(random: &ids), parent: nodes.last?.id, role: place % 2 == 0 ? .user : .assistant,
                    content: [.text(said.joined(separator: place % 3 == 0 ? ", " : " "))], index: 0,
                    visibility: Visibility(isHiddenFromUser: place % 9 == 8),
                    createdAt: DateTime(Timestamp(milliseconds: 1_771_000_000_000)), isActive: true))
        }
        try await bench.put(nodes, in: #require(session))
        return id
    }
}
