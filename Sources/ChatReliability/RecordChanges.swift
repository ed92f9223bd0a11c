import ChatModel

/// Records that changed since they were last taken; one that came and went in between is none.
struct RecordChanges: Sendable {
    private var changes: [String: (bytes: Bytes?, isNew: Bool)] = [:]
    private var order: [String] = []

    /// Stores a record under a key that is not in use.
    mutating func insert(_ key: String, _ bytes: Bytes) {
        put(key, bytes, isNew: true)
    }

    /// Stores a record under a key that may be in use.
    mutating func replace(_ key: String, _ bytes: Bytes) {
        put(key, bytes, isNew: changes[key]?.isNew ?? false)
    }

    /// Removes a record.
    mutating func remove(_ key: String) {
        guard changes[key]?.isNew == true else { return put(key, nil, isNew: false) }
        changes[key] = nil
    }

    private mutating func put(_ key: String, _ bytes: Bytes?, isNew: Bool) {
        // What is to be removed was stored, so the key is not new.
        let isNew = isNew && changes[key]?.isNew != false
        if changes.updateValue((bytes, isNew), forKey: key) == nil { order.append(key) }
    }

    /// The changes, in the order in which their keys were first touched.
    mutating func take() -> [Record] {
        guard !order.isEmpty else { return [] }
        let records = order.compactMap { key in changes.removeValue(forKey: key).map { Record(key, $0.bytes) } }
        (changes, order) = ([:], [])
        return records
    }
}
