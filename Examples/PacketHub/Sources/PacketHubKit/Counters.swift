import ChatWire
import PacketStream

/// What a hub counted: of one step, or of all.
struct Counters: Sendable {
    /// Packets that came from the step, and messages that left for it, with the bytes of their frames.
    var received = 0, sent = 0, receivedBytes = 0, sentBytes = 0
    /// Receipts that came from the step, and that left for it.
    var confirmed = 0, receipts = 0
    /// Packets that had no room, numbers that are missing, sessions that began.
    var dropped = 0, gaps = 0, sessions = 0
    /// Packets and directives that were refused, by rule.
    var refused: [String: Int] = [:]

    mutating func add(_ other: Counters) {
        received += other.received
        sent += other.sent
        receivedBytes += other.receivedBytes
        sentBytes += other.sentBytes
        confirmed += other.confirmed
        receipts += other.receipts
        dropped += other.dropped
        gaps += other.gaps
        sessions += other.sessions
        refused.merge(other.refused, uniquingKeysWith: +)
    }

    var json: [(String, JSON)] {
        let rules = refused.sorted { $0.key < $1.key }.map { (key: $0.key, value: JSON($0.value)) }
        return [
            ("received", JSON(received)), ("received_bytes", JSON(receivedBytes)), ("sent", JSON(sent)),
            ("sent_bytes", JSON(sentBytes)), ("confirmed", JSON(confirmed)), ("receipts", JSON(receipts)),
            ("dropped", JSON(dropped)), ("gaps", JSON(gaps)), ("sessions", JSON(sessions)),
            ("refused", .object(JSON.Object(pairs: rules))),
        ]
    }
}

/// Which step numbers a stream: two that did so under one name would be taken for one by who receives both (PS-14).
struct StreamOwners: Sendable {
    private static let limit = 4_096
    private var owners: [ExactText: String] = [:]
    /// The streams in a ring, from the oldest on.
    private var ring: [ExactText] = []
    private var oldest = 0

    /// Whose stream it is; from now on the step's, if it was nobody's. Of too many streams the oldest is forgotten.
    mutating func owner(of stream: String, or step: String) -> String {
        let name = ExactText(stream)
        if let owner = owners[name] { return owner }
        owners[name] = step
        if ring.count < Self.limit {
            ring.append(name)
        } else {
            owners[ring[oldest]] = nil
            ring[oldest] = name
            oldest = (oldest + 1) % Self.limit
        }
        return step
    }
}
