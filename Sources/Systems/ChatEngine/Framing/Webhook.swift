public import ChatCodec

/// What an engine tells a backend, and when (section 7 of `Specs/chat-engine.md`).
public struct Webhook: EngineObject {
    /// What happened.
    public var event: Event
    /// When.
    public var timestamp: DateTime

    /// The eight events.
    public enum Event: Hashable, Sendable {
        /// A session begins.
        case sessionCreated(SessionCreatedEvent)
        /// A person has said something.
        case messageNew(MessageNewEvent)
        /// An answer is to be given again.
        case messageRecreate(MessageRecreateEvent)
        /// A client closed before its answer was complete.
        case messageAborted(MessageAbortedEvent)
        /// A session is gone.
        case sessionDeleted(SessionDeletedEvent)
        /// A session is to be summarized.
        case sessionSummary(SessionSummaryEvent)
        /// How is the backend?
        case healthCheck(HealthCheckEvent)
        /// A person reacted to a message.
        case messageReaction(MessageReactionEvent)
    }

    /// An event and its time.
    public init(_ event: Event, at timestamp: DateTime) {
        (self.event, self.timestamp) = (event, timestamp)
    }

    /// Which of the eight.
    public var kind: WebhookKind {
        switch event {
        case .sessionCreated: .sessionCreated
        case .messageNew: .messageNew
        case .messageRecreate: .messageRecreate
        case .messageAborted: .messageAborted
        case .sessionDeleted: .sessionDeleted
        case .sessionSummary: .sessionSummary
        case .healthCheck: .healthCheck
        case .messageReaction: .messageReaction
        }
    }

    /// Reads the fields. An engine never sends another event; a backend ignores one (CE-03).
    public init(_ fields: Fields) throws(Violation) {
        guard let kind = WebhookKind(rawValue: try fields.text("event")) else {
            throw Violation(.event, "is no event", at: "event")
        }
        switch kind {
        case .sessionCreated: event = .sessionCreated(try SessionCreatedEvent(fields))
        case .messageNew: event = .messageNew(try MessageNewEvent(fields))
        case .messageRecreate: event = .messageRecreate(try MessageRecreateEvent(fields))
        case .messageAborted: event = .messageAborted(try MessageAbortedEvent(fields))
        case .sessionDeleted: event = .sessionDeleted(try SessionDeletedEvent(fields))
        case .sessionSummary: event = .sessionSummary(try SessionSummaryEvent(fields))
        case .healthCheck: event = .healthCheck(try HealthCheckEvent(fields))
        case .messageReaction: event = .messageReaction(try MessageReactionEvent(fields))
        }
        timestamp = try fields.get("timestamp")
    }

    /// Writes the members: the event's name, its own, the time.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("event", kind.rawValue)
        switch event {
        case .sessionCreated(let event): event.writeMembers(to: &writer)
        case .messageNew(let event): event.writeMembers(to: &writer)
        case .messageRecreate(let event): event.writeMembers(to: &writer)
        case .messageAborted(let event): event.writeMembers(to: &writer)
        case .sessionDeleted(let event): event.writeMembers(to: &writer)
        case .sessionSummary(let event): event.writeMembers(to: &writer)
        case .healthCheck(let event): event.writeMembers(to: &writer)
        case .messageReaction(let event): event.writeMembers(to: &writer)
        }
        writer.field("timestamp", timestamp)
    }
}
