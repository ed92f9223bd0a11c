public import ChatModel

/// A written message that is not part of its channel yet: see ``SDSChannel/commit(_:tag:untilLink:in:)``.
public struct SDSDraft: Sendable {
    /// Its id.
    public let id: Identifier
    /// Its Lamport clock.
    public let lamport: UInt64
    /// The encoded message.
    public let bytes: Bytes
    let history, repairs, gone: [SDSMessage.HistoryEntry]
    /// How many messages it names because it was their turn.
    let inTurn: Int

    init(_ message: SDSMessage, bytes: Bytes, inTurn: Int) {
        (id, lamport) = (message.id, message.lamport ?? 0)
        (history, repairs, gone) = (message.history, message.repairs, message.gone)
        (self.bytes, self.inTurn) = (bytes, inTurn)
    }
}
