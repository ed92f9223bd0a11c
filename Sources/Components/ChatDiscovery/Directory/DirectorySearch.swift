internal import ChatModel

/// One search: what arrived under a name so far, and the wait for more.
///
/// It subscribes when it is first asked and unsubscribes when it is over or its last reference is gone.
final class DirectorySearch {
    private let directory: DirectoryDiscovery
    private let query: DirectoryQuery
    private let mailbox = Mailbox(
        capacity: DirectoryLimits.waiting.entries, byteCapacity: DirectoryLimits.waiting.bytes)
    private var entries: [DirectoryEntry] = []
    private var hasNews = false
    private var hasAnswered = false
    private var phase = Phase.new

    private enum Phase {
        case new
        /// Answers are given from the first time on; without one the second ends the search.
        case subscribed(settled: ContinuousClock.Instant, deadline: ContinuousClock.Instant)
        case over
    }

    init(of directory: DirectoryDiscovery, _ query: DirectoryQuery) {
        (self.directory, self.query) = (directory, query)
    }

    deinit {
        guard case .subscribed = phase else { return }
        let (delivery, mailbox, address) = (directory.delivery, mailbox, query.name.address)
        mailbox.close()
        Task { await delivery.unsubscribe([address], from: mailbox) }
    }

    /// The next answer: everybody whose entry is good now. Nil once the task is cancelled.
    func next() async throws(DiscoveryError) -> [Introduction]? {
        if case .new = phase { try await begin() }
        guard case .subscribed(let settled, let deadline) = phase else { return nil }
        while !Task.isCancelled {
            let now = ContinuousClock.now
            if now >= settled, hasNews, let answer = takeAnswer() { return answer }
            let until = now < settled ? settled : hasAnswered ? nil : deadline
            guard await takeIn(until: until) else { break }
            // Entries that waited in the mailbox were examined, however late it is.
            if now >= deadline, !hasAnswered, !hasNews {
                await end()
                throw .notFound(query.text)
            }
        }
        await end()
        return nil
    }

    /// Waits until the retained entries are in; whom it found, the directory remembers.
    func settle() async throws(DiscoveryError) {
        try await begin()
        guard case .subscribed(let settled, _) = phase else { return }
        while await takeIn(until: settled), ContinuousClock.now < settled {}
        await end()
    }

    /// Whether an entry with at least a sequence is found within the timeout that is good until a time.
    func finds(_ sequence: UInt64, until time: Timestamp) async throws(DiscoveryError) -> Bool {
        try await begin()
        guard case .subscribed(_, let deadline) = phase else { return false }
        var isFound = false
        while !isFound, ContinuousClock.now < deadline {
            guard await takeIn(until: deadline) else { break }
            isFound = entries.contains { $0.sequence >= sequence && $0.expiry > time }
        }
        await end()
        return isFound
    }

    private func begin() async throws(DiscoveryError) {
        do {
            try await directory.delivery.subscribe([query.name.address: .earliest], into: mailbox)
        } catch {
            phase = .over
            throw .delivery(error)
        }
        let now = ContinuousClock.now
        phase = .subscribed(settled: now + directory.settling, deadline: now + directory.timeout)
    }

    private func end() async {
        phase = .over
        mailbox.close()
        await directory.delivery.unsubscribe([query.name.address], from: mailbox)
    }

    /// Takes in what arrives before a time; false where nothing can arrive any more.
    private func takeIn(until time: ContinuousClock.Instant?) async -> Bool {
        guard let batch = await mailbox.next(until: time) else { return time != nil && !Task.isCancelled }
        for delivery in batch.deliveries where delivery.addressed.address == query.name.address {
            let payload = delivery.addressed.payload
            guard let entry = directory.judge(payload, for: query, beside: entries) else { continue }
            if let known = entries.firstIndex(where: { $0.publisher == entry.publisher }) {
                entries[known] = entry
            } else {
                entries.append(entry)
            }
            hasNews = true
        }
        return true
    }

    /// Who can be reached now; nil for none, unless the last answer named one.
    private func takeAnswer() -> [Introduction]? {
        hasNews = false
        let now = directory.clock()
        let answer = entries.filter { $0.expiry > now }.compactMap { $0.introduction(at: now) }
        guard !answer.isEmpty || hasAnswered else { return nil }
        hasAnswered = true
        return answer
    }
}

extension DirectoryEntry {
    /// The publisher with the bundles that are good now, if there are any.
    ///
    /// Schemes stay in the publisher's order, bundles of one scheme come in random order: two who take
    /// the first one seldom take the same single-use bundle.
    fileprivate func introduction(at now: Timestamp) -> Introduction? {
        let good = bundles.filter { bundle in bundle.expiry.map { $0 > now } ?? true }
        guard !good.isEmpty else { return nil }
        var schemes: [String] = []
        for bundle in good where !schemes.contains(bundle.scheme) { schemes.append(bundle.scheme) }
        let ordered = schemes.flatMap { scheme in good.filter { $0.scheme == scheme }.shuffled() }
        return Introduction(name: name, publisher: publisher, bundles: ordered)
    }
}

extension Mailbox {
    /// The next batch; nil at a time, on cancellation and once closed.
    fileprivate func next(until time: ContinuousClock.Instant?) async -> Batch? {
        guard let time else { return await next() }
        return await withTaskGroup(of: Batch?.self) { group in
            group.addTask { await self.next() }
            group.addTask {
                try? await ContinuousClock().sleep(until: time)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            // A batch that came at the last moment is not lost.
            let second = await group.next() ?? nil
            return first ?? second
        }
    }
}
