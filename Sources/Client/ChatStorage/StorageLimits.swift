/// Bounds of a journal, each with its reason.
public struct StorageLimits: Sendable, Hashable {
    /// The most bytes of one transaction: a full mailbox's batch of 32 MiB, with the state, events and
    /// answers that it causes.
    public var transaction = 128 << 20
    /// The most bytes of live records: a full outbox of 256 MiB, a full list of events, and the rest. They are
    /// kept in memory as well, so this bounds that too.
    public var live = 512 << 20
    /// A journal smaller than this is never rewritten: the flushes would cost more than the room they save.
    public var compaction = 1 << 20

    /// The longest key of a record in bytes; ours have fewer than 100.
    public static let key = 1_024

    /// The default bounds.
    public init() {}

    /// The most bytes that a journal can grow to before it is rewritten, or is not one of ours.
    var journal: Int { 2 * max(live, compaction) + 2 * (transaction + JournalEntry.overhead) + JournalHeader.size }
}
