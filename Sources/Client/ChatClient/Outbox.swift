internal import ChatModel

/// Payloads that are stored and not yet with the delivery service, in lanes, mostly one for each address (CORE-10).
///
/// Order, waits and what is on its way belong to a lane, so that one slow address holds up no other. A quota that is
/// used up, or a service that is closed, holds all of them.
struct Outbox: Sendable {
    struct Entry: Sendable, Hashable {
        let number: UInt64
        let addressed: Addressed
        /// On whose behalf.
        let conversation: ConversationID?
        var content: ContentID?
        /// Whether it belongs to the invite of its conversation: what that says later must not overtake it.
        var isInvite = false
        /// The lane it waits in: that of its address, unless the machine named another.
        var lane: DeliveryAddress
        /// Whether it is not stored.
        var isTransient = false
    }

    private(set) var entries: [UInt64: Entry] = [:]
    private(set) var bytes = 0
    private(set) var next: UInt64 = 1
    private var lanes: [DeliveryAddress: OutboxLane] = [:]
    /// The numbers of waiting payloads, by content.
    private var outstanding: [ContentID: Set<UInt64>] = [:]
    /// The numbers of waiting payloads of each conversation's invite.
    private var invites: [ConversationID: Set<UInt64>] = [:]
    private var notBefore = Timestamp.zero
    /// Addresses that are wanted and not yet subscribed to.
    private var unheard: Set<DeliveryAddress> = []

    /// The longest wait that a service can ask for.
    static let longestPause = Duration.seconds(60)

    /// When the next attempt makes sense; nil where nothing waits, or all that may leave is on its way.
    var nextAttempt: Timestamp? {
        lanes.values.lazy.filter(mayLeave).map(\.notBefore).min().map { max($0, notBefore) }
    }

    /// Adds a payload to its lane.
    mutating func append(
        _ addressed: Addressed, conversation: ConversationID?, content: ContentID?, isInvite: Bool = false,
        lane: DeliveryAddress? = nil, isTransient: Bool = false
    ) -> Entry {
        let entry = Entry(
            number: next, addressed: addressed, conversation: conversation, content: content, isInvite: isInvite,
            lane: lane ?? addressed.address, isTransient: isTransient)
        insert(entry)
        return entry
    }

    /// Puts back an entry of an earlier run.
    mutating func insert(_ entry: Entry) {
        next = max(next, entry.number &+ 1)
        entries[entry.number] = entry
        bytes += entry.addressed.payload.count
        lanes[entry.lane, default: OutboxLane()].append(entry)
        if let content = entry.content { outstanding[content, default: []].insert(entry.number) }
        if entry.isInvite, let conversation = entry.conversation {
            invites[conversation, default: []].insert(entry.number)
        }
    }

    /// Payloads and bytes that wait in a lane.
    func load(of lane: DeliveryAddress) -> (payloads: Int, bytes: Int) {
        lanes[lane].map { ($0.count, $0.bytes) } ?? (0, 0)
    }

    /// The oldest entries of the lanes that may leave: as many as fit, of each lane no more than a quarter as long as
    /// others have something.
    mutating func take(at now: Timestamp, count: Int, bytes: Int) -> [OutboundPayload] {
        guard now >= notBefore else { return [] }
        var ready: [(first: UInt64, lane: DeliveryAddress)] = []
        for (address, lane) in lanes where lane.notBefore <= now && mayLeave(lane) {
            ready.append((lane.first, address))
        }
        if ready.count > 1 { ready.sort { $0.first < $1.first } }
        var (taken, size): ([Entry], Int) = ([], 0)
        for share in [(count: max(1, count / 4), bytes: bytes / 4), (count: count, bytes: bytes)] {
            for (_, address) in ready where taken.count < count {
                var (own, ownSize) = (0, 0)
                while own < share.count, taken.count < count, let entry = nextEntry(of: address) {
                    let weight = entry.addressed.payload.count
                    guard size + weight <= bytes || taken.isEmpty, ownSize + weight <= share.bytes || own == 0 else {
                        break
                    }
                    (own, ownSize, size) = (own + 1, ownSize + weight, size + weight)
                    lanes[address]?.take()
                    taken.append(entry)
                }
            }
        }
        return taken.sorted { $0.number < $1.number }.map { OutboundPayload(entry: $0) }
    }

    /// The next entry of a lane that is not on its way and may leave.
    private func nextEntry(of address: DeliveryAddress) -> Entry? {
        guard let number = lanes[address]?.upcoming, let entry = entries[number] else { return nil }
        return isHeld(entry) ? nil : entry
    }

    private func mayLeave(_ lane: OutboxLane) -> Bool {
        guard lane.inFlight == 0, let entry = entries[lane.first] else { return false }
        return !isHeld(entry)
    }

    /// Whether a payload must wait: until replies to it can be heard (DS-17), or for the invite of its conversation,
    /// which is in another lane (CORE-16).
    private func isHeld(_ entry: Entry) -> Bool {
        if let reply = entry.addressed.replyAddress, unheard.contains(reply) { return true }
        guard !entry.isInvite, let conversation = entry.conversation, let invite = invites[conversation] else {
            return false
        }
        return invite.contains { entries[$0]?.lane != entry.lane }
    }
}

// Outcomes of payloads that were on their way.
extension Outbox {
    /// The state of a content's payloads.
    enum Fate: Sendable {
        /// Others are still to come.
        case open
        /// All are with the service.
        case complete
    }

    /// Removes an entry that the service took or refused for good.
    mutating func remove(_ entry: Entry) -> Fate {
        guard entries.removeValue(forKey: entry.number) != nil else { return .open }
        bytes -= entry.addressed.payload.count
        lanes[entry.lane]?.remove(entry)
        if lanes[entry.lane]?.count == 0 { lanes[entry.lane] = nil }
        if entry.isInvite, let conversation = entry.conversation {
            invites[conversation]?.remove(entry.number)
            if invites[conversation]?.isEmpty == true { invites[conversation] = nil }
        }
        guard let content = entry.content, outstanding[content]?.remove(entry.number) != nil else { return .open }
        guard outstanding[content]?.isEmpty == true else { return .open }
        outstanding[content] = nil
        return .complete
    }

    /// Keeps an entry that the service did not take this time; a service can ask for a minute at most.
    mutating func retain(_ entry: Entry, at now: Timestamp, after error: DeliveryError) {
        let pause = now + min(max(error.retryAfter ?? .zero, OutboxLane.firstWait), Self.longestPause)
        if error.holdsAll { notBefore = max(notBefore, pause) }
        lanes[entry.lane]?.retain(until: pause)
    }

    /// Ends an attempt: of the lanes that were in it, those of which nothing was taken wait longer each time.
    mutating func finishAttempt(_ entries: [Entry], at now: Timestamp) {
        for address in Set(entries.map(\.lane)) {
            lanes[address]?.finishAttempt(at: now)
        }
    }

    /// Holds what asks for replies at addresses until they are subscribed to.
    mutating func hold(_ addresses: Set<DeliveryAddress>) { unheard.formUnion(addresses) }

    /// Ends that: they are subscribed to, or wanted no more.
    mutating func open(_ addresses: Set<DeliveryAddress>) { unheard.subtract(addresses) }

    /// Tries again at once: the link is back.
    mutating func hurry() {
        notBefore = .zero
        for address in lanes.keys { lanes[address]?.hurry() }
    }

    /// Whether somebody waits to hear that the service has a content.
    func isAwaited(_ content: ContentID) -> Bool { outstanding[content] != nil }

    /// Drops what waits for a content and is neither on its way nor an invite; returns it.
    mutating func withdraw(_ content: ContentID) -> [Entry] {
        var dropped: [Entry] = []
        for number in outstanding[content]?.sorted() ?? [] {
            guard let entry = entries[number], !entry.isInvite,
                lanes[entry.lane]?.withdraw(entry) == true
            else { continue }
            if lanes[entry.lane]?.count == 0 { lanes[entry.lane] = nil }
            entries[number] = nil
            bytes -= entry.addressed.payload.count
            outstanding[content]?.remove(number)
            dropped.append(entry)
        }
        if outstanding[content]?.isEmpty == true { outstanding[content] = nil }
        return dropped
    }

    /// Nobody waits any more to hear of a content; returns what still waits to be published for it, now for nobody.
    mutating func release(_ content: ContentID) -> [Entry] {
        guard let numbers = outstanding.removeValue(forKey: content) else { return [] }
        var released: [Entry] = []
        for number in numbers.sorted() {
            entries[number]?.content = nil
            if let entry = entries[number] { released.append(entry) }
        }
        return released
    }
}

extension DeliveryError {
    /// Whether it is about all payloads and not about one address.
    fileprivate var holdsAll: Bool {
        switch self {
        case .rateLimited, .closed: true
        default: false
        }
    }

    /// Whether the same payload may be taken later; a service that is closed may be opened again.
    var isPassing: Bool { isTemporary || self == .closed }
}
