/// What tells a sender that a step is done with a packet: a custom action of the control stream.
public struct Receipt: Hashable, Sendable {
    /// The name of the action.
    public static let action = "downstream.delivered"
    private static let streamKey = "stream_id", sequenceKey = "sequence", partitionKey = "partition",
        sizeKey = "size_bytes"

    /// Which packet.
    public let stream: String
    /// Its partition; may be empty.
    public let partition: String
    /// Its number.
    public let sequence: UInt64
    /// The size of its content in bytes.
    public let size: Int

    /// The receipt of a packet; nil for one that is not counted.
    public init?(for stream: StreamEnvelope?, size: Int) {
        guard let stream, stream.isSequenced else { return nil }
        (self.stream, self.partition, self.sequence) = (stream.stream, stream.partition, stream.sequence)
        self.size = max(0, size)
    }

    /// Reads a directive; nil if it is another one, or says nothing about a packet that is counted.
    public init?(_ message: ControlMessage) {
        guard message.name == Self.action, let stream = message.metadata[Self.streamKey], !stream.isEmpty,
            let sequence = message.metadata[Self.sequenceKey].flatMap(UInt64.init), sequence > 0
        else { return nil }
        (self.stream, self.sequence) = (stream, sequence)
        partition = message.metadata[Self.partitionKey] ?? ""
        size = message.metadata[Self.sizeKey].flatMap(Int.init).map { max(0, $0) } ?? 0
    }

    /// Which packet it is about.
    public var key: PacketKey { .sequence(stream: stream, partition: partition, sequence) }

    /// The directive.
    public var message: ControlMessage {
        ControlMessage(
            metadata: [
                Self.streamKey: stream, Self.sequenceKey: String(sequence), Self.partitionKey: partition,
                Self.sizeKey: String(size),
            ], customAction: Self.action)
    }
}
