import ChatModel

/// How packets of a stream are delivered; a workflow's settings say which.
public struct DeliveryPolicy: Hashable, Sendable {
    /// What is kept in order.
    public enum Ordering: String, Hashable, Sendable, CaseIterable {
        /// Nothing; packets are not counted.
        case none
        /// All packets of a stream.
        case perStream = "per_stream"
        /// The packets of each partition of a stream.
        case perPartition = "per_partition"
    }

    /// What happens to a packet that was lost.
    public enum Semantics: String, Hashable, Sendable, CaseIterable {
        /// Nothing.
        case bestEffort = "best_effort"
        /// It is sent again until a receipt comes.
        case atLeastOnce = "at_least_once"
    }

    /// What a full buffer does with one more packet.
    public enum Overflow: String, Hashable, Sendable, CaseIterable {
        /// It refuses the packet, so that nothing that was accepted is lost.
        case refuse
        /// It drops the packet.
        case dropNewest = "drop_newest"
        /// It drops the oldest packet that it has.
        case dropOldest = "drop_oldest"
    }

    /// What is kept in order.
    public var ordering: Ordering
    /// What happens to a packet that was lost.
    public var semantics: Semantics
    /// What a full buffer does.
    public var overflow: Overflow
    /// Messages and bytes of a buffer, and of what may be on the way before the other side grants more.
    public var maximumMessages, maximumBytes: Int
    /// Bytes of a frame that is sent in one piece.
    public var chunkSize: Int
    /// How long a packet waits for its receipt before it is sent again without a new session.
    public var replayAfter: Duration
    /// How many messages are granted together, and after which time fewer are.
    public var ackMessages: Int
    /// After which time what was received is acknowledged.
    public var ackAfter: Duration
    /// Whether a receiver grants credit at all; where receipts are the credit it need not.
    public var grantsCredit: Bool
    /// How long packets are held for one that is missing before them; nil for no end.
    public var holdAfter: Duration?
    /// The number with which streams begin, where the receiver knows it: then also the first packets are missed.
    public var firstSequence: UInt64?

    /// A policy; where the contract has a number, that one unless something else is said.
    public init(
        ordering: Ordering = .perPartition, semantics: Semantics = .atLeastOnce, overflow: Overflow = .refuse,
        maximumMessages: Int = 100, maximumBytes: Int = 10 << 20, chunkSize: Int = PacketV1.chunkSize,
        replayAfter: Duration = .seconds(30), ackMessages: Int = 10, ackAfter: Duration = .milliseconds(250),
        grantsCredit: Bool = true, holdAfter: Duration? = .seconds(60), firstSequence: UInt64? = nil
    ) {
        (self.ordering, self.semantics, self.overflow) = (ordering, semantics, overflow)
        (self.maximumMessages, self.maximumBytes) = (max(1, maximumMessages), max(1, maximumBytes))
        (self.chunkSize, self.replayAfter) = (chunkSize, replayAfter)
        (self.ackMessages, self.ackAfter) = (min(max(1, ackMessages), max(1, maximumMessages)), ackAfter)
        (self.grantsCredit, self.holdAfter, self.firstSequence) = (grantsCredit, holdAfter, firstSequence)
    }
}

extension WirePacket {
    /// The bytes that credits and receipts count: those of the frame.
    public var contentSize: Int {
        switch frame {
        case .audio(let frame): frame.pcm.count
        case .video(let frame): frame.payload.count
        case .binary(let frame): frame.payload.count
        case nil: 0
        }
    }
}
