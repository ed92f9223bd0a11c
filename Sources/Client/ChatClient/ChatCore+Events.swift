internal import ChatModel

// What the application is told: stored until it says that it has it.
extension ChatCore {
    /// Makes a batch of what happened since the last one.
    mutating func batchEvents() {
        numbers.batch += 1
        changes.numbers = true
        let batch = EventBatch(number: numbers.batch, events: fresh)
        fresh = []
        batches.append(batch)
        waitingEvents += batch.events.count
        waitingEventBytes += batch.size
        guard let record = batch.encoded else { return }
        changes.records.append(Record(Keys.batch(batch.number), record))
    }

    /// The oldest batch that the application has not taken.
    public var nextBatch: EventBatch? { batches.first }

    /// All batches that the application has not taken, oldest first.
    public var waitingBatches: [EventBatch] { batches }

    /// Whether the application is so far behind that no more should be received.
    public var isFull: Bool {
        waitingEvents >= limits.waitingEvents || waitingEventBytes >= limits.waitingEventBytes
    }

    /// Learns that the application has every batch up to a number.
    public mutating func confirm(batchesUpTo number: UInt64) {
        while let first = batches.first, first.number <= number {
            batches.removeFirst()
            waitingEvents -= first.events.count
            waitingEventBytes -= first.size
            if first.events.contains(where: \.isKept) {
                changes.records.append(Record(Keys.batch(first.number), nil))
            }
        }
    }

    /// Tells the application something that is not part of any step.
    mutating func note(_ event: ClientEvent) {
        fresh.append(event)
    }
}
