import ChatModel

// Requests of clients.
extension RelayCore {
    /// How long a client should wait when the relay has no room.
    static let pause = Duration.seconds(5)

    mutating func handle(
        _ message: MessageReceiver.Message, _ place: Int, _ session: inout RelaySession, _ now: MonotonicInstant
    ) {
        let number = message.number
        do throws(DeliveryError) {
            switch try Self.request(message.bytes, session.publishesTo) {
            case .publish(let addressed):
                session.publishesTo = addressed.address
                let sequence = try publish(addressed, session.peer.host, now)
                session.answer(.init(message: number, code: .done, first: sequence, second: 0))
            case .subscribe(let subscription, let address, let since):
                let start = try subscribe(subscription, address, since, place, &session)
                session.answer(.init(message: number, code: .done, first: start.after, second: 0))
                if start.hasGap {
                    counts.gaps += 1
                    session.sendGone(subscription, through: start.after)
                }
                session.makeReady(subscription)
            case .unsubscribe(let subscription):
                if let old = session.subscriptions.removeValue(forKey: subscription) {
                    counts.subscriptions -= 1
                    hosts.subscribe(session.peer.host, -1)
                    forget(.init(session: place, number: subscription), on: old.address)
                }
                session.answer(.init(message: number, code: .done, first: 0, second: 0))
            }
        } catch {
            if case .rateLimited = error { counts.rateLimited += 1 } else { counts.refused += 1 }
            session.answer(Answer.Entry(message: number, error))
        }
    }

    private static func request(_ bytes: Bytes, _ address: DeliveryAddress?) throws(DeliveryError) -> Request {
        do throws(UDPError) {
            return try Request(bytes, probablyAbout: address)
        } catch {
            throw .rejected(error.description)
        }
    }

    private mutating func publish(_ addressed: Addressed, _ host: UInt64, _ now: MonotonicInstant) throws(DeliveryError)
        -> UInt64
    {
        try check(addressed.address)
        let most = limits.delivery.maximumPayload
        guard addressed.payload.count <= most else { throw .tooLarge(bytes: addressed.payload.count, limit: most) }
        let key = RecentIDs.Key(addressed.id, addressHash: addressed.address.hashValue)
        if let known = recent.sequence(key) {
            counts.repeated += 1
            return known
        }
        try hosts.take(host, now)
        let sequence = history.append(addressed, from: host, now: now)
        recent.insert(key, sequence: sequence)
        counts.published += 1
        call(addressed.address)
        return sequence
    }

    private mutating func subscribe(
        _ number: UInt32, _ address: DeliveryAddress, _ since: Request.WireSince, _ place: Int,
        _ session: inout RelaySession
    ) throws(DeliveryError) -> (after: UInt64, hasGap: Bool) {
        try check(address)
        guard session.subscriptions[number] == nil else { throw .rejected("subscription \(number) exists") }
        let host = session.peer.host
        if session.subscriptions.count < limits.subscriptionsPerSession { makeRoomForSubscription(host) }
        guard session.subscriptions.count < limits.subscriptionsPerSession, counts.subscriptions < limits.subscriptions
        else { throw .overloaded("subscriptions", retryAfter: Self.pause) }
        let start = history.start(address, Since(since))
        session.subscriptions[number] = .init(address: address, position: start.after)
        subscribers[address, default: Audience()].insert(.init(session: place, number: number))
        counts.subscriptions += 1
        hosts.subscribe(host, 1)
        return start
    }

    private func check(_ address: DeliveryAddress) throws(DeliveryError) {
        guard !address.text.isEmpty else { throw .badAddress("", reason: "empty") }
    }
}

extension Since {
    fileprivate init(_ since: Request.WireSince) {
        switch since {
        case .now: self = .now
        case .earliest: self = .earliest
        case .after(let epoch, let sequence): self = .after(HistoryPosition(epoch: epoch, sequence: sequence).cursor)
        }
    }
}

extension Answer.Entry {
    /// How an error is written.
    init(message: UInt64, _ error: DeliveryError) {
        let wait = MicrosecondSpan(error.retryAfter ?? .zero).milliseconds
        switch error {
        case .tooLarge(let bytes, let limit):
            self.init(
                message: message, code: .tooLarge, first: UInt64(clamping: bytes), second: UInt64(clamping: limit))
        case .rateLimited(let limit, _):
            self.init(message: message, code: .rateLimited, first: UInt64(clamping: limit), second: wait)
        case .badAddress: self.init(message: message, code: .badAddress, first: 0, second: 0)
        case .overloaded: self.init(message: message, code: .overloaded, first: 0, second: wait)
        default: self.init(message: message, code: .rejected, first: 0, second: 0)
        }
    }

    /// No relay makes a client wait for longer, however long it says; in milliseconds.
    static let longestWait: UInt64 = 60_000

    /// The field that a client reads: the sequence, or the error of a request about an address.
    func result(_ address: DeliveryAddress) -> Result<UInt64, DeliveryError> {
        let wait = Duration.milliseconds(Int64(min(second, Self.longestWait)))
        return switch code {
        case .done: .success(first)
        case .tooLarge: .failure(.tooLarge(bytes: Int(clamping: first), limit: Int(clamping: second)))
        case .rateLimited: .failure(.rateLimited(limit: Int(clamping: first), retryAfter: wait))
        case .badAddress: .failure(.badAddress(address.text, reason: "refused by the relay"))
        case .overloaded: .failure(.overloaded("the relay has no room", retryAfter: wait))
        case .rejected: .failure(.rejected("the relay did not understand the request"))
        }
    }
}
