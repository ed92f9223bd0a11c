public import ChatModel

/// Where a client keeps its records, so that a crash loses nothing that it accepted.
///
/// A client stores state before its consequence leaves the process: it commits a transaction, and
/// only then publishes and reports. For implementers: `commit` returns once the transaction would
/// survive the loss of power, and one that throws leaves the records as they were before it.
public protocol Storage: Sendable {
    /// All records, in the order of their keys; a transaction that a crash tore is not among them.
    func load() throws(StorageError) -> [Record]

    /// Stores changes in one transaction, durable when it returns: all of them or none.
    ///
    /// A record without bytes removes its key. Where a key occurs twice, the later change counts.
    func commit(_ changes: [Record]) throws(StorageError)
}
