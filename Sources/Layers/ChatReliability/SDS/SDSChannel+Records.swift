import ChatCodec
public import ChatModel
import ChatRecords

// How a channel is stored: a small state, and a record for each message in each of its places. A message that is
// sent costs two records and one more when it is acknowledged, one that is received one, whatever the history.
extension SDSChannel {
    private static let stored = RecordCodec(machine: "sds")
    private static let (logKey, waitingKey, messageKey) = ("log/", "waiting/", "message/")
    private static let (doneKey, lostKey, presenceKey) = ("done/", "lost/", "presence")

    /// The records that changed since the last call, in the order in which they are to be applied.
    public mutating func takeChanges() -> [Record] {
        defer { changes.removeAll() }
        return changes
    }

    /// Stores what never changes; the rest of the state follows from the messages.
    mutating func storeState() {
        put(
            RecordCodec.stateKey,
            StoredMessage(
                sender: participant, channel: channel, number: lamport, tag: joinedAt == nil ? 0 : 1))
    }

    /// Makes a channel again from all its records; call ``hurry(in:)`` next.
    ///
    /// - Parameters:
    ///   - records: without the prefix.
    ///   - settings: those with which it was made.
    ///   - prefix: stands in front of the keys of records to come.
    public init(
        restoring records: [Record], settings: SDSSettings = SDSSettings(), prefix: String = ""
    ) throws(Refusal) {
        var messages: [String: [(serial: UInt64, message: StoredMessage)]] = [:]
        var (state, present): (StoredMessage?, StoredMessage?) = (nil, nil)
        for record in records {
            let message: StoredMessage = try Self.stored.message(record)
            if record.key == RecordCodec.stateKey {
                state = message
                continue
            }
            if record.key == Self.presenceKey {
                present = message
                continue
            }
            let parts = record.key.split(separator: "/")
            guard parts.count == 2, let serial = UInt64(parts[1], radix: parts[0] == "lost" ? 16 : 10) else {
                throw Self.stored.unreadable(record.key)
            }
            messages[parts[0] + "/", default: []].append((serial, message))
        }
        guard let state else { throw Self.stored.unreadable(RecordCodec.stateKey) }
        self.init(
            state.sender, channel: state.channel, settings: settings, now: .zero, lamport: state.number,
            joinsLate: state.tag != 0)
        changes = []
        recordPrefix = prefix
        // Losses are keyed by a hash of what was lost, everything else by a serial.
        let serials = messages.filter { $0.key != Self.lostKey }.values.joined().map(\.serial)
        let last = serials.max() ?? 0
        guard last <= RecordCodec.largestCount else { throw Self.stored.unreadable(Self.messageKey + String(last)) }
        nextSerial = last + 1
        func all(_ key: String) -> [(serial: UInt64, message: StoredMessage)] {
            (messages[key] ?? []).sorted { $0.serial < $1.serial }
        }
        for (_, entry) in all(Self.lostKey) { _ = incoming.markLost(entry.id, limit: settings.limits.missing) }
        try restoreLog(all(Self.logKey))
        try restoreWhole(all(Self.messageKey), done: Set(all(Self.doneKey).map(\.serial)))
        try restoreWaiting(all(Self.waitingKey))
        let newest = outgoing.ids.compactMap { outgoing[$0]?.sentAt }.max()
        let seen = present.map { Timestamp(milliseconds: $0.number) }
        presence = SDSPresence(away: present?.away ?? 0, seen: [seen, newest].compactMap(\.self).max())
        rebuildFilter()
    }

    private mutating func restoreLog(_ entries: [(serial: UInt64, message: StoredMessage)]) throws(Refusal) {
        for (serial, entry) in entries.sorted(by: { ($0.1.number, $0.1.id) < ($1.1.number, $1.1.id) }) {
            guard !log.contains(entry.id) else { throw Self.stored.unreadable(Self.logKey + String(serial)) }
            let probe = settings.filter.map { _ in BloomFilter.Probe(entry.id) }
            _ = log.insert(
                .init(
                    lamport: entry.number, id: entry.id, sender: entry.sender, serial: serial, probe: probe,
                    ended: entry.ended, isGone: entry.tag != 0, isReplaced: entry.tag == 2))
            if entry.tag != 0 { hasGone = true }
            if entry.number <= Self.maximumFollowed { lamport = max(lamport, entry.number) }
            if !entry.bytes.isEmpty { hints[entry.id] = entry.bytes }
        }
        restoreFrontier(entries)
        if log.count >= settings.limits.log { log.floor = log.all.first?.order }
    }

    /// Goes through the log as it came to be; which messages came again is not stored.
    private mutating func restoreFrontier(_ entries: [(serial: UInt64, message: StoredMessage)]) {
        guard settings.frontierLength > 0 else { return }
        let ids = Dictionary(entries.map { ($0.serial, $0.message.id) }) { first, _ in first }
        for entry in entries.map(\.message) {
            _ = frontier.insert(entry.id, naming: entry.ended.compactMap { ids[$0] })
        }
    }

    private mutating func restoreWhole(
        _ messages: [(serial: UInt64, message: StoredMessage)], done: Set<UInt64>
    ) throws(Refusal) {
        for (serial, stored) in messages {
            let message = try Self.decode(stored, Self.messageKey + String(serial))
            guard message.sender == participant, !done.contains(serial) else {
                let isDone = message.sender == participant
                let entry = SDSRetransmitCache.Entry(bytes: stored.bytes, serial: serial, isDone: isDone)
                _ = kept.insert(message.id, entry, settings.limits)
                continue
            }
            outgoing.insert(
                message.id,
                .init(
                    bytes: stored.bytes, tag: stored.tag, parents: message.history.map(\.id),
                    sentAt: Timestamp(milliseconds: stored.number), awayBefore: stored.away, due: .zero,
                    serial: serial,
                    probe: settings.filter.map { _ in BloomFilter.Probe(message.id) },
                    hold: stored.number == 0 ? .link : nil, isOfEarlierRun: stored.number > 0))
        }
    }

    private mutating func restoreWaiting(_ messages: [(serial: UInt64, message: StoredMessage)]) throws(Refusal) {
        for (serial, stored) in messages {
            let message = try Self.decode(stored, Self.waitingKey + String(serial))
            let now = Timestamp(milliseconds: stored.number)
            let open = openDependencies(message)
            for entry in open {
                _ = incoming.note(
                    entry, now: now, request: requestTime(entry.id, now: now),
                    giveUp: times.lostAfter.map { now.later(by: $0) })
            }
            incoming.insert(message, size: stored.bytes.count, waitingFor: open.map(\.id), serial: serial)
        }
    }

    private static func decode(_ stored: StoredMessage, _ key: String) throws(Refusal) -> SDSMessage {
        do { return try SDSMessage(decoding: stored.bytes) } catch { throw Self.stored.unreadable(key) }
    }

    private mutating func put(_ key: String, _ message: StoredMessage) {
        changes.append(Self.stored.record(recordPrefix + key, message))
    }

    private mutating func remove(_ key: String) {
        changes.append(Record(recordPrefix + key, nil))
    }

    mutating func store(_ entry: SDSLog.Entry) {
        put(
            Self.logKey + String(entry.serial),
            StoredMessage(
                sender: entry.sender, id: entry.id, number: entry.lamport, bytes: hints[entry.id] ?? Bytes(),
                tag: entry.isReplaced ? 2 : entry.isGone ? 1 : 0, ended: entry.ended)
        )
    }

    mutating func unstore(_ entry: SDSLog.Entry) {
        if !hints.isEmpty { hints[entry.id] = nil }
        remove(Self.logKey + String(entry.serial))
    }

    /// Stores a message of another participant whole.
    mutating func storeMessage(_ bytes: Bytes, _ serial: UInt64) {
        put(Self.messageKey + String(serial), StoredMessage(bytes: bytes))
    }

    /// Stores an own message with its tag, the time at which it was sent, none where it waits for a link, and how long
    /// this side had been away until then.
    mutating func storeMessage(_ entry: SDSOutgoing.Entry) {
        let sentAt = entry.hold == .link ? .zero : entry.sentAt
        put(
            Self.messageKey + String(entry.serial),
            StoredMessage(number: sentAt.milliseconds, bytes: entry.bytes, tag: entry.tag, away: entry.awayBefore))
    }

    /// Stores when this side was last there, and how long it was not in all.
    mutating func storePresence() {
        guard let seen = presence.seen else { return }
        put(Self.presenceKey, StoredMessage(number: seen.milliseconds, away: presence.away))
    }

    mutating func unstoreMessage(_ serial: UInt64, isDone: Bool) {
        remove(Self.messageKey + String(serial))
        if isDone { remove(Self.doneKey + String(serial)) }
    }

    /// Notes that an own message is no longer waited for; it is kept for requests.
    mutating func storeDone(_ serial: UInt64) {
        put(Self.doneKey + String(serial), StoredMessage())
    }

    mutating func storeWaiting(_ bytes: Bytes, _ serial: UInt64, now: Timestamp) {
        put(Self.waitingKey + String(serial), StoredMessage(number: now.milliseconds, bytes: bytes))
    }

    mutating func unstoreWaiting(_ serial: UInt64) {
        remove(Self.waitingKey + String(serial))
    }

    /// Remembers that a message was given up, so that nothing waits for it any more.
    mutating func rememberLoss(_ id: Identifier) {
        let gone = incoming.markLost(id, limit: settings.limits.missing)
        put(Self.lossKey(id), StoredMessage(id: id))
        if let gone { remove(Self.lossKey(gone)) }
    }

    mutating func forgetLoss(_ id: Identifier) {
        if incoming.unmarkLost(id) { remove(Self.lossKey(id)) }
    }

    private static func lossKey(_ id: Identifier) -> String { lostKey + String(SDSRepair.hash([id]), radix: 16) }
}

/// The fields of a channel's records; each kind uses some of them.
private struct StoredMessage: ProtoMessage {
    /// Fields 1 to 3.
    var (sender, id, channel) = (Identifier(), Identifier(), Identifier())
    /// Field 4: a clock, or milliseconds.
    var number: UInt64 = 0
    /// Field 5: an encoded message.
    var bytes = Bytes()
    /// Field 6: what an own message is for; of a log entry, 1 if it is gone, 2 if it is replaced.
    var tag: UInt64 = 0
    /// Field 7, repeated: serials.
    var ended: [UInt64] = []
    /// Field 8: milliseconds of absence.
    var away: UInt64 = 0

    init(
        sender: Identifier = Identifier(), id: Identifier = Identifier(), channel: Identifier = Identifier(),
        number: UInt64 = 0, bytes: Bytes = Bytes(), tag: UInt64 = 0, ended: [UInt64] = [], away: UInt64 = 0
    ) {
        (self.sender, self.id, self.channel) = (sender, id, channel)
        (self.number, self.bytes, self.tag, self.ended, self.away) = (number, bytes, tag, ended, away)
    }

    init(decoding message: Bytes) throws(WireError) {
        var reader = ProtoReader(message.span)
        while let field = try reader.next() {
            switch field {
            case 1: sender = try Identifier(&reader, message)
            case 2: id = try Identifier(&reader, message)
            case 3: channel = try Identifier(&reader, message)
            case 4: number = try reader.uint64()
            case 5: bytes = message.slice(try reader.range())
            case 6: tag = try reader.uint64()
            case 7: ended.append(try reader.uint64() &- 1)
            case 8: away = try reader.uint64()
            default: continue
            }
        }
    }

    var size: Int {
        ProtoSize.field(1, count: sender.count) + ProtoSize.field(2, count: id.count)
            + ProtoSize.field(3, count: channel.count) + ProtoSize.field(4, number)
            + ProtoSize.field(5, count: bytes.count) + ProtoSize.field(6, tag)
            + ended.reduce(0) { $0 + ProtoSize.field(7, $1 &+ 1) } + ProtoSize.field(8, away)
    }

    @_lifetime(output: copy output)
    func write(to output: inout OutputSpan<UInt8>) {
        output.append(field: 1, sender)
        output.append(field: 2, id)
        output.append(field: 3, channel)
        output.append(field: 4, number)
        output.append(field: 5, bytes)
        output.append(field: 6, tag)
        // Plus 1, because a field that is 0 is left out.
        for serial in ended { output.append(field: 7, serial &+ 1) }
        output.append(field: 8, away)
    }
}
