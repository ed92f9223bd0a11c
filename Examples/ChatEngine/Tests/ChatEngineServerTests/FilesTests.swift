import ChatEngine
import Foundation
import GRDB
import Logging
import NIOCore
import Testing

@testable import ChatEngineServer

/// What an engine does to files: its own, and those of others.
@Suite struct FilesTests {
    private let folder = NSTemporaryDirectory() + "chat-engine-files-\(UUID())"

    private func makeFolder() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    private func exports(of name: String) throws -> Exports {
        let types = try SessionTypes(parsing: Array(#"{"session_types":[]}"#.utf8).span)
        return Exports(
            folder: folder,
            store: try Store(path: "\(folder)/\(name).sqlite", types: types, logger: .init(label: "test")))
    }

    @Test func `a folder of exports may have other files, which stay`() async throws {
        try makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let names = ["thesis.txt", String(repeating: "a", count: 43), "photos"]
        for name in names.prefix(2) {
            _ = FileManager.default.createFile(atPath: "\(folder)/\(name)", contents: Data([1]))
        }
        try FileManager.default.createDirectory(atPath: "\(folder)/photos", withIntermediateDirectories: true)
        let exports = try exports(of: "engine")
        // Of an export that a crash cut off.
        let token = String(repeating: "b", count: 43)
        try await exports.store.pool.write { db in
            try db.execute(sql: "INSERT INTO export_files (token) VALUES (?)", arguments: [token])
        }
        for name in [token, token + ".unfinished"] {
            _ = FileManager.default.createFile(atPath: "\(folder)/\(name)", contents: Data([1]))
        }
        try await exports.clean(at: now())
        let left = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(Set(names).isSubset(of: left) && left.contains("engine.sqlite"))
        #expect(!left.contains { $0.hasPrefix(token) })
    }

    @Test func `a database has one engine, whatever name it is opened by`() throws {
        try makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let first = try Files.lock(folder + "/engine.sqlite")
        try FileManager.default.createSymbolicLink(
            atPath: folder + "/soft.sqlite", withDestinationPath: folder + "/engine.sqlite")
        try FileManager.default.linkItem(atPath: folder + "/engine.sqlite", toPath: folder + "/hard.sqlite")
        for name in ["engine", "soft", "hard"] {
            #expect(throws: StartError.self, "\(name)") { try Files.lock("\(folder)/\(name).sqlite") }
        }
        try first.close()
        _ = try Files.lock(folder + "/hard.sqlite")
    }

    @Test func `what a disk does not take is told to whoever writes it`() throws {
        let id = try #require(
            MessageID("gts.hyperspot.chat_engine.entities.message.v1~11111111-1111-4111-8111-111111111111"))
        let journal = Journal(
            folder: folder + "/nowhere", reply: id, .init(session: "s", parent: "p", purpose: "answer"))
        #expect(throws: (any Error).self) { try journal.append(ByteBuffer(string: "{}\n")) }
    }
}
