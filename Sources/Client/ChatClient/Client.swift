public import ChatCrypto
public import ChatModel
public import ChatStorage

/// One composition of five, run for an application.
///
/// Everything an application does goes through one queue of steps. The steps that wait together are
/// carried out together, their records are stored in one transaction, and only then do payloads leave,
/// events show and callers return. So whatever was accepted survives a crash, and a key that could
/// have left the process is never used again after one.
public actor Client {
    /// The composition.
    public nonisolated let suite: ChatSuite
    let storage: any Storage
    let random: any RandomSource
    let clock: @Sendable () -> Timestamp
    let mailbox: Mailbox
    var core: ChatCore
    var waitingSteps: [Step] = []
    var isStepping = false
    var isClosed = false
    /// Who waits for events, and how many have waited before: a reader whose task ends must not end the next one's.
    var eventReader: (number: UInt64, continuation: CheckedContinuation<EventBatch?, Never>)?
    var readers: UInt64 = 0
    /// The number of the last batch of events that the application has dealt with, whether or not that is stored.
    var confirmed: UInt64 = 0
    var roomWaiters: [CheckedContinuation<Void, Never>] = []
    var unsubscribed: [DeliveryAddress: Since] = [:]
    var unwanted: [DeliveryAddress] = []
    /// The storage trouble that was reported last, and when.
    var reported: (trouble: String, at: Timestamp)?
    /// What the service refused, and the pause before it is asked for again.
    var refused: [DeliveryAddress: Since] = [:]
    var refusedPause = Client.subscribePause
    var subscriptionWaiters: [CheckedContinuation<DeliveryError?, Never>] = []
    var alarm: (at: Timestamp, task: Task<Void, Never>)?
    var tasks: [Task<Void, Never>] = []
    /// Calls of the service that have not returned.
    var publishCalls = 0
    let publishing = Doorbell()
    let subscribing = Doorbell()

    /// Opens a client: takes up what an earlier run stored, subscribes, and goes on with what it had to send.
    ///
    /// Close it with ``close()``; until then its tasks keep it alive.
    ///
    /// - Throws: a storage that cannot be read, or records that a component does not understand.
    public init(
        _ suite: ChatSuite, storage: any Storage = InMemoryStorage(), random: any RandomSource = SystemRandom(),
        limits: CoreLimits = CoreLimits(), mailbox: Mailbox = Mailbox(),
        clock: @escaping @Sendable () -> Timestamp = Timestamp.wallClock
    ) async throws(ClientError) {
        (self.suite, self.storage, self.random, self.clock) = (suite, storage, random, clock)
        self.mailbox = mailbox
        core = try Self.load(suite, storage, random, limits, clock())
        run()
    }

    static func load(
        _ suite: ChatSuite, _ storage: any Storage, _ random: any RandomSource, _ limits: CoreLimits, _ now: Timestamp
    ) throws(ClientError) -> ChatCore {
        let records: [Record]
        do throws(StorageError) { records = try storage.load() } catch { throw .storage(error) }
        do throws(Refusal) {
            return try ChatCore(
                suite.initialization, conversations: suite.conversations, framing: suite.framing,
                delivery: suite.delivery.limits, random: random, limits: limits, restoring: records, now: now)
        } catch { throw .refused(error) }
    }
}

// Requests of the application.
extension Client {
    /// Makes introduction bundles and publishes them under a name; returns the texts to hand out.
    ///
    /// Returns once the addresses at which invites arrive are subscribed to (INBOX-01).
    public func introduce(as name: String = "", count: Int = 1) async throws(ClientError) -> [String] {
        let bundles = try await step { core, now throws(Refusal) in try core.introduce(count, now: now) }
        if let error = await subscribed() { throw .delivery(error) }
        do throws(DiscoveryError) {
            return try await suite.discovery.publish(bundles, as: name)
        } catch { throw .discovery(error) }
    }

    /// Looks for somebody by a text: a link, a name, whatever the discovery reads.
    public func find(_ text: String) async throws(ClientError) -> Introductions {
        do throws(DiscoveryError) { return try await suite.discovery.find(text) } catch { throw .discovery(error) }
    }

    /// Finds somebody by a text and begins a conversation with the first who is found.
    ///
    /// - Parameters:
    ///   - text: the text that a discovery gave.
    ///   - type: the suite's first where nil.
    ///   - content: the content.
    public func accept(
        _ text: String, as type: ConversationType? = nil, saying content: Content
    ) async throws(ClientError) -> (ConversationID, ContentID) {
        try await begin(type, with: try await first(text), saying: content)
    }

    private func first(_ text: String) async throws(ClientError) -> Introduction {
        var answers = try await find(text).makeAsyncIterator()
        do throws(DiscoveryError) {
            while let introductions = try await answers.next() {
                if let first = introductions.first { return first }
            }
        } catch { throw .discovery(error) }
        throw .discovery(.notFound(text))
    }

    /// Begins a conversation with somebody who was found; the content travels in the invite.
    ///
    /// Tries the bundles in order and gives the last one's refusal if none is good.
    public func begin(
        _ type: ConversationType? = nil, with introduction: Introduction, saying content: Content
    ) async throws(ClientError) -> (ConversationID, ContentID) {
        let (id, contentID) = try await begin(type, with: introduction, saying: Optional(content))
        return (id, contentID ?? ContentID(0))
    }

    /// Begins a conversation with somebody who was found, without content: its invite leaves with the first content.
    public func begin(
        _ type: ConversationType? = nil, with introduction: Introduction
    ) async throws(ClientError) -> ConversationID {
        try await begin(type, with: introduction, saying: Content?.none).0
    }

    private func begin(
        _ type: ConversationType?, with introduction: Introduction, saying content: Content?
    ) async throws(ClientError) -> (ConversationID, ContentID?) {
        let type = type ?? suite.conversations[0].name
        return try await step { core, now throws(Refusal) in
            var refusal = Refusal(.unsupported, CommonCause.unsupportedScheme("none", initialization: "this client"))
            for bundle in introduction.bundles {
                do throws(Refusal) {
                    return try core.begin(type, with: bundle, saying: content, now: now)
                } catch { refusal = error }
            }
            throw refusal
        }
    }

    /// Founds a group: a conversation without anybody else in it yet.
    public func found(_ type: ConversationType, saying content: Content) async throws(ClientError) -> ConversationID {
        try await step { core, now throws(Refusal) in
            try core.begin(type, with: nil, saying: content, now: now).0
        }
    }

    /// Sends content; it is stored when this returns, and its id comes back in status events.
    @discardableResult
    public func send(_ content: Content, in conversation: ConversationID) async throws(ClientError) -> ContentID {
        try await step { core, now throws(Refusal) in try core.send(content, in: conversation, now: now) }
    }

    /// Sends a part of a content: the first gives an id, under which the others are sent.
    ///
    /// - Parameters:
    ///   - content: the content.
    ///   - part: whole, or which part.
    ///   - id: of the content of which this is another part; nil for the first.
    ///   - about: what the content answers.
    ///   - conversation: the conversation.
    @discardableResult
    public func send(
        _ content: Content, _ part: Part, of id: ContentID? = nil, about: Target? = nil,
        in conversation: ConversationID
    ) async throws(ClientError) -> ContentID {
        try await step { core, now throws(Refusal) in
            try core.perform(.send(content, part: part, about: about), in: conversation, as: id, now: now)
        }
    }

    /// Does something else in a conversation; what becomes of it comes back in status events of the id.
    @discardableResult
    public func perform(_ action: Action, in conversation: ConversationID) async throws(ClientError) -> ContentID {
        try await step { core, now throws(Refusal) in try core.perform(action, in: conversation, now: now) }
    }

    /// Invites somebody who was found into a conversation whose type takes members.
    public func add(_ introduction: Introduction, to conversation: ConversationID) async throws(ClientError) {
        try await step { core, now throws(Refusal) in
            try core.add(Array(introduction.bundles.prefix(1)), to: conversation, now: now)
        }
    }

    /// Forgets a conversation and everything stored of it.
    public func forget(_ conversation: ConversationID) async throws(ClientError) {
        try await step { core, now throws(Refusal) in try core.forget(conversation, now: now) }
    }

    /// The conversations that are here.
    public var conversations: [ConversationSummary] { core.conversations }

    /// Payloads and bytes that are stored and not yet with the delivery service.
    public var waiting: (payloads: Int, bytes: Int) { core.waiting }

    /// Waits until everything accepted is with the delivery service; false when the time was not enough.
    public func flush(within time: Duration) async -> Bool {
        let end = ContinuousClock.now + time
        while core.waiting.payloads > 0, !isClosed, ContinuousClock.now < end {
            try? await Task.sleep(for: .milliseconds(5))
        }
        return core.waiting.payloads == 0
    }

    /// Ends the client; what is stored goes on in the next one over the same storage.
    public func close() {
        guard !isClosed else { return }
        carryOut()
        // Changes that could wait; if they cannot be stored, they are lost as in a crash.
        if !isClosed { try? storage.commit(core.takeRecords()) }
        shut()
    }

    /// Ends the tasks and everybody who waits.
    func shut() {
        isClosed = true
        mailbox.close()
        for task in tasks { task.cancel() }
        alarm?.task.cancel()
        publishing.close()
        subscribing.close()
        eventReader?.continuation.resume(returning: nil)
        eventReader = nil
        roomWaiters.forEach { $0.resume() }
        roomWaiters = []
        subscriptionWaiters.forEach { $0.resume(returning: .closed) }
        subscriptionWaiters = []
    }
}
