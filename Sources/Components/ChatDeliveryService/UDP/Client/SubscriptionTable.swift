import ChatModel

/// The subscriptions of a client, whatever session there is.
struct SubscriptionTable: Sendable {
    struct Subscription: Sendable {
        let address: DeliveryAddress
        let since: Since
        /// Until when the relay must have answered; nil once it did.
        var deadline: MonotonicInstant?
        /// Its number in the current session; nil if there is none, or if it is stalled.
        var number: UInt32?
        /// Everything up to here found room, or is gone.
        var place: HistoryPosition?
        /// When it is asked for again, after the relay refused it for a while.
        var askAgainAt: MonotonicInstant?
        /// Whether there is no room for its payloads.
        var isStalled = false

        /// From where on payloads are wanted in a new session.
        var wanted: Request.WireSince {
            if let place { return .after(epoch: place.epoch, sequence: place.sequence) }
            switch since {
            case .now: return .now
            case .earliest: return .earliest
            case .after(let cursor):
                // A cursor of another service means nothing to a relay, like one of an epoch that never was.
                let place = HistoryPosition(cursor) ?? HistoryPosition(epoch: 0, sequence: .max)
                return .after(epoch: place.epoch, sequence: place.sequence)
            }
        }
    }

    private var byKey: [Int: Subscription] = [:]
    private var byNumber: [UInt32: Int] = [:]
    private var byMessage: [UInt64: (key: Int, number: UInt32?)] = [:]
    private var awaiting = Queue<Int>()
    private var nextNumber: UInt32 = 0
    /// No refused subscription is due before.
    private var nextAsk: MonotonicInstant?

    /// All of them, in the order of their keys.
    var keys: [Int] { byKey.keys.sorted() }
    /// When the first one is overdue, or to be asked for again.
    var deadline: MonotonicInstant? {
        [awaiting.first.flatMap { byKey[$0]?.deadline }, nextAsk].compactMap(\.self).min()
    }

    subscript(key: Int) -> Subscription? {
        get { byKey[key] }
        _modify { yield &byKey[key] }
    }

    func key(number: UInt32) -> Int? { byNumber[number] }

    mutating func insert(_ key: Int, _ subscription: Subscription) {
        byKey[key] = subscription
        if subscription.deadline != nil { awaiting.append(key) }
    }

    /// Draws a number that was not used in this session.
    mutating func number(_ key: Int) -> UInt32 {
        nextNumber &+= 1
        byNumber[nextNumber] = key
        byKey[key]?.number = nextNumber
        return nextNumber
    }

    /// The relay shall not send any more; returns the number to end.
    mutating func dropNumber(_ key: Int) -> UInt32? {
        guard let number = byKey[key]?.number else { return nil }
        byKey[key]?.number = nil
        byNumber[number] = nil
        return number
    }

    /// A subscription was sent as a message.
    mutating func sent(_ key: Int, as message: UInt64) {
        byMessage[message] = (key, byKey[key]?.number)
    }

    /// A message was answered; returns its subscription, and whether no later message asks for it.
    mutating func answered(_ message: UInt64) -> (key: Int, isCurrent: Bool)? {
        byMessage.removeValue(forKey: message).map { ($0.key, byKey[$0.key]?.number == $0.number) }
    }

    /// The relay refused a subscription for a while.
    mutating func askAgain(_ key: Int, at time: MonotonicInstant) {
        _ = dropNumber(key)
        byKey[key]?.askAgainAt = time
        nextAsk = min(nextAsk ?? time, time)
    }

    /// Takes the refused ones that are due.
    mutating func dueAgain(_ now: MonotonicInstant) -> [Int] {
        guard let nextAsk, nextAsk <= now else { return [] }
        let due = byKey.filter { $0.value.askAgainAt.map { $0 <= now } == true }.keys.sorted()
        for key in due { byKey[key]?.askAgainAt = nil }
        self.nextAsk = byKey.values.compactMap(\.askAgainAt).min()
        return due
    }

    mutating func remove(_ key: Int) {
        _ = dropNumber(key)
        byKey[key] = nil
        forgetAnswered()
    }

    /// The relay answered in time; returns whether anybody waited for it.
    mutating func confirm(_ key: Int) -> Bool {
        guard byKey[key]?.deadline != nil else { return false }
        byKey[key]?.deadline = nil
        forgetAnswered()
        return true
    }

    /// Those that are overdue.
    func due(_ now: MonotonicInstant) -> [Int] {
        (0..<awaiting.count).compactMap { awaiting[$0] }.prefix { key in
            byKey[key]?.deadline.map { $0 <= now } ?? true
        }.filter { byKey[$0]?.deadline != nil }
    }

    /// The session is over, and with it all numbers.
    mutating func forgetNumbers() {
        (byNumber, byMessage, nextNumber, nextAsk) = ([:], [:], 0, nil)
        for key in byKey.keys {
            byKey[key]?.number = nil
            byKey[key]?.askAgainAt = nil
        }
    }

    /// Returns those that somebody waits for.
    mutating func removeAll() -> [Int] {
        defer { self = SubscriptionTable() }
        return byKey.filter { $0.value.deadline != nil }.keys.sorted()
    }

    private mutating func forgetAnswered() {
        while let key = awaiting.first, byKey[key]?.deadline == nil { awaiting.popFirst() }
    }
}
