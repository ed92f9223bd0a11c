import ChatModel
import ChatStorage
import Foundation
import StorageTestSupport
import Testing

/// A directory of the real file system with a storage in it, which is gone after the test.
private final class Place {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("lock-\(UUID().uuidString)").path
    var path: String { directory + "/saro" }
    var journal: String { path + "/journal" }

    init() throws { try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    func open(_ limits: StorageLimits = StorageLimits()) throws(StorageError) -> DirectoryStorage {
        try DirectoryStorage(path: path, key: StorageBench.key, limits: limits)
    }
}

@Test func `a journal is open once, whatever becomes of the file beside it (STORE-12)`() throws {
    let place = try Place()
    var limits = StorageLimits()
    limits.compaction = 2_000
    let storage = try place.open(limits)
    try FileManager.default.removeItem(atPath: place.path + "/lock")
    #expect(throws: StorageError.inUse(path: place.path)) { try place.open() }
    // The journal that takes the old one's place is locked as well.
    for number in 0..<20 { try storage.commit([Record("a", Bytes([UInt8](repeating: UInt8(number), count: 500)))]) }
    try FileManager.default.removeItem(atPath: place.path + "/lock")
    #expect(throws: StorageError.inUse(path: place.path)) { try place.open() }
    try storage.commit([Record("b", [1])])
    #expect(try storage.load().count == 2)
}

@Test func `a directory that is removed, or replaced by another, takes nothing more (STORE-12)`() throws {
    let place = try Place()
    let storage = try place.open()
    try storage.commit([Record("a", [1])])
    try FileManager.default.removeItem(atPath: place.path)
    #expect(throws: StorageError.replaced(path: place.journal)) { try storage.commit([Record("a", [2])]) }
    let other = try place.open()
    try other.commit([Record("b", [3])])
    #expect(throws: StorageError.replaced(path: place.journal)) { try storage.commit([Record("a", [2])]) }
    try other.commit([Record("b", [4])])
    #expect(try storage.load() == [Record("a", [1])])
    #expect(try other.load() == [Record("b", [4])])
}

@Test func `nothing is written behind what another program has written (STORE-12)`() throws {
    let place = try Place()
    let storage = try place.open()
    try storage.commit([Record("a", [1])])
    let file = try #require(FileHandle(forWritingAtPath: place.journal))
    try file.seekToEnd()
    try file.write(contentsOf: Data([0xE1, 0, 0]))
    let before = try Data(contentsOf: URL(fileURLWithPath: place.journal))
    #expect(throws: StorageError.replaced(path: place.journal)) { try storage.commit([Record("a", [2])]) }
    #expect(try Data(contentsOf: URL(fileURLWithPath: place.journal)) == before)
}

@Test(.timeLimit(.minutes(30))) func `a pipe in the place of a file is refused and not waited for (STORE-10)`() throws {
    for name in ["journal", "lock"] {
        let place = try Place()
        try FileManager.default.createDirectory(atPath: place.path, withIntermediateDirectories: true)
        try #require(unsafe mkfifo("\(place.path)/\(name)", 0o600) == 0)
        #expect(throws: StorageError.noFile(path: "\(place.path)/\(name)")) { try place.open() }
    }
}

@Test(.timeLimit(.minutes(30))) func `a key may be a link, or come through a pipe (STORE-1)`() async throws {
    let place = try Place()
    let (key, link, pipe) = (place.directory + "/key", place.directory + "/link", place.directory + "/pipe")
    let digits = Data((String(repeating: "5a", count: 32) + "\n").utf8)
    try digits.write(to: URL(fileURLWithPath: key))
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key)
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: key)
    try DirectoryStorage(path: place.path, key: .keyFile(link)).commit([Record("a", [1])])
    try #require(unsafe mkfifo(pipe, 0o600) == 0)
    Thread.detachNewThread {
        Thread.sleep(forTimeInterval: 0.2)
        FileHandle(forWritingAtPath: pipe)?.write(digits)
    }
    #expect(try DirectoryStorage(path: place.path, key: .keyFile(pipe)).load() == [Record("a", [1])])
    #expect(throws: StorageError.noFile(path: place.directory)) { try StorageKey.keyFile(place.directory) }
}
