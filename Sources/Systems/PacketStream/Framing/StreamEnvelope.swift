import ChatCodec
import ChatModel

/// Where a packet stands in a stream, and which piece of a packet it is.
public struct StreamEnvelope: Hashable, Sendable {
    /// The stream, at most 128 characters; empty for packets of none.
    public var stream: String
    /// Counts the packets of a stream and partition, from 1; 0 for packets that are not counted.
    public var sequence: UInt64
    /// The ordered part of the stream, at most 128 characters; may be empty.
    public var partition: String
    /// What all pieces of one packet share, at most 128 characters.
    public var chunkID: String
    /// The place of a piece, from 0.
    public var chunkIndex: UInt32
    /// How many pieces there are, at most 256; 0 for a packet in one piece.
    public var chunkCount: UInt32
    /// The size of this piece in bytes, or 0.
    public var chunkBytes: UInt32
    /// The size of all pieces in bytes, at most 64 MiB, or 0.
    public var totalBytes: UInt32

    /// A place.
    public init(
        stream: String = "", sequence: UInt64 = 0, partition: String = "", chunkID: String = "",
        chunkIndex: UInt32 = 0, chunkCount: UInt32 = 0, chunkBytes: UInt32 = 0, totalBytes: UInt32 = 0
    ) {
        (self.stream, self.sequence, self.partition) = (stream, sequence, partition)
        (self.chunkID, self.chunkIndex, self.chunkCount) = (chunkID, chunkIndex, chunkCount)
        (self.chunkBytes, self.totalBytes) = (chunkBytes, totalBytes)
    }

    /// Whether the packet is counted, so that it has a place in an order and gets a receipt.
    public var isSequenced: Bool { !stream.isEmpty && sequence != 0 }

    /// The same place without what makes it a piece.
    public var whole: StreamEnvelope {
        StreamEnvelope(stream: stream, sequence: sequence, partition: partition)
    }
}

extension StreamEnvelope: WireMessage {
    init() { self.init(stream: "") }

    var size: Int {
        ProtoSize.field(1, stream) + ProtoSize.field(2, sequence) + ProtoSize.field(3, partition)
            + ProtoSize.field(4, chunkID) + ProtoSize.field(5, UInt64(chunkIndex))
            + ProtoSize.field(6, UInt64(chunkCount)) + ProtoSize.field(7, UInt64(chunkBytes))
            + ProtoSize.field(8, UInt64(totalBytes))
    }

    @_lifetime(output: copy output)
    func write(to output: inout OutputSpan<UInt8>) {
        output.append(field: 1, stream)
        output.append(field: 2, sequence)
        output.append(field: 3, partition)
        output.append(field: 4, chunkID)
        output.append(field: 5, UInt64(chunkIndex))
        output.append(field: 6, UInt64(chunkCount))
        output.append(field: 7, UInt64(chunkBytes))
        output.append(field: 8, UInt64(totalBytes))
    }

    @_lifetime(reader: copy reader)
    mutating func merge(_ reader: inout ProtoReader, of bytes: Bytes) throws(WireError) {
        while let field = try reader.next() {
            switch (field, reader.wireType) {
            case (1, WireForm.delimited): stream = try reader.text()
            case (2, WireForm.varint): sequence = try reader.uint64()
            case (3, WireForm.delimited): partition = try reader.text()
            case (4, WireForm.delimited): chunkID = try reader.text()
            case (5, WireForm.varint): chunkIndex = try reader.uint32()
            case (6, WireForm.varint): chunkCount = try reader.uint32()
            case (7, WireForm.varint): chunkBytes = try reader.uint32()
            case (8, WireForm.varint): totalBytes = try reader.uint32()
            default: continue
            }
        }
    }
}
