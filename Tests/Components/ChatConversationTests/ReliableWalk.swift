import ChatCodec
import ChatModel
import ChatReliability
import LogosFormats
import TestSupport
import Testing

@testable import ChatConversation

/// Saro and Raya for hours of virtual time over a network that loses, repeats, reorders and alters, on machines that
/// restart; then the network heals.
struct ReliableWalk<Conversation: ReliableConversation> {
    struct Side {
        var conversation: Conversation
        var store: [String: Record] = [:]
        var alarm: Timestamp? { conversation.nextWake }
        var received: [Content] = []
        var sent: [Content] = []
        var statuses: [ContentID: ContentStatus] = [:]
        var gaps: [Gap] = []
        var progress: [Target] = []
    }

    /// What happens on the way, each in percent.
    struct Troubles {
        var (loss, repeats, damage, restarts) = (30, 10, 5, 10)
    }

    private(set) var sides: [Side]
    private(set) var now: Timestamp
    private(set) var payloads = 0
    private(set) var refused: [String: Int] = [:]
    private var dice: SplitMix64
    private let random: SeededRandom
    private var troubles = Troubles()
    private let maximumPayload: Int
    /// Payloads under way: when they arrive, and to whom.
    private var flight: [(at: Timestamp, to: Int, routed: Routed)] = []
    private var nextContent: [UInt64] = [2, 1]
    private var headers: Set<Bytes> = []

    init(_ type: Conversation.Type, seed: UInt64, maximumPayload: Int = .max) throws {
        (random, dice) = (SeededRandom(seed), SplitMix64(seed: seed))
        self.maximumPayload = maximumPayload
        now = ChatConversationTests.now
        let seeds = Seeds(random: random)
        let first = Bytes("first")
        var turn = Step(now: now, maximumPayload: maximumPayload, headRoom: 5, random: random)
        var saro = try Conversation(seeds.initiator, in: &turn)
        try saro.perform(.send(first), as: ContentID(1), in: &turn)
        let opening = try #require(turn.takeOutput().openings.first?.payload)
        sides = [Side(conversation: saro), Side(conversation: saro)]
        sides[0].sent = [first]
        take(&turn, from: 0)
        var rayas = Step(now: now, maximumPayload: maximumPayload, headRoom: 5, random: random)
        sides[1] = Side(conversation: try Conversation(seeds.responder(opening), in: &rayas))
        take(&rayas, from: 1)
    }

    /// Sends contents at random over a time, under troubles.
    mutating func run(contents: Int, over time: Duration, largest: Int = 40, _ troubles: Troubles = Troubles()) throws {
        self.troubles = troubles
        let end = now + time
        for number in 0..<contents {
            try pass(until: now + .milliseconds(dice.below(2 * Int(time / .milliseconds(1)) / contents)))
            let side = dice.below(2)
            var bytes = Array("\(side) says \(number) ".utf8)
            bytes += (0..<dice.below(largest)).map { UInt8(truncatingIfNeeded: $0 &* number) }
            try send(Bytes(bytes), from: side)
            if dice.below(100) < troubles.restarts { try restart(dice.below(2)) }
        }
        try pass(until: end)
    }

    /// Lets time pass without troubles.
    mutating func heal(for time: Duration) throws {
        (troubles.loss, troubles.repeats, troubles.damage) = (0, 0, 0)
        try pass(until: now + time)
    }

    mutating func send(_ content: Content, from side: Int) throws {
        var turn = turn()
        try sides[side].conversation.perform(.send(content), as: ContentID(nextContent[side]), in: &turn)
        nextContent[side] += 1
        sides[side].sent.append(content)
        take(&turn, from: side)
    }

    /// Stores the changes, forgets the machine, and makes it again.
    mutating func restart(_ side: Int) throws {
        store(side)
        sides[side].conversation = try Conversation(restoring: sides[side].store.values.shuffled())
        var turn = turn()
        sides[side].conversation.handle(.restored, in: &turn)
        take(&turn, from: side)
    }

    mutating func wake(_ signal: Signal, _ side: Int) {
        var turn = turn()
        sides[side].conversation.handle(signal, in: &turn)
        take(&turn, from: side)
    }

    private func turn() -> Step { Step(now: now, maximumPayload: maximumPayload, headRoom: 5, random: random) }

    private mutating func store(_ side: Int) {
        for record in sides[side].conversation.takeChanges() {
            sides[side].store[record.key] = record.bytes == nil ? nil : record
        }
    }

    /// What a step left: stored first, then on its way.
    private mutating func take(_ turn: inout Step, from side: Int) {
        store(side)
        for event in turn.events {
            switch event {
            case .content(let received): sides[side].received.append(received.content)
            case .status(let id, let status): sides[side].statuses[id] = status
            case .gap(let gap): sides[side].gaps.append(gap)
            case .refused(let refusal): refused[refusal.cause.code, default: 0] += 1
            case .progress(let target, let done, let of):
                #expect(done > 0 && done < of, "the last step is no progress")
                sides[side].progress.append(target)
            case .members, .frame, .cancelled, .ended: Issue.record("an unexpected event: \(event)")
            }
        }
        for send in turn.sends {
            payloads += 1
            note(send.routed)
            #expect(send.routed.payload.count <= maximumPayload, "a payload too large")
            if dice.below(100) < troubles.loss { continue }
            let copies = dice.below(100) < troubles.repeats ? 2 : 1
            for _ in 0..<copies { fly(send.routed, to: 1 - side) }
        }
    }

    private mutating func fly(_ routed: Routed, to side: Int) {
        var routed = routed
        if dice.below(100) < troubles.damage {
            let bit = dice.below(routed.payload.count * 8)
            routed.payload.withMutableSpan { $0[bit / 8] ^= 1 << UInt8(bit % 8) }
        }
        flight.append((now + .milliseconds(20 + dice.below(2_000)), side, routed))
    }

    /// A ratchet key and number that repeat would mean a message key that was used twice.
    private mutating func note(_ routed: Routed) {
        guard case .doubleRatchet(let message) = try? EncryptedPayload(decoding: routed.payload) else { return }
        let header = Bytes(message.dh.array + message.number.description.utf8)
        #expect(headers.insert(header).inserted, "a message key was used twice")
    }

    private mutating func pass(until end: Timestamp) throws {
        while true {
            let arrival = flight.indices.min { flight[$0].at < flight[$1].at }
            let waker = (0..<2).filter { sides[$0].alarm != nil }.min {
                sides[$0].alarm ?? .zero < sides[$1].alarm ?? .zero
            }
            let times = [arrival.map { flight[$0].at }, waker.flatMap { sides[$0].alarm }].compactMap(\.self)
            guard let next = times.min(), next <= end else { break }
            now = max(now, next)
            if let waker, sides[waker].alarm == next {
                wake(.due, waker)
            } else if let arrival {
                let (_, side, routed) = flight.remove(at: arrival)
                receive(routed, side)
            }
        }
        now = max(now, end)
    }

    private mutating func receive(_ routed: Routed, _ side: Int) {
        var turn = turn()
        do throws(Refusal) {
            try sides[side].conversation.receive(routed, in: &turn)
        } catch {
            refused[error.cause.code, default: 0] += 1
            #expect(turn.events.isEmpty && turn.sends.isEmpty, "a refused payload left something in the turn")
            #expect(sides[side].conversation.takeChanges().isEmpty, "a refused payload changed the state")
            return
        }
        take(&turn, from: side)
    }
}
