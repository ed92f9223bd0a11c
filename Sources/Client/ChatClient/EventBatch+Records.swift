public import ChatModel

// How events are stored until the application has them.
extension EventBatch {
    /// What survives a restart; nil if nothing does.
    var encoded: Bytes? {
        let kept = events.reduce(0) { $0 + ($1.isKept ? 1 : 0) }
        guard kept > 0 else { return nil }
        var writer = RecordWriter(version: 1, size: 32 + events.reduce(0) { $0 + $1.probableSize })
        writer.write(number)
        writer.write(UInt64(kept))
        for event in events where event.isKept { event.write(to: &writer) }
        return writer.record
    }

    init(_ record: Record) throws(Refusal) {
        var reader = try RecordReader(record, version: 1)
        let number = try reader.counter()
        var events: [ClientEvent] = []
        for _ in 0..<(try reader.count()) { events.append(try ClientEvent(&reader)) }
        try reader.end()
        (self.number, self.events) = (number, events)
    }
}

extension ClientEvent {
    private enum Kind: UInt64 {
        case started = 1
        case content, status, members, gap, frame, failed, broken
    }

    /// About how many bytes it takes in a record.
    fileprivate var probableSize: Int {
        if case .content(_, let received) = self { received.content.count + 160 } else { 96 }
    }

    fileprivate func write(to writer: inout RecordWriter) {
        switch self {
        case .conversationStarted(let id, let type, let role, let peers):
            writer.write(Kind.started, id)
            writer.write(type.name)
            writer.write(role.rawValue)
            writer.write(peers)
        case .content(let id, let received):
            writer.write(Kind.content, id)
            writer.write(received.content)
            writer.write([received.sender].compactMap(\.self))
            writer.write(received.part.rawValue)
            writer.write(received.reference)
        case .status(let id, let content, let status):
            writer.write(Kind.status, id)
            writer.write(content.number)
            writer.write(status.word)
            if case .failed(let reason) = status { writer.write(reason) } else { writer.write("") }
        case .members(let id, let members):
            writer.write(Kind.members, id)
            writer.write(members)
        case .gap(let id, let gap):
            writer.write(Kind.gap, id)
            writer.write(gap.reference)
            writer.write([gap.sender].compactMap(\.self))
            writer.write(gap.isFinal)
        case .frame(let id, let kind, let bytes):
            writer.write(Kind.frame, id)
            writer.write(kind)
            writer.write(bytes)
        case .failed(let id, let report):
            writer.write(Kind.failed, id)
            writer.write(report)
        case .broken(let id, let report):
            writer.write(Kind.broken, id)
            writer.write(report)
        case .unsupported, .inboundError, .link, .storageTrouble: break  // not kept
        }
    }

    fileprivate init(_ reader: inout RecordReader) throws(Refusal) {
        guard let kind = Kind(rawValue: try reader.number()) else { throw reader.unreadable() }
        let id = ConversationID(try reader.text())
        switch kind {
        case .started:
            let type = ConversationType(try reader.text())
            guard let role = Role(rawValue: try reader.text()) else { throw reader.unreadable() }
            self = .conversationStarted(id, type, role, peers: try reader.keys())
        case .content:
            let content = try reader.field()
            let sender = try reader.keys().first
            guard let part = ReceivedContent.Part(rawValue: try reader.text()) else { throw reader.unreadable() }
            let reference = try reader.optionalText()
            self = .content(id, ReceivedContent(content, sender: sender, part: part, reference: reference))
        case .status:
            let content = ContentID(try reader.number())
            let word = try reader.text()
            guard let status = ContentStatus(word: word, reason: try reader.text()) else { throw reader.unreadable() }
            self = .status(id, content, status)
        case .members: self = .members(id, try reader.keys())
        case .gap:
            let reference = try reader.text()
            let sender = try reader.keys().first
            self = .gap(id, Gap(reference: reference, sender: sender, isFinal: try reader.flag()))
        case .frame:
            let kind = try reader.text()
            self = .frame(id, kind: kind, bytes: try reader.field())
        case .failed: self = .failed(id, try reader.report())
        case .broken: self = .broken(id, try reader.report())
        }
    }
}

extension ContentStatus {
    /// The status in one word, for records and programs.
    public var word: String {
        switch self {
        case .accepted: "accepted"
        case .sent: "sent"
        case .delivered: "delivered"
        case .failed: "failed"
        }
    }

    /// Whether nothing that becomes of its payloads can change it.
    var isFinal: Bool {
        switch self {
        case .accepted, .sent: false
        case .delivered, .failed: true
        }
    }

    fileprivate init?(word: String, reason: String) {
        switch word {
        case "accepted": self = .accepted
        case "sent": self = .sent
        case "delivered": self = .delivered
        case "failed": self = .failed(reason)
        default: return nil
        }
    }
}

extension RecordReader {
    fileprivate mutating func report() throws(Refusal) -> ClientEvent.Report {
        guard let outcome = Refusal.Outcome(rawValue: try text()) else { throw unreadable() }
        return ClientEvent.Report(outcome, code: try text(), text: try text())
    }
}

extension RecordWriter {
    fileprivate mutating func write(_ report: ClientEvent.Report) {
        write(report.outcome.rawValue)
        write(report.code)
        write(report.text)
    }

    fileprivate mutating func write(_ kind: some RawRepresentable<UInt64>, _ id: ConversationID) {
        write(kind.rawValue)
        write(id.text)
    }
}
