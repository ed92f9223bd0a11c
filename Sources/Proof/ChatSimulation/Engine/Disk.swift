import ChatModel

/// What one peer has stored: all of a transaction or none of it.
///
/// Transactions are kept as they came and put in order only when there are many or a start wants them.
struct Disk: Sendable {
    private var log: [Record] = []
    private var live: [String: Bytes] = [:]
    /// Bytes of the records that were live when they were last put in order.
    private(set) var liveBytes = 0
    /// False where nothing ever starts again, so that nothing need be kept.
    var keeps = true

    mutating func commit(_ records: [Record]) {
        guard keeps else { return }
        log.append(contentsOf: records)
        if log.count > 64 + 2 * live.count { compact() }
    }

    /// All records in the order of their keys.
    mutating func load() -> [Record] {
        compact()
        return live.sorted { $0.key < $1.key }.map { Record($0.key, $0.value) }
    }

    private mutating func compact() {
        for record in log { live[record.key] = record.bytes }
        log.removeAll(keepingCapacity: true)
        liveBytes = live.reduce(0) { $0 + $1.key.utf8.count + $1.value.count }
    }
}
