public import ChatModel

// What leaves the process, once the records that led to it are stored.
extension ChatCore {
    /// The records that changed, in one transaction with nothing missing.
    public mutating func takeRecords() -> [Record] {
        if changes.initialization {
            changes.records += initialization.takeChanges().map { Record(Keys.initialization + $0.key, $0.bytes) }
        }
        if changes.conversations.count > 1 { changes.conversations.sort() }
        for id in changes.conversations {
            guard let place = slots.index(forKey: id) else { continue }
            let growth = slots.values[place].takeChanges(into: &changes.records)
            budget.add(growth, of: Self.stranger(id, slots.values[place].about))
        }
        makeRoom()
        if !fresh.isEmpty { batchEvents() }
        if changes.numbers { changes.records.append(Record(Keys.numbers, numbers.encoded)) }
        defer { changes = Changes() }
        return changes.records
    }

    /// Payloads to hand to the delivery service now; they count as on their way until they are settled.
    public mutating func takeOutbox(now: Timestamp) -> [OutboundPayload] {
        let payloads = outbox.take(
            at: numbers.clock.time(at: now), count: limits.publishBatch, bytes: limits.publishBytes)
        for payload in payloads { recent.insert(payload.entry.addressed.id) }
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
        outbox.finishAttempt(payloads.map(\.entry), at: self.now)
        changes.numbers = true
    }

    /// Addresses to subscribe to and to unsubscribe from since the last call.
    public mutating func takeSubscriptions() -> (begun: [DeliveryAddress: Since], ended: [DeliveryAddress]) {
        subscriptions.take()
    }

    /// Every address that is wanted, and from where on.
    public var wanted: [DeliveryAddress: Since] { subscriptions.all }

    /// Payloads and bytes that wait for the delivery service; a content that its machine keeps until there is a link
    /// counts as one.
    public var waiting: (payloads: Int, bytes: Int) {
        (outbox.entries.count + held.count, held.values.reduce(outbox.bytes) { $0 + $1.bytes })
    }

    /// What the client holds and waits for.
    public var load: CoreLoad {
        CoreLoad(
            outboxPayloads: outbox.entries.count, outboxBytes: outbox.bytes, parkedPayloads: parked.entries.count,
            waitingEvents: waitingEvents, conversations: slots.count, isFull: isFull, nextAlarm: nextAlarm,
            nextPublish: nextPublish)
    }

    /// What is final about a content is said once: whether the service has the rest of it matters to nobody any more.
    mutating func release(_ content: ContentID) {
        held[content] = nil
        for entry in outbox.release(content) {
            changes.records.append(Record(Keys.outbox(entry.number), entry.encoded))
        }
    }

    private mutating func finish(_ entry: Outbox.Entry) {
        changes.records.append(Record(Keys.outbox(entry.number), nil))
        guard case .complete = outbox.remove(entry), let content = entry.content else { return }
        guard let id = entry.conversation, !unfinished.contains(content) else { return }
        fresh.append(.status(id, content, .sent))
        wake(.conversation(id), .published(content))
    }

    private mutating func fail(_ entry: Outbox.Entry, _ error: DeliveryError) {
        changes.records.append(Record(Keys.outbox(entry.number), nil))
        let isAwaited = entry.content.map(outbox.isAwaited) ?? false
        _ = outbox.remove(entry)
        guard isAwaited, let content = entry.content, let id = entry.conversation else { return }
        release(content)
        wake(.conversation(id), .refused(content, error))
        // A type may have sent it anew, for example in smaller pieces.
        guard !outbox.isAwaited(content) else { return }
        fresh.append(.status(id, content, .failed(error.description)))
    }
}

/// A payload on its way to the delivery service.
public struct OutboundPayload: Sendable, Hashable {
    let entry: Outbox.Entry

    /// What to publish.
    public var addressed: Addressed { entry.addressed }
    /// On whose behalf; nil for the initialization's own.
    public var conversation: ConversationID? { entry.conversation }
    /// Which content it carries, where the conversation said so.
    public var content: ContentID? { entry.content }
}
