import ChatModel
import ChatReliability
import TestSupport
import Testing

@testable import ChatConversation

/// Saro and Raya in virtual time on a service that can be told to lose everything of one side, to take less, and
/// to lose its link; and devices that can be off.
struct LossyPair<Conversation: ReliableConversation> {
    struct Side {
        var conversation: Conversation
        var store: [String: Record] = [:]
        var alarm: Timestamp? { conversation.nextWake }
        var received: [Content] = []
        var statuses: [ContentID: ContentStatus] = [:]
        var finalGaps = 0
        var causes: [String: Int] = [:]
        var isOn = true
        /// Payloads of this side that the service was given.
        var sent = 0
    }

    var sides: [Side]
    private(set) var now: Timestamp
    /// Whether everything that a side sends is lost.
    var isLost = [false, false]
    /// The largest payload that the service takes; machines are told another one.
    var serviceLimit = Int.max
    /// What it says of larger ones, if not that they are.
    var refusal: DeliveryError?
    private let maximumPayload: Int
    private let random: SeededRandom
    private var flight: [(at: Timestamp, to: Int, routed: Routed)] = []
    private var nextContent: UInt64 = 1

    init(_ type: Conversation.Type, seed: UInt64 = 1, maximumPayload: Int = .max) throws {
        (random, now) = (SeededRandom(seed), ChatConversationTests.now)
        self.maximumPayload = maximumPayload
        let seeds = Seeds(random: random)
        var step = Step(now: now, maximumPayload: maximumPayload, random: random)
        var saro = try Conversation(seeds.initiator, in: &step)
        try saro.perform(.send("first"), as: ContentID(1), in: &step)
        let opening = try #require(step.takeOutput().openings.first?.payload)
        sides = [Side(conversation: saro), Side(conversation: saro)]
        nextContent = 2
        take(&step, 0)
        var other = Step(now: now, maximumPayload: maximumPayload, random: random)
        sides[1] = Side(conversation: try Conversation(seeds.responder(opening), in: &other))
        take(&other, 1)
        pass(.seconds(10))
    }

    /// Says something; the id is that of the content.
    @discardableResult
    mutating func say(_ text: String, _ side: Int) throws -> ContentID {
        let id = ContentID(nextContent)
        nextContent += 1
        var step = step()
        try sides[side].conversation.perform(.send(Bytes(text)), as: id, in: &step)
        take(&step, side)
        return id
    }

    mutating func pass(_ time: Duration) {
        let end = now + time
        while let next = nextTime, next <= end {
            now = max(now, next)
            arrive()
            for side in 0..<2 where sides[side].isOn && sides[side].alarm.map({ $0 <= now }) == true {
                signal(.due, side)
            }
        }
        now = max(now, end)
    }

    /// The clocks jump: nothing happens in between.
    mutating func jump(_ time: Duration) {
        now = now + time
        pass(.zero)
    }

    mutating func switchOff(_ side: Int) { sides[side].isOn = false }

    /// Starts a side again from its records.
    mutating func restart(_ side: Int) throws {
        sides[side].isOn = true
        sides[side].conversation = try Conversation(restoring: sides[side].store.values.shuffled())
        signal(.restored, side)
    }

    /// Puts back what a side had stored at an earlier time.
    mutating func restore(_ side: Int, from store: [String: Record]) throws {
        sides[side].store = store
        try restart(side)
    }

    mutating func signal(_ signal: Signal, _ side: Int) {
        var step = step()
        sides[side].conversation.handle(signal, in: &step)
        take(&step, side)
    }

    private func step() -> Step { Step(now: now, maximumPayload: maximumPayload, random: random) }

    private var nextTime: Timestamp? {
        (flight.map(\.at) + sides.filter(\.isOn).compactMap(\.alarm)).min()
    }

    private mutating func arrive() {
        let due = flight.filter { $0.at <= now }
        flight.removeAll { $0.at <= now }
        for (_, side, routed) in due where sides[side].isOn {
            var step = step()
            do throws(Refusal) {
                try sides[side].conversation.receive(routed, in: &step)
            } catch {
                sides[side].causes[error.cause.code, default: 0] += 1
                continue
            }
            take(&step, side)
        }
    }

    private mutating func take(_ step: inout Step, _ side: Int) {
        for record in sides[side].conversation.takeChanges() {
            sides[side].store[record.key] = record.bytes == nil ? nil : record
        }
        for event in step.events {
            switch event {
            case .content(let received): sides[side].received.append(received.content)
            case .status(let id, let status): sides[side].statuses[id] = status
            case .gap(let gap): sides[side].finalGaps += gap.isFinal ? 1 : 0
            case .refused(let refusal): sides[side].causes[refusal.cause.code, default: 0] += 1
            case .frame, .members, .progress, .cancelled, .ended: continue
            }
        }
        // Of a content that was refused, the rest is nobody's: so the client has it.
        var refused: Set<ContentID> = []
        for send in step.sends {
            guard send.routed.payload.count <= serviceLimit else {
                let error = refusal ?? .tooLarge(bytes: send.routed.payload.count, limit: serviceLimit)
                if let content = send.content, refused.insert(content).inserted {
                    signal(.refused(content, error), side)
                }
                continue
            }
            sides[side].sent += 1
            guard !isLost[side] else { continue }
            flight.append((now + .milliseconds(50), 1 - side, send.routed))
        }
    }
}
