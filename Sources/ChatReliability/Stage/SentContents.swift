import ChatModel
import ChatWire

/// Which messages carry which of the own contents, until the other side has all of them.
struct SentContents: Sendable {
    private static let stored = Stored(machine: "reliable")
    static let prefix = "content/"

    private var contents: [Identifier: ContentID] = [:]
    private var left: [ContentID: Int] = [:]
    private var changes: [Record] = []

    init() {}

    /// Takes up the records of an earlier run; messages that are not on their way any more are done with.
    init(restoring records: [Record], unacknowledged: Set<Identifier>) throws(Refusal) {
        for record in records {
            guard let number = UInt64(record.key.dropFirst(Self.prefix.count)) else {
                throw Self.stored.unreadable(record.key)
            }
            let message: StoredIdentifiers = try Self.stored.message(record)
            take(ContentID(number), message.ids.filter { unacknowledged.contains($0) })
        }
    }

    private mutating func take(_ content: ContentID, _ ids: [Identifier]) {
        for id in ids { contents[id] = content }
        left[content] = ids.isEmpty ? nil : ids.count
    }

    mutating func insert(_ content: ContentID, _ ids: [Identifier]) {
        take(content, ids)
        changes.append(Self.stored.record(Self.key(content), StoredIdentifiers(ids: ids)))
    }

    /// The other side has a message; returns the content that it has wholly now.
    mutating func acknowledge(_ id: Identifier) -> ContentID? {
        guard let content = contents.removeValue(forKey: id), let count = left[content] else { return nil }
        guard count == 1 else {
            left[content] = count - 1
            return nil
        }
        left[content] = nil
        changes.append(Record(Self.key(content), nil))
        return content
    }

    /// A message is given up; returns the content that cannot arrive for it, once.
    mutating func fail(_ id: Identifier) -> ContentID? {
        guard let content = contents[id] else { return nil }
        _ = remove(content)
        return content
    }

    /// Forgets a content; returns its messages that are still on their way.
    mutating func remove(_ content: ContentID) -> [Identifier] {
        guard left.removeValue(forKey: content) != nil else { return [] }
        changes.append(Record(Self.key(content), nil))
        let ids = contents.filter { $0.value == content }.keys.sorted()
        for id in ids { contents[id] = nil }
        return ids
    }

    mutating func takeChanges() -> [Record] {
        guard !changes.isEmpty else { return [] }
        defer { changes.removeAll(keepingCapacity: true) }
        return changes
    }

    private static func key(_ content: ContentID) -> String { prefix + String(content.number) }
}

/// The messages of a content as they are stored.
private struct StoredIdentifiers: ProtoMessage {
    /// Field 1, repeated.
    var ids: [Identifier]

    init(ids: [Identifier]) {
        self.ids = ids
    }

    init(decoding bytes: Bytes) throws(WireError) {
        ids = []
        var reader = ProtoReader(bytes.span)
        while let field = try reader.next() {
            if field == 1 { ids.append(try Identifier(&reader, bytes)) }
        }
    }

    var size: Int { ids.reduce(0) { $0 + ProtoSize.present(1, count: $1.count) } }

    @_lifetime(output: copy output)
    func write(to output: inout OutputSpan<UInt8>) {
        for id in ids { output.append(field: 1, id) }
    }
}
