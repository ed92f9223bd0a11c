internal import ChatModel

// What becomes of a turn that a machine has filled.
extension ChatCore {
    /// Carries out everything in a turn except seeds, which only inbound steps have.
    mutating func absorb(_ turn: inout Turn, from owner: Owner) {
        changes.dirty.insert(owner)
        changes.numbers = true
        for send in turn.sends { post(send, from: owner, in: &turn) }
        random = turn.random
        for event in turn.events { fresh.append(clientEvent(event, from: owner)) }
        if turn.takeListensAnew() || owner == .initialization { listenAnew(owner) }
        if let alarm = turn.takeAlarm() { alarms[owner] = alarm }
        turn.clear()
    }

    /// Wraps a payload and puts it into the outbox.
    private mutating func post(_ send: Turn.Send, from owner: Owner, in turn: inout Turn) {
        var conversation: ConversationID?
        if case .conversation(let id) = owner { conversation = id }
        do throws(Refusal) {
            var addressed = try framing.wrap(send.routed, in: &turn)
            addressed.id = payloadID(&turn)
            let entry = outbox.append(addressed, conversation: conversation, content: send.content)
            changes.records.append(Record(Keys.outbox(entry.number), entry.encoded))
        } catch {
            guard let conversation, let content = send.content else {
                fresh.append(.inboundError(conversation, ClientEvent.Report(error)))
                return
            }
            fresh.append(.status(conversation, content, .failed(error.description)))
        }
    }

    private func payloadID(_ turn: inout Turn) -> PayloadID {
        let bytes = turn.random.bytes(16, for: .payloadID)
        func number(_ part: ArraySlice<UInt8>) -> UInt64 { part.reduce(0) { $0 << 8 | UInt64($1) } }
        return PayloadID(high: number(bytes[..<8]), low: number(bytes[8...]))
    }

    private func clientEvent(_ event: Event, from owner: Owner) -> ClientEvent {
        guard case .conversation(let id) = owner else {
            guard case .refused(let refusal) = event else {
                return .unsupported(nil, ClientEvent.Report(Refusal(.unsupported, ClientCause.noSuchOwner)))
            }
            return report(refusal, in: nil)
        }
        switch event {
        case .content(let content): return .content(id, content)
        case .status(let content, let status): return .status(id, content, status)
        case .members(let members): return .members(id, members)
        case .gap(let gap): return .gap(id, gap)
        case .refused(let refusal): return report(refusal, in: id)
        case .frame(let kind, let bytes): return .frame(id, kind: kind, bytes: bytes)
        }
    }

    func report(_ refusal: Refusal, in id: ConversationID?) -> ClientEvent {
        let report = ClientEvent.Report(refusal)
        return refusal.outcome == .unsupported ? .unsupported(id, report) : .inboundError(id, report)
    }

    /// Lets framing and subscriptions follow what a machine listens to now.
    mutating func listenAnew(_ owner: Owner) {
        switch owner {
        case .initialization: listen(initialization.listening, for: owner)
        case .conversation(let id):
            guard let machine = slots[id]?.machine else { return }
            listen(machine.listening, for: owner)
        }
    }

    mutating func listen(_ listening: [Listening], for owner: Owner) {
        framing.listen(listening, for: owner)
        for address in subscriptions.want(Set(listening.map(\.address)), for: owner) {
            changes.records.append(Record(Keys.cursor(address), nil))
        }
        isListeningNew = true
    }

    /// Wakes a machine with a signal and carries out what it wants.
    mutating func wake(_ owner: Owner, _ signal: Signal) {
        var turn = turn()
        switch owner {
        case .initialization: initialization.wake(signal, in: &turn)
        case .conversation(let id):
            guard slots[id] != nil else { return }
            slots[id]?.machine.wake(signal, in: &turn)
        }
        absorb(&turn, from: owner)
    }

    /// Wakes every machine with a signal.
    mutating func wakeAll(_ signal: Signal) {
        wake(.initialization, signal)
        for id in slots.keys.sorted() { wake(.conversation(id), signal) }
    }
}

extension RandomLabel {
    /// The id of a payload in a delivery service; not part of any protocol.
    static let payloadID = RandomLabel(rawValue: "payload_id")
}
