public import ChatModel

/// One client's machines, framing, outbox and alarms as a value without I/O.
///
/// In go batches of deliveries, actions of the application, alarms and results of publishing; out
/// come records to store, payloads to publish, addresses to subscribe and events to show. Whoever
/// drives it stores the records first and lets the rest leave the process afterwards. The same core
/// runs in a client with sockets, in a simulator and under a fuzzer.
public struct ChatCore: Sendable {
    /// The bounds on kept state.
    public let limits: CoreLimits
    let types: [ConversationType: any ConversationProtocol]
    /// The largest framed payload that the delivery service said it takes, in bytes.
    let maximumFramed: Int
    /// What a machine may make of that; less for a while once the service refused something as too large.
    var maximumPayload: Int
    /// When that while ends; nil where nothing was refused.
    var restrictedUntil: Timestamp?
    var initialization: any InitializationProtocol
    var framing: any FramingStrategy
    var random: any RandomSource
    /// Changed by ``host(_:as:)`` and ``unhost(_:)`` where conversations come or go.
    var hosted: [ConversationID: HostedConversation] = [:]
    /// The conversation that was looked for last, and where it stands as long as none comes or goes.
    private var lately: (id: ConversationID, place: Place)?
    var outbox = Outbox()
    var contacts = Contacts()
    var budget = Budget()
    var refusals = RefusalLog()
    var begun = BegunContacts()
    var troubles: [ConversationID: Trouble] = [:]
    /// When the other side of a conversation in trouble was told of it last, in this run.
    var notices: [ConversationID: Timestamp] = [:]
    var deferred = DeferredPayloads()
    var recent = RecentPayloads()
    var subscriptions = Subscriptions()
    var batches: [EventBatch] = []
    var waitingEvents = 0
    var waitingEventBytes = 0
    /// Events of the step under way.
    var fresh: [ClientEvent] = []
    var numbers = Numbers()
    var alarms = Alarms()
    /// The last statement of the initialization.
    var inbox = Stated()
    var changes = Changes()
    /// Since the last offer of deferred payloads: whether the framing can tell more of whose payloads are, because
    /// somebody listens to something new or because it said so, and who made progress.
    var isListeningNew = false
    var progressed: Set<Owner> = []
    /// Own contents of which the last part was not sent yet: that the service has the others is not told.
    var unfinished: Set<ContentID> = []
    /// Contents that machines keep until the link is back, and whose they are.
    var held: [ContentID: (conversation: ConversationID, bytes: Int)] = [:]
    /// Whether the delivery service said that it lost its link.
    var isInterrupted = false
    /// The capabilities that the delivery service offers.
    let offers: Set<Capability>
    /// Who was asked to reply at an address of somebody else. Not stored: a reply ends with the process.
    var replies: [DeliveryAddress: Owner] = [:]

    /// Where a conversation stands.
    typealias Place = Dictionary<ConversationID, HostedConversation>.Index

    /// One conversation and what the client knows of it.
    struct HostedConversation: Sendable {
        var machine: any Conversation
        var about: About
        /// The last statement of its machine.
        var stated = Stated()
        /// Whether its machine may have changed since its records were taken.
        var isTouched = false
        /// Where its payloads went last.
        var lane: DeliveryAddress?
        /// In front of the keys of its machine's records.
        let prefix: String
        /// Keys of the records that its machine has stored, to be removed with it, and how large each is.
        private(set) var keys: [ExactText: Int] = [:]
        /// The bytes of these records.
        private(set) var bytes = 0

        init(
            machine: any Conversation, about: About, id: ConversationID, stored records: [Record] = []
        ) {
            (self.machine, self.about) = (machine, about)
            prefix = Keys.machine(id)
            keys = Dictionary(records.map { (ExactText($0.key), $0.bytes?.count ?? 0) }) { $1 }
            bytes = keys.values.reduce(0, +)
        }

        /// What the core asks before each step.
        struct Look {
            let lane: DeliveryAddress?
            let bytes: Int
            let acceptsContent, hasSpoken: Bool
        }

        /// Asked where the conversation stands, which is why it is mutating: what is read out of a dictionary is a copy, and a
        /// machine of which there is a copy copies what it changes.
        mutating func look() -> Look {
            Look(lane: lane, bytes: bytes, acceptsContent: machine.acceptsContent, hasSpoken: about.hasSpoken)
        }

        /// What its machine states now and stated before, where that is news; asked where it stands, as ``look()``.
        mutating func restate() -> (before: Stated, after: Stated)? {
            let (before, after) = (stated, Stated(listening: machine.listening, nextWake: machine.nextWake))
            guard before != after else { return nil }
            stated = after
            return (before, after)
        }

        /// Notes where its payloads go; mostly where they went before.
        mutating func travel(on lane: DeliveryAddress) {
            if self.lane != lane { self.lane = lane }
        }

        /// Notes that its machine may have changed; whether that is news.
        mutating func touch() -> Bool {
            defer { isTouched = true }
            return !isTouched
        }

        /// Notes that the other side was heard; whether that is news.
        mutating func answer() -> Bool {
            defer { about.isAnswered = true }
            return !about.isAnswered
        }

        /// The records of its machine that changed, as they are stored; returns by how many bytes they grew.
        mutating func takeChanges(into records: inout [Record]) -> Int {
            guard isTouched else { return 0 }
            let before = bytes
            isTouched = false
            for record in machine.takeChanges() {
                let key = ExactText(record.key)
                let size = record.bytes?.count
                bytes += (size ?? 0) - (keys[key] ?? 0)
                keys[key] = size
                records.append(Record(prefix + record.key, record.bytes))
            }
            return bytes - before
        }
    }

    /// The statement of a machine, as the core read it last.
    struct Stated: Sendable, Equatable {
        var listening: [Listening] = []
        var nextWake: Timestamp?
    }

    /// The client's own data of a conversation, beside its machine.
    struct About: Sendable, Hashable {
        let type: ConversationType
        let role: Role
        let peers: [PublicKey]
        /// Whether the other side was heard.
        var isAnswered: Bool
        /// The first contact with which it began, until that ends.
        var contact: ContactID?
        /// By what the machine calls it; the application's id differs where the contact was pending at first.
        let machine: ConversationID
        /// Whether the application has said or done something in it: whose it is, is no stranger then.
        var hasSpoken: Bool

        init(
            type: ConversationType, role: Role, peers: [PublicKey], isAnswered: Bool, contact: ContactID?,
            machine: ConversationID
        ) {
            (self.type, self.role, self.peers, self.isAnswered) = (type, role, peers, isAnswered)
            (self.contact, self.machine, hasSpoken) = (contact, machine, role == .initiator)
        }
    }

    /// Counters that never go back, also over restarts.
    struct Numbers: Sendable, Hashable {
        var content: UInt64 = 0
        var contact: UInt64 = 0
        var batch: UInt64 = 0
        var clock = CoreClock()
    }

    /// The changes for the next transaction.
    struct Changes: Sendable {
        var records: [Record] = []
        /// Machines that may have changed; each conversation is here once.
        var initialization = false
        var conversations: [ConversationID] = []
        var numbers = false
        /// Whether they must be stored before anything else happens (DURABLE-3).
        var isUrgent = false
        /// When the oldest of them was made, where they wait to be stored.
        var since: Timestamp?

        var isEmpty: Bool { records.isEmpty && !initialization && conversations.isEmpty && !numbers }
    }

    /// Makes a core and takes up the records of an earlier run.
    ///
    /// - Parameters:
    ///   - initialization: the initialization.
    ///   - conversations: the conversation types.
    ///   - framing: the framing.
    ///   - delivery: the limits of the delivery service; `maximumPayload` bounds what is sent.
    ///   - random: the source of randomness.
    ///   - limits: bounds on what the core keeps.
    ///   - records: all records of an earlier run.
    ///   - now: the current time.
    /// - Throws: what a machine refused to restore; nothing is lost by it.
    public init(
        _ initialization: any InitializationProtocol, conversations: [any ConversationProtocol],
        framing: any FramingStrategy, delivery: DeliveryLimits, random: any RandomSource,
        limits: CoreLimits = CoreLimits(), restoring records: [Record] = [], now: Timestamp
    ) throws(Refusal) {
        (self.initialization, self.framing, self.random) = (initialization, framing, random)
        self.limits = limits
        types = Dictionary(conversations.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        (maximumFramed, offers) = (delivery.maximumPayload, delivery.offers)
        maximumPayload = framing.maximumPayload(within: delivery.maximumPayload)
        try restore(records, now: now)
    }

    /// The conversations that are here, by id.
    public var conversations: [ConversationSummary] {
        hosted.map { ConversationSummary(id: $0.key, about: $0.value.about) }.sorted { $0.id < $1.id }
    }

    /// Conversations whose first contact is pending, by id.
    public var pending: [ConversationID] {
        contacts.entries.values.filter { $0.isPending && !$0.isMember }.map(\.conversation).sorted()
    }

    /// A conversation as it is now: for those who look inside, such as a simulator.
    package func machine(_ id: ConversationID) -> (any Conversation)? { hosted[id]?.machine }

    /// Where invites arrive, and under which routes.
    public var inboxes: [Listening] { initialization.listening }

    /// The time as the machines see it.
    public var now: Timestamp { numbers.clock.now }

    /// The step of one machine, whose payloads go to an address.
    mutating func makeStep(on lane: DeliveryAddress?) -> Step {
        var step = Step(now: now, maximumPayload: maximumPayload, headRoom: framing.headRoom, random: random)
        if !outbox.entries.isEmpty { step.waiting = (lane.map { outbox.load(of: $0).bytes } ?? 0, outbox.bytes) }
        return step
    }

    /// Notes that a machine may have changed.
    mutating func touch(_ owner: Owner) {
        switch owner {
        case .initialization: changes.initialization = true
        case .conversation(let id):
            if let place = place(of: id) { touch(id, at: place) }
        }
    }

    /// Overload for callers that hold the index.
    mutating func touch(_ id: ConversationID, at place: Place) {
        if hosted.values[place].touch() { changes.conversations.append(id) }
    }

    /// Where a conversation stands, until one comes or goes; the one that was looked for last is found without hashing
    /// its id, because a step asks for the same one many times.
    mutating func place(of id: ConversationID) -> Place? {
        if let lately, lately.id == id { return lately.place }
        guard let place = hosted.index(forKey: id) else { return nil }
        lately = (id, place)
        return place
    }

    /// A conversation comes.
    mutating func host(_ conversation: HostedConversation, as id: ConversationID) {
        lately = nil
        hosted[id] = conversation
    }

    /// A conversation goes.
    mutating func unhost(_ id: ConversationID) -> HostedConversation? {
        lately = nil
        return hosted.removeValue(forKey: id)
    }

    /// Takes a reading of the system's clock.
    mutating func advance(to reading: Timestamp) {
        numbers.clock.advance(to: reading)
        if let end = restrictedUntil, end <= now { liftRestriction() }
    }
}

/// A conversation as an application may show it.
public struct ConversationSummary: Sendable, Hashable {
    /// Its id on this client.
    public let id: ConversationID
    /// Its type.
    public let type: ConversationType
    /// Which side this client was on at first contact.
    public let role: Role
    /// Keys that the initialization authenticated.
    public let peers: [PublicKey]
    /// Whether the other side was heard.
    public let isAnswered: Bool

    init(id: ConversationID, about: ChatCore.About) {
        self.id = id
        (type, role, peers, isAnswered) = (about.type, about.role, about.peers, about.isAnswered)
    }
}
