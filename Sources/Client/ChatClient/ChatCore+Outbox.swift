public import ChatModel

// Output of the process, once the records that led to it are stored.
extension ChatCore {
    /// The records that changed, in one transaction with nothing missing.
    public mutating func takeRecords() -> [Record] {
        takeInitializationChanges()
        if changes.conversations.count > 1 { changes.conversations.sort() }
        for id in changes.conversations { takeChanges(of: id) }
        makeRoom()
        batchEvents()
        if changes.numbers { changes.records.append(Record(Keys.numbers, numbers.encoded)) }
        defer { changes = Changes() }
        return changes.records
    }

    /// The records that must be stored before anything else happens; none where what changed can wait until
    /// ``nextFlush`` and be stored with what changes by then (DURABLE-3).
    public mutating func takeUrgentRecords() -> [Record] {
        batchEvents()
        guard !changes.isEmpty else { return [] }
        let since = changes.since ?? now
        changes.since = since
        return changes.isUrgent || since + Self.longestDelay <= now ? takeRecords() : []
    }

    /// When, by the clock of the calls, changes that wait are to be stored; nil where none do.
    public var nextFlush: Timestamp? { changes.since.map { numbers.clock.reading(of: $0 + Self.longestDelay) } }

    /// How long changes can wait that nothing depends on.
    static let longestDelay = Duration.seconds(5)

    mutating func takeInitializationChanges() {
        guard changes.initialization else { return }
        changes.initialization = false
        changes.records += initialization.takeChanges().map { Record(Keys.initialization + $0.key, $0.bytes) }
    }

    mutating func takeChanges(of id: ConversationID) {
        guard let place = place(of: id) else { return }
        let growth = hosted.values[place].takeChanges(into: &changes.records)
        guard growth != 0 else { return }
        budget.add(growth, of: Self.stranger(id, hosted.values[place].about))
    }

    /// Payloads to hand to the delivery service now; they count as on their way until they are settled.
    public mutating func takeOutbox(now: Timestamp) -> [OutboundPayload] {
        let payloads = outbox.take(
            at: numbers.clock.time(at: now), count: limits.publishBatch, bytes: limits.publishBytes)
        for payload in payloads where !subscriptions.wantsEcho(payload.entry.addressed.address) {
            recent.insert(payload.entry.addressed.id)
        }
        return payloads
    }

    /// When, by the clock of the calls, the outbox next has something to publish; nil while it is empty or waits for results.
    public var nextPublish: Timestamp? { outbox.nextAttempt.map(numbers.clock.reading) }

    /// Takes the results of publishing, in the order of the payloads.
    public mutating func settle(
        _ payloads: [OutboundPayload], _ results: [Result<Receipt, DeliveryError>], now: Timestamp
    ) {
        advance(to: now)
        for (index, payload) in payloads.enumerated() {
            // A service that answers less than it was asked has not taken the rest.
            let result = index < results.count ? results[index] : .failure(.unreachable("service", after: .zero))
            switch result {
            case .success: finish(payload.entry)
            case .failure(let error):
                if error.isPassing {
                    outbox.retain(payload.entry, at: self.now, after: error)
                } else {
                    fail(payload.entry, error)
                }
            }
        }
        outbox.finishAttempt(payloads, at: self.now)
        changes.numbers = true
    }

    /// Addresses to subscribe to and to unsubscribe from since the last call.
    public mutating func takeSubscriptions() -> (begun: [DeliveryAddress: Since], ended: [DeliveryAddress]) {
        subscriptions.take()
    }

    /// Learns that addresses are subscribed to: what asks for replies there may leave (DS-17).
    public mutating func subscribed(_ addresses: Set<DeliveryAddress>) {
        outbox.open(addresses)
    }

    /// Every address that is wanted, and from where on.
    public var wanted: [DeliveryAddress: Since] { subscriptions.all }

    /// Whether an address is wanted.
    func wants(_ address: DeliveryAddress) -> Bool { subscriptions.isWanted(address) }

    /// Payloads and bytes that wait for the delivery service; a content that its machine keeps until there is a link
    /// counts as one.
    public var waiting: (payloads: Int, bytes: Int) {
        if held.isEmpty { return (outbox.entries.count, outbox.bytes) }
        return (outbox.entries.count + held.count, held.values.reduce(outbox.bytes) { $0 + $1.bytes })
    }

    /// The client's load.
    public var load: CoreLoad {
        CoreLoad(
            outboxPayloads: outbox.entries.count, outboxBytes: outbox.bytes, deferredPayloads: deferred.entries.count,
            waitingEvents: waitingEvents, conversations: hosted.count, isFull: isFull, nextAlarm: nextAlarm,
            nextPublish: nextPublish)
    }

    /// After the final status of a content, its remaining payloads are untracked.
    mutating func release(_ content: ContentID) {
        held[content] = nil
        for entry in outbox.release(content) { store(entry) }
    }

    private mutating func finish(_ entry: OutboxEntry) {
        remove(entry)
        guard case .complete = outbox.remove(entry), let content = entry.content else { return }
        guard let id = entry.conversation, !unfinished.contains(content) else { return }
        fresh.append(.conversation(id, .status(content, .sent)))
        wake(.conversation(id), .published(content))
    }

    private mutating func fail(_ entry: OutboxEntry, _ error: DeliveryError) {
        remove(entry)
        // Not what it was sent for: meanwhile nobody may wait for this payload any more, but for others of the content.
        let awaiting = outbox.entries[entry.number]?.content
        _ = outbox.remove(entry)
        if case .tooLarge(_, let limit) = error { learn(largest: limit) }
        guard let content = awaiting, let id = entry.conversation else { return }
        release(content)
        wake(.conversation(id), .refused(content, error))
        // A type may have sent it anew, for example in smaller pieces.
        guard !outbox.isAwaited(content) else { return }
        fresh.append(.conversation(id, .status(content, .failed(error.description))))
    }

    /// The service takes less than it said: machines see it in their next step. Nobody waits to hear what became of a
    /// copy that is sent again, so its machine would send it again and again.
    private mutating func learn(largest limit: Int) {
        guard limit >= Self.leastLimit else { return }
        let room = framing.maximumPayload(within: limit)
        guard room < maximumPayload else { return }
        (maximumPayload, restrictedUntil) = (room, now + Self.restriction)
    }

    /// Within a smaller limit machines could hardly say anything, so one changes nothing for other payloads.
    private static let leastLimit = 2_048
    /// How long a limit that the service named in a refusal is believed.
    private static let restriction = Duration.seconds(3_600)

    /// From now on payloads may again be as large as the service said at first.
    mutating func liftRestriction() {
        (maximumPayload, restrictedUntil) = (framing.maximumPayload(within: maximumFramed), nil)
    }
}

/// A payload on its way to the delivery service.
public struct OutboundPayload: Sendable, Hashable {
    let entry: OutboxEntry

    /// The payload to publish.
    public var addressed: Addressed { entry.addressed }
    /// On whose behalf; nil for the initialization's own.
    public var conversation: ConversationID? { entry.conversation }
    /// Which content it carries, where the conversation said so.
    public var content: ContentID? { entry.content }
}
