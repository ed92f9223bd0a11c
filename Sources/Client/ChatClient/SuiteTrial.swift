public import ChatModel

/// The cost of a composition and the metadata it leaks, found by running two clients of it in memory.
///
/// Saro has Raya's bundle and says 64 bytes, then both talk. Everything that either hands to the delivery service is
/// counted: payloads as the framing makes them, the content and acknowledgements included. They are looked through for
/// what should not be seen in them, and for what shows that they belong together.
public struct SuiteTrial: Sendable, Hashable {
    /// Bytes of every content.
    public static let contentSize = 64
    /// Contents in one direction, and in turns.
    public static let contents = 16
    private static let maximumFlights = 20

    /// Bytes for the first content, invite included, until Raya has the content.
    public private(set) var first = 0
    /// Bytes for a content, of sixteen that are said at once in one direction and then acknowledged; rounded up.
    public private(set) var oneWay = 0
    /// The same when the two answer each other at once.
    public private(set) var inTurns = 0
    /// Round trips over the service, from having the bundle on, before the first content is under way.
    public private(set) var roundTrips = 0
    /// Delivery addresses that were used.
    public private(set) var addresses: Set<DeliveryAddress> = []
    /// The metadata that the carrier of the payloads can read.
    public private(set) var seen: Set<Leak> = []

    /// Something that could be read in a payload.
    public enum Leak: String, Sendable, Hashable, CaseIterable {
        /// The content itself.
        case content
        /// The id of the conversation on either side, as text or as the bytes of its hex.
        case conversation = "conversation id"
        /// The long-term key of who invites.
        case inviter = "inviter's key"
        /// The long-term key of who is invited.
        case invited = "invited one's key"
        /// One address for invites and conversations of everybody.
        case sharedAddress = "one address for both"
        /// That payloads are of one conversation, since they go to one address.
        case linkedByAddress = "which payloads are of one conversation, by their address"
        /// That payloads are of one sender, since they have sixteen bytes in common, such as a ratchet key in clear.
        case linkedByBytes = "which payloads of one sender come in a row, by bytes in common"
    }

    /// Runs two clients, which must be of one composition and have identities of their own.
    ///
    /// - Throws: what a machine refused, or ``ClientCause`` where the content did not arrive.
    public init(_ saros: ChatSuite, _ rayas: ChatSuite) throws(Refusal) {
        var pair = try Pair(saros, rayas)
        let bundles = try pair.raya.introduce(1, now: pair.now)
        let type = saros.conversations[0].name
        guard let bundle = bundles.first else { throw Refusal(.unable, ClientCause.noOpening(type)) }
        let opening = pair.content()
        _ = try pair.saro.begin(type, with: bundle, saying: opening, now: pair.now)
        var flights = 0
        while pair.arrived == 0 {
            guard flights < Self.maximumFlights else { throw Refusal(.unable, ClientCause.notArrived(type)) }
            pair.fly(fromSaro: flights % 2 == 0)
            flights += 1
        }
        (first, roundTrips) = (pair.bytes, (flights - 1) / 2)
        let invites = pair.addresses
        pair.settle()
        // Answered once, so that no invite is sent again meanwhile.
        try pair.say(fromSaro: false)
        pair.settle()
        pair.bytes = 0
        var sent: [Addressed] = []
        for _ in 0..<Self.contents { sent += try pair.say(fromSaro: true) }
        pair.settle()
        oneWay = pair.average(of: Self.contents)
        pair.bytes = 0
        for number in 0..<Self.contents { try pair.say(fromSaro: number % 2 == 1) }
        pair.settle()
        inTurns = pair.average(of: Self.contents)
        (addresses, seen) = (pair.addresses, pair.seen)
        if Set(sent.map(\.address)).count == 1 { seen.insert(.linkedByAddress) }
        if sent.count > 1, zip(sent, sent.dropFirst()).allSatisfy({ $0.payload.hasInCommon(16, with: $1.payload) }) {
            seen.insert(.linkedByBytes)
        }
        if pair.addresses == invites { seen.insert(.sharedAddress) }
    }
}

/// Two cores, and a network that carries everything at once.
private struct Pair {
    var saro, raya: ChatCore
    var now = Timestamp(milliseconds: 1_700_000_000_000)
    var bytes = 0
    var arrived = 0
    var addresses: Set<DeliveryAddress> = []
    var seen: Set<SuiteTrial.Leak> = []
    private var payloads: [Payload] = []
    private var random = RepeatableRandom(seed: 1)
    private var marks: [(sight: SuiteTrial.Leak, bytes: [UInt8])] = []

    init(_ saros: ChatSuite, _ rayas: ChatSuite) throws(Refusal) {
        let now = now
        func core(_ suite: ChatSuite, _ seed: UInt64) throws(Refusal) -> ChatCore {
            try ChatCore(
                suite.initialization, conversations: suite.conversations, framing: suite.framing,
                delivery: saros.delivery.limits, random: RepeatableRandom(seed: seed), now: now)
        }
        (saro, raya) = (try core(saros, 2), try core(rayas, 3))
    }

    /// A content that comes nowhere else.
    mutating func content() -> Content {
        let content = random.bytes(SuiteTrial.contentSize, for: .identifier)
        marks.append((.content, content))
        return Bytes(content)
    }

    /// Hands over what one of them has; counts it.
    @discardableResult
    mutating func fly(fromSaro: Bool) -> [Addressed] {
        let sent = fromSaro ? saro.takeOutbox(now: now) : raya.takeOutbox(now: now)
        let results = sent.map { _ in Result<Receipt, DeliveryError>.success(Receipt()) }
        if fromSaro { saro.settle(sent, results, now: now) } else { raya.settle(sent, results, now: now) }
        for payload in sent {
            bytes += payload.addressed.payload.count
            addresses.insert(payload.addressed.address)
            payloads.append(payload.addressed.payload)
            if fromSaro {
                _ = raya.offer(payload.addressed, now: now)
            } else {
                _ = saro.offer(payload.addressed, now: now)
            }
        }
        arrived += Self.takeContents(&raya) + Self.takeContents(&saro)
        return sent.map(\.addressed)
    }

    private static func takeContents(_ core: inout ChatCore) -> Int {
        var count = 0
        _ = core.takeRecords()
        while let batch = core.nextBatch {
            for case .conversation(_, .content) in batch.events { count += 1 }
            core.confirm(batchesUpTo: batch.number)
        }
        return count
    }

    /// Lets everything come to rest, with what is said in answer or after a while.
    mutating func settle() {
        for _ in 0..<4 {
            // Long enough for an acknowledgement, and too short for anything to be sent again.
            now = now + .seconds(1)
            saro.wake(now: now)
            raya.wake(now: now)
            fly(fromSaro: true)
            fly(fromSaro: false)
        }
        look()
    }

    /// One content, handed over at once with all that is there to be said.
    @discardableResult
    mutating func say(fromSaro: Bool) throws(Refusal) -> [Addressed] {
        let content = content()
        if fromSaro, let id = saro.conversations.first?.id {
            _ = try saro.send(content, in: id, now: now)
        } else if let id = raya.conversations.first?.id {
            _ = try raya.send(content, in: id, now: now)
        }
        return fly(fromSaro: fromSaro)
    }

    func average(of count: Int) -> Int { (bytes + count - 1) / count }

    /// Looks through what was carried for what should not be seen.
    private mutating func look() {
        var marks = marks
        if let summary = saro.conversations.first {
            marks += summary.peers.map { (.invited, $0.bytes) } + Self.marks(summary.id)
        }
        if let summary = raya.conversations.first {
            marks += summary.peers.map { (.inviter, $0.bytes) } + Self.marks(summary.id)
        }
        for payload in payloads {
            for mark in marks where !seen.contains(mark.sight) {
                if payload.array.contains(mark.bytes) { seen.insert(mark.sight) }
            }
        }
        (payloads, self.marks) = ([], [])
    }

    private static func marks(_ id: ConversationID) -> [(sight: SuiteTrial.Leak, bytes: [UInt8])] {
        [(.conversation, Array(id.text.utf8))]
    }
}

extension Bytes {
    /// Whether so many bytes in a row of this stand in another, too.
    fileprivate func hasInCommon(_ length: Int, with other: Bytes) -> Bool {
        func windows(_ bytes: [UInt8]) -> Set<ArraySlice<UInt8>> {
            Set(bytes.indices.dropLast(length - 1).map { bytes[$0..<$0 + length] })
        }
        return !windows(array).isDisjoint(with: windows(other.array))
    }
}
