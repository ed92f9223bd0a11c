import ChatCodec
package import ChatModel
import ChatRecords

/// A bounded memory of names, each with a note, that survives restarts.
///
/// Each name is remembered until its time; where there is no room, the one to be forgotten first goes.
package struct ReplayCache: Sendable {
    private struct Entry: Sendable {
        let note: UInt64
        let until: Timestamp
    }

    private let prefix: String
    private let limit: Int
    private let stored: RecordCodec
    private var entries: [[UInt8]: Entry] = [:]
    private var changes: [Record] = []

    /// - Parameters:
    ///   - prefix: what the keys of its records begin with.
    ///   - limit: names remembered at once, at most.
    package init(prefix: String, limit: Int, machine: String) {
        (self.prefix, self.limit, stored) = (prefix, limit, RecordCodec(machine: machine))
    }

    /// The note beside a name; nil for a name that is not remembered.
    package subscript(name: [UInt8]) -> UInt64? { entries[name]?.note }

    /// When the next name is to be forgotten.
    package var nextDue: Timestamp? { entries.values.lazy.map(\.until).min() }

    /// Remembers a name.
    package mutating func remember(_ name: [UInt8], note: UInt64 = 0, until: Timestamp) {
        guard limit > 0 else { return }
        if entries.count >= limit, let first = entries.min(by: Self.precedes)?.key { forget(first) }
        entries[name] = Entry(note: note, until: until)
        changes.append(stored.record(key(name), StoredItem(time: until, note: note)))
    }

    /// Forgets names whose time is over.
    package mutating func sweep(_ now: Timestamp) {
        for (name, _) in entries.filter({ $0.value.until <= now }).sorted(by: Self.precedes) { forget(name) }
    }

    private mutating func forget(_ name: [UInt8]) {
        entries[name] = nil
        changes.append(Record(key(name), nil))
    }

    /// The records that changed since the last call.
    package mutating func takeChanges() -> [Record] {
        defer { changes = [] }
        return changes
    }

    /// Takes up a record of an earlier run; false where it is not one of this memory.
    package mutating func restore(_ record: Record) throws(Refusal) -> Bool {
        guard record.key.hasPrefix(prefix) else { return false }
        let item: StoredItem = try stored.message(record)
        guard entries.count < limit, let name = try? Hex.decode(String(record.key.dropFirst(prefix.count))) else {
            throw stored.unreadable(record.key)
        }
        entries[name] = Entry(note: item.note, until: Timestamp(milliseconds: item.time))
        return true
    }

    private func key(_ name: [UInt8]) -> String { prefix + hex(name) }

    /// An order that does not depend on hashing, so that runs repeat.
    private static func precedes(
        _ left: (key: [UInt8], value: Entry), _ right: (key: [UInt8], value: Entry)
    ) -> Bool {
        guard left.value.until == right.value.until else { return left.value.until < right.value.until }
        return left.key.lexicographicallyPrecedes(right.key)
    }
}
