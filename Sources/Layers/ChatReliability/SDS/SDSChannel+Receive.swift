import ChatCodec
public import ChatModel

// Receiving.
extension SDSChannel {
    /// Takes an encoded message; a refusal changes nothing.
    ///
    /// - Parameters:
    ///   - bytes: the encoded message.
    ///   - sender: who sent it, where the stage below knows; a message that names another one is refused
    ///     (PV1-12).
    ///   - step: takes what is to be sent and reported.
    public mutating func receive(
        _ bytes: Bytes, from sender: Identifier? = nil, in step: inout SDSStep
    ) throws(Refusal) {
        let message: SDSMessage
        do { message = try SDSMessage(decoding: bytes) } catch { throw Refusal(error) }
        try check(message, from: sender)
        guard message.sender != participant else { return }
        guard let lamport = message.lamport else {
            if let content = message.content, !content.isEmpty {
                step.events.append(.ephemeral(content, sender: message.sender))
            }
            return
        }
        let content = message.content.flatMap { $0.isEmpty ? nil : $0 }
        let isKnown = try isKnown(message, hasContent: content != nil)
        var open = openDependencies(message)
        if content != nil, !isKnown {
            guard log.floor.map({ $0 < SDSLog.Order(lamport: lamport, id: message.id) }) ?? true else {
                throw Refusal(.invalid, ReliabilityCause.tooOld(lamport: lamport))
            }
            if !open.isEmpty { try incoming.check(message, size: bytes.count, missing: open.count, settings.limits) }
        }

        // From here on, nothing is refused.
        advance(to: step.now)
        // In a group, those who all ask in vain would encourage each other.
        let isNews = participants == 2 || content != nil
        if sync.hear(step.now) || presence.isLinkLost {
            meetAgain(step.now, within: times.resendFirst, asks: isNews)
        }
        if !settings.resend.doublesWhileHeard { outgoing.hear(step.now, first: times.resendFirst) }
        if content != nil, incoming.missing[message.id] != nil { pace.encourage(step.now) }
        acknowledge(message, in: &step)
        kept.cancel(message.id, now: step.now)
        answer(message.repairs, in: &step)
        if !message.gone.isEmpty {
            takeGone(message, in: &step)
            open = openDependencies(message)
        }
        // A waiting message counts for its sender; all other messages together may name a quarter.
        let limit = content != nil && !isKnown ? settings.limits.missing : settings.limits.missing / 4
        note(open, limit: limit, in: &step)
        guard let content else {
            reviewSync(message, in: step)
            return
        }
        sync.owe(step.now, isNew: !isKnown, isGroup: participants > 2)
        guard !isKnown else {
            if settings.frontierLength > 0, log.contains(message.id) { frontier.insertAgain(message.id) }
            return
        }
        let probe = filter.map { _ in BloomFilter.Probe(message.id) }
        if let probe { addToFilter(probe) }
        guard open.isEmpty else {
            incoming.insert(message, size: bytes.count, waitingFor: open.map(\.id), serial: nextSerial)
            storeWaiting(bytes, nextSerial, now: step.now)
            nextSerial += 1
            return
        }
        deliver(message, lamport, content, probe: probe, in: &step)
    }

    private func check(_ message: SDSMessage, from sender: Identifier?) throws(Refusal) {
        guard message.channel == channel else {
            throw Refusal(.invalid, ReliabilityCause.otherChannel(message.channel))
        }
        func contradiction(_ what: String) -> Refusal {
            Refusal(.invalid, ReliabilityCause.contradictoryMessage(what))
        }
        guard message.sender.count > 0, message.id.count > 0 else { throw contradiction("no sender or no id") }
        if let sender, sender != message.sender {
            throw Refusal(.invalid, ReliabilityCause.forgedSender(message.sender, by: sender))
        }
        guard message.lamport ?? 0 <= Self.maximumLamport else { throw contradiction("clock \(message.lamport ?? 0)") }
        for entry in message.history where entry.id.count == 0 || entry.id == message.id {
            throw contradiction("history with \(entry.id.count == 0 ? "no id" : "itself")")
        }
    }

    /// Whether a message with content was received before; refuses one that has the id of another participant's message.
    private func isKnown(_ message: SDSMessage, hasContent: Bool) throws(Refusal) -> Bool {
        guard hasContent else { return false }
        let known = log.entry(message.id)?.sender ?? incoming.waiting[message.id]?.message.sender
        guard let known else { return false }
        guard known == message.sender else {
            throw Refusal(.invalid, ReliabilityCause.identifierInUse(message.id))
        }
        return true
    }

    /// The dependencies of a message that are neither delivered nor given up.
    func openDependencies(_ message: SDSMessage) -> [SDSMessage.HistoryEntry] {
        var open: [SDSMessage.HistoryEntry] = []
        // A message from before one's joining waits for nothing: it would lead to the beginning of the channel.
        if let joinedAt, let lamport = message.lamport, lamport <= joinedAt { return [] }
        for entry in message.history where !log.contains(entry.id) && !incoming.lost.contains(entry.id) {
            // An own one that the log has forgotten is no gap, nor one of an earlier life under this name.
            guard outgoing[entry.id] == nil, entry.sender != participant else { continue }
            if !open.contains(where: { $0.id == entry.id }) { open.append(entry) }
        }
        return open
    }

    private mutating func note(_ open: [SDSMessage.HistoryEntry], limit: Int, in step: inout SDSStep) {
        for entry in open {
            guard incoming.missing.count < limit else { return }
            let isNew = incoming.note(
                entry, now: step.now, request: requestTime(entry.id, now: step.now),
                giveUp: times.lostAfter.map { step.now.later(by: $0) })
            if isNew { step.events.append(.missing(entry)) }
        }
    }

    /// Another participant told what there is to tell, if it has what this one has.
    private mutating func reviewSync(_ message: SDSMessage, in step: SDSStep) {
        guard participants > 2, let last = log.all.last, message.history.contains(where: { $0.id == last.id }) else {
            return
        }
        sync.wasCovered(at: step.now)
    }

    /// Delivers a message that waits for nothing, and then those that waited for it and for nothing else.
    private mutating func deliver(
        _ message: SDSMessage, _ lamport: UInt64, _ content: Bytes, probe: BloomFilter.Probe?, in step: inout SDSStep
    ) {
        put(message, lamport, content, probe: probe, in: &step)
        release(incoming.resolve(message.id), in: &step)
    }

    /// Delivers messages that wait for nothing any more, and those that waited for them, earliest first.
    mutating func release(_ ready: [SDSIncoming.Waiting], in step: inout SDSStep) {
        guard !ready.isEmpty else { return }
        var queue = PriorityQueue<SDSIncoming.Waiting>()
        for one in ready { queue.insert(one) }
        while let next = queue.popFirst() {
            let message = next.message
            unstoreWaiting(next.serial)
            guard let lamport = message.lamport, let content = message.content else { continue }
            put(message, lamport, content, probe: filter.map { _ in BloomFilter.Probe(message.id) }, in: &step)
            for one in incoming.resolve(message.id) { queue.insert(one) }
        }
    }

    /// Puts a message into the log, and tells of it.
    private mutating func put(
        _ message: SDSMessage, _ lamport: UInt64, _ content: Bytes, probe: BloomFilter.Probe?, in step: inout SDSStep
    ) {
        if lamport <= Self.maximumFollowed { self.lamport = max(self.lamport, lamport) }
        forgetLoss(message.id)
        let serial = nextSerial
        let named = message.history.map(\.id)
        let place = insert(message.id, sender: message.sender, lamport: lamport, naming: named, probe: probe)
        step.events.append(
            .delivered(
                .init(id: message.id, sender: message.sender, lamport: lamport, place: place, content: content)))
        guard settings.repair?.answersForOthers == true else { return }
        let bytes = message.encoded()
        storeMessage(bytes, serial)
        keep(message.id, SDSRetransmitCache.Entry(bytes: bytes, serial: serial, isDone: false))
    }

    /// Whether who has a message that names this one must have it too: it cannot have been given up as lost, since it
    /// was sent in this run and not long ago. Half the time, since a clock that was set back goes slower for a while;
    /// and the time that passes over a restart is unknown.
    private func isSurelyThere(_ id: Identifier, _ now: Timestamp) -> Bool {
        guard let lostAfter = times.lostAfter, let entry = outgoing[id] else { return true }
        return !entry.isOfEarlierRun && now < entry.sentAt.later(by: lostAfter / 2)
    }

    /// Reviews which own messages another participant has (SDS-09).
    private mutating func acknowledge(_ message: SDSMessage, in step: inout SDSStep) {
        guard !outgoing.isEmpty else { return }
        let before = step.events.count
        // What is acknowledged lets younger ones move up, whose time may have come long ago.
        if outgoing.entries.count > settings.resend.window { outgoing.review(step.now) }
        defer { if step.events.count > before { outgoing.noteProgress(step.now) } }
        var ids = message.history.map(\.id)
        while let id = ids.popLast() {
            guard let entry = outgoing.remove(id) else { continue }
            step.events.append(.acknowledged(id))
            retire(id, entry)
            if settings.acknowledgesAncestors { ids += entry.parents.filter { isSurelyThere($0, step.now) } }
        }
        guard !outgoing.isEmpty, let bytes = message.filter, let filter = try? BloomFilter(decoding: bytes),
            !filter.isSaturated
        else { return }
        for id in outgoing.noteHits(filter) { step.events.append(.possiblyAcknowledged(id)) }
    }
}
