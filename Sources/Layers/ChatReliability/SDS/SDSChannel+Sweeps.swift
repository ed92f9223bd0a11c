public import ChatModel

// Timers.
extension SDSChannel {
    /// Gives up what is lost, sends again what is due, answers, and sends a sync message.
    public mutating func wake(in step: inout SDSStep) {
        advance(to: step.now)
        // Without a link, nothing could have come, and nothing gets away.
        guard !presence.isLinkLost else { return }
        if let lostAfter = times.lostAfter {
            for id in incoming.takeLosses(step.now, again: step.now.later(by: lostAfter)) { lose(id, in: &step) }
        }
        sendUnsent(in: &step)
        sweepOutgoing(in: &step)
        for answer in kept.takeDue(step.now, limit: settings.limits.burst) {
            step.broadcasts.append(.init(reason: .again, id: answer.id, bytes: answer.bytes))
        }
        nextSweep = step.now.later(by: 1)
        guard outgoing.unsentCount == 0 else { return }
        let mayAsk = pace.nextAsk <= step.now && incoming.hasRequests(step.now)
        if mayAsk || (sync.due.map { $0 <= step.now } ?? false) { sendSync(in: &step) }
    }

    /// The service took something: what waits for room need not wait longer.
    public mutating func makeProgress(now: Timestamp) {
        guard !presence.isLinkLost else { return }
        outgoing.release(at: now)
        outgoing.endPause(now)
    }

    /// Sends what was said without a link, as far as there is room (SDS-R13).
    private mutating func sendUnsent(in step: inout SDSStep) {
        guard let time = outgoing.nextRelease, time <= step.now else { return }
        for id in outgoing.unsent(room: step.room) {
            guard let entry = outgoing.didLeave(id, step.now, away: presence.away, times) else { continue }
            step.room = max(0, step.room - entry.bytes.count)
            storeMessage(entry)
            sync.didBroadcast(at: step.now, isNew: true)
            step.broadcasts.append(.init(reason: .new, id: id, bytes: entry.bytes))
        }
        outgoing.release(at: step.now.later(by: times.resendFirst / 4))
    }

    /// Gives nothing up and sends nothing again until a participant is heard or ``hurry(in:)`` says that the link is
    /// back (SDS-R10); that time does not count.
    public mutating func loseLink(now: Timestamp) {
        advance(to: now)
        presence.loseLink()
    }

    /// Counts the time until now; after an absence, everything is tried again before anything is given up.
    mutating func advance(to now: Timestamp) {
        let isReturn = presence.advance(to: now, longestPause: times.syncLongest)
        if isReturn {
            outgoing.hurry(now, within: times.resendFirst, atOnce: settings.resend.atOnce)
            giveTime(now)
        }
        if !outgoing.isEmpty, presence.isToBeStored(now) || isReturn { storePresence() }
    }

    /// Says at once what there is to say, and waits no longer than at first: the other side may just be back.
    ///
    /// Nothing is given up for a while: the time that has passed was not one in which it could have come.
    public mutating func hurry(in step: inout SDSStep) {
        advance(to: step.now)
        outgoing.hurry(step.now, within: times.resendFirst, atOnce: settings.resend.atOnce)
        pace.encourage(step.now)
        giveTime(step.now)
        if log.count > 0 || !incoming.missing.isEmpty { sync.hurry(step.now) }
        wake(in: &step)
    }

    /// A participant is there again, or may be: messages for it wait no longer than one pause.
    mutating func meetAgain(_ now: Timestamp, within wait: UInt64, asks: Bool = true) {
        if presence.isLinkLost { giveTime(now) }
        outgoing.hurry(now, within: wait)
        if asks { pace.encourage(now) }
    }

    /// Gives nothing up for a while.
    private mutating func giveTime(_ now: Timestamp) {
        presence.resume(grace: times.resendLongest, now)
        outgoing.release(at: now)
        guard let lostAfter = times.lostAfter else { return }
        // Of two, who told what is gone will say so when it is asked; what is given up by the clock alone may be
        // acknowledged by mistake, so that takes the whole time without a restart, a lost link or a jump of the clock.
        let isTold = settings.acknowledgesAncestors && participants == 2
        let grace = isTold ? lostAfter : min(lostAfter, times.resendLongest)
        incoming.postponeLosses(until: now.later(by: grace), lostAfter: lostAfter)
    }

    /// Sends a sync message (SDS-12).
    mutating func sendSync(in step: inout SDSStep) {
        let (message, inTurn) = message(Self.syncID, now: step.now)
        let draft = SDSDraft(message, bytes: message.encoded(), inTurn: inTurn)
        take(draft, now: step.now)
        if !draft.repairs.isEmpty { pace.didAsk(step.now, longest: times.askLongest) }
        sync.didBroadcast(at: step.now, isNew: false)
        step.broadcasts.append(.init(reason: .sync, id: Self.syncID, bytes: draft.bytes))
    }

    /// All sync messages have this id; they are not kept (SDS-13).
    private static let syncID = Identifier("sync") ?? Identifier()

    private mutating func sweepOutgoing(in step: inout SDSStep) {
        // Looked at even where nothing is to be sent again, because all is presumed to have arrived.
        if let time = nextGiveUp, time <= step.now, let limit = times.giveUpAfter {
            for id in outgoing.ids {
                guard let entry = outgoing[id], !entry.isHeld,
                    presence.time(since: entry.sentAt, away: entry.awayBefore, step.now) >= limit
                else { break }
                _ = outgoing.remove(id)
                let isPresumed = settings.hitsToPresume.map { entry.hits >= $0 } ?? false
                step.events.append(isPresumed ? .acknowledged(id) : .gaveUp(id))
                retire(id, entry)
                if !isPresumed { abandon(id) }
            }
        }
        guard let due = outgoing.nextDue, due <= step.now else { return }
        guard step.repeats else { return outgoing.pause(step.now, times) }
        for id in outgoing.exhausted(step.now, times, settings) {
            step.events.append(.gaveUp(id))
            giveUp(id)
        }
        for id in outgoing.takeDue(step.now, times, settings) {
            guard let entry = outgoing[id], !sendAgain(id, entry.bytes, in: &step) else { continue }
            return outgoing.pause(step.now, times)
        }
    }

    /// When the oldest own message is given up.
    var nextGiveUp: Timestamp? {
        guard let limit = times.giveUpAfter, let oldest = outgoing.oldest, !oldest.isHeld else { return nil }
        return presence.moment(limit, since: oldest.sentAt, away: oldest.awayBefore)
    }

    /// Sends a message again if there is room for it.
    @discardableResult
    mutating func sendAgain(_ id: Identifier, _ bytes: Bytes, in step: inout SDSStep) -> Bool {
        guard bytes.count <= step.room else { return false }
        step.room -= bytes.count
        outgoing.reschedule(id, step.now, times, settings)
        step.broadcasts.append(.init(reason: .again, id: id, bytes: bytes))
        return true
    }

    /// Gives up a missing message (SDS-10).
    private mutating func lose(_ id: Identifier, in step: inout SDSStep) {
        guard let missing = incoming.missing[id] else { return }
        // A participant may have named an own message before it was sent.
        if !log.contains(id) {
            step.events.append(.lost(id, sender: missing.entry.sender))
            rememberLoss(id)
        }
        release(incoming.resolve(id), in: &step)
    }

    /// Keeps an own message that is acknowledged or given up, for requests; between two participants none comes.
    mutating func retire(_ id: Identifier, _ entry: SDSOutgoing.Entry) {
        guard settings.repair != nil, participants > 2 || !settings.acknowledgesAncestors else {
            return unstoreMessage(entry.serial, isDone: false)
        }
        storeDone(entry.serial)
        keep(id, SDSRetransmitCache.Entry(bytes: entry.bytes, serial: entry.serial, isDone: true))
    }

    /// Keeps a message whole; forgets older ones for it.
    mutating func keep(_ id: Identifier, _ entry: SDSRetransmitCache.Entry) {
        for gone in kept.insert(id, entry, settings.limits) { unstoreMessage(gone.serial, isDone: gone.isDone) }
    }
}
