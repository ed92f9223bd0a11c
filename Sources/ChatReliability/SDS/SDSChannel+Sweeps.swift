import ChatModel

// What time brings.
extension SDSChannel {
    /// Gives up what is lost, sends again what is due, answers, and sends a sync message.
    public mutating func wake(in step: inout SDSStep) {
        for id in incoming.takeLosses(step.now) { lose(id, in: &step) }
        sweepOutgoing(in: &step)
        for answer in kept.takeDue(step.now, limit: settings.limits.burst) {
            step.broadcasts.append(.init(reason: .again, id: answer.id, bytes: answer.bytes))
        }
        if incoming.hasRequests(step.now) || (sync.due.map { $0 <= step.now } ?? false) { sendSync(in: &step) }
    }

    /// Says at once what there is to say, and waits no longer than at first: the other side may just be back.
    ///
    /// Nothing is given up for a while: the time that has passed was not one in which it could have come.
    public mutating func hurry(in step: inout SDSStep) {
        outgoing.hurry(step.now, within: times.resendFirst, atOnce: settings.resend.atOnce)
        if let lostAfter = times.lostAfter {
            let grace = min(lostAfter, times.resendLongest)
            incoming.postponeLosses(until: step.now.later(by: grace), lostAfter: lostAfter)
        }
        if log.count > 0 || !incoming.missing.isEmpty { sync.hurry(step.now) }
        wake(in: &step)
    }

    /// Sends a sync message (SDS-12).
    mutating func sendSync(in step: inout SDSStep) {
        let draft = draft(Self.syncID, content: nil, now: step.now)
        take(draft, now: step.now)
        sync.didBroadcast(at: step.now, isNew: false)
        step.broadcasts.append(.init(reason: .sync, id: Self.syncID, bytes: draft.bytes))
    }

    /// All sync messages have this id; nobody keeps them (SDS-13).
    private static let syncID = Identifier("sync") ?? Identifier()

    private mutating func sweepOutgoing(in step: inout SDSStep) {
        guard let due = outgoing.nextDue, due <= step.now else { return }
        if let limit = times.giveUpAfter {
            for id in outgoing.ids {
                guard let entry = outgoing[id], entry.sentAt.later(by: limit) <= step.now else { break }
                _ = outgoing.remove(id)
                let isPresumed = settings.hitsToPresume.map { entry.hits >= $0 } ?? false
                step.events.append(isPresumed ? .acknowledged(id) : .gaveUp(id))
                retire(id, entry)
            }
        }
        for id in outgoing.takeDue(step.now, times, settings) {
            guard let entry = outgoing[id], !sendAgain(id, entry.bytes, in: &step) else { continue }
            return outgoing.pause(until: step.now.later(by: times.resendFirst / 4))
        }
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
        step.events.append(.lost(id, sender: missing.entry.sender))
        rememberLoss(id)
        release(incoming.resolve(id), in: &step)
    }

    /// Keeps an own message that is acknowledged or given up, in case somebody asks for it; the other of two does not.
    mutating func retire(_ id: Identifier, _ entry: SDSOutgoing.Entry) {
        guard settings.repair != nil, participants > 2 || !settings.acknowledgesAncestors else {
            return unstoreMessage(entry.serial, isDone: false)
        }
        storeDone(entry.serial)
        keep(id, SDSKept.Entry(bytes: entry.bytes, serial: entry.serial, isDone: true))
    }

    /// Keeps a message whole; forgets older ones for it.
    mutating func keep(_ id: Identifier, _ entry: SDSKept.Entry) {
        for gone in kept.insert(id, entry, settings.limits) { unstoreMessage(gone.serial, isDone: gone.isDone) }
    }
}
