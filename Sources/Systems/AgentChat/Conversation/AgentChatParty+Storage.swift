import ChatCodec
import ChatModel

// Stored: the head under one key, and each message under its own, as JSON behind a version of one byte.
extension AgentChatParty {
    private static let version: UInt8 = 1
    private static let headKey = "state"
    private static let messagePrefix = "message/"

    /// What changed since the last call. A piece of text changes nothing that is stored.
    mutating func takeChanges(_ place: JSON) -> [Record] {
        guard isHeadChanged else { return [] }
        let gone = takeForgotten()
        let chat = chat
        stored.subtract(gone)
        changed.formUnion(chat.order.filter { !stored.contains($0) })
        var records = gone.map { Record(Self.messagePrefix + $0.text, nil) }
        for id in changed.sorted(by: { $0.text < $1.text }) {
            guard let message = chat[id] else { continue }
            records.append(Self.record(Self.messagePrefix + id.text, message.json))
            stored.insert(id)
        }
        records.append(Self.record(Self.headKey, head(place)))
        (changed, isHeadChanged) = ([], false)
        return records
    }

    private static func record(_ key: String, _ json: JSON) -> Record {
        Record(key, Bytes([version] + Array(json.description.utf8)))
    }

    private func head(_ place: JSON) -> JSON {
        var head = JSON.Object()
        head["place"] = place
        head["chat"] = chat.head
        head["contents"] = .array(
            contents.sorted { $0.value < $1.value }.map { [.string($0.key.text), JSON($0.value.number)] })
        if let client { head["waiting"] = .array(client.unsettled.map { Command.run($0).json }) }
        if let agent {
            head["cause"] = agent.cause.map { .string($0.text) } ?? .null
            head["heard"] = .bool(agent.isHeard)
        }
        return .object(head)
    }

    /// A party as it was stored, and what its machine stored of itself.
    static func restore(_ records: [Record], type: String) throws(Refusal) -> (party: AgentChatParty, place: JSON) {
        var messages: [Identifier: Message] = [:]
        var head: JSON?
        for record in records {
            guard let json = try read(record, type) else { continue }
            if record.key == headKey {
                head = json
            } else if record.key.hasPrefix(messagePrefix) {
                // One that cannot be read costs that message, not the chat.
                guard let message = try? AgentJSON(.conformant).message(json) else { continue }
                messages[message.id] = message
            } else {
                throw unreadable(record, type, .unsupported)
            }
        }
        guard let head, let stored = head["chat"], let chat = ChatState(head: stored, messages: messages),
            var party = party(chat, head)
        else { throw Refusal(.invalid, CommonCause.unreadableRecord(headKey, machine: type)) }
        (party.stored, party.unreadable) = (Set(chat.order), chat.missing(in: stored))
        party.isHeadChanged = false
        return (party, head["place"] ?? .null)
    }

    private static func party(_ chat: ChatState, _ head: JSON) -> AgentChatParty? {
        guard let waiting = head["waiting"]?.list else {
            return AgentChatParty(
                AgentSide(restoring: chat, cause: head.id("cause"), isHeard: head["heard"]?.bool == true))
        }
        var runs: [Command.Run] = []
        for json in waiting {
            guard case .run(let run)? = try? Command(json, .strict) else { return nil }
            runs.append(run)
        }
        var party = AgentChatParty(ClientSide(chat: chat, waiting: runs))
        for pair in head["contents"]?.list ?? [] {
            guard let list = pair.list, list.count == 2, let id = list[0].text.flatMap(Identifier.init(checking:)),
                let number = list[1].uint64
            else { return nil }
            party.contents[id] = ContentID(number)
        }
        return party
    }

    /// The JSON of a record; nil where it is that of a message, and cannot be read.
    private static func read(_ record: Record, _ type: String) throws(Refusal) -> JSON? {
        guard let bytes = record.bytes, bytes.count > 1 else { throw unreadable(record, type) }
        guard bytes[0] == version else { throw unreadable(record, type, .unsupported) }
        let text = bytes.slice(1..<bytes.count)
        guard let json = try? JSON(parsing: text.span, maximumBytes: 64 << 20, maximumDepth: 132) else {
            guard record.key.hasPrefix(messagePrefix) else { throw unreadable(record, type) }
            return nil
        }
        return json
    }

    private static func unreadable(_ record: Record, _ type: String, _ outcome: Refusal.Outcome = .invalid) -> Refusal {
        Refusal(outcome, CommonCause.unreadableRecord(record.key, machine: type))
    }
}
