import ChatCodec
import ChatModel

/// What tells two packets apart: the place in a stream, else the message id.
public enum PacketKey: Hashable, Sendable {
    /// A packet that is counted.
    case sequence(stream: String, partition: String, UInt64)
    /// A packet with a message id.
    case message(String)

    /// The key of a packet; nil where it has neither, so that it is never a duplicate.
    public init?(stream: StreamEnvelope?, messageID: String?) {
        if let stream, stream.isSequenced {
            self = .sequence(stream: stream.stream, partition: stream.partition, stream.sequence)
        } else if let messageID, !messageID.isEmpty {
            self = .message(messageID)
        } else {
            return nil
        }
    }

    /// Compares the bytes.
    public static func == (left: Self, right: Self) -> Bool {
        switch (left, right) {
        case (.sequence(let stream, let partition, let number), .sequence(let other, let part, let second)):
            number == second && stream.hasSameBytes(as: other) && partition.hasSameBytes(as: part)
        case (.message(let id), .message(let other)): id.hasSameBytes(as: other)
        default: false
        }
    }

    /// Whether both are numbers of one stream and partition.
    func isOfSameLane(as other: PacketKey) -> Bool {
        guard case (.sequence(let stream, let partition, _), .sequence(let other, let part, _)) = (self, other) else {
            return false
        }
        return stream.hasSameBytes(as: other) && partition.hasSameBytes(as: part)
    }

    /// Whether a receipt tells the sender about it.
    public var hasReceipt: Bool {
        if case .sequence = self { true } else { false }
    }
}

/// Which packets were delivered, and which of them were completed (section 7 of `Specs/packet-stream.md`).
///
/// A packet is new, then pending until the application says that it is done, then completed. Both lists are bounded:
/// one pending too many ends the session, of completed ones the oldest is forgotten.
public struct Deduplication: Hashable, Sendable {
    /// How many packets each list holds, unless somebody says otherwise.
    public static let limit = 4_096

    /// What becomes of a packet that arrives.
    public enum Arrival: Hashable, Sendable {
        /// It goes to the application.
        case deliver
        /// The application has it already.
        case dropPending
        /// The application was done with it; a receipt goes out again where there is one.
        case dropCompleted(sendsReceipt: Bool)
        /// Too many are with the application: the session ends.
        case overflow
    }

    private let limit: Int
    private var pending: Set<PacketKey> = []
    private var completed: Set<PacketKey> = []
    /// The completed ones from the oldest on, in a ring.
    private var ring: [PacketKey] = []
    private var oldest = 0
    /// Counts sessions: what was delivered in an earlier one is not completed by this one.
    public private(set) var generation: UInt64 = 0

    /// Lists of a size.
    public init(limit: Int = Deduplication.limit) {
        self.limit = max(1, limit)
    }

    /// How many packets the application has and is not done with.
    public var pendingCount: Int { pending.count }

    /// Whether a packet was completed and is not forgotten yet.
    public func isCompleted(_ key: PacketKey) -> Bool { completed.contains(key) }

    /// Whether the application has a packet and is not done with it.
    public func isPending(_ key: PacketKey?) -> Bool { key.map { pending.contains($0) } ?? false }

    /// A packet arrives; without a key it is delivered.
    public mutating func arrive(_ key: PacketKey?) -> Arrival {
        guard let key else { return .deliver }
        if completed.contains(key) { return .dropCompleted(sendsReceipt: key.hasReceipt) }
        if pending.contains(key) { return .dropPending }
        guard pending.count < limit else { return .overflow }
        pending.insert(key)
        return .deliver
    }

    /// The application is done with a packet. Of one that an earlier session delivered that is kept too, so that it is
    /// not delivered once more when it comes again.
    ///
    /// - Returns: whether this session delivered it, so that a receipt goes out.
    public mutating func complete(_ key: PacketKey) -> Bool {
        let isPending = pending.remove(key) != nil
        remember(key)
        return isPending
    }

    /// What the application has and is not done with.
    var pendingKeys: Set<PacketKey> { pending }

    /// What is remembered, from the oldest on.
    var completedKeys: [PacketKey] { Array(ring[oldest...]) + Array(ring[..<oldest]) }

    mutating func remember(_ key: PacketKey) {
        guard completed.insert(key).inserted else { return }
        if ring.count < limit {
            ring.append(key)
        } else {
            completed.remove(ring[oldest])
            ring[oldest] = key
            oldest = (oldest + 1) % limit
        }
    }

    /// A packet was not delivered, or its receipt could not be queued: when it comes again it is new.
    public mutating func release(_ key: PacketKey) {
        pending.remove(key)
    }

    /// A new session begins: what is pending may come again, what is completed stays known.
    public mutating func reconnect() {
        pending = []
        generation &+= 1
    }
}
