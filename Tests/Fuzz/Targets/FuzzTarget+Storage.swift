import ChatClient
import ChatModel
import Foundation

extension FuzzTarget {
    /// The journal of a storage directory.
    static func storage() throws -> [FuzzTarget] {
        let key = try StorageKey.key(Secret(copying: [UInt8](repeating: 7, count: 32).span))
        return [
            FuzzTarget("journal", seeds: [try journal(key)]) { bytes in
                guard let records = try? DirectoryStorage.records(of: bytes, key: key) else { return false }
                // Whoever has no key can cut a journal short, and nothing else.
                try demand(records.count <= 2 && records.allSatisfy { $0.key == "a" || $0.key == "b" }, "\(records)")
                return true
            }
        ]
    }

    private static func journal(_ key: StorageKey) throws -> [UInt8] {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: directory) }
        let storage = try DirectoryStorage(path: directory.path, key: key)
        try storage.commit([Record("a", [1, 2, 3]), Record("b", [4])])
        try storage.commit([Record("a", nil), Record("b", [5, 6])])
        return [UInt8](try Data(contentsOf: directory.appendingPathComponent("journal")))
    }
}
