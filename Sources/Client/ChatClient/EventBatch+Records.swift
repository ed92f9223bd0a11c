public import ChatModel

// How events are stored until the application has them.
extension EventBatch {
    /// The record of the events that survive a restart; nil if none does.
    var encoded: Bytes? {
        let kept = events.reduce(0) { $0 + ($1.isKept ? 1 : 0) }
        guard kept > 0 else { return nil }
        var writer = RecordWriter(version: 2, size: 32 + events.reduce(0) { $0 + $1.probableSize })
        writer.write(number)
        writer.write(UInt64(kept))
        for event in events where event.isKept { event.write(to: &writer) }
        return writer.record
    }

    init(_ record: Record) throws(Refusal) {
        var reader = try RecordReader(record, version: 2)
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
        case content, status, members, gap, frame, pending, failed, cancelled, ended, broken
    }

    /// About how many bytes it takes in a record.
    fileprivate var probableSize: Int {
        if case .conversation(_, .content(let received)) = self { received.content.count + 160 } else { 96 }
    }

    fileprivate func write(to writer: inout RecordWriter) {
        switch self {
        case .began(let id, let type, let role, let peers):
            writer.write(Kind.started, id)
            writer.write(type.name)
            writer.write(role.rawValue)
            writer.write(peers)
        case .conversation(let id, .content(let received)):
            writer.write(Kind.content, id)
            writer.write(received.content)
            writer.write([received.sender].compactMap(\.self))
            writer.write(received.part)
            writer.write(received.reference)
            writer.write(received.about)
        case .conversation(let id, .status(let content, let status)):
            writer.write(Kind.status, id)
            writer.write(content.number)
            writer.write(status)
        case .conversation(let id, .members(let members)):
            writer.write(Kind.members, id)
            writer.write(members)
        case .conversation(let id, .gap(let gap)):
            writer.write(Kind.gap, id)
            writer.write(gap.reference)
            writer.write([gap.sender].compactMap(\.self))
            writer.write(gap.isFinal)
        case .conversation(let id, .frame(let kind, let bytes, _)):
            writer.write(Kind.frame, id)
            writer.write(kind)
            writer.write(bytes)
        case .pending(let id, let type):
            writer.write(Kind.pending, id)
            writer.write(type.name)
        case .failed(let id, let report):
            writer.write(Kind.failed, id)
            writer.write(report)
        case .broken(let id, let report):
            writer.write(Kind.broken, id)
            writer.write(report)
        case .conversation(let id, .cancelled(let target)):
            writer.write(Kind.cancelled, id)
            writer.write(target)
        case .conversation(let id, .ended(let reason)):
            writer.write(Kind.ended, id)
            writer.write(reason)
        // These are not kept.
        case .conversation(_, .progress), .conversation(_, .refused), .refused, .link, .storageTrouble: break
        }
    }

    fileprivate init(_ reader: inout RecordReader) throws(Refusal) {
        guard let kind = Kind(rawValue: try reader.number()) else { throw reader.unreadable() }
        let id = ConversationID(try reader.text())
        switch kind {
        case .started:
            let type = ConversationType(try reader.text())
            guard let role = Role(rawValue: try reader.text()) else { throw reader.unreadable() }
            self = .began(id, type, role, peers: try reader.keys())
        case .content:
            let content = try reader.field()
            let sender = try reader.keys().first
            let part = try reader.part()
            let reference = try reader.optionalText()
            let about = try reader.target()
            let received = ReceivedContent(
                content, sender: sender, part: part, reference: reference, about: about)
            self = .conversation(id, .content(received))
        case .status:
            let content = ContentID(try reader.number())
            let status = try reader.status()
            self = .conversation(id, .status(content, status))
        case .members: self = .conversation(id, .members(try reader.keys()))
        case .gap:
            let reference = try reader.text()
            let sender = try reader.keys().first
            let gap = Gap(reference: reference, sender: sender, isFinal: try reader.flag())
            self = .conversation(id, .gap(gap))
        case .pending: self = .pending(id, ConversationType(try reader.text()))
        case .failed: self = .failed(id, try reader.report())
        case .broken: self = .broken(id, try reader.report())
        case .cancelled:
            guard let target = try reader.target() else { throw reader.unreadable() }
            self = .conversation(id, .cancelled(target))
        case .ended: self = .conversation(id, .ended(try reader.text()))
        case .frame:
            let kind = try reader.text()
            self = .conversation(id, .frame(kind: kind, bytes: try reader.field()))
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
        case .cancelled: "cancelled"
        case .failed: "failed"
        }
    }

    /// Whether nothing that becomes of its payloads can change it.
    var isFinal: Bool {
        switch self {
        case .accepted, .sent: false
        case .delivered(let peer): peer == nil
        case .cancelled, .failed: true
        }
    }

}

extension RecordWriter {
    /// A word and a reason; behind the word of what one of several has, its key.
    fileprivate mutating func write(_ status: ContentStatus) {
        switch status {
        case .accepted, .sent, .cancelled, .delivered(nil):
            write(status.word)
            write("")
        case .failed(let reason):
            write(status.word)
            write(reason)
        case .delivered(let peer?):
            write("delivered by")
            write([peer])
        }
    }

    fileprivate mutating func write(_ report: ClientEvent.Report) {
        write(report.outcome.rawValue)
        write(report.code)
        write(report.text)
    }

    fileprivate mutating func write(_ part: Part) {
        write(part.word)
        if case .cut(let ending) = part { write(ending) }
    }

    fileprivate mutating func write(_ target: Target?) {
        switch target {
        case nil: write(UInt64(0))
        case .own(let id):
            write(UInt64(1))
            write(id.number)
        case .received(let reference):
            write(UInt64(2))
            write(reference)
        }
    }

    fileprivate mutating func write(_ kind: some RawRepresentable<UInt64>, _ id: ConversationID) {
        write(kind.rawValue)
        write(id.text)
    }
}

extension RecordReader {
    fileprivate mutating func status() throws(Refusal) -> ContentStatus {
        let word = try text()
        guard word != "delivered by" else {
            guard let peer = try keys().first else { throw unreadable() }
            return .delivered(by: peer)
        }
        let reason = try text()
        switch word {
        case "accepted": return .accepted
        case "sent": return .sent
        case "delivered": return .delivered
        case "cancelled": return .cancelled
        case "failed": return .failed(reason)
        default: throw unreadable()
        }
    }

    fileprivate mutating func report() throws(Refusal) -> ClientEvent.Report {
        guard let outcome = Refusal.Outcome(rawValue: try text()) else { throw unreadable() }
        return ClientEvent.Report(outcome, code: try text(), text: try text())
    }

    fileprivate mutating func part() throws(Refusal) -> Part {
        switch try text() {
        case "whole": return .whole
        case "delta": return .delta
        case "snapshot": return .snapshot
        case "cut":
            guard let ending = try ending() else { throw unreadable() }
            return .cut(ending)
        default: throw unreadable()
        }
    }

    fileprivate mutating func target() throws(Refusal) -> Target? {
        switch try number() {
        case 0: return nil
        case 1: return .own(ContentID(try number()))
        case 2: return .received(try text())
        default: throw unreadable()
        }
    }
}
