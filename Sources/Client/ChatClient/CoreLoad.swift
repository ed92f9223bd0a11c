public import ChatModel

/// The load of one client at a moment: everything that its driver asks after a step, in one piece.
public struct CoreLoad: Sendable, Hashable {
    /// Payloads that wait for the delivery service.
    public let outboxPayloads: Int
    /// Bytes of these.
    public let outboxBytes: Int
    /// Payloads kept to be offered again.
    public let deferredPayloads: Int
    /// Events that the application has not taken.
    public let waitingEvents: Int
    /// Conversations.
    public let conversations: Int
    /// Whether the application is so far behind that no more should be received.
    public let isFull: Bool
    /// When the core next wants to be woken.
    public let nextAlarm: Timestamp?
    /// When the outbox next has something to publish.
    public let nextPublish: Timestamp?
}
