import ChatCodec
public import ChatModel

/// One participant's side of a channel of Scalable Data Sync: messages arrive once, in causal order, and what is
/// missing is noticed and asked for (`Specs/sds.md`).
///
/// A value without I/O: every step gets the time and leaves messages and events in an ``SDSStep``. Wake it at
/// ``nextWake``. Everything that others can make it keep is bounded.
public struct SDSChannel: Sendable {
    /// The own name among the participants.
    public let participant: Identifier
    /// The channel's name; `0` where there is one only.
    public let channel: Identifier
    /// Its constants.
    public let settings: SDSSettings
    /// How many take part, which says how many may answer a repair request; at least 2.
    public var participants = 2

    /// The Lamport clock (SDS-02).
    public internal(set) var lamport: UInt64
    var log = SDSLog()
    var frontier = SDSFrontier()
    var filter: BloomFilter?
    var outgoing = SDSOutgoing()
    var incoming = SDSIncoming()
    var kept = SDSRetransmitCache()
    /// An index of the log's messages.
    var hints: [Identifier: Bytes] = [:]
    var sync: SDSSync
    var pace = SDSRepairLimiter()
    var presence = SDSPresence()
    var gone = SDSGone()
    /// Whether an own message in the log was ever given up.
    var hasGone = false
    /// Not woken again before: what a burst left is sent with the next one.
    var nextSweep = Timestamp.zero
    var nextSerial: UInt64 = 0
    var changes: [Record] = []
    let times: SDSTimes
    /// A message with a clock up to this one waits for nothing (SDS-R12); nil where all wait.
    let joinedAt: UInt64?
    /// In front of the keys of records.
    var recordPrefix: String

    /// Joins a channel that nothing is known of yet.
    ///
    /// - Parameters:
    ///   - participant: the own participant's id.
    ///   - channel: the channel's id.
    ///   - settings: the parameters of the channel.
    ///   - now: the current time.
    ///   - lamport: the clock to begin with; nil for milliseconds since the epoch (SDS-02).
    ///   - joinsLate: whether others may have been there before; what precedes the own clock then waits for nothing.
    ///   - prefix: stands in front of the keys of records.
    public init(
        _ participant: Identifier, channel: Identifier, settings: SDSSettings = SDSSettings(), now: Timestamp,
        lamport: UInt64? = nil, joinsLate: Bool = false, prefix: String = ""
    ) {
        (self.participant, self.channel, self.settings) = (participant, channel, settings)
        (self.lamport, times) = (lamport ?? now.milliseconds, SDSTimes(settings))
        joinedAt = joinsLate ? self.lamport : nil
        recordPrefix = prefix
        filter = settings.filter.map { BloomFilter($0) }
        sync = SDSSync(participant, times)
        storeState()
    }

    /// The highest clock that is accepted, and the highest that moves ours: who forges one cannot take others along to
    /// where there is none left.
    public static let (maximumLamport, maximumFollowed) = (UInt64.max >> 1, UInt64.max >> 2)

    /// The delivered messages, first to last.
    public var order: [(lamport: UInt64, id: Identifier)] { log.all.map { ($0.lamport, $0.id) } }

    /// Messages that wait for others to be delivered.
    public var waiting: [Identifier] { incoming.waiting.keys.sorted() }

    /// Messages that are known to be missing.
    public var missing: [Identifier] { incoming.missing.filter { !$0.value.isHere }.keys.sorted() }

    /// Own messages that are not acknowledged, oldest first.
    public var unacknowledged: [Identifier] { outgoing.ids }

    /// The same with what they are for.
    public var unacknowledgedTags: [(id: Identifier, tag: UInt64)] {
        outgoing.ids.map { ($0, outgoing[$0]?.tag ?? 0) }
    }

    /// When to call ``wake(in:)``; never later than something is due, perhaps earlier.
    public var nextWake: Timestamp? {
        // Without a link there is nothing to do.
        guard !presence.isLinkLost else { return nil }
        let own: Timestamp? = .earliest(.earliest(outgoing.nextDue, nextGiveUp), .earliest(kept.nextDue, nextWords))
        let next: Timestamp? = .earliest(own, incoming.nextLoss)
        return next.map { max($0, nextSweep) }
    }

    /// When something is to be said: what has never left, or else a sync message, which would name it.
    private var nextWords: Timestamp? {
        guard outgoing.unsentCount == 0 else { return outgoing.nextRelease }
        return .earliest(sync.due, incoming.nextRequest.map { max($0, pace.nextAsk) })
    }

    /// Whether what is committed now should wait for the link, or behind what does (SDS-R13).
    public var holdsBack: Bool { presence.isLinkLost || outgoing.unsentCount > 0 }

    /// Sends content to all participants.
    ///
    /// - Parameters:
    ///   - content: not empty; with head room, nothing is copied.
    ///   - id: differs from those of all messages of all participants.
    ///   - step: takes what is to be sent and reported.
    /// - Throws: `unable` where too much is on its way, or the id is in use.
    public mutating func send(_ content: Bytes, id: Identifier, in step: inout SDSStep) throws(Refusal) {
        commit(try draft(content, id: id, now: step.now), in: &step)
    }

    /// Writes a message that is not part of the channel before ``commit(_:tag:untilLink:in:)``: whoever carries it may
    /// refuse.
    public mutating func draft(
        _ content: consuming Bytes, id: Identifier, now: Timestamp
    ) throws(Refusal) -> SDSDraft {
        guard !content.isEmpty, id.count > 0 else { throw Refusal(.unable, ReliabilityCause.emptyMessage) }
        guard !log.contains(id), incoming.waiting[id] == nil else {
            throw Refusal(.unable, ReliabilityCause.identifierInUse(id))
        }
        try outgoing.check(content.count, settings.limits)
        let (message, inTurn) = message(id, now: now)
        return SDSDraft(message, bytes: message.encoded(around: consume content), inTurn: inTurn)
    }

    /// Makes a drafted message part of the channel; nothing else may have happened in between.
    ///
    /// - Parameters:
    ///   - draft: the written message.
    ///   - tag: what it is for; comes back after a restart.
    ///   - waits: whether it leaves when the link is back, with ``wake(in:)``, and not now.
    ///   - step: takes what is to be sent and reported.
    public mutating func commit(
        _ draft: SDSDraft, tag: UInt64 = 0, untilLink waits: Bool = false, in step: inout SDSStep
    ) {
        advance(to: step.now)
        take(draft, now: step.now)
        let (id, parents) = (draft.id, draft.history.map(\.id))
        let entry = SDSOutgoing.Entry(
            bytes: draft.bytes, tag: tag, parents: parents, sentAt: step.now, awayBefore: presence.away,
            due: step.now.later(by: times.resendFirst),
            serial: nextSerial, probe: settings.filter.map { _ in BloomFilter.Probe(id) }, hold: waits ? .link : nil)
        outgoing.insert(id, entry)
        storeMessage(entry)
        insert(id, sender: participant, lamport: lamport, naming: parents, probe: entry.probe)
        guard !waits else { return }
        sync.didBroadcast(at: step.now, isNew: true)
        step.broadcasts.append(.init(reason: .new, id: id, bytes: draft.bytes))
    }

    /// Says what helps others to find a message of the log in the service; histories carry it from now on.
    ///
    /// - Parameters:
    ///   - hint: at most ``SDSMessage/maximumHint`` bytes; a longer one is not taken.
    ///   - id: the message's id.
    public mutating func setHint(_ hint: Bytes, for id: Identifier) {
        guard hint.count <= SDSMessage.maximumHint, let entry = log.entry(id) else { return }
        hints[id] = hint
        store(entry)
    }

    /// Stops sending an own message again: it can never arrive.
    ///
    /// - Parameters:
    ///   - id: the message's id.
    ///   - isReplaced: whether what was in it is sent in other messages, so that nothing is lost.
    public mutating func withdraw(_ id: Identifier, isReplaced: Bool = false) {
        guard let entry = outgoing.remove(id) else { return }
        unstoreMessage(entry.serial, isDone: false)
        abandon(id, isReplaced: isReplaced)
    }

    /// Says that an own message waits to be dispatched: until ``didSend(_:now:)``, it is neither sent again nor given up.
    public mutating func hold(_ id: Identifier) { outgoing.hold(id) }

    /// Says that a message that was held back was dispatched.
    public mutating func didSend(_ id: Identifier, now: Timestamp) { outgoing.didSend(id, now, times) }

    /// Stops sending an own message again, but sends it to who asks for it as long as it is kept.
    public mutating func giveUp(_ id: Identifier) {
        guard let entry = outgoing.remove(id) else { return }
        retire(id, entry)
        abandon(id)
    }

    /// An own message that is not acknowledged, encoded.
    public func message(_ id: Identifier) -> Bytes? { outgoing[id]?.bytes }

    /// Sends ephemeral content: not acknowledged and not sent again (SDS-14).
    public func ephemeral(_ content: Bytes, id: Identifier, in step: inout SDSStep) {
        let bytes = SDSMessage(sender: participant, id: id, channel: channel, content: content).encoded()
        step.broadcasts.append(.init(reason: .new, id: id, bytes: bytes))
    }

    /// A message without content, with clock, history, filter and requests as they are now; and how many it names
    /// because it is their turn.
    mutating func message(_ id: Identifier, now: Timestamp) -> (message: SDSMessage, inTurn: Int) {
        let (history, inTurn) = history()
        let gone = goneEntries(naming: history)
        let message = SDSMessage(
            sender: participant, id: id, channel: channel,
            lamport: max(now.milliseconds, lamport == .max ? .max : lamport + 1),
            history: history, filter: filter?.encoded(), repairs: repairRequests(now: now, besides: gone.count),
            gone: gone)
        return (message, inTurn)
    }

    /// Moves the clock, and on to what is named and asked for next.
    mutating func take(_ draft: SDSDraft, now: Timestamp) {
        lamport = max(lamport, draft.lamport)
        frontier.didName(draft.inTurn)
        gone.didTell(draft.gone)
        didRequest(draft.repairs, now: now)
    }

    /// The end of the log, and what else is to be named, in the order of the log; and how many because it is their turn.
    private func history() -> (history: [SDSMessage.HistoryEntry], inTurn: Int) {
        let namesSenders = settings.repair?.namesSenders == true
        func entry(_ entry: SDSLog.Entry) -> SDSMessage.HistoryEntry {
            SDSMessage.HistoryEntry(entry.id, hint: hints[entry.id], sender: namesSenders ? entry.sender : nil)
        }
        let end = log.all.suffix(settings.historyLength)
        guard settings.frontierLength > 0 else { return (end.map(entry), 0) }
        let (more, inTurn) = frontier.next(settings.frontierLength) { id in end.contains { $0.id == id } }
        guard !more.isEmpty else { return (end.map(entry), 0) }
        let all = (more.compactMap { log.entry($0) } + end).sorted { $0.order < $1.order }
        return (all.map(entry), inTurn)
    }

    /// Puts a message into the log and the filter; the serial is that of its records.
    @discardableResult
    mutating func insert(
        _ id: Identifier, sender: Identifier, lamport: UInt64, naming named: [Identifier], probe: BloomFilter.Probe?
    ) -> SDSEvent.Delivery.Place {
        var entry = SDSLog.Entry(lamport: lamport, id: id, sender: sender, serial: nextSerial, probe: probe)
        nextSerial += 1
        if settings.frontierLength > 0 {
            entry.ended = frontier.insert(id, naming: named).compactMap { log.entry($0)?.serial }
        }
        let place = log.insert(entry)
        store(entry)
        if let gone = log.trim(to: settings.limits.log) { unstore(gone) }
        if sender == participant, let probe { addToFilter(probe) }
        return place
    }

    /// Adds an id to the filter, which begins anew from the end of the log once it is full (SDS-03).
    mutating func addToFilter(_ probe: BloomFilter.Probe) {
        if let filter, filter.count >= filter.parameters.capacity { rebuildFilter() }
        filter?.insert(probe)
    }

    mutating func rebuildFilter() {
        guard let parameters = settings.filter else { return }
        var fresh = BloomFilter(parameters)
        for entry in log.all.suffix(parameters.capacity / 2) {
            if let probe = entry.probe { fresh.insert(probe) }
        }
        // A waiting message counts as received.
        for id in incoming.waiting.keys.sorted().prefix(parameters.capacity / 4) { fresh.insert(id) }
        filter = fresh
    }
}
