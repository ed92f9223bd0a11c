import ChatCodec
import ChatModel

/// The last lines of each conversation, as they were shown (PEER-21).
struct History: Sendable {
    /// A line and when it was shown.
    struct Entry: Sendable, Equatable {
        /// What tells it from others: one that is shown again after a crash is the same.
        let key: String
        /// Seconds since 1970.
        let time: Int64
        let text: String
    }

    /// The lines of a conversation that are kept.
    static let maximumLines = 100
    /// The characters of a line that are kept.
    static let maximumText = 1_000

    private(set) var entries: [ConversationID: [Entry]] = [:]
    /// The conversations with lines that are not stored yet.
    private var changed: Set<ConversationID> = []

    /// Adds a line, unless it is there already.
    mutating func add(_ text: String, key: String, to id: ConversationID, at time: Int64) {
        guard !entries[id, default: []].contains(where: { $0.key == key }) else { return }
        let isLong = text.count > Self.maximumText
        let entry = Entry(key: key, time: time, text: isLong ? "\(text.prefix(Self.maximumText)) …" : text)
        entries[id] = (entries[id, default: []] + [entry]).suffix(Self.maximumLines)
        changed.insert(id)
    }

    /// The lines to be stored, a text for each conversation that has new ones.
    mutating func takeChanges() -> [(ConversationID, String)] {
        defer { changed = [] }
        return changed.map { id in
            let lines = entries[id, default: []].map { entry -> JSON in
                ["key": .string(entry.key), "time": .integer(entry.time), "text": .string(entry.text)]
            }
            return (id, JSON.array(lines).printed())
        }
    }

    /// Takes the lines of a conversation as they were stored; what is not one is left out.
    mutating func restore(_ text: String, of id: ConversationID) {
        let lines = (try? JSON(parsing: text))?.list ?? []
        entries[id] = lines.compactMap { line in
            guard let key = line["key"]?.text, let time = line["time"]?.int, let text = line["text"]?.text else {
                return nil
            }
            return Entry(key: key, time: Int64(time), text: text)
        }
    }
}
