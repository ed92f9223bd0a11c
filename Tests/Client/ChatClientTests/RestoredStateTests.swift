import ChatConversation
import ChatCrypto
import ChatFraming
import ChatInitialization
import ChatModel
import ChatReliability
import TestSupport
import Testing

@testable import ChatClient

/// What a restart may forget, as parts of paths, each with its reason; nothing else may differ.
private let forgotten: [(paths: [String], reason: String)] = [
    (
        ["random", "changes", "recent", "isListeningNew"],
        "belong to one run: a step or what the service delivers twice"
    ),
    (["alarms", "stated.nextWake"], "follow from the times of the machines, which are below"),
    (["hosted.lane"], "is learned with the next payload"),
    (["lately", "outbox.spare"], "are where the last one looked for stands, and memory for the next lane"),
    (["waitingEvents"], "counts events that are not kept, too"),
    (["budget.grown"], "names strangers at whom the core looks after every step and after the restart"),
    (["outbox.next"], "goes on behind what is left: numbers of what is gone may be used again"),
    (["outbox.lanes.failures", "outbox.lanes.notBefore"], "are waits, and a restart tries again at once"),
    (["outbox.lanes.head", "outbox.lanes.numbers"], "are where the entries lie, which are compared themselves"),
    (["listening.window", "listenings.window"], "is made when a secret comes or goes, at the restart from the state"),
    (["skipped.oldest", "skipped.order"], "hold places of keys that are used up; the keys are compared themselves"),
    (["reassembler.nextSerial"], "goes on behind what is left"),
    (["contents.messages.ids"], "holds those that are acknowledged, too; nobody waits for them any more"),
    (["channel.lamport"], "is advanced by sync messages, too, which nobody keeps; the time does not go back"),
    (["channel.frontier.repeats", "channel.frontier.turn"], "say in which turn messages are named"),
    (["channel.incoming.missing"], "names what only a sync message named, too; the next message names it again"),
    (["channel.incoming.losses", "channel.incoming.requests"], "are when that is asked for and given up"),
    (
        ["due", "hits", "ignored", "isOfEarlierRun", "resentAt", "sends", "tries"].map {
            "channel.outgoing.entries.\($0)"
        },
        "are when and how often a message is sent again: after a restart at once, and as if for the first time"
    ),
    (
        ["heard", "nextDue", "order", "pauses", "soonest", "start", "vain"].map { "channel.outgoing.\($0)" },
        "are the same for all"
    ),
    (
        ["nextSweep", "pace", "presence.isRestored", "presence.seen", "presence.stored"].map { "channel.\($0)" },
        "are times of one run, and when it was last there, which is stored now and then"
    ),
    (["channel.sync"], "is when the next sync message is due, and whether one is owed: a restart sends one at once"),
]

/// Two clients on records, over a network that loses some payloads.
private struct Couple {
    var saro, raya: ChatCore
    private(set) var records: [[String: Bytes]] = [[:], [:]]
    private(set) var now = Timestamp(milliseconds: 1_700_000_000_000)
    private let make: @Sendable (Int, Timestamp) throws -> ChatCore
    private var random: RepeatableRandom
    private var cursor: UInt8 = 0
    /// What was stored at some time, by what stands in front of the first slash of its key.
    private(set) var kinds: Set<String> = []

    init(_ seed: UInt64, _ make: @escaping @Sendable (Int, Timestamp) throws -> ChatCore) throws {
        (self.make, random) = (make, RepeatableRandom(seed: seed))
        (saro, raya) = (try make(0, now), try make(1, now))
    }

    mutating func store() {
        for record in saro.takeRecords() { records[0][record.key] = record.bytes }
        for record in raya.takeRecords() { records[1][record.key] = record.bytes }
        for key in records.flatMap(\.keys) { kinds.insert(String(key.prefix { $0 != "/" })) }
    }

    /// Hands over what waits; one in five is lost, one in five comes too late, and the service refuses one in eight.
    mutating func fly() {
        now = now + .milliseconds(700)
        let sent = publish(from: \.saro)
        raya.receive(sent, now: now)
        let answers = publish(from: \.raya)
        saro.receive(answers, now: now)
        saro.wake(now: now)
        raya.wake(now: now)
        store()
    }

    private mutating func publish(from core: WritableKeyPath<Couple, ChatCore>) -> [Delivery] {
        let payloads = self[keyPath: core].takeOutbox(now: now)
        let results = payloads.map { _ -> Result<Receipt, DeliveryError> in
            random.below(8) == 0 ? .failure(.overloaded("busy", retryAfter: .seconds(1))) : .success(Receipt())
        }
        self[keyPath: core].settle(payloads, results, now: now)
        var deliveries: [Delivery] = []
        for (payload, result) in zip(payloads, results) where (try? result.get()) != nil {
            let draw = random.below(5)
            guard draw > 0 else { continue }
            cursor &+= 1
            let delivery = Delivery(payload.addressed, cursor: Cursor(Bytes([cursor])))
            deliveries.insert(delivery, at: draw == 1 ? 0 : deliveries.count)
        }
        return deliveries
    }

    /// What one of them has stored, by key.
    func stored(_ side: Int) -> [Record] {
        records[side].sorted { $0.key < $1.key }.map { Record($0.key, $0.value) }
    }

    /// Whether Saro was told that something she said was delivered.
    var isHeard: Bool {
        saro.batches.flatMap(\.events).contains {
            if case .conversation(_, .status(_, .delivered)) = $0 { true } else { false }
        }
    }

    /// Compares both clients with what their records give.
    func compare(_ moment: String) throws {
        for (side, core) in [saro, raya].enumerated() {
            var restored = try make(side, now)
            restored.initialization = try make(side, now).initialization
            _ = try restored.takeUp(stored(side), now: now)
            let found = differences(core.stripped, restored.stripped).filter { difference in
                let path = difference.prefix { $0 != ":" }.replacing(/\[[^\]]*\]|\.[0-9]+|\.some/, with: "")
                return !forgotten.flatMap(\.paths).contains { ".\(path).".contains(".\($0).") }
            }
            #expect(found.isEmpty, "\(moment), side \(side): \(found.prefix(6))")
        }
    }
}

extension ChatCore {
    /// Without events that are not kept over a restart.
    fileprivate var stripped: ChatCore {
        var core = self
        core.batches = batches.compactMap { batch in
            let kept = batch.events.filter(\.isKept)
            return kept.isEmpty ? nil : EventBatch(number: batch.number, events: kept)
        }
        return core
    }
}

private func core(
    _ initialization: any InitializationProtocol, _ type: any ConversationProtocol, _ side: Int, _ now: Timestamp,
    _ records: [Record] = []
) throws -> ChatCore {
    try ChatCore(
        initialization, conversations: [type], framing: EnvelopeV1(), delivery: DeliveryLimits(maximumPayload: 6_000),
        random: RepeatableRandom(seed: UInt64(100 + side)), restoring: records, now: now)
}

private func types() throws -> [any ConversationProtocol] {
    [
        PrivateV1.type, PrivateV1.Compact.type, PrivateV1.Ratchet.type, PrivateV1.Libchat.type, PlainConversation.type,
        Reliable<PlainConversation>.type, try PrivateV1.type(parameters: ["filter": "0", "segment": "1024"]),
    ]
}

@Suite struct RestoredStateTests {
    @Test(arguments: 0..<7, [true, false])
    func `what a client's records give is the client in every field, for every type and initialization (CORE-2)`(
        number: Int, isOpen: Bool
    ) throws {
        let type = try types()[number]
        var couple = try Couple(UInt64(number)) { side, now in
            let pair = try X25519.keyPair(Secret(count: 32) { $0[1] = UInt8(1 + side) })
            let initialization: any InitializationProtocol = isOpen ? OpenInvite() : try InboxV1(identity: pair)
            return try core(initialization, type, side, now)
        }
        let bundles = try couple.raya.introduce(3, now: couple.now)
        couple.store()
        try couple.compare("with bundles")
        _ = try couple.saro.begin(type.name, with: bundles[0], saying: Bytes("hello"), now: couple.now)
        couple.store()
        try couple.compare("with an invite under way")
        for round in 0..<6 {
            couple.fly()
            if round % 2 == 1 { try couple.compare("round \(round), delivered") }
            let size = round % 4 == 1 ? 9_000 : 40
            let content = Bytes([UInt8](repeating: UInt8(round), count: size))
            if let id = couple.saro.conversations.first?.id {
                _ = try? couple.saro.send(content, in: id, now: couple.now)
            }
            if let id = couple.raya.conversations.first?.id {
                _ = try? couple.raya.send(content, in: id, now: couple.now)
            }
            couple.store()
            try couple.compare("round \(round), said")
        }
        let all: Set = ["numbers", "initialization", "conversation", "machine", "outbox", "events", "cursor"]
        #expect(couple.kinds.isSuperset(of: all), "\(couple.kinds.sorted())")
        #expect(couple.raya.conversations.count == 1)
    }

    @Test func `a restart acknowledges at once what was owed an acknowledgement (SDS-12)`() throws {
        let make: @Sendable (Int, Timestamp) throws -> ChatCore = { side, now in
            try core(OpenInvite(), Reliable<PlainConversation>.type, side, now)
        }
        var couple = try Couple(1, make)
        let bundle = try couple.raya.introduce(1, now: couple.now)[0]
        let (id, _) = try couple.saro.begin("plain-reliable", with: bundle, saying: Bytes("hello"), now: couple.now)
        for _ in 0..<20 where couple.raya.conversations.isEmpty { couple.fly() }
        #expect(couple.saro.conversations.map(\.id) == [id])
        var raya = try core(OpenInvite(), Reliable<PlainConversation>.type, 1, couple.now, couple.stored(1))
        let sent = raya.takeOutbox(now: couple.now)
        #expect(!sent.isEmpty)
        couple.saro.receive(sent.map { Delivery($0.addressed) }, now: couple.now)
        #expect(!couple.isHeard)
        couple.store()
        #expect(couple.isHeard)
    }

    @Test func `every record of the client gives back what it was made of (CORE-2)`() throws {
        let addressed = Addressed(
            "somewhere", payload: Bytes("payload"), id: PayloadID(high: 1, low: 2), replyAddress: "back",
            headers: [Header("name", "value")], ending: .failed("why"))
        for owner in [nil, .initialization, .conversation(ConversationID("saro-raya"))] as [Owner?] {
            let entry = DeferredPayloads.Entry(number: 3, addressed: addressed, owner: owner)
            #expect(differences(entry, try DeferredPayloads.Entry(Record("deferred", entry.encoded))) == [])
        }
        for (conversation, content) in [(nil, nil), (ConversationID("saro-raya"), ContentID(4))]
            as [(ConversationID?, ContentID?)]
        {
            for isInvite in [true, false] {
                let entry = OutboxEntry(
                    number: 5, addressed: addressed, conversation: conversation, content: content, isInvite: isInvite,
                    lane: isInvite ? "somewhere" : "lane")
                #expect(differences(entry, try OutboxEntry(Record("outbox", entry.encoded))) == [])
            }
        }
        for (role, flag) in [(Role.initiator, true), (.responder, false), (.responder, true)] {
            var about = ChatCore.About(
                type: "type", role: role, peers: [PublicKey([1, 2, 3]), PublicKey([4])], isAnswered: flag,
                contact: flag ? nil : ContactID(6), machine: ConversationID("machine"))
            about.hasSpoken = !flag
            #expect(differences(about, try ChatCore.About(Record("about", about.encoded))) == [])
            let trouble = ChatCore.Trouble(isOwn: flag, reason: "old copy")
            #expect(differences(trouble, try ChatCore.Trouble(Record("trouble", trouble.encoded))) == [])
        }
        for flags in 0..<8 {
            let entry = Contacts.Entry(
                id: ContactID(7), type: "type", conversation: ConversationID("pending"), isMember: flags & 1 > 0,
                isPending: flags & 2 > 0, isInvited: flags & 4 > 0)
            #expect(differences(entry, try Contacts.Entry(Record("contact", entry.encoded))) == [])
        }
        for secret in [nil, Secret(copying: Bytes([8, 9]).span)] {
            let routed = Routed(
                "somewhere", Route("route", secret: secret), payload: Bytes("payload"), sequence: 10,
                headers: [Header("name", "value")], replyAddress: secret.map { _ in "back" })
            let one = Contacts.Repeat(
                number: 11, contact: ContactID(12), routed: routed, due: Timestamp(milliseconds: 13), count: 14)
            #expect(differences(one, try Contacts.Repeat(Record("repeat", one.encoded))) == [])
        }
        let waiting = Contacts.Waiting(
            id: ContentID(15), conversation: ConversationID("pending"), content: Bytes("later"))
        #expect(differences(waiting, try Contacts.Waiting(Record("waiting", waiting.encoded))) == [])
        let numbers = ChatCore.Numbers(
            content: 16, contact: 17, batch: 18, clock: CoreClock(now: Timestamp(milliseconds: 19)))
        #expect(differences(numbers, try ChatCore.Numbers(Record("numbers", numbers.encoded))) == [])
    }

    @Test func `what seldom waits is taken up after a restart: deferred, in trouble, for a contact (CORE-2)`() throws {
        let (id, now) = (ConversationID("saro-raya"), Timestamp(milliseconds: 1_700_000_000_000))
        let deferred = DeferredPayloads.Entry(
            number: 3, addressed: Addressed("here", payload: Bytes("p")), owner: .conversation(id))
        let trouble = ChatCore.Trouble(isOwn: true, reason: "old copy")
        let contact = Contacts.Entry(
            id: ContactID(7), type: "plain", conversation: id, isMember: false, isPending: true)
        let routed = Routed("there", Route("route"), payload: Bytes("knock"))
        let repeated = Contacts.Repeat(number: 11, contact: contact.id, routed: routed, due: now)
        let waiting = (15..<18).map { Contacts.Waiting(id: ContentID($0), conversation: id, content: Bytes("later")) }
        var core = try core(OpenInvite(), PlainConversation.type, 0, now)
        var records = [
            Record(ChatCore.Keys.deferred(3), deferred.encoded), Record(ChatCore.Keys.trouble(id), trouble.encoded),
            Record(ChatCore.Keys.contact(contact.id), contact.encoded),
            Record(ChatCore.Keys.repeated(11), repeated.encoded),
        ]
        records += waiting.reversed().map { Record(ChatCore.Keys.waiting($0.id), $0.encoded) }
        _ = try core.takeUp(records, now: now)
        #expect(core.deferred.entries == [deferred] && core.deferred.next == 4)
        #expect(core.troubles == [id: trouble])
        #expect(core.contacts.entries == [contact.id: contact] && core.contacts.repeats == [11: repeated])
        #expect(core.contacts.waiting == [id: waiting] && core.contacts.waitingCount == 3)
        #expect(core.contacts.waitingBytes == 15)
    }

    @Test func `two values differ where a private field of them does`() {
        struct Inner { private let hidden: Int; init(_ hidden: Int) { self.hidden = hidden } }
        struct Outer { var list: [Int: Inner?] = [:]; var secret = Secret(copying: Bytes([1]).span) }
        var (one, other) = (Outer(list: [1: Inner(2)]), Outer(list: [1: Inner(2)]))
        #expect(differences(one, other) == [])
        one.list[1] = Inner(3)
        #expect(differences(one, other) == ["list[1].some.hidden: 3 and 2"])
        other.list[1] = .some(nil)
        #expect(differences(one, other).count == 1)
        other = one
        other.secret = Secret(copying: Bytes([2]).span)
        #expect(differences(one, other) == ["secret: other secrets"])
        other = Outer()
        #expect(differences(one, other) == ["list[1]: on one side only"])
    }
}
