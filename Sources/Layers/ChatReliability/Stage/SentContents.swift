import ChatModel

/// Which messages carry which of the own contents, until the other side has all of them.
///
/// Not stored: messages that are not acknowledged say for which content they are.
struct SentContents: Sendable {
    private var contents: [Identifier: ContentID] = [:]
    private var messages: [ContentID: (ids: [Identifier], left: Int)] = [:]

    /// Takes up the messages that are on their way.
    init(_ messages: [(id: Identifier, tag: UInt64)] = []) {
        for message in messages where message.tag != 0 { insert(ContentID(message.tag), message.id) }
    }

    /// For which content a message is sent.
    func content(of id: Identifier) -> ContentID? { contents[id] }

    mutating func insert(_ content: ContentID, _ id: Identifier) {
        contents[id] = content
        messages[content, default: ([], 0)].ids.append(id)
        messages[content]?.left += 1
    }

    /// The other side has a message; returns how far its content is.
    mutating func acknowledge(_ id: Identifier) -> (ContentID, TransferProgress)? {
        guard let content = contents.removeValue(forKey: id), let (ids, left) = messages[content] else { return nil }
        messages[content] = left > 1 ? (ids, left - 1) : nil
        return (content, TransferProgress(content: content, done: ids.count - left + 1, of: ids.count))
    }

    /// Forgets a content; returns its messages that are still on their way.
    mutating func remove(_ content: ContentID) -> [Identifier] {
        guard let sent = messages.removeValue(forKey: content) else { return [] }
        return sent.ids.filter { contents.removeValue(forKey: $0) != nil }
    }
}
