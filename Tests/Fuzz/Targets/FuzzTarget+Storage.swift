import ChatClient
import ChatModel
import Foundation
import ChatStorage

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
            },
            try journals(key),
        ]
    }

    private static func journal(_ key: StorageKey) throws -> [UInt8] {
        try states(key, [[Record("a", [1, 2, 3]), Record("b", [4])], [Record("a", nil), Record("b", [5, 6])]]).last
            ?? []
    }

    /// The bytes of a new journal, and those after each of some transactions.
    private static func states(_ key: StorageKey, _ transactions: [[Record]]) throws -> [[UInt8]] {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: directory) }
        let storage = try DirectoryStorage(path: directory.path, key: key)
        let file = directory.appendingPathComponent("journal")
        return try [[UInt8](try Data(contentsOf: file))]
            + transactions.map { records in
                try storage.commit(records)
                return [UInt8](try Data(contentsOf: file))
            }
    }

    /// A journal put together anew from its own entries and those of another one with the same key, with entries gone,
    /// twice, in another order, cut or zeroed: it is refused, or is what it was after one of its transactions.
    private static func journals(_ key: StorageKey) throws -> FuzzTarget {
        let transactions: [[Record]] = [
            [Record("a", [1, 2, 3]), Record("b", [4])], [Record("a", nil)],
            [Record("c", Bytes(Array(repeating: 7, count: 900)))],
            [Record("b", [5, 6]), Record("c", nil), Record("d", [])], [Record("a", [8])],
        ]
        let journals = [try states(key, transactions), try states(key, transactions.reversed())]
        // What each transaction added to the file; the header comes first.
        let pieces = journals.map { states in
            zip([[]] + states, states).map { before, after in Array(after.dropFirst(before.count)) }
        }
        let known = try journals[0].map { try DirectoryStorage.records(of: $0, key: key) }
        return generated("journals", inputs: 200) { choices, _ in
            var order = Array(0..<pieces[0].count).map { (journal: 0, entry: $0) }
            for _ in 0..<choices.below(3) where order.count > 1 {
                let (from, to) = (choices.below(order.count), choices.below(order.count))
                switch choices.below(4) {
                case 0: order.remove(at: from)
                case 1: order.insert(order[from], at: to)
                case 2: order.swapAt(from, to)
                default: order[from].journal = 1
                }
            }
            var bytes = order.flatMap { pieces[$0.journal][$0.entry] }
            switch choices.below(5) {
            case 0: bytes.removeLast(choices.below(bytes.count))
            case 1: bytes += [UInt8](repeating: 0, count: choices.below(2_000))
            case 2:
                let start = choices.below(bytes.count) & ~511
                for place in start..<min(start + 512, bytes.count) { bytes[place] = 0 }
            case 3: bytes[choices.below(bytes.count)] ^= 1 << (choices.byte() & 7)
            default: break
            }
            guard let records = try? DirectoryStorage.records(of: bytes, key: key) else { return }
            let isOther = order.first?.journal == 1
            try demand(isOther || known.contains(records), "records that no transaction left: \(records.map(\.key))")
        }
    }
}
