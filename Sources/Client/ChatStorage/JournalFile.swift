import ChatCrypto
import ChatModel

/// An open journal file and the place in it where the next entry goes.
struct JournalFile: Sendable {
    /// The file.
    private(set) var file: File
    /// Where the next entry goes: the end of the last one that is durable.
    private(set) var end: Int
    private let keys: JournalKeys
    private var number: UInt64

    /// Goes on with a file that has been read.
    init(_ file: File, _ keys: JournalKeys, end: Int, number: UInt64) {
        (self.file, self.keys, self.end, self.number) = (file, keys, end, number)
    }

    /// Writes records to a new file and flushes it; nothing is left of one that could not be written.
    init(
        _ path: String, holding records: [ExactText: Bytes], source: KeySource, master: Secret, files: any FileSystem,
        random: inout any RandomSource
    ) throws(StorageError) {
        let header = JournalHeader(source: source, id: random.bytes(16, for: .identifier))
        self.init(
            try files.open(path, .emptied), JournalKeys(master: master, id: header.id), end: JournalHeader.size,
            number: 0)
        do {
            try files.writeAll(header.bytes(keys).span, to: file, at: 0)
            for (changes, size) in Self.chunks(of: records) { try write(changes, size: size, files, &random) }
            try files.synchronize(file)
        } catch {
            files.close(file)
            Self.discard(path, files)
            throw error
        }
    }

    /// Appends a transaction and flushes it, or cuts off what was written of it.
    ///
    /// - Parameter needsRewrite: set where the file may not be as it should be, so that it must be replaced.
    mutating func append(
        _ changes: [Record], size: Int, _ files: any FileSystem, _ random: inout any RandomSource,
        needsRewrite: inout Bool
    ) throws(StorageError) {
        let before = self
        do {
            try write(changes, size: size, files, &random)
            try files.synchronize(file)
        } catch {
            self = before
            // After a failed flush nobody knows what is on the disk, and a second one would not tell.
            if case .system("fdatasync", _, _) = error { needsRewrite = true }
            do {
                try files.truncate(file, to: end)
                try files.synchronize(file)
            } catch { needsRewrite = true }
            throw error
        }
    }

    private mutating func write(
        _ changes: [Record], size: Int, _ files: any FileSystem, _ random: inout any RandomSource
    ) throws(StorageError) {
        let entry = try JournalEntry.seal(changes, size: size, number: number, keys, &random)
        try files.writeAll(entry.span, to: file, at: end)
        (end, number) = (end + entry.count, number + 1)
    }

    /// The file has another name now.
    mutating func rename(to path: String) {
        file = File(descriptor: file.descriptor, path: path)
    }

    /// Removes a file that is of no use; if that fails, opening the directory removes it, or it is written over.
    static func discard(_ path: String, _ files: any FileSystem) {
        do { try files.remove(path) } catch {}
    }

    /// Records in transactions of about a megabyte, each with its size.
    private static func chunks(of records: [ExactText: Bytes]) -> [(changes: [Record], size: Int)] {
        var chunks: [(changes: [Record], size: Int)] = []
        for record in records.inOrder {
            let size = Transaction.size(of: record.key, record.bytes)
            if let last = chunks.last, last.size + size <= 1 << 20 {
                chunks[chunks.count - 1].changes.append(record)
                chunks[chunks.count - 1].size += size
            } else {
                chunks.append(([record], size))
            }
        }
        return chunks
    }
}
