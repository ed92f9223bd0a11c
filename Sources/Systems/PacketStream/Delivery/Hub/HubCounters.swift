public import ChatCodec

/// What a hub counted: of one step, or of all.
public struct HubCounters: Hashable, Sendable {
    /// Packets that came from the step, and messages that left for it, with the bytes of their frames.
    public var received = 0, sent = 0, receivedBytes = 0, sentBytes = 0
    /// Receipts that came from the step, and that left for it.
    public var confirmed = 0, receipts = 0
    /// Packets that had no room, numbers that are missing, sessions that began.
    public var dropped = 0, gaps = 0, sessions = 0
    /// Packets and directives that were refused, by rule.
    public var refused: [String: Int] = [:]

    /// Nothing yet.
    public init() {}

    /// Adds what another one counted.
    public mutating func add(_ other: HubCounters) {
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

    /// Names and numbers, for a line of a log.
    public var json: [(String, JSON)] {
        let rules = refused.sorted { $0.key < $1.key }.map { (key: $0.key, value: JSON($0.value)) }
        return [
            ("received", JSON(received)), ("received_bytes", JSON(receivedBytes)), ("sent", JSON(sent)),
            ("sent_bytes", JSON(sentBytes)), ("confirmed", JSON(confirmed)), ("receipts", JSON(receipts)),
            ("dropped", JSON(dropped)), ("gaps", JSON(gaps)), ("sessions", JSON(sessions)),
            ("refused", .object(JSON.Object(pairs: rules))),
        ]
    }
}
