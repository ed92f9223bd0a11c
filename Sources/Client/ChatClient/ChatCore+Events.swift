internal import ChatModel

// Events for the application: stored until the application confirms them.
extension ChatCore {
    /// Makes a batch of what happened since the last one; without a number where none of it is kept.
    mutating func batchEvents() {
        guard !fresh.isEmpty else { return }
        let isKept = fresh.contains(where: \.isKept)
        if isKept { numbers.batch += 1 }
        let batch = EventBatch(number: isKept ? numbers.batch : 0, events: fresh)
        fresh = []
        append(batch)
        guard isKept, let record = batch.encoded else { return }
        changes.records.append(Record(Keys.batch(batch.number), record))
        (changes.numbers, changes.isUrgent) = (true, true)
    }

    /// Adds a batch to those that the application has not taken.
    mutating func append(_ batch: EventBatch) {
        batches.append(batch)
        waitingEvents += batch.events.count
        waitingEventBytes += batch.size
    }

    /// The oldest batch that the application has not taken.
    public var nextBatch: EventBatch? { batches.first }

    /// All batches that the application has not taken, oldest first.
    public var waitingBatches: [EventBatch] { batches }

    /// Whether the application is so far behind that no more should be received.
    public var isFull: Bool {
        waitingEvents >= limits.waitingEvents || waitingEventBytes >= limits.waitingEventBytes
    }

    /// Learns that the application has every batch up to the one with a number; for 0, the oldest, if it has none.
    public mutating func confirm(batchesUpTo number: UInt64) {
        guard number > 0 else {
            if batches.first?.number == 0 { removeBatches(1) }
            return
        }
        // One without a number that comes later was not shown.
        removeBatches(batches.lastIndex { $0.number > 0 && $0.number <= number }.map { $0 + 1 } ?? 0)
    }

    private mutating func removeBatches(_ count: Int) {
        for batch in batches.prefix(count) {
            waitingEvents -= batch.events.count
            waitingEventBytes -= batch.size
            if batch.number > 0 { changes.records.append(Record(Keys.batch(batch.number), nil)) }
        }
        batches.removeFirst(count)
    }

    /// Tells the application something that is not part of any step.
    mutating func note(_ event: ClientEvent) {
        fresh.append(event)
    }
}
