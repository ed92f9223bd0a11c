public import ChatModel

// Sending, receiving, and timers.
extension ReliableChannel {
    /// Payloads to publish now, as many as the epoch still takes, oldest first (RC-05).
    public mutating func takeDispatches(now: Timestamp) -> [Dispatch] {
        var taken = queue
        if quota != nil {
            taken = []
            while taken.count < queue.count, quota?.take(now) == true { taken.append(queue[taken.count]) }
            if !taken.isEmpty { changes.state = true }
        }
        queue.removeFirst(taken.count)
        // Only now does the time of a message begin.
        for dispatch in taken { channel.didSend(dispatch.message, now: now) }
        return taken
    }

    /// The link is lost: until ``resume(since:now:)`` or something comes, nothing is sent again and no time passes.
    public mutating func loseLink(now: Timestamp) { channel.loseLink(now: now) }

    /// The service took a payload.
    ///
    /// - Parameters:
    ///   - dispatch: the dispatch.
    ///   - hint: what helps others to find it there; goes into histories (RC-06).
    public mutating func didDispatch(_ dispatch: Dispatch, hint: Bytes? = nil) {
        if let hint { channel.setHint(hint, for: dispatch.message) }
        guard let request = dispatch.request, requests[request]?.dispatched.insert(dispatch.message).inserted == true
        else { return }
        changes.requests.insert(request)
        guard let state = requests[request], state.dispatched.count == state.ids.count else { return }
        events.append(.sent(request))
        finish(request)
    }

    /// The service refused a payload for good: the request fails, and nothing of it is sent again.
    public mutating func didFail(_ dispatch: Dispatch, _ error: String) {
        guard let request = dispatch.request, let state = requests[request] else { return }
        for id in state.ids { channel.withdraw(id) }
        queue.removeAll { $0.request == request }
        forget(request)
        events.append(.sendError(request, error))
    }

    /// Takes a payload of the address; what is no good is reported and changes nothing.
    public mutating func receive(_ payload: Payload, now: Timestamp) {
        var step = SDSStep(now: now)
        do throws(Refusal) {
            try channel.receive(try decrypted(payload), in: &step)
        } catch {
            events.append(.refused(error))
        }
        carryOut(step)
    }

    /// Sends again, acknowledges and gives up what is due.
    public mutating func wake(now: Timestamp) {
        var step = SDSStep(now: now)
        channel.wake(in: &step)
        carryOut(step)
        for abandoned in reassembler.sweep(now: now) {
            lostCount += 1
            events.append(.lost(id: hex(abandoned.hash.array)))
        }
    }

    /// The link is back, or the process: says what there is to say, and asks for what was missed (RC-07).
    public mutating func resume(since: Timestamp, now: Timestamp) {
        var step = SDSStep(now: now)
        channel.hurry(in: &step)
        carryOut(step)
        events.append(.fetch(since: since))
    }

    func encrypted(_ message: Bytes) throws(Refusal) -> Payload {
        guard let encryption = configuration.encryption else { return message }
        return try encryption.encrypt(message)
    }

    private func decrypted(_ payload: Payload) throws(Refusal) -> Bytes {
        guard let encryption = configuration.encryption else { return payload }
        return try encryption.decrypt(payload)
    }

    private mutating func carryOut(_ step: SDSStep) {
        for event in step.events {
            switch event {
            case .delivered(let delivery): deliver(delivery.content, from: delivery.sender.text, now: step.now)
            case .ephemeral(let content, let sender): events.append(.received(content, sender: sender.text))
            case .acknowledged(let id): acknowledge(id)
            case .gaveUp(let id): giveUp(id)
            case .missing(let entry): events.append(.missing(id: entry.id.text, hint: entry.hint))
            case .lost(let id, _):
                lostCount += 1
                events.append(.lost(id: id.text))
            case .possiblyAcknowledged: continue
            }
        }
        enqueue(step)
    }

    /// Queues messages that belong to no new request.
    mutating func enqueue(_ step: SDSStep) {
        for broadcast in step.broadcasts {
            do throws(Refusal) {
                let payload = try encrypted(broadcast.bytes)
                // A segment that was never dispatched still counts for its request when it is sent again.
                let request = owners[broadcast.id]
                queue.removeAll { $0.message == broadcast.id }
                queue.append(Dispatch(id: nil, message: broadcast.id, payload: payload, request: request))
                channel.hold(broadcast.id)
            } catch {
                events.append(.refused(error))
            }
        }
    }

    private mutating func deliver(_ segment: Bytes, from sender: String, now: Timestamp) {
        do throws(Refusal) {
            guard case .complete(let content) = try reassembler.receive(segment, from: sender, now: now) else { return }
            events.append(.received(content, sender: sender))
        } catch {
            events.append(.refused(error))
        }
    }

    private mutating func acknowledge(_ id: Identifier) {
        guard let request = owners[id] else { return }
        // Who has it got it from the service.
        if requests[request]?.dispatched.insert(id).inserted == true,
            let state = requests[request], state.dispatched.count == state.ids.count
        {
            events.append(.sent(request))
        }
        requests[request]?.acknowledged.insert(id)
        queue.removeAll { $0.message == id }
        changes.requests.insert(request)
        finish(request)
    }

    /// A request whose segments are all dispatched and acknowledged is done.
    private mutating func finish(_ request: RequestID) {
        guard let state = requests[request], state.acknowledged.count == state.ids.count,
            state.dispatched.count == state.ids.count
        else { return }
        forget(request)
        events.append(.delivered(request))
    }

    private mutating func giveUp(_ id: Identifier) {
        guard let request = owners[id], let state = requests[request] else { return }
        for id in state.ids { channel.giveUp(id) }
        queue.removeAll { $0.request == request }
        forget(request)
        let words = "sent again and not acknowledged; whether others have it is unknown"
        events.append(.deliveryError(request, words))
    }

    private mutating func forget(_ request: RequestID) {
        for id in requests.removeValue(forKey: request)?.ids ?? [] { owners[id] = nil }
        changes.requests.insert(request)
    }
}
