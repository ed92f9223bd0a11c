import ChatModel

/// An open journal and the live records that it holds.
///
/// It keeps one rule: nothing is written before whatever stands behind the last durable transaction is
/// gone. If that cannot be had, the file is replaced.
struct Journal: Sendable {
    let files: any FileSystem
    let directory: String
    let limits: StorageLimits
    let source: KeySource
    let master: Secret
    var random: any RandomSource

    private(set) var out: JournalFile
    /// The live records; kept here because rewriting needs them all.
    private(set) var records: [ExactText: Bytes] = [:]
    /// The bytes that they take in transactions.
    private var live = 0
    /// How many bytes of a torn transaction were found and cut off.
    private(set) var torn = 0
    /// Whether the file may hold something behind its end, or less than was written: it must be replaced.
    private var needsRewrite = false
    /// No rewriting below this size, after one that failed.
    private var patience = 0

    private static func path(_ directory: String) -> String { directory + "/journal" }
    private static func newPath(_ directory: String) -> String { directory + "/journal.new" }

    /// Opens the journal of a directory that this process has locked, or makes one.
    static func open(
        in directory: String, key: StorageKey, limits: StorageLimits, files: any FileSystem, random: any RandomSource
    ) throws(StorageError) -> Journal {
        for _ in 0..<maximumTries {
            guard let file = try files.openIfThere(path(directory)) else {
                return try make(in: directory, key: key, limits: limits, files: files, random: random)
            }
            do {
                try files.lock(file)
                // Whoever had it open may have replaced it before it was locked here.
                if try files.sizeInPlace(file) != nil {
                    return try read(file, in: directory, key: key, limits: limits, files: files, random: random)
                }
            } catch {
                files.close(file)
                throw error
            }
            files.close(file)
        }
        throw .inUse(path: directory)
    }

    /// How often a journal that is replaced while it is being opened is opened again.
    private static let maximumTries = 16

    private static func make(
        in directory: String, key: StorageKey, limits: StorageLimits, files: any FileSystem, random: any RandomSource
    ) throws(StorageError) -> Journal {
        var random = random
        let source = key.newSource(&random)
        let master = try key.master(for: source, path: path(directory))
        var out = try JournalFile(
            newPath(directory), holding: [:], source: source, master: master, files: files, random: &random)
        do {
            try files.lock(out.file)
            try files.rename(newPath(directory), to: path(directory))
            try files.synchronizeDirectory(directory)
        } catch {
            files.close(out.file)
            throw error
        }
        out.rename(to: path(directory))
        return Journal(
            files: files, directory: directory, limits: limits, source: source, master: master, random: random, out: out
        )
    }

    private static func read(
        _ file: File, in directory: String, key: StorageKey, limits: StorageLimits, files: any FileSystem,
        random: any RandomSource
    ) throws(StorageError) -> Journal {
        let bytes = try files.readAll(file, limit: limits.journal)
        let (header, master, keys, contents) = try decode(bytes.span, key: key, limits: limits, path: file.path)
        let torn = bytes.count - contents.end
        if torn > 0 {
            try files.truncate(file, to: contents.end)
            try files.synchronize(file)
        }
        // A crash in the middle of rewriting leaves this behind.
        try files.remove(newPath(directory))
        return Journal(
            files: files, directory: directory, limits: limits, source: header.source, master: master, random: random,
            out: JournalFile(file, keys, end: contents.end, number: contents.number), records: contents.records,
            live: contents.records.reduce(0) { $0 + Transaction.size(of: $1.key.text, $1.value) }, torn: torn)
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
        // Somebody else's file is not written to, nor is one that nobody will find again.
        guard let present = try files.sizeInPlace(out.file), needsRewrite || present == out.end else {
            throw .replaced(path: out.file.path)
        }
        if needsRewrite {
            var after = records
            after.apply(changes)
            return try rewrite(after, live: live + growth)
        }
        try out.append(changes, size: size, files, &random, needsRewrite: &needsRewrite)
        records.apply(changes)
        live += growth
        guard out.end > max(limits.compaction, 2 * live, patience) else { return }
        do { try rewrite(records, live: live) } catch {
            // The transaction is durable all the same; try again when the file has grown some more.
            patience = out.end + limits.compaction
        }
    }

    /// How large a transaction is, and by how many bytes it makes the live records grow.
    private func measure(_ changes: [Record]) throws(StorageError) -> (size: Int, growth: Int) {
        var (size, growth) = (0, 0)
        var sizes: [ExactText: Int] = [:]
        for change in changes {
            let keySize = change.key.utf8.count
            guard keySize <= StorageLimits.key else {
                throw .tooLarge("a record's key", count: keySize, limit: StorageLimits.key)
            }
            let key = ExactText(change.key)
            let before = sizes[key] ?? records[key].map { Transaction.size(of: change.key, $0) } ?? 0
            let own = Transaction.size(of: change.key, change.bytes)
            let after = change.bytes == nil ? 0 : own
            sizes[key] = after
            size += own
            growth += after - before
        }
        let limit = min(limits.transaction, Transaction.maximumSize)
        guard size <= limit else { throw .tooLarge("a transaction's bytes", count: size, limit: limit) }
        guard growth <= 0 || live + growth <= limits.live else {
            throw .tooLarge("the bytes of all records", count: live + growth, limit: limits.live)
        }
        return (size, growth)
    }

    /// Writes live records to a new file that then takes the journal's name.
    private mutating func rewrite(_ after: [ExactText: Bytes], live: Int) throws(StorageError) {
        let (path, newPath) = (Self.path(directory), Self.newPath(directory))
        var fresh = try JournalFile(
            newPath, holding: after, source: source, master: master, files: files, random: &random)
        // Until the name is durable, a crash may bring the old file back; and a renaming that is said to
        // have failed may have happened, which leaves the old file without a name.
        needsRewrite = true
        do {
            try files.lock(fresh.file)
            try files.rename(newPath, to: path)
            takeOver(&fresh)
        } catch {
            let renamed = File(descriptor: fresh.file.descriptor, path: path)
            if let size = try? files.sizeInPlace(renamed), size > 0 {
                takeOver(&fresh)
            } else {
                files.close(fresh.file)
                JournalFile.discard(newPath, files)
            }
            throw error
        }
        try files.synchronizeDirectory(directory)
        (records, self.live, needsRewrite) = (after, live, false)
    }

    /// Goes on with a file that has the journal's name now.
    private mutating func takeOver(_ fresh: inout JournalFile) {
        fresh.rename(to: Self.path(directory))
        files.close(out.file)
        (out, patience) = (fresh, 0)
    }
}
