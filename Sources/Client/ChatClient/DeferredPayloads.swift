internal import ChatModel

/// Payloads that nobody could use yet: an invite and what follows it may overtake each other.
///
/// Bounded; the oldest go first. What is kept here is stored, because its cursor is passed.
struct DeferredPayloads: Sendable {
    struct Entry: Sendable, Hashable {
        let number: UInt64
        let addressed: Addressed
        /// Who refused it as too early; nil where nobody listened for it.
        var owner: Owner?
    }

    private(set) var entries: [Entry] = []
    private(set) var next: UInt64 = 1
    private var bytes = 0

    /// Keeps a payload; returns what is no longer kept for it.
    mutating func keep(_ addressed: Addressed, for owner: Owner?, limits: CoreLimits) -> (kept: Entry?, gone: [Entry]) {
        let isKnown = entries.contains { $0.addressed.id == addressed.id && $0.addressed.payload == addressed.payload }
        guard !isKnown, addressed.payload.count <= limits.deferredBytes else { return (nil, []) }
        let entry = Entry(number: next, addressed: addressed, owner: owner)
        insert(entry)
        var gone: [Entry] = []
        while entries.count > limits.deferredPayloads || bytes > limits.deferredBytes { gone.append(remove(at: 0)) }
        return (entry, gone)
    }

    /// Puts back an entry of an earlier run.
    mutating func insert(_ entry: Entry) {
        next = max(next, entry.number + 1)
        entries.append(entry)
        bytes += entry.addressed.payload.count
    }

    /// Learns who refused a payload as too early.
    mutating func assign(_ index: Int, to owner: Owner?) -> Entry {
        entries[index].owner = owner
        return entries[index]
    }

    @discardableResult
    mutating func remove(at index: Int) -> Entry {
        let entry = entries.remove(at: index)
        bytes -= entry.addressed.payload.count
        return entry
    }
}
