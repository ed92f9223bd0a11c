import ChatModel

/// Messages that wait for what causally came before them (SDS-07), and what they wait for.
struct SDSIncoming: Sendable {
    /// A message that waits; compared by its place in the log.
    struct Waiting: Comparable, Sendable {
        let message: SDSMessage
        let serial: UInt64
        /// How many of its dependencies are not delivered.
        var left: Int
        let cost: Int

        private var order: SDSLog.Order { SDSLog.Order(lamport: message.lamport ?? 0, id: message.id) }

        static func == (left: Waiting, right: Waiting) -> Bool { left.order == right.order }
        static func < (left: Waiting, right: Waiting) -> Bool { left.order < right.order }
    }

    /// A message that was named and not delivered.
    struct Missing: Sendable {
        let entry: SDSMessage.HistoryEntry
        let noticed: Timestamp
        /// Messages that wait for it.
        var waiters: [Identifier]
        /// It came, and waits itself.
        var isHere: Bool
        /// When it is asked for next; nil for never.
        var request: Timestamp?
        var tries = 0
        /// It came and waits itself, and its time was over once.
        var isOverdue = false
    }

    private(set) var waiting: [Identifier: Waiting] = [:]
    private(set) var bytes = 0
    private(set) var missing: [Identifier: Missing] = [:]
    /// Missing messages that were given up and are no longer waited for.
    private(set) var lost = BoundedSet<Identifier>()
    /// Each sender's share of it.
    private var shares: [Identifier: Share] = [:]
    private struct Share { var (messages, bytes, missing) = (0, 0, 0) }
    /// When missing ones are given up, and when they are asked for.
    private var losses = PriorityQueue<SDSDue>()
    private var requests = PriorityQueue<SDSDue>()

    var nextLoss: Timestamp? { losses.first?.time }
    var nextRequest: Timestamp? { requests.first?.time }

    /// Refuses a message of a size that would have to wait beyond the limits.
    func check(
        _ message: SDSMessage, size: Int, missing count: Int, _ limits: SDSSettings.Limits
    ) throws(Refusal) {
        let share = shares[message.sender] ?? Share()
        func check(_ what: String, _ needed: Int, _ limit: Int) throws(Refusal) {
            guard needed <= limit else {
                throw Refusal(.unable, ReliabilityCause.noRoom(what, needed: needed, limit: limit))
            }
        }
        let cost = Self.cost(size)
        try check("messages that wait, of one sender", share.messages + 1, limits.waiting / 4)
        try check("messages that wait", waiting.count + 1, limits.waiting)
        try check("bytes that wait, of one sender", share.bytes + cost, limits.waitingBytes / 4)
        try check("bytes that wait", bytes + cost, limits.waitingBytes)
        try check("missing messages, of one sender", share.missing + count, limits.missing / 4)
        try check("missing messages", missing.count + count, limits.missing)
    }

    /// All of its bytes: the content is a slice, which keeps alive whatever else came with it.
    private static func cost(_ size: Int) -> Int { size + 256 }

    /// Lets a message wait for those of its dependencies that are not delivered.
    mutating func insert(_ message: SDSMessage, size: Int, waitingFor open: [Identifier], serial: UInt64) {
        let cost = Self.cost(size)
        waiting[message.id] = Waiting(message: message, serial: serial, left: open.count, cost: cost)
        bytes += cost
        shares[message.sender, default: Share()].messages += 1
        shares[message.sender, default: Share()].bytes += cost
        shares[message.sender, default: Share()].missing += open.count
        for id in open { missing[id]?.waiters.append(message.id) }
        missing[message.id]?.isHere = true
        missing[message.id]?.request = nil
    }

    /// Notes that a message is missing; false if that was known.
    mutating func note(
        _ entry: SDSMessage.HistoryEntry, now: Timestamp, request: Timestamp?, giveUp: Timestamp?
    ) -> Bool {
        guard missing[entry.id] == nil else { return false }
        let isHere = waiting[entry.id] != nil
        var entry = entry
        // A slice would keep a whole datagram alive for it.
        entry.hint = entry.hint.map { Bytes(copying: $0.span) }
        missing[entry.id] = Missing(
            entry: entry, noticed: now, waiters: [], isHere: isHere, request: isHere ? nil : request)
        if let giveUp { losses.insert(SDSDue(entry.id, giveUp)) }
        if !isHere, let request { requests.insert(SDSDue(entry.id, request)) }
        compact()
        return !isHere
    }

    /// A resolved entry stays in the queues until it comes up, which is long for losses.
    private mutating func compact() {
        let missing = missing
        requests.compact(live: missing.count) { missing[$0.id]?.request == $0.time }
        losses.compact(live: missing.count) { missing[$0.id] != nil }
    }

    /// A message is delivered or given up: takes out those that waited for nothing else.
    mutating func resolve(_ id: Identifier) -> [Waiting] {
        guard let gone = missing.removeValue(forKey: id) else { return [] }
        var ready: [Waiting] = []
        for waiter in gone.waiters {
            guard let message = waiting[waiter] else { continue }
            waiting[waiter]?.left -= 1
            shares[message.message.sender]?.missing -= 1
            if message.left == 1 { ready.append(remove(waiter, message)) }
        }
        return ready
    }

    private mutating func remove(_ id: Identifier, _ entry: Waiting) -> Waiting {
        waiting[id] = nil
        bytes -= entry.cost
        let sender = entry.message.sender
        shares[sender]?.messages -= 1
        shares[sender]?.bytes -= entry.cost
        if shares[sender]?.messages == 0 { shares[sender] = nil }
        return entry
    }

    /// Remembers that a message is given up.
    mutating func markLost(_ id: Identifier, limit: Int) -> Identifier? {
        lost.insert(id, limit: limit)
    }

    /// Forgets that a message was given up, because it came.
    mutating func unmarkLost(_ id: Identifier) -> Bool { lost.remove(id) }

    /// Missing messages whose time is over; one that came and waits itself gets as long again.
    ///
    /// Messages that wait for each other would otherwise wait for ever.
    mutating func takeLosses(_ now: Timestamp, again: Timestamp) -> [Identifier] {
        var due: [Identifier] = []
        while let next = losses.first, next.time <= now {
            _ = losses.popFirst()
            let id = next.id
            guard let entry = missing[id] else { continue }
            if entry.isHere, !entry.isOverdue {
                missing[id]?.isOverdue = true
                losses.insert(SDSDue(id, again))
            } else {
                due.append(id)
            }
        }
        return due
    }

    /// Gives nothing up before a time: until now, what is missing could not have come.
    mutating func postponeLosses(until earliest: Timestamp, lostAfter: UInt64) {
        losses = PriorityQueue()
        for (id, entry) in missing {
            losses.insert(SDSDue(id, max(earliest, entry.noticed.later(by: lostAfter))))
        }
    }

    /// Missing messages to be asked for now, those due longest first, and of those due at one time the first of the ids.
    mutating func dueRequests(_ now: Timestamp, limit: Int) -> [SDSMessage.HistoryEntry] {
        guard hasRequests(now) else { return [] }
        var (rest, due): (_, [SDSMessage.HistoryEntry]) = (requests, [])
        while due.count < limit, let next = rest.first, next.time <= now {
            _ = rest.popFirst()
            guard let entry = missing[next.id], entry.request == next.time else { continue }
            due.append(entry.entry)
        }
        return due
    }

    /// A message was asked for, and is again later.
    mutating func didRequest(_ id: Identifier, again: (Missing) -> Timestamp) {
        guard var entry = missing[id], entry.request != nil else { return }
        entry.tries += 1
        postpone(id, entry, to: again(entry))
    }

    /// Whether something is to be asked for now.
    mutating func hasRequests(_ now: Timestamp) -> Bool {
        while let next = requests.first, missing[next.id]?.request != next.time { _ = requests.popFirst() }
        return requests.first.map { $0.time <= now } ?? false
    }

    /// Notes that another participant asked for a message: the answer goes to all.
    mutating func postponeRequest(_ id: Identifier, to time: Timestamp) {
        guard let entry = missing[id], let request = entry.request, request < time else { return }
        postpone(id, entry, to: time)
    }

    private mutating func postpone(_ id: Identifier, _ entry: Missing, to time: Timestamp) {
        missing[id] = entry
        missing[id]?.request = time
        requests.insert(SDSDue(id, time))
        compact()
    }
}
