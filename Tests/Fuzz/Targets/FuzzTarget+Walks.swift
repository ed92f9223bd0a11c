import ChatConversation
import ChatModel

extension FuzzTarget {
    /// Every conversation type, played by both sides: sending, loss, disorder, repeats, tampering and restarts.
    static func walks() throws -> [FuzzTarget] {
        try conversationTypes.map { type in
            let start = try Walk(type)
            let seeds: [[UInt8]] = [
                [0, 0, 0, 8, 3, 2, 2, 1, 1, 4, 12, 4, 0, 2], [0, 7, 2, 15, 1, 7, 4, 15, 0, 2],
                [0, 5, 13, 6, 14, 2, 10],
            ]
            return FuzzTarget("walk-\(type.facts.name)", seeds: seeds) { bytes in
                var walk = start
                for step in bytes.prefix(64) { try walk.take(step) }
                return true
            }
        }
    }
}

/// A conversation in which an input decides what happens next.
private struct Walk: Sendable {
    /// One side, with what it stored and what is on its way to it.
    struct Side: Sendable {
        var machine: any Conversation
        var stored: [String: Record] = [:]
        var mailbox: [Routed] = []
        /// What the other side sent and this one has not heard.
        var expected: Set<Content> = []
    }

    private let type: any ConversationProtocol
    /// Saro, then Raya.
    private var sides: [Side]
    private var sent: UInt8 = 0
    private let isAuthentic: Bool

    init(_ type: any ConversationProtocol) throws {
        let pair = try Pair(type)
        self.type = type
        sides = [Side(machine: pair.saro), Side(machine: pair.raya)]
        isAuthentic = type.facts.claims.contains { $0.property == .integrity && $0.holds }
        // What happened before the walk is stored already.
        for side in sides.indices { sides[side].stored = pair.stored[side] }
    }

    /// One step: its low three bits say what, the others for whom or which.
    mutating func take(_ step: UInt8) throws {
        let choice = Int(step >> 3)
        switch step & 7 {
        case 0: try send(from: 0)
        case 1: try send(from: 1)
        case 2: try deliver(to: 1, choice: 0, keeping: false)
        case 3: try deliver(to: 1, choice: choice, keeping: false)
        case 4: try deliver(to: 0, choice: choice, keeping: false)
        case 5: try deliver(to: choice & 1, choice: choice >> 1, keeping: true)
        case 6: try tamper(for: choice & 1, choice >> 1)
        default: try restart(choice & 1)
        }
    }

    private mutating func send(from side: Int) throws {
        sent &+= 1
        let content = Bytes([UInt8(side), sent])
        var step = turn(seed: UInt64(sent) << 1 | UInt64(side))
        try sides[side].machine.perform(.send(content), as: ContentID(UInt64(sent)), in: &step)
        sides[1 - side].expected.insert(content)
        sides[1 - side].mailbox += step.sends.map(\.routed)
        store(side)
    }

    private mutating func deliver(to side: Int, choice: Int, keeping: Bool) throws {
        guard !sides[side].mailbox.isEmpty else { return }
        let index = choice % sides[side].mailbox.count
        let routed = sides[side].mailbox[index]
        if !keeping { sides[side].mailbox.remove(at: index) }
        try receive(routed, by: side)
    }

    private mutating func tamper(for side: Int, _ choice: Int) throws {
        guard var routed = sides[side].mailbox.last, !routed.payload.isEmpty else { return }
        let place = choice * 37 % routed.payload.count
        routed.payload.withMutableSpan { $0[place] ^= 1 << UInt8(choice % 8) }
        guard isAuthentic else { return }
        try receive(routed, by: side)
    }

    /// What is heard was sent by the other side, and is heard once.
    private mutating func receive(_ routed: Routed, by side: Int) throws {
        var step = turn()
        do throws(Refusal) {
            try sides[side].machine.receive(routed, in: &step)
        } catch {
            try demand(step.isEmpty, "a refused payload left something in the turn")
            try demand(sides[side].machine.takeChanges().isEmpty, "a refused payload changed the state")
            return
        }
        for case .content(let received) in step.events {
            let wasExpected = sides[side].expected.remove(received.content) != nil
            try demand(wasExpected, "heard twice, or never sent: \(received.content.array)")
        }
        store(side)
    }

    private mutating func store(_ side: Int) {
        for record in sides[side].machine.takeChanges() {
            sides[side].stored[record.key] = record.bytes == nil ? nil : record
        }
    }

    private mutating func restart(_ side: Int) throws {
        sides[side].machine = try type.restore(Array(sides[side].stored.values))
    }
}
