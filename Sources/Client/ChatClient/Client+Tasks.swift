internal import ChatModel

// The tasks that carry things in and out.
extension Client {
    /// Starts the tasks and carries out what restoring asked for.
    func run() {
        tasks = [
            Task { await receiveAll() },
            Task { await publishAll() },
            Task { for await _ in subscribing.rings { await subscribeAll() } },
        ]
        unsubscribed = core.wanted
        scheduleSteps()
    }

    /// Reads the mailbox; asking for the next batch says that the last one is stored.
    private func receiveAll() async {
        while let batch = await mailbox.next() {
            while core.isFull, !isClosed { await withCheckedContinuation { roomWaiters.append($0) } }
            await receive(batch.deliveries[...], batch.placedNotices[...])
        }
    }

    /// Receives payloads until they are stored; those that never can be, are told and left out (CORE-18).
    private func receive(_ deliveries: ArraySlice<Delivery>, _ notices: ArraySlice<Mailbox.PlacedNotice>) async {
        var pause = Self.storagePause
        while !isClosed {
            do throws(ClientError) {
                return try await step { core, now throws(Refusal) in
                    var start = deliveries.startIndex
                    for placed in notices {
                        core.receive(Array(deliveries[start..<placed.place]), now: now)
                        core.notice(placed.notice, now: now)
                        start = placed.place
                    }
                    core.receive(Array(deliveries[start...]), now: now)
                }
            } catch {
                guard error.isTooLarge, let first = deliveries.first else {
                    // Not stored, so not received: the same again, once there may be room.
                    try? await Task.sleep(for: pause)
                    pause = min(pause * 2, Self.longestStoragePause)
                    continue
                }
                guard deliveries.count > 1 else {
                    if await giveWay(to: first) { continue }
                    return await skip(first, notices, error)
                }
                let half = deliveries.startIndex + deliveries.count / 2
                let split = notices.firstIndex { $0.place > half } ?? notices.endIndex
                await receive(deliveries[..<half], notices[..<split])
                return await receive(deliveries[half...], notices[split...])
            }
        }
    }

    /// Lets the largest stranger give way to a payload; false where there is none larger than it.
    private func giveWay(to delivery: Delivery) async -> Bool {
        let size = delivery.addressed.payload.count
        return (try? await step { core, _ throws(Refusal) in core.giveWay(above: size) }) ?? false
    }

    /// Goes on behind a payload whose consequences cannot be stored.
    private func skip(
        _ delivery: Delivery, _ notices: ArraySlice<Mailbox.PlacedNotice>, _ error: ClientError
    ) async {
        let refusal = Refusal(.unable, ClientCause.notStored(error.description))
        try? await step { core, now throws(Refusal) in
            core.skip(delivery, refusal, now: now)
            for placed in notices { core.notice(placed.notice, now: now) }
        }
    }

    /// Publishes in several calls at once: one that takes long holds up the addresses in it, and no others.
    private func publishAll() async {
        await withDiscardingTaskGroup { calls in
            for await _ in publishing.rings {
                while let payloads = takePayloads() { calls.addTask { await self.publish(payloads) } }
            }
        }
    }

    private func takePayloads() -> [OutboundPayload]? {
        // What restoring asked for after a commit failed is not stored yet, and must not leave (CORE-3).
        guard !isClosed, !core.changes.isUrgent, publishCalls < Self.maximumPublishCalls else { return nil }
        let payloads = core.takeOutbox(now: clock())
        guard !payloads.isEmpty else { return nil }
        publishCalls += 1
        return payloads
    }

    private func publish(_ payloads: [OutboundPayload]) async {
        let results = await suite.delivery.publish(payloads.map(\.addressed))
        publishCalls -= 1
        do throws(ClientError) {
            try await step { core, now throws(Refusal) in core.settle(payloads, results, now: now) }
        } catch {
            // Not stored, so they are published again, under the same ids, once there may be room.
            try? await Task.sleep(for: Self.storagePause)
        }
        publishing.ring()
    }

    /// Calls of the service that publish at once, at most.
    static let maximumPublishCalls = 8
    /// The pause before a batch that could not be stored is tried again.
    static let storagePause = Duration.seconds(1)
    /// The longest such pause, after some that were in vain.
    static let longestStoragePause = Duration.seconds(30)
}

// Events: one reader, in batches.
extension Client {
    /// The events, in batches; one reader at a time.
    ///
    /// Asking for the next batch says that the last one is dealt with; what was not is shown again
    /// after a restart, under the same number. A reader that falls behind by more than the limit of
    /// waiting events stops the client from receiving, so nothing is dropped.
    public nonisolated var events: Events { Events(client: self) }

    /// The batches of a client.
    public struct Events: AsyncSequence, Sendable {
        let client: Client

        /// Begins with the oldest batch that was not dealt with.
        public func makeAsyncIterator() -> Iterator { Iterator(client: client) }

        /// Asks a client for one batch after the other.
        public struct Iterator: AsyncIteratorProtocol {
            let client: Client
            private var last: UInt64?

            init(client: Client) {
                self.client = client
            }

            /// The next batch, or nil once the client is closed, the task is cancelled or another reader takes over.
            public mutating func next() async -> EventBatch? {
                let batch = await client.nextEvents(after: last)
                last = batch?.number
                return batch
            }
        }
    }

    func nextEvents(after last: UInt64?) async -> EventBatch? {
        if let last, last > 0 {
            confirmed = max(confirmed, last)
            core.confirm(batchesUpTo: last)
            scheduleSteps()
        }
        guard !isClosed else { return nil }
        if let batch = takeEvents() { return batch }
        readers += 1
        let number = readers
        return await withTaskCancellationHandler {
            await withCheckedContinuation { reader in
                guard !Task.isCancelled else { return reader.resume(returning: nil) }
                eventReader?.continuation.resume(returning: nil)
                eventReader = (number, reader)
            }
        } onCancel: {
            Task { await endReader(number) }
        }
    }

    private func endReader(_ number: UInt64) {
        guard let reader = eventReader, reader.number == number else { return }
        eventReader = nil
        reader.continuation.resume(returning: nil)
    }

    func showEvents() {
        guard let reader = eventReader, let batch = takeEvents() else { return }
        eventReader = nil
        reader.continuation.resume(returning: batch)
    }

    private func takeEvents() -> EventBatch? {
        guard let batch = core.nextBatch else { return nil }
        // One without a number is shown once.
        if batch.number == 0 { core.confirm(batchesUpTo: 0) }
        return batch
    }
}
