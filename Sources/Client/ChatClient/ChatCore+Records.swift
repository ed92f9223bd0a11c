internal import ChatModel

// How a client is stored: a record for each thing that changes on its own.
extension ChatCore {
    /// Keys of the records, by what they hold.
    enum Keys {
        static let initialization = "initialization/"
        static let numbers = "numbers"
        static let conversations = "conversation/"
        static let machines = "machine/"
        static let outbox = "outbox/"
        static let deferred = "parked/"
        static let batches = "events/"
        static let cursors = "cursor/"
        static let troubles = "trouble/"
        static let contacts = "contact/"
        static let repeats = "repeat/"
        static let waiting = "waiting/"
        static let begun = "begun/"

        static func about(_ id: ConversationID) -> String { conversations + id.text }
        static func begun(_ name: String) -> String { begun + name }
        static func trouble(_ id: ConversationID) -> String { troubles + id.text }
        static func machine(_ id: ConversationID) -> String { machines + id.text + "/" }
        static func outbox(_ number: UInt64) -> String { numbered("outbox/", number) }
        static func deferred(_ number: UInt64) -> String { numbered("parked/", number) }
        static func batch(_ number: UInt64) -> String { numbered("events/", number) }
        static func contact(_ id: ContactID) -> String { numbered("contact/", id.number) }
        static func repeated(_ number: UInt64) -> String { numbered("repeat/", number) }
        static func waiting(_ id: ContentID) -> String { numbered("waiting/", id.number) }
        static func cursor(_ address: DeliveryAddress) -> String { cursors + address.text }

        /// A prefix and 20 decimal digits, so that keys sort by number; written in one piece, since every step has some.
        private static func numbered(_ prefix: StaticString, _ number: UInt64) -> String {
            let (start, count) = (prefix.utf8CodeUnitCount, prefix.utf8CodeUnitCount + 20)
            return unsafe String(unsafeUninitializedCapacity: count) { buffer in
                for index in 0..<start { unsafe buffer[index] = prefix.utf8Start[index] }
                var rest = number
                for index in stride(from: count - 1, through: start, by: -1) {
                    unsafe buffer[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                    rest /= 10
                }
                return count
            }
        }
    }

    /// Takes up all records of an earlier run and wakes every machine.
    mutating func restore(_ records: [Record], now: Timestamp) throws(Refusal) {
        let isFirstRun = try takeUp(records, now: now)
        wakeAll(isFirstRun ? .started : .restored)
    }

    /// Takes up all records of an earlier run, and wakes nobody; keys of other programs are left alone.
    ///
    /// - Returns: whether there was no earlier run.
    mutating func takeUp(_ records: [Record], now: Timestamp) throws(Refusal) -> Bool {
        var own: [Record] = []
        var abouts: [(ConversationID, About)] = []
        var machines: [ConversationID: [Record]] = [:]
        var waiting: [Contacts.Waiting] = []
        for record in records {
            guard let slash = record.key.firstIndex(of: "/") else {
                if record.key == Keys.numbers { numbers = try Numbers(record) }
                continue
            }
            let rest = String(record.key[record.key.index(after: slash)...])
            switch String(record.key[...slash]) {
            case Keys.initialization: own.append(Record(rest, record.bytes))
            case Keys.conversations: abouts.append((ConversationID(rest), try About(record)))
            case Keys.machines:
                guard let end = rest.firstIndex(of: "/") else { throw RecordReader.unreadable(record.key) }
                let key = String(rest[rest.index(after: end)...])
                machines[ConversationID(String(rest[..<end])), default: []].append(Record(key, record.bytes))
            case Keys.outbox: outbox.insert(try OutboxEntry(record))
            case Keys.troubles: troubles[ConversationID(rest)] = try Trouble(record)
            case Keys.begun: _ = begun.insert(try BegunContacts.Entry(record))
            case Keys.deferred: deferred.insert(try DeferredPayloads.Entry(record))
            case Keys.batches: try restoreBatch(record)
            case Keys.contacts: contacts.insert(try Contacts.Entry(record))
            case Keys.repeats: contacts.restore(try Contacts.Repeat(record))
            case Keys.waiting: waiting.append(try Contacts.Waiting(record))
            case Keys.cursors: subscriptions.restore(DeliveryAddress(rest), Cursor(record.bytes ?? []))
            default: continue
            }
        }
        for one in waiting.sorted(by: { $0.id.number < $1.id.number }) { contacts.wait(one) }
        let isFirstRun = numbers == Numbers()
        advance(to: now)
        try initialization.restore(own)
        follow(.initialization)
        for (id, about) in abouts { try restore(id, about, machines[id] ?? []) }
        return isFirstRun
    }

    /// A conversation whose type is not listed is told of and its records are kept, for a client that lists it.
    private mutating func restore(_ id: ConversationID, _ about: About, _ records: [Record]) throws(Refusal) {
        guard let type = types[about.type] else {
            let cause = CommonCause.unsupportedConversationType(about.type.name, by: "this client")
            return fresh.append(.refused(id, ClientEvent.Report(Refusal(.unsupported, cause))))
        }
        let machine = try type.restore(records)
        guard machine.id == about.machine else { throw RecordReader.unreadable(Keys.about(id)) }
        let conversation = HostedConversation(machine: machine, about: about, id: id, stored: records)
        host(conversation, as: id)
        budget.add(conversation.bytes, of: Self.stranger(id, about))
        count(id, about)
        follow(.conversation(id))
    }

    private mutating func restoreBatch(_ record: Record) throws(Refusal) {
        append(try EventBatch(record))
    }
}

extension ChatCore.Numbers {
    /// Version 1 was written before contacts were numbered; initializations then sent invites again themselves.
    private static let version: UInt8 = 2

    var encoded: Bytes {
        var writer = RecordWriter(version: Self.version, size: 33)
        writer.write(content)
        writer.write(contact)
        writer.write(batch)
        writer.write(clock.now.milliseconds)
        return writer.record
    }

    init(_ record: Record) throws(Refusal) {
        guard record.bytes?.array.first != 1 else { throw Refusal(.unsupported, ClientCause.olderData) }
        var reader = try RecordReader(record, version: Self.version)
        content = try reader.counter()
        contact = try reader.counter()
        batch = try reader.counter()
        clock = CoreClock(now: Timestamp(milliseconds: try reader.number()))
        try reader.end()
    }
}

extension ChatCore.About {
    var encoded: Bytes {
        var writer = RecordWriter(version: 3)
        writer.write(type.name)
        writer.write(role.rawValue)
        writer.write(isAnswered)
        writer.write(hasSpoken)
        writer.write(peers)
        writer.write(contact?.number ?? 0)
        writer.write(machine.text)
        return writer.record
    }

    init(_ record: Record) throws(Refusal) {
        var reader = try RecordReader(record, version: 3)
        type = ConversationType(try reader.text())
        guard let role = Role(rawValue: try reader.text()) else { throw reader.unreadable() }
        self.role = role
        isAnswered = try reader.flag()
        hasSpoken = try reader.flag()
        peers = try reader.keys()
        let contact = try reader.number()
        self.contact = contact == 0 ? nil : ContactID(contact)
        machine = ConversationID(try reader.text())
        try reader.end()
    }
}

extension ChatCore.Trouble {
    var encoded: Bytes {
        var writer = RecordWriter(version: 1)
        writer.write(isOwn)
        writer.write(reason)
        return writer.record
    }

    init(_ record: Record) throws(Refusal) {
        var reader = try RecordReader(record, version: 1)
        isOwn = try reader.flag()
        reason = try reader.text()
        try reader.end()
    }
}

extension OutboxEntry {
    var encoded: Bytes {
        var writer = RecordWriter(version: Self.version, size: addressed.payload.count + 192)
        writer.write(number)
        writer.write(addressed)
        writer.write(conversation?.text)
        writer.write(content?.number ?? 0)
        writer.write(isInvite)
        writer.write(lane == addressed.address ? nil : lane.text)
        return writer.record
    }

    private static let version: UInt8 = 3

    /// Reads an entry; one of version 1 belongs to no invite, as far as it says, and one below 3 has no lane of its own.
    convenience init(_ record: Record) throws(Refusal) {
        let version = record.bytes?.array.first.map { min($0, Self.version) } ?? Self.version
        var reader = try RecordReader(record, version: max(1, version))
        let number = try reader.counter()
        let addressed = try reader.addressed(hasHeaders: version >= 3)
        let conversation = try reader.optionalText().map { ConversationID($0) }
        let content = try reader.number()
        let isInvite = version < 2 ? false : try reader.flag()
        let lane = version < 3 ? nil : try reader.optionalText().map { DeliveryAddress($0) }
        try reader.end()
        self.init(
            number: number, addressed: addressed, conversation: conversation,
            content: content == 0 ? nil : ContentID(content), isInvite: isInvite, lane: lane ?? addressed.address)
    }
}

extension DeferredPayloads.Entry {
    var encoded: Bytes {
        var writer = RecordWriter(version: Self.version)
        writer.write(number)
        writer.write(addressed)
        switch owner {
        case nil: writer.write(UInt64(0))
        case .initialization: writer.write(UInt64(1))
        case .conversation(let id):
            writer.write(UInt64(2))
            writer.write(id.text)
        }
        return writer.record
    }

    private static let version: UInt8 = 2

    /// Reads an entry; one of version 1 has no headers and no ending.
    init(_ record: Record) throws(Refusal) {
        let version = record.bytes?.array.first == 1 ? 1 : Self.version
        var reader = try RecordReader(record, version: version)
        number = try reader.counter()
        addressed = try reader.addressed(hasHeaders: version > 1)
        switch try reader.number() {
        case 0: owner = nil
        case 1: owner = .initialization
        case 2: owner = .conversation(ConversationID(try reader.text()))
        default: throw reader.unreadable()
        }
        try reader.end()
    }
}

extension RecordWriter {
    mutating func write(_ addressed: Addressed) {
        write(addressed.address.text)
        write(addressed.replyAddress?.text)
        write(addressed.id.high)
        write(addressed.id.low)
        write(addressed.payload)
        write(UInt64(addressed.headers.count))
        for header in addressed.headers {
            write(header.name)
            write(header.value)
        }
        write(addressed.ending)
    }

    mutating func write(_ ending: Ending?) {
        switch ending {
        case nil: write("")
        case .complete: write("complete")
        case .cancelled: write("cancelled")
        case .failed(let reason):
            write("failed")
            write(reason)
        }
    }

    mutating func write(_ keys: [PublicKey]) {
        write(UInt64(keys.count))
        for key in keys { write(Bytes(key.bytes)) }
    }
}

extension RecordReader {
    /// - Parameter hasHeaders: false where it was written before payloads had headers and endings.
    mutating func addressed(hasHeaders: Bool) throws(Refusal) -> Addressed {
        let address = DeliveryAddress(try text())
        let reply = try optionalText().map { DeliveryAddress($0) }
        let id = PayloadID(high: try number(), low: try number())
        var addressed = Addressed(address, payload: try field(), id: id, replyAddress: reply)
        guard hasHeaders else { return addressed }
        for _ in 0..<(try count()) { addressed.headers.append(Header(try text(), try text())) }
        addressed.ending = try ending()
        return addressed
    }

    mutating func ending() throws(Refusal) -> Ending? {
        switch try text() {
        case "": return nil
        case "complete": return .complete
        case "cancelled": return .cancelled
        case "failed": return .failed(try text())
        default: throw unreadable()
        }
    }

    mutating func keys() throws(Refusal) -> [PublicKey] {
        var keys: [PublicKey] = []
        for _ in 0..<(try count()) { keys.append(PublicKey(try field().array)) }
        return keys
    }
}
