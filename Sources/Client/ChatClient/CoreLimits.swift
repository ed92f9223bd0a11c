/// The bounds of one client, each with its reason.
public struct CoreLimits: Sendable, Hashable {
    /// Conversations at once: a stranger who holds bundles can start some, but not without end.
    public var conversations = 100_000
    /// Payloads that wait for the delivery service; beyond it, sending is refused.
    public var outboxPayloads = 65_536
    /// Bytes that wait for the delivery service.
    public var outboxBytes = 256 << 20
    /// Payloads that wait for one delivery address; beyond it, sending to it is refused. A quarter of all.
    public var lanePayloads = 16_384
    /// Bytes that wait for one delivery address. A quarter of all.
    public var laneBytes = 64 << 20
    /// Contents that wait until their conversation takes them; beyond it, sending is refused.
    public var waitingContents = 4_096
    /// Bytes of such contents.
    public var waitingContentBytes = 16 << 20
    /// Payloads that came too early or for nobody yet, kept to be offered again; the oldest go first.
    public var deferredPayloads = 256
    /// Bytes of such payloads.
    public var deferredBytes = 4 << 20
    /// Bytes of records that one stranger's conversations hold; beyond it the largest of them ends. The largest
    /// unfinished content has 26 MiB.
    public var strangerBytes = 32 << 20
    /// Bytes of records of all strangers' conversations; beyond it the largest stranger's largest conversation ends.
    public var strangersBytes = 64 << 20
    /// Conversations that strangers began; beyond it those that began first end. A delivery service takes a few thousand
    /// subscriptions of one client (`udp`: 4,096), which strangers must not use up.
    public var strangerConversations = 2_048
    /// Bytes of records of all conversations; beyond it those that hold more than ``roomyBytes`` take nothing more
    /// until there is room again.
    public var machineBytes = 128 << 20
    /// Bytes that a conversation may always hold.
    public var roomyBytes = 1 << 20
    /// Addresses at which this client replies and of which it wants to hear that nobody listens any more; beyond it, it
    /// does not.
    public var replies = 4_096
    /// Events that the application has not taken; beyond it, the mailbox is not read.
    public var waitingEvents = 8_192
    /// Bytes of contents in such events; beyond it, the mailbox is not read either.
    public var waitingEventBytes = 64 << 20
    /// Payloads handed to the delivery service at once.
    public var publishBatch = 256
    /// Bytes handed to the delivery service at once.
    public var publishBytes = 4 << 20

    /// The defaults.
    public init() {}
}
