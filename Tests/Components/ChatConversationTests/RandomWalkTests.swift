import ChatCodec
import ChatModel
import LogosFormats
import TestSupport
import Testing

@testable import ChatConversation

/// Saro and Raya at random over a network that loses, repeats, reorders and alters, on machines that restart.
private struct Walk<Conversation: SimpleConversation & Equatable> {
    /// One side and what it has in store.
    private struct Side {
        var conversation: Conversation
        var store: [String: Record] = [:]
        /// Payloads under way to this side, and contents that it got.
        var inbox: [Routed] = []
        var received: [Content] = []
        var sent: [Content] = []
        var lost: Set<Content> = []

        /// Stores the changes and goes on from what is stored.
        mutating func restart() throws {
            for record in conversation.takeChanges() { store[record.key] = record.bytes == nil ? nil : record }
            let restored = try Conversation(restoring: Array(store.values).shuffled())
            #expect(restored == conversation, "a restart changed the state")
            conversation = restored
        }
    }

    private var sides: [Side]
    private var dice: SplitMix64
    private let random: SeededRandom
    /// What one payload may overtake: beyond it payloads wait.
    private let reach: Int
    private(set) var refused: [String: Int] = [:]
    /// Ratchet key and number of each payload: a repeated pair would mean a repeated message key.
    private var headers: Set<Bytes> = []

    init(_ type: Conversation.Type, seed: UInt64, reach: Int) throws {
        random = SeededRandom(seed)
        let pair = try Pair<Conversation>("first", random: random)
        sides = [Side(conversation: pair.saro), Side(conversation: pair.raya)]
        dice = SplitMix64(seed: seed)
        self.reach = reach
    }

    mutating func run(_ steps: Int) throws {
        for step in 0..<steps {
            let side = dice.below(2)
            switch dice.below(10) {
            case 0...3: try send(Bytes("\(side) at \(step)"), from: side)
            case 4...6: try deliver(to: side, at: nil)
            case 7: repeatOne(to: side)
            case 8: try forge(to: side)
            default:
                if dice.below(3) == 0 { drop(to: side) } else { try sides[side].restart() }
            }
        }
        for side in 0..<2 {
            while !sides[side].inbox.isEmpty { try deliver(to: side, at: 0) }
            let expected = sides[1 - side].sent.filter { !sides[side].lost.contains($0) }
            #expect(Set(sides[side].received) == Set(expected), "something is lost or invented")
            #expect(sides[side].received.count == expected.count, "something was delivered twice")
        }
    }

    private mutating func send(_ content: Content, from side: Int) throws {
        // Not further ahead than the other side waits for, losses included.
        guard sides[1 - side].inbox.count < reach / 2 else { return }
        let routed = try sides[side].conversation.send(content, random: random)
        sides[side].sent.append(content)
        sides[1 - side].inbox.append(routed)
        if case .doubleRatchet(let message) = try? EncryptedPayload(decoding: routed.payload) {
            let header = Bytes(message.dh.array + message.number.description.utf8)
            #expect(headers.insert(header).inserted, "a message key was used twice")
        }
    }

    private mutating func deliver(to side: Int, at index: Int?) throws {
        guard !sides[side].inbox.isEmpty else { return }
        let routed = sides[side].inbox.remove(at: index ?? dice.below(sides[side].inbox.count))
        let before = sides[side].conversation
        do {
            let events = try sides[side].conversation.hear(routed)
            #expect(contents(events).count == 1)
            sides[side].received += contents(events)
        } catch let refusal as Refusal {
            #expect(sides[side].conversation == before, "a refusal changed the state: \(refusal)")
            refused[refusal.cause.code, default: 0] += 1
            #expect(refusal.cause.code == "replay", "\(refusal)")
        }
    }

    private mutating func repeatOne(to side: Int) {
        guard !sides[side].inbox.isEmpty else { return }
        sides[side].inbox.append(sides[side].inbox[dice.below(sides[side].inbox.count)])
    }

    /// Loses a payload for good, now and then, and all its repeats: `maximumSkip` bounds how many in a row.
    private mutating func drop(to side: Int) {
        guard let routed = sides[side].inbox.first, sides[side].lost.count < reach / 2 else { return }
        sides[side].inbox.removeAll { $0 == routed }
        var trial = sides[side].conversation
        if let content = (try? trial.hear(routed)).flatMap({ contents($0).first }) { sides[side].lost.insert(content) }
    }

    private mutating func forge(to side: Int) throws {
        guard var routed = sides[side].inbox.randomElement(using: &dice) else { return }
        let bit = dice.below(routed.payload.count * 8)
        routed.payload.withMutableSpan { $0[bit / 8] ^= 1 << UInt8(bit % 8) }
        let before = sides[side].conversation
        do {
            _ = try sides[side].conversation.hear(routed)
            #expect(
                !Conversation.facts.claims.contains { $0.property == .integrity && $0.holds }, "a forgery was accepted")
            sides[side].conversation = before
        } catch let refusal as Refusal {
            #expect(sides[side].conversation == before, "a forgery changed the state: \(refusal)")
            refused[refusal.cause.code, default: 0] += 1
        }
    }
}

struct RandomWalkTests {
    @Test(arguments: 1...12)
    func `nothing within reach is lost, doubled or altered, over restarts (PV1-18, PV1-19, CONV-02)`(seed: UInt64)
        throws
    {
        var walk = try Walk(PrivateV1.Libchat.self, seed: seed, reach: 10)
        try walk.run(300)
        #expect(walk.refused["replay", default: 0] > 0 && walk.refused["authentication_failed", default: 0] > 0)
    }

    @Test(arguments: 1...12)
    func `a plain conversation delivers everything once, over restarts (PLAIN-3)`(seed: UInt64) throws {
        var walk = try Walk(PlainConversation.self, seed: seed, reach: 200)
        try walk.run(300)
        #expect(walk.refused["replay", default: 0] > 0)
    }
}
