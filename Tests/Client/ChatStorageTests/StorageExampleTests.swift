import ChatStorage
import ChatModel
import Foundation
import StorageTestSupport
import TestSupport
import Testing

@Test func `the worked example of the specification is what is written and read (STORE-3)`() throws {
    let document = try String(
        contentsOf: Vectors.packageRoot.appendingPathComponent("Specs/storage.md"), encoding: .utf8)
    // The bytes stand in the block behind "Worked example", each line beginning with its offset.
    let lines = document.components(separatedBy: "## Worked example").last?.split(separator: "\n") ?? []
    let expected = lines.filter { $0.hasPrefix("    ") }.flatMap { line in
        [UInt8](hex: line.trimmingCharacters(in: .whitespaces).components(separatedBy: "  ")[1])
    }
    let key = try StorageKey.key(Secret(copying: [UInt8](0..<32).span))
    let random = ScriptedRandom([
        (.identifier, [UInt8](0x80..<0x90)), (.nonce, [UInt8](0x40..<0x58)),
    ])
    let files = FaultyFiles()
    let storage = try DirectoryStorage(
        path: StorageBench.path, key: key, limits: StorageLimits(), files: files, random: random)
    let changes = [Record("greeting", Bytes("Hello Raya")), Record("draft", nil)]
    try storage.commit(changes)
    #expect(try #require(files.content(StorageBench.journal)).hex == expected.hex)
    #expect(try DirectoryStorage.records(of: expected, key: key) == [changes[0]])
}
