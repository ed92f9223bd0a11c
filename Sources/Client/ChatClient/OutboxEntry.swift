internal import ChatModel

/// A payload that waits. One object, because it goes through many hands: lane, batch, service, result.
final class OutboxEntry: Sendable {
    let number: UInt64
    let addressed: Addressed
    /// On whose behalf.
    let conversation: ConversationID?
    let content: ContentID?
    /// Whether it belongs to the invite of its conversation: what that says later must not overtake it.
    let isInvite: Bool
    /// The lane it waits in: that of its address, unless the machine named another.
    let lane: DeliveryAddress
    /// Whether it is not stored.
    let isTransient: Bool

    init(
        number: UInt64, addressed: Addressed, conversation: ConversationID?, content: ContentID?,
        isInvite: Bool = false, lane: DeliveryAddress, isTransient: Bool = false
    ) {
        (self.number, self.addressed, self.conversation, self.content) = (number, addressed, conversation, content)
        (self.isInvite, self.lane, self.isTransient) = (isInvite, lane, isTransient)
    }

    /// Bytes of the payload.
    var weight: Int { addressed.payload.count }

    /// The same, and nobody waits to hear of it.
    var forNobody: OutboxEntry {
        OutboxEntry(
            number: number, addressed: addressed, conversation: conversation, content: nil, isInvite: isInvite,
            lane: lane, isTransient: isTransient)
    }
}

extension OutboxEntry: Hashable {
    static func == (left: OutboxEntry, right: OutboxEntry) -> Bool {
        left === right
            || (left.number == right.number && left.addressed == right.addressed
                && left.conversation == right.conversation && left.content == right.content
                && left.isInvite == right.isInvite && left.lane == right.lane
                && left.isTransient == right.isTransient)
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(number)
        hasher.combine(addressed.id)
    }
}

/// Numbers of payloads, mostly a single one.
enum EntryNumbers: Sendable, Hashable {
    case one(UInt64)
    case others(Set<UInt64>)

    init() { self = .others([]) }

    var isEmpty: Bool {
        if case .others(let numbers) = self { numbers.isEmpty } else { false }
    }

    var sorted: [UInt64] {
        switch self {
        case .one(let number): [number]
        case .others(let numbers): numbers.sorted()
        }
    }

    mutating func insert(_ number: UInt64) {
        switch self {
        case .one(number): return
        case .one(let other): self = .others([other, number])
        case .others(let numbers) where numbers.isEmpty: self = .one(number)
        case .others(var numbers):
            self = .others([])
            numbers.insert(number)
            self = .others(numbers)
        }
    }

    /// Whether the number was there.
    mutating func remove(_ number: UInt64) -> Bool {
        switch self {
        case .one(number): self = .others([])
        case .one: return false
        case .others(var numbers):
            self = .others([])
            let isRemoved = numbers.remove(number) != nil
            self = numbers.count == 1 ? numbers.first.map(Self.one) ?? .others([]) : .others(numbers)
            return isRemoved
        }
        return true
    }
}
