import ChatModel

/// One client as a relay sees it.
struct RelaySession: Sendable {
    /// How the datagrams of a session are told. In plain, whoever knows another's id still has another address; a
    /// sealed session is told by its id alone, since its packets prove themselves.
    struct Key: Hashable, Sendable {
        let session: UInt64
        let peer: NetworkAddress?
    }

    /// The subscriptions of a client.
    struct Subscription: Sendable {
        let address: DeliveryAddress
        /// Everything up to here was handed to the link, or is gone.
        var position: UInt64
        /// Whether it stands in the queue of those to be served.
        var isReady = false
    }

    /// Bytes and messages handed to the link ahead of what has arrived, at most: enough to fill the largest
    /// congestion window, and all that a client which reads nothing makes the relay keep beyond its retention.
    static let aheadBytes = 512 << 10
    static let aheadMessages = 1_024
    /// Payloads read for one subscription before the next one has its turn.
    static let turnPayloads = 64
    static let turnBytes = 64 << 10

    let key: Key
    /// Where the client is.
    var peer: NetworkAddress
    /// Our address that the client writes to, and the only one that it takes answers from; nil if there is only one.
    var local: NetworkAddress?
    /// Where it may be now.
    var path: NewPath?
    var pathChanges = PathChanges()
    var link: Link
    var subscriptions: [UInt32: Subscription] = [:]
    /// The address of the last payload that it published; the next one is usually for the same.
    var publishesTo: DeliveryAddress?
    private var ready = Queue<UInt32>()
    private var answers = OwedAnswers()
    /// The bytes owed to this client that the relay's totals include.
    var countedAnswers = 0
    /// Whether it stands in the relay's queue of those that want to write.
    var isDirty = false
    /// The earliest entry in the relay's timer queue.
    var scheduled: MonotonicInstant?

    init(_ key: Key, of peer: NetworkAddress, at local: NetworkAddress?, _ link: Link) {
        (self.key, self.peer, self.local, self.link) = (key, peer, local, link)
    }

    /// When its timer must run; nil if it runs early enough anyway.
    func due(_ limits: RelayLimits) -> MonotonicInstant? {
        let idle = link.lastHeard + MicrosecondSpan(limits.idle)
        let due = link.wake.map { min($0, idle) } ?? idle
        if let scheduled, scheduled <= due { return nil }
        return due
    }

    /// Whether the client is silent or does not answer.
    func isGone(_ limits: RelayLimits, _ now: MonotonicInstant) -> Bool {
        link.lastHeard + MicrosecondSpan(limits.idle) <= now || link.silence(now) > MicrosecondSpan(limits.patience)
            || link.isSpent
    }

    /// A subscription may have something to be sent.
    mutating func makeReady(_ number: UInt32) {
        guard subscriptions[number]?.isReady == false else { return }
        subscriptions[number]?.isReady = true
        ready.append(number)
    }

    /// Answers a request.
    mutating func answer(_ entry: Answer.Entry) {
        answers.append(entry)
    }

    /// The bytes owed, less those acknowledged since.
    mutating func owedAnswers() -> Int {
        answers.settle(link)
        return answers.bytes
    }

    /// Says that payloads of a subscription are gone.
    mutating func sendGone(_ number: UInt32, through sequence: UInt64) {
        let head = Answer.head(gone: number, through: sequence)
        answers.sent(link.send(head: head, order: UInt64(number)), bytes: head.count)
    }

    /// Hands answers and payloads to the link, as far as it should have them now.
    ///
    /// - Parameter budget: payloads that may still be read in this turn; less what was read.
    /// - Returns: whether there is more that only the budget held back.
    mutating func fill(
        from history: inout History, _ statistics: inout RelayStatistics, budget: inout Int, now: MonotonicInstant
    ) -> Bool {
        answers.send(over: &link)
        while link.queued.bytes < Self.aheadBytes, link.queued.messages < Self.aheadMessages, !ready.isEmpty {
            guard budget > 0 else { return true }
            guard let number = ready.popFirst(), var subscription = subscriptions[number] else { continue }
            budget -= 1 + serve(number, &subscription, from: &history, &statistics, now)
            subscription.isReady = subscription.position < history.newest(subscription.address)
            if subscription.isReady { ready.append(number) }
            subscriptions[number] = subscription
        }
        return false
    }

    /// Hands payloads of one subscription to the link; returns how many.
    private mutating func serve(
        _ number: UInt32, _ subscription: inout Subscription, from history: inout History,
        _ statistics: inout RelayStatistics, _ now: MonotonicInstant
    ) -> Int {
        let entries = history.entries(
            subscription.address, after: subscription.position, count: Self.turnPayloads, bytes: Self.turnBytes,
            now: now)
        let gone = history.evictedThrough(subscription.address)
        if subscription.position < gone {
            subscription.position = gone
            statistics.gaps += 1
            sendGone(number, through: gone)
        }
        for entry in entries {
            subscription.position = entry.sequence
            statistics.delivered += 1
            _ = link.send(
                head: Answer.head(deliver: entry, number: number), body: entry.addressed.payload, order: UInt64(number))
        }
        return entries.count
    }
}
