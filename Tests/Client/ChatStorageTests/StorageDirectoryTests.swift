import ChatStorage
import StorageTestSupport
import ChatModel
import Foundation
import Testing

/// A directory of the real file system that is gone after the test.
private struct TemporaryDirectory: ~Copyable {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("storage-\(UUID().uuidString)").path

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func mode(_ name: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path + "/" + name)
        return try #require(attributes[.posixPermissions] as? Int)
    }

    func write(_ bytes: some Sequence<UInt8>, to name: String, mode: Int = 0o600) throws -> String {
        let file = path + "/" + name
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        return file
    }
}

@Test func `a real directory is for its owner alone, and a passphrase opens it again (STORE-1)`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/saro"
    let key = try StorageKey.passphrase("correct horse battery staple")
    try DirectoryStorage(path: path, key: key).commit([Record("content", Bytes("a secret plan"))])
    #expect(try directory.mode("saro") == 0o700)
    #expect(try directory.mode("saro/journal") == 0o600)
    #expect(try directory.mode("saro/lock") == 0o600)
    let stored = try Data(contentsOf: URL(fileURLWithPath: path + "/journal"))
    #expect(stored.range(of: Data("secret plan".utf8)) == nil)
    #expect(try DirectoryStorage(path: path, key: key).records == [Record("content", Bytes("a secret plan"))])
    let wrong = try StorageKey.passphrase("correct horse battery stable")
    #expect(throws: StorageError.wrongKey(path: path + "/journal")) { try DirectoryStorage(path: path, key: wrong) }
}

@Test func `one directory is open once, and free again when its storage is gone (STORE-10)`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/saro"
    var first: DirectoryStorage? = try DirectoryStorage(path: path, key: StorageBench.key)
    try first?.commit([Record("a", [1])])
    #expect(throws: StorageError.inUse(path: path)) { try DirectoryStorage(path: path, key: StorageBench.key) }
    first = nil
    #expect(try DirectoryStorage(path: path, key: StorageBench.key).records == [Record("a", [1])])
}

@Test func `a real journal is rewritten and read again (STORE-8)`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/saro"
    var limits = StorageLimits()
    limits.compaction = 4_000
    let block = Bytes([UInt8](repeating: 1, count: 500))
    do {
        let storage = try DirectoryStorage(path: path, key: StorageBench.key, limits: limits)
        for number in 0..<40 { try storage.commit([Record("key \(number % 3)", block)]) }
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: path).sorted() == ["journal", "lock"])
    let storage = try DirectoryStorage(path: path, key: StorageBench.key, limits: limits)
    #expect(storage.records == (0..<3).map { Record("key \($0)", block) })
    #expect(storage.size < 5_000)
}

@Test func `a real torn tail is cut off the file (STORE-5)`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/saro"
    try DirectoryStorage(path: path, key: StorageBench.key).commit([Record("a", [1])])
    let journal = URL(fileURLWithPath: path + "/journal")
    let whole = try Data(contentsOf: journal)
    try (whole + Data([0xE1, 0, 0, 0, 9, 7, 7, 7, 0, 0])).write(to: journal)
    #expect(try DirectoryStorage(path: path, key: StorageBench.key).tornBytes == 10)
    #expect(try Data(contentsOf: journal) == whole)
}

@Test func `paths that cannot be are errors with advice (STORE-10)`() throws {
    let directory = try TemporaryDirectory()
    func refusal(_ path: String) -> String {
        let error = failure { () throws(StorageError) in try DirectoryStorage(path: path, key: StorageBench.key) }
        return error?.description ?? "no error"
    }
    let missing = directory.path + "/no/saro"
    #expect(refusal(missing) == "mkdir \(missing): No such file or directory; create the directory above it first")
    let long = directory.path + "/" + String(repeating: "x", count: 300)
    #expect(refusal(long) == "mkdir \(long): File name too long; choose a shorter path")
    let file = try directory.write([1], to: "file")
    #expect(refusal(file).hasPrefix("open \(file)/lock: Not a directory"))
    // A journal that is a link would let somebody else choose which file is overwritten.
    let linked = directory.path + "/linked"
    try FileManager.default.createDirectory(atPath: linked, withIntermediateDirectories: false)
    try FileManager.default.createSymbolicLink(atPath: linked + "/journal", withDestinationPath: file)
    #expect(refusal(linked).hasPrefix("open \(linked)/journal: "))
}

@Test func `a key file is 32 bytes or 64 digits that only its owner reads (STORE-1)`() throws {
    let directory = try TemporaryDirectory()
    let raw = [UInt8](repeating: 0xA7, count: 32)
    let digits = String(repeating: "a7", count: 32)
    try DirectoryStorage(path: directory.path + "/saro", key: .key(Secret(copying: raw.span))).commit([Record("a", [1])]
    )
    for (name, bytes) in [
        ("raw", raw), ("digits", Array(digits.utf8)), ("line", Array("\(digits.uppercased())\n".utf8)),
        ("windows", Array("\(digits)\r\n".utf8)),
    ] {
        let key = try StorageKey.keyFile(try directory.write(bytes, to: name))
        #expect(try DirectoryStorage(path: directory.path + "/saro", key: key).records == [Record("a", [1])])
    }
    for (name, bytes) in [
        ("short", Array(raw.dropLast())), ("odd", Array(digits.utf8.dropLast())),
        ("letters", Array("g\(digits.dropFirst())".utf8)), ("empty", []),
    ] {
        let file = try directory.write(bytes, to: name)
        guard case .badKey = failure({ () throws(StorageError) in try StorageKey.keyFile(file) }) else {
            Issue.record("\(name) was taken for a key")
            continue
        }
    }
    let large = try directory.write([UInt8](repeating: 1, count: 67), to: "large")
    #expect(throws: StorageError.tooLarge(large, count: 67, limit: 66)) { try StorageKey.keyFile(large) }
    for mode in [0o640, 0o604, 0o620, 0o644] {
        let file = try directory.write(raw, to: "open", mode: mode)
        #expect(throws: StorageError.badKey("others may read or change \(file); run: chmod 600 \(file)")) {
            try StorageKey.keyFile(file)
        }
    }
    guard
        case .system("open", _, errno: 2) = failure({ () throws(StorageError) in
            try StorageKey.keyFile(directory.path + "/none")
        })
    else {
        Issue.record("a key file that is not there was read")
        return
    }
}

@Test func `a passphrase file is one line that only its owner reads (STORE-1)`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/saro"
    try DirectoryStorage(path: path, key: .passphrase("correct horse")).commit([Record("a", [1])])
    for (name, text) in [("bare", "correct horse"), ("line", "correct horse\n"), ("windows", "correct horse\r\n")] {
        let key = try StorageKey.passphraseFile(try directory.write(text.utf8, to: name))
        #expect(try DirectoryStorage(path: path, key: key).records == [Record("a", [1])])
    }
    let lines = try directory.write("correct horse\nbattery\n".utf8, to: "lines")
    #expect(throws: StorageError.badKey("\(lines) has several lines; a passphrase is one")) {
        try StorageKey.passphraseFile(lines)
    }
    let open = try directory.write("correct horse\n".utf8, to: "open", mode: 0o644)
    #expect(throws: StorageError.badKey("others may read or change \(open); run: chmod 600 \(open)")) {
        try StorageKey.passphraseFile(open)
    }
}

@Test func `passphrases of no bytes or too many, and keys of a wrong size are refused (STORE-1)`() {
    #expect(throws: StorageError.badKey("the passphrase is empty; choose another one")) {
        try StorageKey.passphrase("")
    }
    #expect(throws: StorageError.tooLarge("passphrase", count: 1_025, limit: 1_024)) {
        try StorageKey.passphrase(String(repeating: "x", count: 1_025))
    }
    #expect(throws: StorageError.badKey("a key has 32 bytes, not 31")) {
        try StorageKey.key(Secret(copying: [UInt8](repeating: 1, count: 31).span))
    }
}

@Test func `a disk that is really full loses nothing, and with room it goes on (STORE-9)`() throws {
    let directory = try TemporaryDirectory()
    guard unsafe system("mount -t tmpfs -o size=64k tmpfs '\(directory.path)' 2>/dev/null") == 0 else {
        return print("storage: no right to mount a small disk; the full disk was not tried")
    }
    defer { _ = unsafe system("umount '\(directory.path)'") }
    let path = directory.path + "/saro"
    var storage: DirectoryStorage? = try DirectoryStorage(path: path, key: StorageBench.key)
    try storage?.commit([Record("a", [1])])
    let filler = try directory.write([UInt8](repeating: 1, count: 40_000), to: "filler")
    let block = Bytes([UInt8](repeating: 2, count: 30_000))
    guard case .full = failure({ () throws(StorageError) in try storage?.commit([Record("b", block)]) }) else {
        Issue.record("the disk was not full")
        return
    }
    try FileManager.default.removeItem(atPath: filler)
    try storage?.commit([Record("b", block)])
    storage = nil
    #expect(try DirectoryStorage(path: path, key: StorageBench.key).records == [Record("a", [1]), Record("b", block)])
}

@Test func `a directory or journal that others may read is mended before it is used (STORE-10)`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/saro"
    try DirectoryStorage(path: path, key: StorageBench.key).commit([Record("a", [1])])
    let manager = FileManager.default
    for (name, mode, own) in [("saro", 0o755, 0o700), ("saro/journal", 0o644, 0o600), ("saro/lock", 0o666, 0o600)] {
        try manager.setAttributes([.posixPermissions: mode], ofItemAtPath: directory.path + "/" + name)
        #expect(try DirectoryStorage(path: path, key: StorageBench.key).records == [Record("a", [1])])
        #expect(try directory.mode(name) == own, "\(name)")
    }
}

@Test func `a directory, journal or lock of another user is refused with the number of its owner (STORE-10)`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/saro"
    try DirectoryStorage(path: path, key: StorageBench.key).commit([Record("a", [1])])
    let manager = FileManager.default
    for name in ["saro", "saro/journal", "saro/lock"] {
        let file = directory.path + "/" + name
        guard (try? manager.setAttributes([.ownerAccountID: 12_345], ofItemAtPath: file)) != nil else {
            return print("storage: only root may give files away; those of others were not tried")
        }
        defer { try? manager.setAttributes([.ownerAccountID: Int(geteuid())], ofItemAtPath: file) }
        let error = failure { () throws(StorageError) in try DirectoryStorage(path: path, key: StorageBench.key) }
        #expect(error == .foreign(path: file, owner: 12_345))
    }
    #expect(try DirectoryStorage(path: path, key: StorageBench.key).records == [Record("a", [1])])
}
