import ChatModel

/// Which payloads were published lately, so that one that is published again is not delivered twice.
///
/// Bounded: two generations of half the capacity; when the younger one is full, the older one is forgotten. An id
/// counts on its own address only, or a stranger could keep a payload from being delivered by publishing its id
/// elsewhere; the address is here as a hash with a seed that changes with every start of the process.
struct RecentIDs: Sendable {
    struct Key: Hashable, Sendable {
        fileprivate let id: PayloadID
        fileprivate let address: Int

        /// Nil for the id of zeros, which stands for no id.
        init?(_ id: PayloadID, addressHash: Int) {
            guard id.high | id.low != 0 else { return nil }
            (self.id, address) = (id, addressHash)
        }
    }

    let capacity: Int
    private var young: [Key: UInt64] = [:]
    private var old: [Key: UInt64] = [:]

    init(capacity: Int) {
        self.capacity = max(2, capacity)
    }

    var count: Int { young.count + old.count }

    /// The sequence under which a payload was published; nil if it is new.
    func sequence(_ key: Key?) -> UInt64? {
        guard let key else { return nil }
        return young[key] ?? (old.isEmpty ? nil : old[key])
    }

    /// Remembers a new payload.
    mutating func insert(_ key: Key?, sequence: UInt64) {
        guard let key else { return }
        if young.count >= capacity / 2 {
            swap(&young, &old)
            young.removeAll(keepingCapacity: true)
        }
        young[key] = sequence
    }
}
