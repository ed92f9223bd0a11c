import ChatCodec
import ChatEngine
import ChatEngineServer
import Foundation
import Testing

@Suite(.serialized) struct ManyTests {
    @Test func `clients that race for one parent get different indexes, and one is active (CE-29)`() async throws {
        try await Bench.run { bench in
            let session = try await bench.session()
            let root = try await bench.send(session, "hi")
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<10 {
                    group.addTask { try await bench.send(session, "\(number)", parent: root.id).isComplete }
                    group.addTask { try await bench.stream("/messages/\(root.id)/recreate").isComplete }
                }
                for try await isComplete in group { #expect(isComplete) }
            }
            let messages = try await bench.messages(session)
            #expect(messages.count == 32)
            for group in Dictionary(grouping: messages, by: \.parent).values {
                #expect(Set(group.compactMap(\.place?.index)).count == group.count)
                #expect(group.count { $0.place?.isActive == true } == 1)
            }
        }
    }

    @Test func `exports stay while other sessions are deleted (CE-35)`() async throws {
        try await Bench.run { bench in
            let kept = try await bench.session()
            _ = try await bench.send(kept, "hi")
            var others: [String] = []
            for _ in 0..<60 { others.append(try await bench.session()) }
            let urls = try await withThrowingTaskGroup(of: String?.self) { group in
                for other in others {
                    group.addTask {
                        let answer = try await bench.call("DELETE", "/sessions/\(other)")
                        #expect(answer.status == 200)
                        return nil
                    }
                    group.addTask {
                        let body = #"{"format":"txt","scope":"all"}"#
                        let answer = try await bench.call("POST", "/sessions/\(kept)/export", body)
                        return try answer.read(SessionExported.self).url
                    }
                }
                return try await group.compactMap { $0 }.reduce(into: []) { $0.append($1) }
            }
            #expect(urls.count == others.count)
            for url in urls { #expect(try await bench.call("GET", url, token: "").status == 200) }
        }
    }

    @Test func `the link of an export goes with its session, and so does the file (CE-35)`() async throws {
        try await Bench.run { bench in
            let (gone, kept) = (try await bench.session(), try await bench.session())
            let body = #"{"format":"json","scope":"all"}"#
            var urls: [String] = []
            for session in [gone, kept] {
                let answer = try await bench.call("POST", "/sessions/\(session)/export", body)
                urls.append(try answer.read(SessionExported.self).url)
            }
            for url in urls { #expect(try await bench.call("GET", url, token: "").status == 200) }
            #expect(try await bench.call("DELETE", "/sessions/\(gone)").status == 200)
            let answer = try await bench.call("GET", urls[0], token: "")
            #expect(answer.status == 404 && answer.code == "SESSION_NOT_FOUND")
            #expect(try await bench.call("GET", urls[1], token: "").status == 200)
            func files() throws -> [String] {
                try FileManager.default.contentsOfDirectory(atPath: bench.folder + "/engine.sqlite.exports")
            }
            while try files().count > 1 { try await Task.sleep(for: .milliseconds(10)) }
            #expect(try files() == [String(urls[1].split(separator: "/").last ?? "")])
        }
    }

    @Test func `200 streams at once come to their ends`() async throws {
        let pieces = (0..<5).flatMap {
            [FakeBackend.Piece.text(FakeBackend.chunk("\($0)")), .wait(.milliseconds(200))]
        }
        let script = FakeBackend.Script(pieces: pieces + [.text(FakeBackend.complete)])
        try await Bench.run(FakeBackend { $0.kind == .messageNew ? script : nil }) { bench in
            try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<200 {
                    group.addTask {
                        let sent = try await bench.send(try await bench.session(), "hi")
                        return sent.isComplete ? sent.text : nil
                    }
                }
                for try await text in group { #expect(text == "01234") }
            }
        }
    }

    @Test func `what was stored is there after a restart, and an engine that stops ends its streams`() async throws {
        let folder = NSTemporaryDirectory() + "chat-engine-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let kept = Kept()
        let script = FakeBackend.Script(pieces: [.text(FakeBackend.chunk("half")), .wait(.seconds(60))])
        try await Bench.run(FakeBackend { $0.kind == .messageRecreate ? script : nil }, folder: folder) { bench in
            let session = try await bench.session()
            let sent = try await bench.send(session, "hi")
            await kept.keep(session, sent.id)
            async let cut = bench.stream("/messages/\(sent.id)/recreate")
            while bench.backend.webhooks(.messageRecreate).isEmpty { try await Task.sleep(for: .milliseconds(10)) }
            try await Task.sleep(for: .milliseconds(200))
            await bench.server.stop()
            #expect(try await cut.error == .internalError)
        }
        try await Bench.run(folder: folder) { bench in
            let messages = try await bench.messages(kept.session)
            #expect(messages.map { $0.content.map(\.content) } == [["hi"], ["hello"], ["half"]])
            #expect(messages.map(\.place?.isComplete) == [true, true, false])
            #expect(messages.map(\.place?.isActive) == [true, true, false])
            #expect(try await bench.call("GET", "/search?query=half").json["total"]?.int == 1)
        }
    }
}

private actor Kept {
    private(set) var session = ""
    private(set) var message = ""

    func keep(_ session: String, _ message: String) { (self.session, self.message) = (session, message) }
}
