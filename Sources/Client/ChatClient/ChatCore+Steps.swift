internal import ChatModel

// Carrying out the output of a step.
extension ChatCore {
    /// Runs a step. What it drew stays drawn, also where it refuses (STEP-2).
    mutating func run<Result>(
        on lane: DeliveryAddress? = nil, _ body: (inout ChatCore, inout Step) throws(Refusal) -> Result
    ) throws(Refusal) -> (result: Result, output: Step.Output) {
        var step = makeStep(on: lane)
        defer { random = step.random }
        let result = try body(&self, &step)
        return (result, step.takeOutput())
    }

    /// Carries out everything that a machine left (STEP-3), and notes that the machine may have changed.
    mutating func absorb(_ output: consuming Step.Output, from owner: Owner) {
        touch(owner)
        carryOut(output, from: owner)
    }

    /// The same of a machine that is known to be touched.
    ///
    /// - Parameters:
    ///   - isInvite: whether what the conversation says later must wait until the service has this.
    ///   - earliest: the machine is not woken before.
    mutating func carryOut(
        _ output: consuming Step.Output, from owner: Owner, isInvite: Bool = false,
        notBefore earliest: Timestamp = .zero
    ) {
        changes.numbers = true
        var unsendable: Set<ContentID> = []
        if !output.sends.isEmpty {
            let sends = output.sends
            output.sends = []
            unsendable = post(sends, from: owner, isInvite: isInvite)
        }
        for content in output.withdrawals {
            for entry in outbox.withdraw(content) { remove(entry) }
        }
        for event in output.events {
            if case .status(let content, let status) = event, status.isFinal {
                release(content)
                unfinished.remove(content)
            }
            tell(event, from: owner)
        }
        if !output.openings.isEmpty, case .conversation(let id) = owner {
            for opening in output.openings { invite(opening, from: id) }
        }
        if !output.seeds.isEmpty { start(output.seeds) }
        for ending in output.endings {
            if let refusal = ending.refusal { fail(ending.contact, refusal) } else { end(ending.contact) }
        }
        follow(owner, notBefore: earliest)
        // As what the service refuses for good: the machine must not report anything else of it, nor send it again.
        for content in unsendable.sorted() {
            release(content)
            wake(owner, .refused(content, .rejected("the framing cannot wrap it")))
        }
        if !contacts.waiting.isEmpty, case .conversation(let id) = owner { releaseWaiting(for: id) }
    }

    /// Wraps the payloads of a step; gives the contents of which one could not be wrapped.
    private mutating func post(_ all: consuming [Step.Send], from owner: Owner, isInvite: Bool) -> Set<ContentID> {
        if all.contains(where: { $0.contact != nil }) { repeatUntilEnd(all) }
        var unsendable: Set<ContentID> = []
        var isTransient = false
        for index in all.indices {
            let (routed, content) = (all[index].routed, all[index].content)
            isTransient = isTransient || all[index].isTransient
            // With nobody else holding the payload, the framing writes into its head room.
            all[index].routed.payload = []
            // After one payload of a content cannot be wrapped, its other payloads are untracked.
            let awaiting = content.flatMap { unsendable.contains($0) ? nil : $0 }
            let isPosted = post(
                routed, for: awaiting, from: owner, isInvite: isInvite, lane: all[index].lane,
                isTransient: all[index].isTransient)
            if !isPosted, let content = awaiting { unsendable.insert(content) }
        }
        if isTransient { takeChanges(of: owner) }
        return unsendable
    }

    /// Payloads under keys or counters that changed must not leave before those are stored, transient or not.
    private mutating func takeChanges(of owner: Owner) {
        let before = changes.records.count
        switch owner {
        case .initialization: takeInitializationChanges()
        case .conversation(let id): takeChanges(of: id)
        }
        if changes.records.count > before { changes.isUrgent = true }
    }

    /// Wraps a payload and puts it into the outbox; false where that failed, which is reported.
    mutating func post(
        _ routed: consuming Routed, for content: ContentID?, from owner: Owner, isInvite: Bool,
        lane: DeliveryAddress? = nil, isTransient: Bool = false
    ) -> Bool {
        var conversation: ConversationID?
        if case .conversation(let id) = owner { conversation = id }
        if let content { held[content] = nil }
        do throws(Refusal) {
            // An invite travels on the routes of first contact, whoever says what it carries.
            var addressed = try framing.wrap(routed, of: isInvite ? .initialization : owner, random: &random)
            if let header = addressed.headers.first, !offers.contains(.headers) {
                throw Refusal(.unsupported, CommonCause.unsupportedHeader(header.name, framing: "delivery service"))
            }
            guard addressed.ending == nil || offers.contains(.replies) else {
                throw Refusal(.unsupported, ClientCause.lacks(.replies))
            }
            if addressed.ending != nil { replies[addressed.address] = nil }
            addressed.id = payloadID()
            let entry = outbox.append(
                addressed, conversation: conversation, content: content, isInvite: isInvite, lane: lane,
                isTransient: isTransient)
            store(entry)
            if let place = conversation.flatMap({ place(of: $0) }) { hosted.values[place].travel(on: entry.lane) }
            return true
        } catch {
            if let conversation, let content {
                fresh.append(.conversation(conversation, .status(content, .failed(error.description))))
            } else {
                note(error, in: conversation)
            }
            return false
        }
    }

    /// Stores a payload that waits, unless it is transient.
    mutating func store(_ entry: OutboxEntry) {
        guard !entry.isTransient else { return }
        changes.records.append(Record(Keys.outbox(entry.number), entry.encoded))
        changes.isUrgent = true
    }

    /// Removes what is stored of payloads that wait no more; that can wait: published twice, they have the same id.
    mutating func remove(_ entry: OutboxEntry) {
        if !entry.isTransient { changes.records.append(Record(Keys.outbox(entry.number), nil)) }
    }

    private mutating func payloadID() -> PayloadID {
        var bytes = InlineArray<16, UInt8>(repeating: 0)
        var span = bytes.mutableSpan
        random.fill(&span, for: .payloadID)
        return PayloadID(high: bytes.span.bigEndian(0..<8), low: bytes.span.bigEndian(8..<16))
    }

    private mutating func tell(_ event: Event, from owner: Owner) {
        guard case .conversation(let id) = owner else {
            guard case .refused(let refusal) = event else {
                return note(Refusal(.unsupported, ClientCause.noSuchOwner), in: nil)
            }
            return note(refusal, in: nil)
        }
        if case .content = event { return fresh.append(.conversation(id, event)) }
        guard let event = interpret(event, of: id) else { return }
        // What a machine refuses of what it received comes as often as payloads do (CORE-19).
        guard case .refused(let refusal) = event else { return fresh.append(.conversation(id, event)) }
        note(refusal, in: id)
    }

    func report(_ refusal: Refusal, in id: ConversationID?, folded: Int = 0) -> ClientEvent {
        var report = ClientEvent.Report(refusal)
        if folded > 0 {
            let text = "\(report.text) (and \(folded) more of this kind)"
            report = ClientEvent.Report(report.outcome, code: report.code, text: text)
        }
        return .refused(id, report)
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
            guard let place = place(of: id) else { return }
            guard let news = hosted.values[place].restate() else { return }
            (before, after) = news
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
        case .conversation(let id): hosted[id]?.stated.nextWake = nil
        }
        wake(owner, .due)
    }

    mutating func listen(_ listening: [Listening], for owner: Owner) {
        framing.listen(listening, for: owner)
        let wanted = Set(listening.map(\.address))
        if offers.contains(.replies) { outbox.hold(wanted.filter { !subscriptions.isWanted($0) }) }
        for address in subscriptions.want(wanted, for: owner) {
            changes.records.append(Record(Keys.cursor(address), nil))
            outbox.open([address])
        }
        subscriptions.wantEchoes(Set(listening.lazy.filter(\.wantsEcho).map(\.address)), for: owner)
        isListeningNew = true
    }

    /// Wakes a machine with a signal and carries out what it wants.
    mutating func wake(_ owner: Owner, _ signal: Signal) {
        var step: Step
        switch owner {
        case .initialization:
            touch(owner)
            step = makeStep(on: nil)
            initialization.handle(signal, in: &step)
        case .conversation(let id):
            guard let place = place(of: id) else { return }
            step = makeStep(on: hosted.values[place].look().lane)
            touch(id, at: place)
            hosted.values[place].machine.handle(signal, in: &step)
        }
        random = step.random
        carryOut(step.takeOutput(), from: owner, notBefore: signal == .due ? now + Alarms.pause : .zero)
    }

    /// Wakes every machine with a signal.
    mutating func wakeAll(_ signal: Signal) {
        wake(.initialization, signal)
        for id in hosted.keys.sorted() { wake(.conversation(id), signal) }
    }
}

extension RandomLabel {
    /// The id of a payload in a delivery service; not part of any protocol.
    static let payloadID = RandomLabel(rawValue: "payload_id")
}
