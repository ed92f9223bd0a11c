import ChatCrypto
import ChatModel

/// An open journal and the live records that it holds.
///
/// It keeps one rule: `end` is where the last transaction reported as durable ends, and nothing is
/// written before whatever lies behind `end` is gone. If that cannot be had, the file is replaced.
struct Journal: Sendable {
    let files: any FileSystem
    let directory: String
    let limits: StorageLimits
    let source: KeySource
    let master: Secret
    var random: any RandomSource

    /// The file, once there is one.
    private(set) var file: File?
    private var keys: JournalKeys
    /// The live records; kept here because rewriting needs them all.
    private(set) var records: [String: Bytes] = [:]
    /// The bytes that they take in transactions.
    private var live = 0
    /// The number of the next entry.
    private var number: UInt64 = 0
    /// Where the next entry goes.
    private(set) var end = 0
    /// How many bytes of a torn transaction were found and cut off.
    private(set) var torn = 0
    /// Whether the file may hold something behind `end`, or less than was written: it must be replaced.
    private var isDoubtful = false
    /// No rewriting below this size, after one that failed.
    private var patience = 0

    var path: String { directory + "/journal" }
    private var newPath: String { directory + "/journal.new" }

    /// Opens the journal of a directory that this process has locked, or makes one.
    static func open(
        in directory: String, key: StorageKey, limits: StorageLimits, files: any FileSystem, random: any RandomSource
    ) throws(StorageError) -> Journal {
        let path = directory + "/journal"
        guard let file = try files.open(path, .existing) else {
            var random = random
            let source = key.newSource(&random)
            let master = try key.master(for: source, path: path)
            var journal = Journal(
                files: files, directory: directory, limits: limits, source: source, master: master, random: random,
                file: nil, keys: JournalKeys(master: master, id: []))
            try journal.rewrite([:], live: 0)
            return journal
        }
        do {
            return try read(file, in: directory, key: key, limits: limits, files: files, random: random)
        } catch {
            files.close(file)
            throw error
        }
    }

    private static func read(
        _ file: File, in directory: String, key: StorageKey, limits: StorageLimits, files: any FileSystem,
        random: any RandomSource
    ) throws(StorageError) -> Journal {
        let bytes = try files.readAll(file, limit: limits.journal)
        let (header, master, keys, contents) = try decode(bytes.span, key: key, limits: limits, path: file.path)
        let journal = Journal(
            files: files, directory: directory, limits: limits, source: header.source, master: master, random: random,
            file: file, keys: keys, records: contents.records,
            live: contents.records.reduce(0) { $0 + Transaction.size(of: $1.key, $1.value) },
            number: contents.number, end: contents.end, torn: bytes.count - contents.end)
        // A crash in the middle of rewriting leaves this behind.
        try files.remove(journal.newPath)
        guard journal.torn > 0 else { return journal }
        try files.truncate(file, to: contents.end)
        try files.synchronize(file)
        return journal
    }

    /// Reads the bytes of a journal.
    static func decode(
        _ bytes: Span<UInt8>, key: StorageKey, limits: StorageLimits, path: String
    ) throws(StorageError) -> (JournalHeader, Secret, JournalKeys, JournalReader) {
        let header = try JournalHeader(bytes, path: path)
        let master = try key.master(for: header.source, path: path)
        let keys = JournalKeys(master: master, id: header.id)
        guard JournalHeader.isTagged(bytes, by: keys) else { throw .wrongKey(path: path) }
        return (header, master, keys, try JournalReader(bytes, keys: keys, limits: limits, path: path))
    }
}

// Writing.
extension Journal {
    /// Makes a transaction durable, or throws and leaves the records as they are.
    mutating func commit(_ changes: [Record]) throws(StorageError) {
        guard !changes.isEmpty else { return }
        let (size, growth) = try measure(changes)
        if isDoubtful {
            var after = records
            after.apply(changes)
            return try rewrite(after, live: live + growth)
        }
        try append(changes, size: size)
        records.apply(changes)
        live += growth
        guard end > max(limits.compaction, 2 * live, patience) else { return }
        do { try rewrite(records, live: live) } catch {
            // The transaction is durable all the same; try again when the file has grown some more.
            patience = end + limits.compaction
        }
    }

    /// How large a transaction is, and by how many bytes it makes the live records grow.
    private func measure(_ changes: [Record]) throws(StorageError) -> (size: Int, growth: Int) {
        var (size, growth) = (0, 0)
        var sizes: [String: Int] = [:]
        for change in changes {
            let keySize = change.key.utf8.count
            guard keySize <= StorageLimits.key else {
                throw .tooLarge("a record's key", count: keySize, limit: StorageLimits.key)
            }
            let before = sizes[change.key] ?? records[change.key].map { Transaction.size(of: change.key, $0) } ?? 0
            let own = Transaction.size(of: change.key, change.bytes)
            let after = change.bytes == nil ? 0 : own
            sizes[change.key] = after
            size += own
            growth += after - before
        }
        guard size <= limits.transaction else {
            throw .tooLarge("a transaction's bytes", count: size, limit: limits.transaction)
        }
        guard growth <= 0 || live + growth <= limits.live else {
            throw .tooLarge("the bytes of all records", count: live + growth, limit: limits.live)
        }
        return (size, growth)
    }

    private mutating func append(_ changes: [Record], size: Int) throws(StorageError) {
        guard let file else { return }
        let entry = try JournalEntry.seal(changes, size: size, number: number, keys, &random)
        do {
            try files.writeAll(entry.span, to: file, at: end)
            try files.synchronize(file)
        } catch {
            // After a failed flush nobody knows what is on the disk, and a second one would not tell.
            if case .system("fdatasync", _, _) = error { isDoubtful = true }
            do { try files.truncate(file, to: end) } catch { isDoubtful = true }
            throw error
        }
        end += entry.count
        number += 1
    }

    /// Writes live records to a new file that then takes the journal's name.
    private mutating func rewrite(_ after: [String: Bytes], live: Int) throws(StorageError) {
        guard let fresh = try files.open(newPath, .emptied) else { return }
        let header = JournalHeader(source: source, id: random.bytes(16, for: .identifier))
        let newKeys = JournalKeys(master: master, id: header.id)
        var (newEnd, newNumber) = (0, UInt64(0))
        do {
            try files.writeAll(header.bytes(newKeys).span, to: fresh, at: 0)
            newEnd = JournalHeader.size
            for (changes, size) in chunks(of: after) {
                let entry = try JournalEntry.seal(changes, size: size, number: newNumber, newKeys, &random)
                try files.writeAll(entry.span, to: fresh, at: newEnd)
                newEnd += entry.count
                newNumber += 1
            }
            try files.synchronize(fresh)
        } catch {
            discard(fresh)
            throw error
        }
        do { try files.rename(newPath, to: path) } catch {
            // It may have happened nevertheless, and then our file has no name any more.
            isDoubtful = true
            discard(fresh)
            throw error
        }
        if let file { files.close(file) }
        file = File(descriptor: fresh.descriptor, path: path)
        (keys, end, number, patience) = (newKeys, newEnd, newNumber, 0)
        // Until its name is durable, a crash may bring the old file back.
        isDoubtful = true
        try files.synchronizeDirectory(directory)
        (records, self.live, isDoubtful) = (after, live, false)
    }

    private func discard(_ fresh: File) {
        files.close(fresh)
        do { try files.remove(newPath) } catch {
            // It is emptied before it is written again, and removed when the directory is opened again.
        }
    }

    /// Live records in transactions of about a megabyte, each with its size.
    private func chunks(of records: [String: Bytes]) -> [(changes: [Record], size: Int)] {
        var chunks: [(changes: [Record], size: Int)] = []
        for record in records.inOrder {
            let size = Transaction.size(of: record.key, record.bytes)
            if let last = chunks.last, last.size + size <= min(1 << 20, limits.transaction) {
                chunks[chunks.count - 1].changes.append(record)
                chunks[chunks.count - 1].size += size
            } else {
                chunks.append(([record], size))
            }
        }
        return chunks
    }
}
