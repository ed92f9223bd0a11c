import ChatModel

/// Which messages carry which of the own contents, until the other side has all of them.
///
/// Not stored: messages that are not acknowledged say for which content they are.
struct SentContents: Sendable {
    private var contents: [Identifier: ContentID] = [:]
    private var messages: [ContentID: (left: Int, of: Int)] = [:]

    /// Takes up the messages that are on their way.
    init(_ messages: [(id: Identifier, tag: UInt64)] = []) {
        for message in messages where message.tag != 0 { insert(ContentID(message.tag), message.id) }
    }

    mutating func insert(_ content: ContentID, _ id: Identifier) {
        contents[id] = content
        let count = messages[content] ?? (0, 0)
        messages[content] = (count.left + 1, count.of + 1)
    }

    /// The other side has a message; returns how far its content is.
    mutating func acknowledge(_ id: Identifier) -> TransferProgress? {
        guard let content = contents.removeValue(forKey: id), let (left, of) = messages[content] else { return nil }
        messages[content] = left > 1 ? (left - 1, of) : nil
        return TransferProgress(content: content, done: of - left + 1, of: of)
    }

    /// A message is given up; returns the content that cannot arrive for it, once.
    mutating func fail(_ id: Identifier) -> ContentID? {
        guard let content = contents[id] else { return nil }
        _ = remove(content)
        return content
    }

    /// Forgets a content; returns its messages that are still on their way.
    mutating func remove(_ content: ContentID) -> [Identifier] {
        guard messages.removeValue(forKey: content) != nil else { return [] }
        let ids = contents.filter { $0.value == content }.keys.sorted()
        for id in ids { contents[id] = nil }
        return ids
    }
}
