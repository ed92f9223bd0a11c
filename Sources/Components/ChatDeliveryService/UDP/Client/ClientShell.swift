import ChatModel

/// A client's core with those who wait for it: callers and mailboxes. Driven by an ``Endpoint``.
struct ClientShell: DatagramMachine {
    /// Payloads of one call that were not all answered.
    private struct Publishing: Sendable {
        var results: [Result<Receipt, DeliveryError>]
        let sizes: [Int]
        var left: Int
        let continuation: CheckedContinuation<[Result<Receipt, DeliveryError>], Never>

        /// Notes the outcome of one payload; returns its bytes.
        mutating func take(_ result: Result<Receipt, DeliveryError>, of index: Int) -> Int {
            results[index] = result
            left -= 1
            return sizes[index]
        }
    }

    /// Subscriptions of one call that were not all answered.
    private struct Subscribing: Sendable {
        var error: DeliveryError?
        var left: Int
        let continuation: CheckedContinuation<DeliveryError?, Never>
    }

    private struct Subscription: Sendable {
        let mailbox: Mailbox
        let address: DeliveryAddress
        let call: UInt64
    }

    /// Someone who waits for the relay's first answer.
    private struct Joining: Sendable {
        let deadline: MonotonicInstant
        let continuation: CheckedContinuation<DeliveryError?, Never>
    }

    /// Payloads that may be under way at once, and their bytes: what a client that goes on publishing while there is
    /// no relay may cost.
    static let maximumPending = 65_536
    static let maximumPendingBytes = 64 << 20

    private var core: ClientCore
    private let name: String
    private let relayLimits: @Sendable (Welcome) -> Void
    private var nextCall: UInt64 = 0
    private var publishing: [UInt64: Publishing] = [:]
    private var pendingCount = 0
    private var pendingBytes = 0
    private var subscribing: [UInt64: Subscribing] = [:]
    private var subscriptions: [Int: Subscription] = [:]
    private var keys: [ObjectIdentifier: [DeliveryAddress: Int]] = [:]
    private var nextKey = 0
    private var stalled: [ObjectIdentifier: Set<Int>] = [:]
    private var joining: Joining?
    /// The relay's first answer: no error, or why it does not let us in.
    private var answer: DeliveryError??
    private(set) var isClosed = false

    init(_ core: ClientCore, name: String, limits: @escaping @Sendable (Welcome) -> Void) {
        (self.core, self.name, relayLimits) = (core, name, limits)
    }

    var statistics: ClientStatistics { core.statistics }

    var wake: MonotonicInstant? {
        [core.wake, joining?.deadline].compactMap(\.self).min()
    }

    mutating func receive(
        _ bytes: Span<UInt8>, from peer: NetworkAddress, at local: NetworkAddress?, now: MonotonicInstant
    ) {
        core.receive(bytes, from: peer, now: now)
    }

    mutating func tick(_ now: MonotonicInstant) {
        core.tick(now)
        guard let joining, joining.deadline <= now else { return }
        self.joining = nil
        let time = core.configuration.handshakeDeadline
        joining.continuation.resume(returning: .unreachable(name, after: time))
    }

    mutating func write(into batch: inout DatagramBatch, now: MonotonicInstant) {
        handleEvents()
        core.write(into: &batch, now: now)
    }

    /// Waits for the relay's first answer; nil if it lets us in.
    mutating func join(_ continuation: CheckedContinuation<DeliveryError?, Never>, _ now: MonotonicInstant) {
        // The thread may have been faster.
        if let answer { return continuation.resume(returning: answer) }
        joining = Joining(
            deadline: now + MicrosecondSpan(core.configuration.handshakeDeadline), continuation: continuation)
    }

    /// Whether the relay's name is to be looked up again.
    var isSeeking: Bool { core.isSeeking }

    /// Seeks the relay under other addresses from now on.
    mutating func reach(at addresses: [NetworkAddress]) { core.reach(at: addresses) }

    /// Ends everything; whoever waits is told.
    mutating func close() {
        isClosed = true
        core.close()
        handleEvents()
        joining?.continuation.resume(returning: .closed)
        joining = nil
        (subscriptions, keys, stalled) = ([:], [:], [:])
    }
}

// Publishing.
extension ClientShell {
    /// Publishes payloads that were checked; the continuation gets a result for each.
    mutating func publish(
        _ payloads: [Addressed], _ continuation: CheckedContinuation<[Result<Receipt, DeliveryError>], Never>,
        _ now: MonotonicInstant
    ) {
        guard !isClosed else {
            return continuation.resume(returning: payloads.map { _ in .failure(.closed) })
        }
        let bytes = payloads.reduce(0) { $0 + $1.payload.count }
        guard pendingCount + payloads.count <= Self.maximumPending, pendingBytes + bytes <= Self.maximumPendingBytes
        else {
            let error = DeliveryError.overloaded("too many payloads under way", retryAfter: .milliseconds(100))
            return continuation.resume(returning: payloads.map { _ in .failure(error) })
        }
        nextCall += 1
        publishing[nextCall] = Publishing(
            results: payloads.map { _ in .failure(.closed) }, sizes: payloads.map(\.payload.count),
            left: payloads.count, continuation: continuation)
        pendingCount += payloads.count
        pendingBytes += bytes
        for (index, addressed) in payloads.enumerated() {
            // A call has at most 65,536 payloads, so both numbers fit into a token.
            core.publish(addressed, token: nextCall << 16 | UInt64(index), now: now)
        }
    }

    private mutating func published(_ token: UInt64, _ result: Result<Receipt, DeliveryError>) {
        let (call, index) = (token >> 16, Int(token & 0xFFFF))
        pendingCount -= 1
        pendingBytes -= publishing[call]?.take(result, of: index) ?? 0
        guard publishing[call]?.left == 0, let done = publishing.removeValue(forKey: call) else { return }
        done.continuation.resume(returning: done.results)
    }
}

// Listening.
extension ClientShell {
    /// Subscribes to what the mailbox does not listen to yet; the continuation gets the first error.
    mutating func subscribe(
        _ addresses: [DeliveryAddress: Since], _ mailbox: Mailbox,
        _ continuation: CheckedContinuation<DeliveryError?, Never>, _ now: MonotonicInstant
    ) {
        guard !isClosed else { return continuation.resume(returning: .closed) }
        let id = ObjectIdentifier(mailbox)
        let new = addresses.filter { keys[id]?[$0.key] == nil }
        guard !new.isEmpty else { return continuation.resume(returning: nil) }
        nextCall += 1
        subscribing[nextCall] = Subscribing(left: new.count, continuation: continuation)
        for (address, since) in new {
            nextKey += 1
            subscriptions[nextKey] = Subscription(mailbox: mailbox, address: address, call: nextCall)
            keys[id, default: [:]][address] = nextKey
            core.subscribe(address, since, key: nextKey, now: now)
        }
    }

    mutating func unsubscribe(_ addresses: [DeliveryAddress], _ mailbox: Mailbox) {
        for address in addresses {
            guard let key = keys[ObjectIdentifier(mailbox)]?[address] else { continue }
            core.unsubscribe(key)
            subscribed(key, nil)
            forget(key)
        }
    }

    private mutating func forget(_ key: Int) {
        guard let one = subscriptions.removeValue(forKey: key) else { return }
        let id = ObjectIdentifier(one.mailbox)
        keys[id]?[one.address] = nil
        if keys[id]?.isEmpty == true { keys[id] = nil }
        stalled[id]?.remove(key)
    }

    /// A subscription was answered, or is not waited for any more.
    private mutating func subscribed(_ key: Int, _ error: DeliveryError?) {
        guard let call = subscriptions[key]?.call, subscribing[call] != nil else { return }
        if let error, subscribing[call]?.error == nil { subscribing[call]?.error = error }
        subscribing[call]?.left -= 1
        if error != nil { forget(key) }
        guard subscribing[call]?.left == 0, let done = subscribing.removeValue(forKey: call) else { return }
        done.continuation.resume(returning: done.error)
    }

    /// A mailbox has room again.
    mutating func resume(_ mailbox: Mailbox) {
        for key in stalled.removeValue(forKey: ObjectIdentifier(mailbox)) ?? [] { core.resume(key) }
    }
}

// Events of the core.
extension ClientShell {
    private struct Arrival {
        let key: Int
        let delivery: Delivery
        let before: HistoryPosition
    }

    private mutating func handleEvents() {
        var arrivals: [(mailbox: Mailbox, list: [Arrival])] = []
        for event in core.takeEvents() {
            switch event {
            case .published(let token, let result): published(token, result)
            case .subscribed(let key, .success): subscribed(key, nil)
            case .subscribed(let key, .failure(let error)): subscribed(key, error)
            case .delivered(let key, let delivery, let before):
                guard let mailbox = subscriptions[key]?.mailbox else { continue }
                let arrival = Arrival(key: key, delivery: delivery, before: before)
                if let place = arrivals.lastIndex(where: { $0.mailbox === mailbox }) {
                    arrivals[place].list.append(arrival)
                } else {
                    arrivals.append((mailbox, [arrival]))
                }
            case .gone(let key): subscriptions[key].map { $0.mailbox.notify(.gone($0.address)) }
            case .ended(let key):
                let ending = Ending.failed("the relay ended the subscription")
                subscriptions[key].map { $0.mailbox.notify(.ended($0.address, ending)) }
                forget(key)
            case .joined(let welcome):
                relayLimits(welcome)
                answered(nil)
            case .turnedAway(let error): answered(error)
            case .interrupted(let reason): notify(.interrupted(reason))
            case .resumed: notify(.resumed())
            }
        }
        for (mailbox, list) in arrivals { offer(list, to: mailbox) }
    }

    private mutating func answered(_ error: DeliveryError?) {
        answer = .some(error)
        joining?.continuation.resume(returning: error)
        joining = nil
    }

    /// Offers payloads to the mailbox they are all for; what it does not take is asked for again when it has room.
    private mutating func offer(_ arrivals: [Arrival], to mailbox: Mailbox) {
        let taken = mailbox.offer(arrivals.map(\.delivery))
        for refused in arrivals.dropFirst(taken) {
            // Only the first one of each subscription counts: stalling again changes nothing.
            core.stall(refused.key, at: refused.before)
            stalled[ObjectIdentifier(mailbox), default: []].insert(refused.key)
        }
    }

    private func notify(_ notice: Notice) {
        var told: Set<ObjectIdentifier> = []
        for one in subscriptions.values where told.insert(ObjectIdentifier(one.mailbox)).inserted {
            one.mailbox.notify(notice)
        }
    }
}
