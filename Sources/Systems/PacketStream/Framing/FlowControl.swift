import ChatCodec
public import ChatModel

/// Credits and acknowledgements, on both kinds of streams.
public struct FlowControl: Hashable, Sendable {
    /// What the other side is asked to do.
    public enum Signal: Int32, Hashable, Sendable {
        /// Send nothing until resumed.
        case pause = 1
        /// Go on.
        case resume = 2
    }

    /// How far one partition was received.
    public struct PartitionAck: Hashable, Sendable {
        /// The partition.
        public var partition: String
        /// Its last sequence.
        public var ack: UInt64

        /// An acknowledgement.
        public init(partition: String = "", ack: UInt64 = 0) {
            (self.partition, self.ack) = (partition, ack)
        }
    }

    /// The last sequence that was received.
    public var ack: UInt64
    /// How many more messages, and bytes, the other side may send.
    public var creditsMessages, creditsBytes: UInt32
    /// How far each partition was received, at most 256.
    public var partitionAcks: [PartitionAck]
    /// The number of a ``Signal``; others are kept, and mean nothing here.
    public var signalNumber: Int32

    /// What the other side is asked to do, if that is known.
    public var signal: Signal? { Signal(rawValue: signalNumber) }

    /// Credits and acknowledgements.
    public init(
        ack: UInt64 = 0, creditsMessages: UInt32 = 0, creditsBytes: UInt32 = 0, partitionAcks: [PartitionAck] = [],
        signal: Signal? = nil
    ) {
        (self.ack, self.creditsMessages, self.creditsBytes) = (ack, creditsMessages, creditsBytes)
        (self.partitionAcks, self.signalNumber) = (partitionAcks, signal?.rawValue ?? 0)
    }

    /// Decodes a message that stands alone (SA-00, SA-04).
    public init(decoding bytes: Bytes) throws(PacketViolation) {
        try Bounds.check(message: bytes)
        do { try self.init(decodingWire: bytes) } catch { throw PacketViolation(error, in: "FlowControl") }
    }

    /// The encoding.
    public var encoded: Bytes { encodedWire }

    /// Checks the bounds (SA-04).
    public func check() throws(PacketViolation) {
        guard partitionAcks.count <= Bounds.maximumPartitions else {
            throw PacketViolation(.bounds, "are \(partitionAcks.count)", at: ".flow.partition_acks")
        }
        for one in partitionAcks { try Bounds.check(one.partition, Bounds.maximumStream, at: ".flow.partition_acks") }
    }
}

extension FlowControl: WireMessage {
    init() { self.init(ack: 0) }

    var size: Int {
        partitionAcks.reduce(
            ProtoSize.field(1, ack) + ProtoSize.field(2, UInt64(creditsMessages))
                + ProtoSize.field(3, UInt64(creditsBytes)) + ProtoSize.field(7, signed: signalNumber)
        ) { $0 + ProtoSize.present(6, count: $1.size) }
    }

    @_lifetime(output: copy output)
    func write(to output: inout OutputSpan<UInt8>) {
        output.append(field: 1, ack)
        output.append(field: 2, UInt64(creditsMessages))
        output.append(field: 3, UInt64(creditsBytes))
        for ack in partitionAcks { output.append(present: 6, wire: ack) }
        output.append(field: 7, signed: signalNumber)
    }

    @_lifetime(reader: copy reader)
    mutating func merge(_ reader: inout ProtoReader, of bytes: Bytes) throws(WireError) {
        while let field = try reader.next() {
            switch (field, reader.wireType) {
            case (1, WireForm.varint): ack = try reader.uint64()
            case (2, WireForm.varint): creditsMessages = try reader.uint32()
            case (3, WireForm.varint): creditsBytes = try reader.uint32()
            case (6, WireForm.delimited):
                guard partitionAcks.count < Bounds.maximumEntries else {
                    throw .tooLong("partition_acks", bytes: partitionAcks.count, limit: Bounds.maximumPartitions)
                }
                var ack = PartitionAck()
                try ack.merge(field: &reader, of: bytes)
                partitionAcks.append(ack)
            case (7, WireForm.varint): signalNumber = try reader.int32()
            default: continue
            }
        }
    }
}

extension FlowControl.PartitionAck: WireMessage {
    init() { self.init(partition: "") }

    var size: Int { ProtoSize.field(1, partition) + ProtoSize.field(2, ack) }

    @_lifetime(output: copy output)
    func write(to output: inout OutputSpan<UInt8>) {
        output.append(field: 1, partition)
        output.append(field: 2, ack)
    }

    @_lifetime(reader: copy reader)
    mutating func merge(_ reader: inout ProtoReader, of bytes: Bytes) throws(WireError) {
        while let field = try reader.next() {
            switch (field, reader.wireType) {
            case (1, WireForm.delimited): partition = try reader.text()
            case (2, WireForm.varint): ack = try reader.uint64()
            default: continue
            }
        }
    }
}
