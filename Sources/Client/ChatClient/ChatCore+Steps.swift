internal import ChatModel

// What becomes of a step that a machine has filled.
extension ChatCore {
    /// Carries out everything in a step except seeds, which only inbound steps have.
    ///
    /// - Parameter invite: from where on what it sends is the invite of the conversation, which leaves first.
    mutating func absorb(_ step: inout Step, from owner: Owner, invite: Int = .max) {
        touch(owner)
        carryOut(&step, from: owner, invite: invite)
    }

    /// The same of a machine that is known to be touched, and is not woken before a time.
    mutating func carryOut(
        _ step: inout Step, from owner: Owner, invite: Int = .max, notBefore earliest: Timestamp = .zero
    ) {
        changes.numbers = true
        var sends = step.takeSends()
        let inviteCount = sends.dropFirst(invite).count
        if inviteCount > 0 { sends = sends.suffix(inviteCount) + sends.dropLast(inviteCount) }
        var unsendable: Set<ContentID> = []
        for index in sends.indices {
            let (routed, content) = (sends[index].routed, sends[index].content)
            // With nobody else holding the payload, the framing writes into its head room.
            sends[index].routed.payload = []
            // Of a content of which a part cannot be sent, the other parts are sent for nobody.
            let awaiting = content.flatMap { unsendable.contains($0) ? nil : $0 }
            let isInvite = index < inviteCount
            if !post(routed, for: awaiting, from: owner, isInvite, in: &step), let content = awaiting {
                unsendable.insert(content)
            }
        }
        random = step.random
        for event in step.events {
            if case .status(let content, let status) = event, status.isFinal { release(content) }
            tell(event, from: owner)
        }
        follow(owner, notBefore: earliest)
        // As what the service refuses for good: the machine must not report anything else of it, nor send it again.
        for content in unsendable.sorted() {
            release(content)
            wake(owner, .refused(content, .rejected("the framing cannot wrap it")))
        }
    }

    /// Wraps a payload and puts it into the outbox; false where that failed, which is reported.
    private mutating func post(
        _ routed: consuming Routed, for content: ContentID?, from owner: Owner, _ isInvite: Bool, in step: inout Step
    ) -> Bool {
        var conversation: ConversationID?
        if case .conversation(let id) = owner { conversation = id }
        do throws(Refusal) {
            var addressed = try framing.wrap(routed, of: owner, random: &step.random)
            addressed.id = payloadID(&step)
            let entry = outbox.append(
                addressed, conversation: conversation, content: content, isInvite: isInvite)
            changes.records.append(Record(Keys.outbox(entry.number), entry.encoded))
            if let conversation { slots[conversation]?.lane = addressed.address }
            return true
        } catch {
            if let conversation, let content {
                fresh.append(.status(conversation, content, .failed(error.description)))
            } else {
                fresh.append(.inboundError(conversation, ClientEvent.Report(error)))
            }
            return false
        }
    }

    private func payloadID(_ step: inout Step) -> PayloadID {
        var bytes = InlineArray<16, UInt8>(repeating: 0)
        var span = bytes.mutableSpan
        step.random.fill(&span, for: .payloadID)
        var halves: (UInt64, UInt64) = (0, 0)
        for index in 0..<8 {
            halves.0 = halves.0 << 8 | UInt64(bytes[index])
            halves.1 = halves.1 << 8 | UInt64(bytes[index + 8])
        }
        return PayloadID(high: halves.0, low: halves.1)
    }

    private mutating func tell(_ event: Event, from owner: Owner) {
        guard case .conversation(let id) = owner else { return fresh.append(clientEvent(event, from: owner)) }
        if let event = interpret(event, of: id) { fresh.append(clientEvent(event, from: owner)) }
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

    func report(_ refusal: Refusal, in id: ConversationID?, folded: Int = 0) -> ClientEvent {
        var report = ClientEvent.Report(refusal)
        if folded > 0 {
            let text = "\(report.text) (and \(folded) more of this kind)"
            report = ClientEvent.Report(report.outcome, code: report.code, text: text)
        }
        return refusal.outcome == .unsupported ? .unsupported(id, report) : .inboundError(id, report)
    }

    /// Lets framing, subscriptions and alarms follow what a machine states now.
    ///
    /// - Parameter earliest: it is not woken before.
    mutating func follow(_ owner: Owner, notBefore earliest: Timestamp = .zero) {
        let (before, after): (Stated, Stated)
        switch owner {
        case .initialization:
            before = inbox
            after = Stated(listening: initialization.listening, nextWake: initialization.nextWake)
            inbox = after
        case .conversation(let id):
            guard let place = slots.index(forKey: id) else { return }
            // Asked where it is: to hand it over as `any Machine` would copy it.
            before = slots.values[place].stated
            after = Stated(
                listening: slots.values[place].machine.listening, nextWake: slots.values[place].machine.nextWake)
            guard before != after else { return }
            slots.values[place].stated = after
        }
        if before.nextWake != after.nextWake {
            alarms.set(after.nextWake.map { $0 <= now ? max($0, earliest) : $0 }, for: owner)
        }
        if before.listening != after.listening { listen(after.listening, for: owner) }
    }

    /// Notes that a machine is being woken: the time that it stated is used up.
    mutating func ring(_ owner: Owner) {
        switch owner {
        case .initialization: inbox.nextWake = nil
        case .conversation(let id): slots[id]?.stated.nextWake = nil
        }
        wake(owner, .due)
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
        var step = makeStep()
        switch owner {
        case .initialization:
            touch(owner)
            initialization.handle(signal, in: &step)
        case .conversation(let id):
            guard let place = slots.index(forKey: id) else { return }
            touch(id, at: place)
            slots.values[place].machine.handle(signal, in: &step)
        }
        carryOut(&step, from: owner, notBefore: signal == .due ? now + Alarms.pause : .zero)
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
