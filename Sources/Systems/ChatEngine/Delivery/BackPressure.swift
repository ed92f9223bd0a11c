public import ChatModel

/// What waits between a backend and a client that reads slowly (section 7.3 of `Specs/chat-engine.md`).
///
/// Nothing is dropped and nothing changes its order: when the limit is met the backend is not read, and a client that
/// takes nothing for a while is treated as if it had closed.
public struct BackPressure: Hashable, Sendable {
    /// The most bytes that wait before the backend is not read.
    public let limit: Int
    /// How long a client may take nothing while the backend is not read.
    public let patience: Duration
    /// The bytes that wait.
    public private(set) var waiting = 0
    /// Since when the backend is not read and nothing was taken.
    private var stalledSince: Timestamp?

    /// A buffer with nothing in it.
    public init(limit: Int = 10 << 20, patience: Duration = .seconds(60)) {
        (self.limit, self.patience) = (max(1, limit), patience)
    }

    /// Whether the backend is read.
    public var isReading: Bool { waiting < limit }

    /// When the client is given up, unless it takes something before.
    public var deadline: Timestamp? { stalledSince.map { $0 + patience } }

    /// Takes bytes for the client, which may lead beyond the limit by the piece that was being read.
    public mutating func push(_ bytes: Int, at now: Timestamp) {
        let (sum, overflow) = waiting.addingReportingOverflow(max(0, bytes))
        waiting = overflow ? .max : sum
        if !isReading, stalledSince == nil { stalledSince = now }
    }

    /// The client took bytes.
    public mutating func pop(_ bytes: Int, at now: Timestamp) {
        guard bytes > 0 else { return }
        waiting -= min(waiting, bytes)
        stalledSince = isReading ? nil : now
    }
}
