package import ChatModel

// Requests of the shell.
extension ClientCore {
    /// Publishes a payload; an event with the token says what became of it.
    package mutating func publish(_ addressed: Addressed, token: UInt64, now: MonotonicInstant) {
        sendPublish(publishes.insert(token, addressed, deadline: now + MicrosecondSpan(configuration.deadline)))
    }

    /// Begins to listen; an event with the key says whether the relay agreed.
    package mutating func subscribe(_ address: DeliveryAddress, _ since: Since, key: Int, now: MonotonicInstant) {
        subscriptions.insert(
            key, .init(address: address, since: since, deadline: now + MicrosecondSpan(configuration.deadline)))
        sendSubscribe(key)
    }

    /// Listens no more.
    package mutating func unsubscribe(_ key: Int) {
        guard let address = subscriptions[key]?.address else { return }
        let number = subscriptions.dropNumber(key)
        subscriptions.remove(key)
        if let number { send(.unsubscribe(number: number), about: address) }
    }

    /// There is no room for the payloads of a subscription: the relay shall keep them from a place on.
    package mutating func stall(_ key: Int, at place: HistoryPosition) {
        guard let address = subscriptions[key]?.address, subscriptions[key]?.isStalled == false else { return }
        subscriptions[key]?.isStalled = true
        subscriptions[key]?.place = place
        if let number = subscriptions.dropNumber(key) { send(.unsubscribe(number: number), about: address) }
    }

    /// There is room again.
    package mutating func resume(_ key: Int) {
        guard subscriptions[key]?.isStalled == true else { return }
        subscriptions[key]?.isStalled = false
        sendSubscribe(key)
    }

    /// Requests about one address are handled in the order in which they are made.
    @discardableResult private mutating func send(_ request: Request, about address: DeliveryAddress) -> UInt64? {
        link?.send(head: request.head, body: request.body, order: UInt64(bitPattern: Int64(address.hashValue)))
    }

    mutating func sendPublish(_ place: PublishTable.HistoryPosition) {
        guard let addressed = publishes.addressed(place) else { return }
        let size = addressed.payload.count
        // The relay would refuse the packets of a much larger one, and the session would end in silence (UDP-25).
        if link != nil, size > largestPayload, let token = publishes.remove(place) {
            return events.append(
                .published(token: token, .failure(.tooLarge(bytes: size, limit: largestPayload))))
        }
        if let message = send(.publish(addressed), about: addressed.address) { publishes.sent(place, as: message) }
    }

    mutating func sendSubscribe(_ key: Int) {
        guard link != nil, let one = subscriptions[key], !one.isStalled, one.number == nil else { return }
        let number = subscriptions.number(key)
        let request = Request.subscribe(number: number, one.address, one.wanted)
        if let message = send(request, about: one.address) { subscriptions.sent(key, as: message) }
    }
}

// Messages of the relay.
extension ClientCore {
    /// A subscription that is refused for a while is asked for again after at least this time.
    static let shortestPause = Duration.seconds(1)

    mutating func handle(_ message: MessageReceiver.Message, _ now: MonotonicInstant) {
        do throws(UDPError) {
            switch try Answer(message.bytes) {
            case .results(let entries): for entry in entries { handle(entry, now) }
            case .deliver(let number, let sequence, let id, let reply, let payload):
                deliver(number, sequence, id, reply, payload)
            case .gone(let number, let through): gone(number, through)
            }
        } catch {
            counts.malformed += 1
        }
    }

    private mutating func handle(_ entry: Answer.Entry, _ now: MonotonicInstant) {
        if let (token, address) = publishes.remove(message: entry.message) {
            let epoch = epoch
            let result = entry.result(address).map {
                Receipt(cursor: HistoryPosition(epoch: epoch, sequence: $0).cursor)
            }
            return events.append(.published(token: token, result))
        }
        guard let (key, isCurrent) = subscriptions.answered(entry.message) else { return }
        guard let one = subscriptions[key] else { return }
        switch entry.result(one.address) {
        case .success(let sequence):
            let isOld = one.place.map { $0.epoch != epoch || $0.sequence < sequence } ?? true
            // Where a number begins that was given up says nothing about the next one.
            if isOld, isCurrent { subscriptions[key]?.place = HistoryPosition(epoch: epoch, sequence: sequence) }
            if subscriptions.confirm(key) { events.append(.subscribed(key: key, .success(()))) }
        case .failure(let error):
            if isCurrent { refused(key, error, now) }
        }
    }

    /// Who waits for a subscription is told that it is refused. One that the relay had agreed to before is asked for
    /// again, or a relay that was full for a moment would leave this client deaf.
    private mutating func refused(_ key: Int, _ error: DeliveryError, _ now: MonotonicInstant) {
        let isAwaited = subscriptions.confirm(key)
        guard !isAwaited, let wait = error.retryAfter else {
            subscriptions.remove(key)
            return events.append(isAwaited ? .subscribed(key: key, .failure(error)) : .ended(key: key))
        }
        subscriptions.askAgain(key, at: now + MicrosecondSpan(max(wait, Self.shortestPause)))
    }

    private mutating func deliver(
        _ number: UInt32, _ sequence: UInt64, _ id: PayloadID, _ reply: DeliveryAddress?, _ payload: Payload
    ) {
        // Payloads that were on their way when a subscription ended or stalled are no fault of the relay.
        guard let key = subscriptions.key(number: number), let one = subscriptions[key] else { return }
        var before = HistoryPosition(epoch: epoch, sequence: sequence &- 1)
        if let place = one.place, place.epoch == epoch {
            guard place.sequence < sequence else {
                counts.unexpected += 1
                return
            }
            before = place
        }
        let place = HistoryPosition(epoch: epoch, sequence: sequence)
        subscriptions[key]?.place = place
        let addressed = Addressed(one.address, payload: payload, id: id, replyAddress: reply)
        events.append(.delivered(key: key, Delivery(addressed, cursor: place.cursor), before: before))
    }

    private mutating func gone(_ number: UInt32, _ through: UInt64) {
        guard let key = subscriptions.key(number: number) else { return }
        if let place = subscriptions[key]?.place, place.epoch == epoch, place.sequence > through {
            counts.unexpected += 1
            return
        }
        subscriptions[key]?.place = HistoryPosition(epoch: epoch, sequence: through)
        events.append(.gone(key: key))
    }
}
