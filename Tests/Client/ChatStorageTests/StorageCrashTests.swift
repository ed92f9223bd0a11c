import ChatStorage
import ChatModel
import StorageTestSupport
import TestSupport
import Testing

/// Transactions of changing size on few keys, so that the journal is rewritten several times.
private func transactions(_ count: Int, seed: UInt64) -> [[Record]] {
    var random = SplitMix64(seed: seed)
    return (0..<count).map { number in
        (0...random.below(3)).map { _ in
            let key = "key \(random.below(6))"
            guard random.below(4) > 0 else { return Record(key, nil) }
            let size = random.below(random.below(5) == 0 ? 1_200 : 60)
            return Record(key, Bytes([UInt8](repeating: UInt8(number), count: size)))
        }
    }
}

private func bench() -> StorageBench {
    var bench = StorageBench()
    bench.limits.compaction = 1_000
    return bench
}

/// Commits transactions until one fails; says how many were reported as durable.
private func run(_ transactions: [[Record]], on bench: StorageBench) -> Int {
    guard let storage = try? bench.open() else { return 0 }
    for (number, transaction) in transactions.enumerated() {
        guard (try? storage.commit(transaction)) != nil else { return number }
    }
    return transactions.count
}

private func state(after transactions: some Sequence<[Record]>) -> [Record] {
    let memory = InMemoryStorage()
    for transaction in transactions { try? memory.commit(transaction) }
    return memory.records
}

@Test(arguments: FaultyFiles.Loss.allCases)
func `a crash at any operation loses no committed transaction and leaves no half (STORE-7)`(
    loss: FaultyFiles.Loss
) throws {
    let all = transactions(24, seed: 3)
    let quiet = bench()
    #expect(run(all, on: quiet) == all.count)
    #expect(quiet.files.renames > 3)
    let operations = quiet.files.operations
    for operation in 0..<operations {
        for seed in 0..<(loss == .everything || loss == .nothing ? 1 : 3) as Range<UInt64> {
            let bench = bench()
            bench.files.plan(.crashes, at: operation)
            let done = run(all, on: bench)
            try #require(bench.files.hasCrashed || operation == operations - 1)
            bench.files.restart(losing: loss, seed: seed)
            let storage = try bench.open()
            let acceptable = [state(after: all.prefix(done)), state(after: all.prefix(done + 1))]
            #expect(acceptable.contains(storage.records), "operation \(operation), \(loss) \(seed)")
            // It goes on as if nothing had happened.
            let next = storage.records
            try storage.commit([Record("after", [1])])
            #expect(storage.records == state(after: [next, [Record("after", [1])]]))
        }
    }
}

@Test(arguments: [FaultyFiles.Fault.fails(5), .fails(28), .failsLate(5), .fallsShort])
func `a system call that fails is an error, and the next commit works (STORE-9)`(fault: FaultyFiles.Fault) throws {
    let all = transactions(24, seed: 4)
    let quiet = bench()
    #expect(run(all, on: quiet) == all.count)
    for operation in 0..<quiet.files.operations {
        let bench = bench()
        bench.files.plan(fault, at: operation)
        var failures = 0
        var storage = try? bench.open()
        if storage == nil {
            failures += 1
            storage = try bench.open()
        }
        let open = try #require(storage)
        var done: [[Record]] = []
        for transaction in all {
            do {
                try open.commit(transaction)
                done.append(transaction)
            } catch { failures += 1 }
            #expect(open.records == state(after: done), "operation \(operation)")
        }
        #expect(failures <= 1, "operation \(operation)")
        // The very last operation may have been the one to fall short.
        if failure({ () throws(StorageError) in try open.commit([Record("last", [1])]) }) != nil {
            try open.commit([Record("last", [1])])
        }
        // A name that was given without being durable may be there or not.
        bench.files.restart(losing: operation % 2 == 0 ? .everything : .nothing)
        let last = [[Record("last", [1])]]
        #expect(try bench.open().records == state(after: done + last), "operation \(operation)")
    }
}

@Test func `after a failed flush the journal is rewritten before a commit counts (STORE-9)`() throws {
    let bench = StorageBench()
    let storage = try bench.open()
    try storage.commit([Record("a", [1])])
    // The write, then the flush.
    bench.files.plan(.fails(5), at: bench.files.operations + 1)
    guard
        case .system("fdatasync", _, errno: 5) = failure({ () throws(StorageError) in
            try storage.commit([Record("b", [2])])
        })
    else {
        Issue.record("a failed flush was not reported")
        return
    }
    #expect(storage.records == [Record("a", [1])])
    let renames = bench.files.renames
    try storage.commit([Record("c", [3])])
    #expect(bench.files.renames == renames + 1)
    bench.files.restart(losing: .everything)
    #expect(try bench.open().records == [Record("a", [1]), Record("c", [3])])
}

@Test func `a full disk is an error of its own, nothing is lost, and with room it goes on (STORE-9)`() throws {
    let bench = StorageBench()
    let storage = try bench.open()
    try storage.commit([Record("a", [1])])
    let size = storage.size
    for room in size...size + 400 {
        bench.files.setRoom(room)
        let error = failure { () throws(StorageError) in
            try storage.commit([Record("b", Bytes([UInt8](repeating: 2, count: 400)))])
        }
        guard case .full = error else {
            Issue.record("room for \(room) bytes: \(String(describing: error))")
            return
        }
        #expect(bench.files.content(StorageBench.journal)?.count == size)
    }
    bench.files.setRoom(.max)
    try storage.commit([Record("b", [2])])
    bench.files.restart(losing: .everything)
    #expect(try bench.open().records == [Record("a", [1]), Record("b", [2])])
}

@Test func `a journal grows to twice what it holds and is then rewritten (STORE-8)`() throws {
    let bench = bench()
    let storage = try bench.open()
    var largest = 0
    for number in 0..<400 {
        try storage.commit([Record("key \(number % 5)", Bytes([UInt8](repeating: 1, count: 400)))])
        largest = max(largest, storage.size)
    }
    // Twice five records of 400 bytes with what goes with them, and one entry more.
    #expect((4_000...5_000).contains(largest))
    bench.files.restart(losing: .everything)
    #expect(try bench.open().records.count == 5)
}

@Test func `what a crash left of a rewriting is removed (STORE-8)`() throws {
    let bench = StorageBench()
    try bench.open().commit([Record("a", [1])])
    bench.files.put([1, 2, 3], at: StorageBench.path + "/journal.new")
    #expect(try bench.open().records == [Record("a", [1])])
    #expect(bench.files.content(StorageBench.path + "/journal.new") == nil)
}

@Test func `no room to rewrite does not fail a commit that is durable (STORE-8)`() throws {
    var bench = StorageBench()
    bench.limits.compaction = 3_000
    let storage = try bench.open()
    let block = Bytes([UInt8](repeating: 1, count: 400))
    try storage.commit([Record("other", Bytes([UInt8](repeating: 2, count: 1_000)))])
    bench.files.setRoom(4_200)
    var count = 0
    while storage.size < 3_600 {
        try storage.commit([Record("key", block)])
        count += 1
        try #require(count < 20)
    }
    #expect(bench.files.content(StorageBench.path + "/journal.new") == nil)
    bench.files.setRoom(.max)
    for _ in 0..<10 { try storage.commit([Record("key", block)]) }
    #expect(storage.size < 3_600)
    #expect(storage.records.map(\.key) == ["key", "other"])
}

@Test func `random operations agree with a model, restarts and crashes included (STORE-7)`() throws {
    var random = SplitMix64(seed: 5)
    for round in 0..<40 as Range<UInt64> {
        let bench = bench()
        let model = InMemoryStorage()
        var storage: DirectoryStorage? = try bench.open()
        for transaction in transactions(60, seed: 100 + round) {
            if random.below(10) == 0 {
                storage = nil
                let losses = FaultyFiles.Loss.allCases
                bench.files.restart(losing: losses[random.below(losses.count)], seed: random.next())
                storage = try bench.open()
            }
            try storage?.commit(transaction)
            try model.commit(transaction)
            try #require(storage?.records == model.records)
        }
    }
}

@Test func `faults and crashes at random together lose nothing and leave no half (STORE-9)`() throws {
    var random = SplitMix64(seed: 6)
    let faults: [FaultyFiles.Fault] = [.fails(5), .fails(28), .failsLate(5), .fallsShort, .crashes]
    let losses = FaultyFiles.Loss.allCases
    var failures = 0
    for round in 0..<150 as Range<UInt64> {
        let bench = bench()
        let model = InMemoryStorage()
        // What a commit that threw may have left, until the next one succeeds: itself, whole.
        var doubtful: [Record]?
        var storage: DirectoryStorage? = try bench.open()
        for transaction in transactions(25, seed: 500 + round) {
            if random.below(4) == 0 {
                let operation = bench.files.operations + random.below(6)
                bench.files.plan(faults[random.below(faults.count)], at: operation)
            }
            do {
                try storage?.commit(transaction)
                try model.commit(transaction)
                doubtful = nil
            } catch {
                failures += 1
                doubtful = state(after: [model.records, transaction])
            }
            guard bench.files.hasCrashed || random.below(12) == 0 else { continue }
            storage = nil
            bench.files.restart(losing: losses[random.below(losses.count)], seed: random.next())
            storage = try bench.open()
            let found = try #require(storage?.records)
            guard found != model.records else { continue }
            try #require(found == doubtful, "round \(round)")
            try model.commit(transaction)
        }
    }
    #expect(failures > 200)
}
