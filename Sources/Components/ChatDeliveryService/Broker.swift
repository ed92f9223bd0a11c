import ChatModel

/// The state that the publishers of one in-memory service share: subscribers and history behind one lock.
///
/// Mailboxes are offered to with the lock held, so that the order is the same for all; offering only enqueues.
final class Broker: Sendable {
    fileprivate struct Subscriber: Sendable {
        let mailbox: Mailbox
        /// It has what was published up to here, unless it is not behind.
        var position: UInt64
        var isBehind = false
        /// How the reply at this address ended, as long as it is behind.
        var ending: Ending?
    }

    fileprivate struct State: Sendable {
        var history: History
        var recent: RecentIDs
        var subscribers: [DeliveryAddress: [Subscriber]] = [:]
        var behind: [ObjectIdentifier: Set<DeliveryAddress>] = [:]
        /// Who was asked to reply at an address that has a subscriber.
        var serving: [DeliveryAddress: [Mailbox]] = [:]
    }

    let rememberedIDs: Int
    private let limits: DeliveryLimits
    private let now: @Sendable () -> MonotonicInstant
    private let state: Lock<State>

    init(_ limits: DeliveryLimits, rememberedIDs: Int, now: @escaping @Sendable () -> MonotonicInstant) {
        (self.limits, self.rememberedIDs, self.now) = (limits, rememberedIDs, now)
        let history = History(epoch: .random(in: 1 ... .max), retention: limits.retention)
        state = Lock(State(history: history, recent: RecentIDs(capacity: rememberedIDs)))
    }

    func publish(_ payloads: [Addressed], _ quota: inout Quota?) -> [Result<Receipt, DeliveryError>] {
        let now = now()
        return state.withLock { state in
            var results: [Result<Receipt, DeliveryError>] = []
            results.reserveCapacity(payloads.count)
            let cursors = limits.retention.map { _ in
                Cursors(epoch: state.history.epoch, from: state.history.lastSequence + 1, count: payloads.count)
            }
            // Payloads on the same address one after the other are one offer.
            var run: [Delivery] = []
            var (addressHash, isEnded) = (0, false)
            for addressed in payloads {
                if isEnded || addressed.address != run.last?.addressed.address {
                    state.deliver(&run)
                    run.reserveCapacity(payloads.count - results.count)
                    addressHash = addressed.address.hashValue
                }
                isEnded = addressed.ending != nil
                let key = RecentIDs.Key(addressed.id, addressHash: addressHash)
                results.append(take(addressed, key, cursors, &quota, &run, &state, now))
            }
            state.deliver(&run)
            return results
        }
    }

    private func take(
        _ addressed: Addressed, _ key: RecentIDs.Key?, _ cursors: Cursors?, _ quota: inout Quota?,
        _ run: inout [Delivery], _ state: inout State, _ now: MonotonicInstant
    ) -> Result<Receipt, DeliveryError> {
        guard addressed.payload.count <= limits.maximumPayload else {
            return .failure(.tooLarge(bytes: addressed.payload.count, limit: limits.maximumPayload))
        }
        if let known = state.recent.sequence(key) { return .success(Receipt(cursor: state.cursor(known))) }
        do throws(DeliveryError) {
            try quota?.take(now)
        } catch {
            return .failure(error)
        }
        let sequence = state.history.append(addressed, now: now)
        state.recent.insert(key, sequence: sequence)
        let cursor = cursors?[sequence]
        run.append(Delivery(addressed, cursor: cursor))
        return .success(Receipt(cursor: cursor))
    }

    func subscribe(_ addresses: [DeliveryAddress: Since], _ mailbox: Mailbox) {
        let now = now()
        state.withLock { state in
            for (address, since) in addresses {
                guard state.subscribers[address]?.contains(where: { $0.mailbox === mailbox }) != true else { continue }
                let (position, hasGap) = state.history.start(address, since)
                if hasGap { mailbox.notify(.gone(address)) }
                let isBehind = position < state.history.lastSequence && limits.retention != nil
                state.subscribers[address, default: []].append(
                    Subscriber(mailbox: mailbox, position: position, isBehind: isBehind))
                if isBehind { state.behind[ObjectIdentifier(mailbox), default: []].insert(address) }
            }
            state.catchUp(mailbox, now)
        }
    }

    func unsubscribe(_ addresses: [DeliveryAddress], _ mailbox: Mailbox) {
        state.withLock { state in
            for address in addresses {
                state.subscribers[address]?.removeAll { $0.mailbox === mailbox }
                if state.subscribers[address]?.isEmpty == true {
                    state.subscribers[address] = nil
                    for server in state.serving.removeValue(forKey: address) ?? [] {
                        server.notify(.ended(address, .cancelled))
                    }
                }
                state.forgetBehind(address, ObjectIdentifier(mailbox))
            }
        }
    }

    /// Offers to a mailbox what it refused before.
    func catchUp(_ mailbox: Mailbox) {
        let now = now()
        state.withLock { $0.catchUp(mailbox, now) }
    }
}

extension Broker.State {
    fileprivate func cursor(_ sequence: UInt64) -> Cursor? {
        history.retention == nil ? nil : HistoryPosition(epoch: history.epoch, sequence: sequence).cursor
    }

    /// Offers payloads of one address to all its subscribers that are not behind; the last may end the reply there.
    fileprivate mutating func deliver(_ run: inout [Delivery]) {
        guard let address = run.first?.addressed.address else { return }
        let ending = run.last?.addressed.ending
        defer {
            run.removeAll(keepingCapacity: false)
            if let ending { end(address, ending) }
        }
        noteServers(of: run)
        guard let count = subscribers[address]?.count else { return }
        let firstSequence = history.lastSequence - UInt64(run.count) + 1
        for index in 0..<count {
            guard let subscriber = subscribers[address]?[index], !subscriber.isBehind else { continue }
            let taken = subscriber.mailbox.offer(run)
            guard taken < run.count else { continue }
            guard history.retention != nil else {
                subscriber.mailbox.notify(.gone(address))
                continue
            }
            subscribers[address]?[index].isBehind = true
            subscribers[address]?[index].position = firstSequence + UInt64(taken) - 1
            behind[ObjectIdentifier(subscriber.mailbox), default: []].insert(address)
        }
    }

    /// Remembers who is asked to reply at addresses that have a subscriber.
    private mutating func noteServers(of run: [Delivery]) {
        // Most have no reply address, and a delivery is dear to copy.
        for index in run.indices where run[index].addressed.replyAddress != nil {
            guard let reply = run[index].addressed.replyAddress, subscribers[reply] != nil else { continue }
            let asked = subscribers[run[index].addressed.address]?.map(\.mailbox) ?? []
            for mailbox in asked where serving[reply]?.contains(where: { $0 === mailbox }) != true {
                serving[reply, default: []].append(mailbox)
            }
        }
    }

    /// Ends a reply: each subscriber is told once it has the last payload, and subscribes no longer.
    private mutating func end(_ address: DeliveryAddress, _ ending: Ending) {
        serving[address] = nil
        for index in subscribers[address]?.indices ?? 0..<0 {
            guard let subscriber = subscribers[address]?[index] else { continue }
            if subscriber.isBehind {
                subscribers[address]?[index].ending = ending
            } else {
                subscriber.mailbox.notify(.ended(address, ending))
            }
        }
        subscribers[address]?.removeAll { !$0.isBehind }
        if subscribers[address]?.isEmpty == true { subscribers[address] = nil }
    }

    fileprivate mutating func catchUp(_ mailbox: Mailbox, _ now: MonotonicInstant) {
        for address in behind[ObjectIdentifier(mailbox)] ?? [] {
            guard let index = subscribers[address]?.firstIndex(where: { $0.mailbox === mailbox }) else { continue }
            guard catchUp(mailbox, address, index, now) else { return }
        }
    }

    /// False if the mailbox is full again.
    private mutating func catchUp(_ mailbox: Mailbox, _ address: DeliveryAddress, _ index: Int, _ now: MonotonicInstant)
        -> Bool
    {
        while var position = subscribers[address]?[index].position {
            let entries = history.entries(address, after: position, count: 256, bytes: 1 << 20, now: now)
            let gone = history.evictedThrough(address)
            if position < gone {
                mailbox.notify(.gone(address))
                position = gone
            }
            guard !entries.isEmpty else { break }
            let taken = mailbox.offer(entries.map { Delivery($0.addressed, cursor: cursor($0.sequence)) })
            if taken > 0 { position = entries[taken - 1].sequence }
            subscribers[address]?[index].position = position
            guard taken == entries.count else { return false }
        }
        subscribers[address]?[index].isBehind = false
        forgetBehind(address, ObjectIdentifier(mailbox))
        if let ending = subscribers[address]?[index].ending {
            mailbox.notify(.ended(address, ending))
            subscribers[address]?.remove(at: index)
            if subscribers[address]?.isEmpty == true { subscribers[address] = nil }
        }
        return true
    }

    fileprivate mutating func forgetBehind(_ address: DeliveryAddress, _ mailbox: ObjectIdentifier) {
        behind[mailbox]?.remove(address)
        if behind[mailbox]?.isEmpty == true { behind[mailbox] = nil }
    }
}
