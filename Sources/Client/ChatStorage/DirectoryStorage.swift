import ChatCrypto
public import ChatModel

/// Storage in a directory of its own: an encrypted journal of transactions.
///
/// Each commit appends one sealed entry and flushes it once; when the journal has grown to twice what
/// it holds, it is written anew and takes the old one's place. One process at a time may have a
/// directory open. Both methods block for the disk, and all live records are kept in memory, because
/// rewriting needs them. The format stands in `Specs/storage.md`.
public final class DirectoryStorage: Storage {
    private let journal: Lock<Journal>
    private let files: any FileSystem
    private let lock: File

    /// How many bytes of a torn transaction were found and cut off on opening; 0 after a clean end.
    public let tornBytes: Int

    /// Opens a directory, or makes it.
    ///
    /// It throws ``StorageError/inUse(path:)`` where another process has it open, ``StorageError/wrongKey(path:)``
    /// for a wrong passphrase, and ``StorageError/tampered(_:path:at:)`` where the journal was changed.
    public convenience init(
        path: String, key: StorageKey, limits: StorageLimits = StorageLimits()
    ) throws(StorageError) {
        try self.init(path: path, key: key, limits: limits, files: SystemFiles(), random: SystemRandom())
    }

    /// Opens a directory of other files, with other randomness.
    package init(
        path: String, key: StorageKey, limits: StorageLimits, files: any FileSystem, random: any RandomSource
    ) throws(StorageError) {
        try files.makeDirectory(path)
        let lock = try files.open(path + "/lock", .created)
        do {
            try files.lock(lock)
            let journal = try Journal.open(in: path, key: key, limits: limits, files: files, random: random)
            (self.files, self.lock, tornBytes) = (files, lock, journal.torn)
            self.journal = Lock(journal)
        } catch {
            files.close(lock)
            throw error
        }
    }

    deinit {
        files.close(journal.withLock { $0.out.file })
        files.close(lock)
    }

    /// The live records, which are in memory.
    public func load() throws(StorageError) -> [Record] {
        journal.withLock { $0.records.inOrder }
    }

    /// Appends a transaction and flushes it.
    ///
    /// It throws ``StorageError/full(path:bytes:)`` where there is no room. What a throwing commit wrote is
    /// taken back; only a crash before the next successful one may still bring it back, and then whole.
    public func commit(_ changes: [Record]) throws(StorageError) {
        try journal.withLock { journal throws(StorageError) in try journal.commit(changes) }
    }

    /// The size of the journal in bytes.
    package var size: Int { journal.withLock { $0.out.end } }

    /// The content of a journal's bytes, for tools and tests.
    package static func records(of journal: [UInt8], key: StorageKey) throws(StorageError) -> [Record] {
        try Journal.decode(journal.span, key: key, limits: StorageLimits(), path: "journal").3.records.inOrder
    }
}
