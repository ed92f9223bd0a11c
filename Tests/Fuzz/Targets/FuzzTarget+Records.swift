import ChatConversation
import ChatModel
import ChatReliability

extension FuzzTarget {
    /// Stored records of which some numbers are others: they are refused, or the machine goes on.
    static func records() throws -> [FuzzTarget] {
        try conversationTypes.map { type in
            let pair = try Pair(type)
            return generated("records-\(type.facts.name)", inputs: 100) { choices, steps in
                let side = choices.below(2)
                let records = spoiled(Array(pair.stored[side].values.sorted { $0.key < $1.key }), &choices)
                guard let machine = try? type.restore(records) else { return }
                var sides = [pair.saro, pair.raya]
                sides[side] = machine
                var run = TwoSides(sides: sides)
                for _ in 0..<min(steps, 24) where !choices.isOver { run.step(&choices) }
            }
        }
    }

    /// Some records with one or two changed, gone, twice or under another key.
    static func spoiled(_ records: [Record], _ choices: inout Choices) -> [Record] {
        var records = records
        for _ in 0...choices.below(2) where !records.isEmpty {
            let place = choices.below(records.count)
            let record = records[place]
            guard let bytes = record.bytes?.array else { continue }
            switch choices.below(8) {
            case 0: records.remove(at: place)
            case 1: records.append(record)
            case 2: records[place] = Record(record.key, Bytes(choices.nearly(bytes)))
            case 3:
                let (number, start) = (String(choices.number()), record.key.lastIndex(of: "/"))
                guard let start else { continue }
                records[place] = Record(String(record.key[...start]) + number, record.bytes)
            default:
                // The version stands in front of a message of proto3.
                records[place] = Record(
                    record.key, Bytes(Array(bytes.prefix(1)) + Array(bytes.dropFirst()).changed(&choices)))
            }
        }
        return records
    }
}

/// Two participants, what is on its way to each, and time.
private struct TwoSides {
    var sides: [any Conversation]
    private var mailboxes: [[Routed]] = [[], []]
    private var now = Timestamp(milliseconds: 1_700_000_000_000)
    private var sent: UInt64 = 100

    init(sides: [any Conversation]) {
        self.sides = sides
    }

    mutating func step(_ choices: inout Choices) {
        let side = choices.below(2)
        var step = Step(
            now: now, maximumPayload: choices.one(of: 1 << 16, 1_200), headRoom: 8, random: RepeatableRandom(seed: sent)
        )
        sent += 1
        switch choices.below(6) {
        case 0, 1:
            let content = Bytes([UInt8](repeating: 3, count: choices.one(of: 1, 0, 3_000)))
            try? sides[side].perform(.send(content), as: ContentID(sent), in: &step)
        case 2:
            now = now.later(choices.wait())
            sides[side].handle(
                choices.one(of: .due, .due, .restored, .linkLost(on: nil), .linkBack(on: nil)), in: &step)
        default:
            guard !mailboxes[side].isEmpty else { return }
            let routed = mailboxes[side].remove(at: choices.below(mailboxes[side].count))
            try? sides[side].receive(routed, in: &step)
        }
        mailboxes[1 - side] += step.sends.map(\.routed)
        _ = sides[side].takeChanges()
    }
}
