package import ChatStorage
import ChatCrypto
package import ChatModel
import TestSupport
import Testing

/// A directory on faulty files, opened and opened again with one key.
package struct StorageBench {
    package static let path = "/saro"
    package static let journal = path + "/journal"
    package let files = FaultyFiles()
    package var limits: StorageLimits
    package var seed: UInt64

    package static let key = makeKey(7)

    /// Fresh files.
    package init(limits: StorageLimits = StorageLimits(), seed: UInt64 = 1) {
        (self.limits, self.seed) = (limits, seed)
    }

    package static func makeKey(_ byte: UInt8) -> StorageKey {
        do { return try .key(Secret(copying: [UInt8](repeating: byte, count: 32).span)) } catch {
            Issue.record(error)
            fatalError("a key of 32 bytes")
        }
    }

    package func open(_ key: StorageKey = Self.key) throws(StorageError) -> DirectoryStorage {
        try DirectoryStorage(
            path: Self.path, key: key, limits: limits, files: files, random: SeededRandom(seed))
    }

    /// The journal that some transactions leave, and where each of its entries ends.
    package func journal(of transactions: [[Record]]) throws -> (bytes: [UInt8], ends: [Int]) {
        let storage = try open()
        var ends = [storage.size]
        for transaction in transactions {
            try storage.commit(transaction)
            ends.append(storage.size)
        }
        return (try #require(files.content(Self.journal)), ends)
    }

    /// Opens a journal of the given bytes on fresh files.
    package static func open(_ journal: [UInt8], _ key: StorageKey = Self.key) throws(StorageError) -> DirectoryStorage
    {
        let bench = StorageBench()
        bench.files.put(journal, at: Self.journal)
        return try bench.open(key)
    }

    /// Three transactions: a set, two sets, and a set with a removal.
    package static let three = [
        [Record("a", [1])], [Record("b", [2, 2]), Record("c", [])], [Record("a", nil), Record("d", [4])],
    ]

    /// What a number of those transactions leave.
    package static func state(after count: Int) -> [Record] {
        let memory = InMemoryStorage()
        do { for transaction in three.prefix(count) { try memory.commit(transaction) } } catch { Issue.record(error) }
        return memory.records
    }
}

extension Storage {
    /// The records, or an issue.
    package var records: [Record] {
        do { return try load() } catch {
            Issue.record(error)
            return []
        }
    }
}

/// The error of a closure, or an issue.
package func failure<R: ~Copyable>(_ body: () throws(StorageError) -> R) -> StorageError? {
    do {
        _ = try body()
        return nil
    } catch {
        return error
    }
}

/// The checksum of a journal's header, so that a test may change fields before it.
package func journalChecksum(_ journal: [UInt8]) -> [UInt8] {
    BLAKE2b.hash(count: 16, Array(journal[..<66]))
}
