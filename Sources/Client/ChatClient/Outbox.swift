internal import ChatModel

/// Payloads that are stored and not yet with the delivery service, in lanes, mostly one for each address (CORE-10).
///
/// Order, waits and what is on its way belong to a lane, so that one slow address holds up no other. A quota that is
/// used up, or a service that is closed, holds all of them.
struct Outbox: Sendable {
    private(set) var entries: [UInt64: OutboxEntry] = [:]
    private(set) var bytes = 0
    private(set) var next: UInt64 = 1
    private var lanes: [DeliveryAddress: OutboxLane] = [:]
    /// The numbers of waiting payloads, by content.
    private var outstanding: [ContentID: EntryNumbers] = [:]
    /// The numbers of waiting payloads of each conversation's invite.
    private var invites: [ConversationID: Set<UInt64>] = [:]
    private var notBefore = Timestamp.zero
    /// Addresses that are wanted and not yet subscribed to.
    private var unheard: Set<DeliveryAddress> = []
    /// The lane that was looked for last, and where it stands as long as lanes neither come nor go.
    private var lately: (lane: DeliveryAddress, place: Place)?
    /// The memory of a lane that is gone, for the next one: with a fast service lanes come and go with each payload.
    private var spare: [UInt64] = []

    private typealias Place = Dictionary<DeliveryAddress, OutboxLane>.Index

    /// The longest wait that a service can ask for.
    static let longestPause = Duration.seconds(60)

    /// When the next attempt makes sense; nil where nothing waits, or all that may leave is on its way.
    var nextAttempt: Timestamp? {
        if entries.isEmpty { return nil }
        return lanes.values.lazy.filter(mayLeave).map(\.notBefore).min().map { max($0, notBefore) }
    }

    /// Adds a payload to its lane.
    mutating func append(
        _ addressed: Addressed, conversation: ConversationID?, content: ContentID?, isInvite: Bool = false,
        lane: DeliveryAddress? = nil, isTransient: Bool = false
    ) -> OutboxEntry {
        let entry = OutboxEntry(
            number: next, addressed: addressed, conversation: conversation, content: content, isInvite: isInvite,
            lane: lane ?? addressed.address, isTransient: isTransient)
        insert(entry)
        return entry
    }

    /// Puts back an entry of an earlier run.
    mutating func insert(_ entry: OutboxEntry) {
        next = max(next, entry.number &+ 1)
        entries[entry.number] = entry
        bytes += entry.weight
        if let place = place(of: entry.lane) {
            lanes.values[place].append(entry)
        } else {
            var lane = OutboxLane(memory: spare)
            spare = []
            lane.append(entry)
            lanes[entry.lane] = lane
            lately = nil
        }
        if let content = entry.content { outstanding[content, default: EntryNumbers()].insert(entry.number) }
        if entry.isInvite, let conversation = entry.conversation {
            invites[conversation, default: []].insert(entry.number)
        }
    }

    /// Where a lane stands; the one that was looked for last is found without hashing its address.
    private mutating func place(of lane: DeliveryAddress) -> Place? {
        if lanes.isEmpty { return nil }
        if let lately, lately.lane == lane { return lately.place }
        guard let place = lanes.index(forKey: lane) else { return nil }
        lately = (lane, place)
        return place
    }

    /// Drops a lane in which nothing waits any more.
    private mutating func settle(_ place: Place) {
        guard lanes.values[place].count == 0 else { return }
        spare = lanes.remove(at: place).value.emptied()
        lately = nil
    }

    /// Payloads and bytes that wait in a lane.
    mutating func load(of lane: DeliveryAddress) -> (payloads: Int, bytes: Int) {
        guard let place = place(of: lane) else { return (0, 0) }
        return (lanes.values[place].count, lanes.values[place].bytes)
    }

    /// The oldest entries of the lanes that may leave: as many as fit, of each lane no more than a quarter as long as
    /// others have something.
    mutating func take(at now: Timestamp, count: Int, bytes: Int) -> [OutboundPayload] {
        guard now >= notBefore, !entries.isEmpty else { return [] }
        let ready = ready(at: now)
        var (taken, size): ([OutboundPayload], Int) = ([], 0)
        for share in [(count: max(1, count / 4), bytes: bytes / 4), (count: count, bytes: bytes)] {
            for (_, place) in ready where taken.count < count {
                var (own, ownSize) = (0, 0)
                while own < share.count, taken.count < count, let entry = nextEntry(at: place) {
                    let weight = entry.weight
                    guard size + weight <= bytes || taken.isEmpty, ownSize + weight <= share.bytes || own == 0 else {
                        break
                    }
                    (own, ownSize, size) = (own + 1, ownSize + weight, size + weight)
                    lanes.values[place].take()
                    taken.append(OutboundPayload(entry: entry))
                }
            }
        }
        if ready.count > 1 { taken.sort { $0.entry.number < $1.entry.number } }
        return taken
    }

    /// The lanes that may leave, the one with the oldest payload first.
    private func ready(at now: Timestamp) -> [(first: UInt64, place: Place)] {
        var ready: [(first: UInt64, place: Place)] = []
        // By hand: a collection of the places would hold the lanes, and then they were copied at the next change.
        var place = lanes.startIndex
        while place != lanes.endIndex {
            if lanes.values[place].notBefore <= now, mayLeave(lanes.values[place]) {
                ready.append((lanes.values[place].first, place))
            }
            lanes.formIndex(after: &place)
        }
        if ready.count > 1 { ready.sort { $0.first < $1.first } }
        return ready
    }

    /// The next entry of a lane that is not on its way and may leave.
    private func nextEntry(at place: Place) -> OutboxEntry? {
        guard let number = lanes.values[place].upcoming, let entry = entries[number] else { return nil }
        return isHeld(entry) ? nil : entry
    }

    private func mayLeave(_ lane: OutboxLane) -> Bool {
        guard lane.inFlight == 0, let entry = entries[lane.first] else { return false }
        return !isHeld(entry)
    }

    /// Whether a payload must wait: until replies to it can be heard (DS-17), or for the invite of its conversation,
    /// which is in another lane (CORE-16).
    private func isHeld(_ entry: OutboxEntry) -> Bool {
        if !unheard.isEmpty, let reply = entry.addressed.replyAddress, unheard.contains(reply) { return true }
        guard !invites.isEmpty, !entry.isInvite, let conversation = entry.conversation,
            let invite = invites[conversation]
        else {
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
    mutating func remove(_ entry: OutboxEntry) -> Fate {
        guard entries.removeValue(forKey: entry.number) != nil else { return .open }
        bytes -= entry.weight
        if let place = place(of: entry.lane) {
            lanes.values[place].remove(entry)
            settle(place)
        }
        if entry.isInvite, let conversation = entry.conversation {
            invites[conversation]?.remove(entry.number)
            if invites[conversation]?.isEmpty == true { invites[conversation] = nil }
        }
        guard let content = entry.content, let place = outstanding.index(forKey: content),
            outstanding.values[place].remove(entry.number), outstanding.values[place].isEmpty
        else { return .open }
        outstanding.remove(at: place)
        return .complete
    }

    /// Keeps an entry that the service did not take this time; a service can ask for a minute at most.
    mutating func retain(_ entry: OutboxEntry, at now: Timestamp, after error: DeliveryError) {
        let pause = now + min(max(error.retryAfter ?? .zero, OutboxLane.firstWait), Self.longestPause)
        if error.holdsAll { notBefore = max(notBefore, pause) }
        lanes[entry.lane]?.retain(until: pause)
    }

    /// Ends an attempt: of the lanes that were in it, those of which nothing was taken wait longer each time.
    mutating func finishAttempt(_ payloads: [OutboundPayload], at now: Timestamp) {
        if lanes.isEmpty { return }
        for address in Set(payloads.map(\.entry.lane)) {
            if let place = place(of: address) { lanes.values[place].finishAttempt(at: now) }
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
    mutating func withdraw(_ content: ContentID) -> [OutboxEntry] {
        var dropped: [OutboxEntry] = []
        for number in outstanding[content]?.sorted ?? [] {
            guard let entry = entries[number], !entry.isInvite, let place = place(of: entry.lane),
                lanes.values[place].withdraw(entry)
            else { continue }
            settle(place)
            entries[number] = nil
            bytes -= entry.weight
            _ = outstanding[content]?.remove(number)
            dropped.append(entry)
        }
        if outstanding[content]?.isEmpty == true { outstanding[content] = nil }
        return dropped
    }

    /// Nobody waits any more to hear of a content; returns what still waits to be published for it, now for nobody.
    mutating func release(_ content: ContentID) -> [OutboxEntry] {
        guard let numbers = outstanding.removeValue(forKey: content) else { return [] }
        let released = numbers.sorted.compactMap { entries[$0]?.forNobody }
        for entry in released { entries[entry.number] = entry }
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
