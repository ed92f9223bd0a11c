import ChatStorage
import ChatModel
import StorageTestSupport
import TestSupport
import Testing

private let key = StorageBench.key

@Test func `what was committed is there after a restart, and each commit is flushed once (STORE-7)`() throws {
    let bench = StorageBench()
    do {
        let storage = try bench.open()
        let before = bench.files.syncs
        for transaction in StorageBench.three { try storage.commit(transaction) }
        #expect(bench.files.syncs == before + 3)
    }
    bench.files.restart(losing: .everything)
    let storage = try bench.open()
    #expect(storage.records == [Record("b", [2, 2]), Record("c", []), Record("d", [4])])
    #expect(storage.tornBytes == 0)
}

@Test func `an empty commit writes nothing`() throws {
    let bench = StorageBench()
    let storage = try bench.open()
    let operations = bench.files.operations
    try storage.commit([])
    #expect(bench.files.operations == operations)
}

@Test func `a last entry cut at any byte, with or without zeros behind, is a tear (STORE-5)`() throws {
    let (bytes, ends) = try StorageBench().journal(of: StorageBench.three)
    for cut in ends[2]..<ends[3] {
        for zeros in [0, 1, 40, 700] {
            let journal = Array(bytes[..<cut]) + [UInt8](repeating: 0, count: zeros)
            let storage = try StorageBench.open(journal)
            #expect(storage.records == StorageBench.state(after: 2), "cut at \(cut)")
            #expect(storage.tornBytes == cut - ends[2] + zeros)
            #expect(storage.size == ends[2])
            try storage.commit([Record("z", [9])])
            #expect(storage.records == StorageBench.state(after: 2) + [Record("z", [9])])
        }
    }
    #expect(try StorageBench.open(bytes + [0, 0, 0]).records == StorageBench.state(after: 3))
}

@Test func `after a tear the next commit survives a restart (STORE-5)`() throws {
    let (bytes, ends) = try StorageBench().journal(of: StorageBench.three)
    let bench = StorageBench()
    bench.files.put(Array(bytes[..<(ends[3] - 5)]), at: StorageBench.journal)
    try bench.open().commit([Record("z", [9])])
    bench.files.restart(losing: .everything)
    #expect(try bench.open().records == StorageBench.state(after: 2) + [Record("z", [9])])
}

@Test func `a last entry that lacks sectors is a tear, but not an earlier one (STORE-5)`() throws {
    let large = [Record("large", Bytes([UInt8](repeating: 7, count: 3_000)))]
    let (bytes, ends) = try StorageBench().journal(of: [StorageBench.three[0], large, StorageBench.three[1]])
    for sector in ends[1] / 512...ends[2] / 512 {
        var holed = bytes
        for index in max(ends[1], sector * 512)..<min(ends[2], sector * 512 + 512) { holed[index] = 0 }
        #expect(try StorageBench.open(Array(holed[..<ends[2]])).records == StorageBench.state(after: 1))
        guard
            case .tampered(_, _, at: ends[1]) = failure({ () throws(StorageError) in
                try StorageBench.open(holed)
            })
        else {
            Issue.record("sector \(sector) of an entry that is not the last was taken for a tear")
            continue
        }
    }
}

@Test func `a flipped bit at any byte is refused and says where (STORE-6)`() throws {
    let (bytes, ends) = try StorageBench().journal(of: StorageBench.three)
    for index in bytes.indices {
        for bit in 0..<8 {
            var flipped = bytes
            flipped[index] ^= 1 << UInt8(bit)
            let error = failure { () throws(StorageError) in try StorageBench.open(flipped) }
            guard index >= ends[0] else {
                switch (index, error) {
                case (..<8, .notAJournal), (8, .unsupportedVersion), (9..., .tampered("the header", _, at: 0)): break
                default: Issue.record("byte \(index) of the header: \(String(describing: error))")
                }
                continue
            }
            let entry = ends.lastIndex { $0 <= index } ?? 0
            let expected = StorageError.tampered("entry \(entry)", path: StorageBench.journal, at: ends[entry])
            #expect(error == expected, "bit \(bit) of byte \(index)")
        }
    }
}

@Test func `entries swapped, repeated or removed from the middle are refused (STORE-6)`() throws {
    let (bytes, ends) = try StorageBench().journal(of: StorageBench.three)
    let header = Array(bytes[..<ends[0]])
    let entries = (0..<3).map { Array(bytes[ends[$0]..<ends[$0 + 1]]) }
    func refusal(_ order: [Int]) -> StorageError? {
        failure { () throws(StorageError) in try StorageBench.open(header + order.flatMap { entries[$0] }) }
    }
    func tampered(_ entry: Int, at offset: Int) -> StorageError {
        .tampered("entry \(entry)", path: StorageBench.journal, at: offset)
    }
    #expect(refusal([0, 1, 2]) == nil)
    #expect(refusal([0, 2, 1]) == tampered(1, at: ends[1]))
    #expect(refusal([1, 0, 2]) == tampered(0, at: ends[0]))
    #expect(refusal([0, 0, 1, 2]) == tampered(1, at: ends[1]))
    #expect(refusal([0, 2]) == tampered(1, at: ends[1]))
    #expect(refusal([1, 2]) == tampered(0, at: ends[0]))
    #expect(refusal([0, 1, 2, 2]) == tampered(3, at: ends[3]))
    // A later entry that is cut is no tear of the one that is missing.
    let cut = header + entries[0] + entries[2].dropLast(3)
    #expect(failure({ () throws(StorageError) in try StorageBench.open(cut) }) == tampered(1, at: ends[1]))
}

@Test func `an entry of another journal of the same key is refused (STORE-1)`() throws {
    let (bytes, ends) = try StorageBench().journal(of: StorageBench.three)
    let (other, _) = try StorageBench(seed: 2).journal(of: StorageBench.three)
    let mixed = Array(bytes[..<ends[1]]) + Array(other[ends[1]...])
    let error = failure { () throws(StorageError) in try StorageBench.open(mixed) }
    #expect(error == .tampered("entry 1", path: StorageBench.journal, at: ends[1]))
}

@Test func `a wrong key or passphrase is an error of its own and changes nothing (STORE-2)`() throws {
    let cost = PassphraseCost(operations: 1, memory: 8)
    func passphrase(_ text: String) throws -> StorageKey {
        try .passphrase(Secret(copying: Array(text.utf8).span), cost: cost)
    }
    let bench = StorageBench()
    let right = try passphrase("correct horse")
    try bench.open(right).commit(StorageBench.three[0])
    let bytes = try #require(bench.files.content(StorageBench.journal))
    let wrong = try passphrase("correct house")
    #expect(throws: StorageError.wrongKey(path: StorageBench.journal)) { try bench.open(wrong) }
    guard case .badKey = failure({ () throws(StorageError) in try bench.open() }) else {
        Issue.record("a key opened what a passphrase closed")
        return
    }
    #expect(bench.files.content(StorageBench.journal) == bytes)
    #expect(try bench.open(right).records == StorageBench.state(after: 1))

    let keyed = try StorageBench().journal(of: StorageBench.three).bytes
    let other = StorageBench.makeKey(8)
    #expect(throws: StorageError.wrongKey(path: StorageBench.journal)) { try StorageBench.open(keyed, other) }
    guard case .badKey = failure({ () throws(StorageError) in try StorageBench.open(keyed, right) }) else {
        Issue.record("a passphrase opened what a key closed")
        return
    }
}

@Test func `an unknown version and what is no journal are told apart (STORE-2)`() throws {
    let (bytes, _) = try StorageBench().journal(of: [])
    var later = bytes
    later[8] = 2
    #expect(throws: StorageError.unsupportedVersion(2, path: StorageBench.journal)) { try StorageBench.open(later) }
    for size in 0..<82 {
        let error = failure { () throws(StorageError) in try StorageBench.open(Array(bytes[..<size])) }
        guard case (8, .unsupportedVersion) = (size, error) else {
            guard case .notAJournal = error else {
                Issue.record("\(size) bytes of a header: \(String(describing: error))")
                continue
            }
            continue
        }
    }
}

@Test func `a header that asks for more work than a passphrase may cost is refused (STORE-2)`() throws {
    for (cost, name) in [
        (PassphraseCost(operations: 11, memory: 8), "passes over a passphrase"),
        (PassphraseCost(operations: 1, memory: 1 << 20 + 1), "KiB for a passphrase"),
    ] {
        // The same checks on the way out would hide those on the way in, so the cost is put in by hand.
        var (bytes, _) = try StorageBench().journal(of: [])
        bytes[9] = 1
        for index in 0..<4 {
            bytes[10 + index] = UInt8(truncatingIfNeeded: cost.operations >> (24 - 8 * UInt32(index)))
            bytes[14 + index] = UInt8(truncatingIfNeeded: cost.memory >> (24 - 8 * UInt32(index)))
        }
        bytes.replaceSubrange(66..<82, with: journalChecksum(bytes))
        let key = try StorageKey.passphrase("x")
        guard
            case .tooLarge(name, _, _) = failure({ () throws(StorageError) in
                try StorageBench.open(bytes, key)
            })
        else {
            Issue.record("\(cost) was accepted")
            continue
        }
    }
}

@Test func `keys, transactions and all records together are bounded (STORE-8)`() throws {
    var bench = StorageBench()
    (bench.limits.transaction, bench.limits.live) = (200, 300)
    let storage = try bench.open()
    let longKey = String(repeating: "k", count: 1_025)
    #expect(throws: StorageError.tooLarge("a record's key", count: 1_025, limit: 1_024)) {
        try storage.commit([Record(longKey, nil)])
    }
    let block = Bytes([UInt8](repeating: 1, count: 100))
    #expect(throws: StorageError.tooLarge("a transaction's bytes", count: 216, limit: 200)) {
        try storage.commit([Record("a", block), Record("b", block)])
    }
    try storage.commit([Record("a", block)])
    try storage.commit([Record("b", block)])
    #expect(throws: StorageError.tooLarge("the bytes of all records", count: 324, limit: 300)) {
        try storage.commit([Record("c", block)])
    }
    try storage.commit([Record("a", nil), Record("c", block)])
    #expect(storage.records.map(\.key) == ["b", "c"])
}

@Test func `two hundred thousand hostile journals are read or refused (STORE-6)`() throws {
    let valid = try [StorageBench.three.dropLast(), [StorageBench.three[0]], []].map {
        try StorageBench().journal(of: Array($0)).bytes
    }
    var inputs = HostileInputs(seed: 11, valid: valid, longest: 100)
    var read = 0
    inputs.forEach { bytes in
        guard failure({ () throws(StorageError) in try DirectoryStorage.records(of: bytes, key: key) }) == nil else {
            return
        }
        read += 1
    }
    #expect(read > 0)
}

@Test func `two hundred thousand hostile transactions are read or refused (STORE-4)`() {
    let valid = StorageBench.three.map { transaction in
        var bytes: [UInt8] = []
        Transaction.write(transaction, to: &bytes)
        return bytes
    }
    var inputs = HostileInputs(seed: 12, valid: valid)
    var read = 0
    inputs.forEach { bytes in
        guard let changes = Transaction.read(bytes.span) else { return }
        read += 1
        var again: [UInt8] = []
        Transaction.write(changes, to: &again)
        #expect(again == bytes)
    }
    #expect(read > 0)
}
