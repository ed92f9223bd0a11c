import ChatClient
import ChatModel
import NIOPosix
import ChatStorage

/// What is to be on disk before anybody hears of it: changes that come while a transaction is written go together into
/// the next one, so that many chats share one flush.
actor Ledger {
    private let storage: any Storage
    private var changes: [Record] = []
    private var waiters: [CheckedContinuation<Result<Void, StorageError>, Never>] = []
    private var isWriting = false

    init(_ storage: any Storage) { self.storage = storage }

    /// Returns when the changes are stored; where that failed, none of them is.
    func commit(_ records: [Record]) async throws(StorageError) {
        changes += records
        let result = await withCheckedContinuation { continuation in
            waiters.append(continuation)
            guard !isWriting else { return }
            isWriting = true
            Task { await write() }
        }
        try result.get()
    }

    private func write() async {
        while !waiters.isEmpty {
            let (changes, waiters) = (changes, waiters)
            (self.changes, self.waiters) = ([], [])
            let result = await store(changes)
            for waiter in waiters { waiter.resume(returning: result) }
        }
        isWriting = false
    }

    /// Flushing blocks, so it has a thread of its own.
    private func store(_ changes: [Record]) async -> Result<Void, StorageError> {
        let storage = storage
        return await withCheckedContinuation { continuation in
            NIOThreadPool.singleton.submit { _ in
                continuation.resume(returning: Result { () throws(StorageError) in try storage.commit(changes) })
            }
        }
    }
}
