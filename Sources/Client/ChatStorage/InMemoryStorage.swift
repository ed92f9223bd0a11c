public import ChatModel

/// Storage that lasts as long as this object.
///
/// For clients that keep nothing, and for tests: a second client over the same object finds what the
/// first one left, as after a restart.
public final class InMemoryStorage: Storage {
    private let records: Lock<[ExactText: Bytes]>

    /// Begins with some records, usually none.
    public init(_ records: [Record] = []) {
        var table: [ExactText: Bytes] = [:]
        table.apply(records)
        self.records = Lock(table)
    }

    /// The records in the order of their keys; never fails.
    public func load() throws(StorageError) -> [Record] {
        records.withLock { $0.inOrder }
    }

    /// Applies changes; never fails.
    public func commit(_ changes: [Record]) throws(StorageError) {
        records.withLock { $0.apply(changes) }
    }
}

extension [ExactText: Bytes] {
    /// Takes changes in their order; a record without bytes removes its key.
    mutating func apply(_ changes: [Record]) {
        for change in changes { self[ExactText(change.key)] = change.bytes }
    }

    /// The records in the order of their keys' bytes.
    var inOrder: [Record] {
        sorted { $0.key < $1.key }.map { Record($0.key.text, $0.value) }
    }
}
