import ChatCodec
public import ChatModel
import ChatRecords

// What has no receipt yet, for a sender that survives its process (replay `durable`).
extension PacketSender {
    private static let version: UInt8 = 1
    private static let countField = 1, packetField = 2
    private static let pieceField = 1, sentField = 2, sentAtField = 3

    /// Everything that a sender needs to go on after a restart: the numbers of its streams, and packets without
    /// receipt. Stored before what it sent leaves the process, nothing that was accepted is lost.
    public var stored: Bytes {
        var output = storedCounts.array
        for entry in entries { Self.append(Self.packetField, Self.encoded(entry), to: &output) }
        return Bytes(output)
    }

    /// The numbers of its streams alone, for those who store packets one by one.
    public var storedCounts: Bytes {
        var output = [Self.version]
        let lanes = counts.last.sorted { ($0.key.stream, $0.key.partition) < ($1.key.stream, $1.key.partition) }
        for (lane, last) in lanes {
            let place = StreamEnvelope(stream: lane.stream, sequence: last, partition: lane.partition)
            Self.append(Self.countField, place.encodedWire, to: &output)
        }
        return Bytes(output)
    }

    /// One packet without receipt alone; nil where there is none.
    public func stored(_ key: PacketKey) -> Bytes? {
        entries.first { $0.key == key }.map(Self.encoded)
    }

    /// A sender that goes on where an earlier one was stored; packets that were stored one by one come from the oldest
    /// on.
    public init(
        restoring stored: Bytes, packets: [Bytes] = [], _ policy: DeliveryPolicy = DeliveryPolicy(),
        codec: PacketV1 = PacketV1()
    ) throws(PacketViolation) {
        guard !stored.isEmpty, stored[0] == Self.version else {
            throw PacketViolation(.wire, "is of another version", at: "stored sender")
        }
        self.init(policy, codec: codec)
        var (counts, entries): (LaneCounts, [Entry]) = (LaneCounts(), [])
        do {
            let body = stored.slice(1..<stored.count)
            var reader = ProtoReader(body.span)
            while let field = try reader.next() {
                let part = body.slice(try reader.range())
                if field == Self.countField {
                    let place = try StreamEnvelope(decodingWire: part)
                    counts.last[LaneCounts.Lane(place)] = place.sequence
                } else {
                    entries.append(try Self.entry(part))
                }
            }
            for packet in packets { entries.append(try Self.entry(packet)) }
        } catch { throw PacketViolation(error, in: "stored sender") }
        restore(counts, entries)
    }

    private static func encoded(_ entry: Entry) -> Bytes {
        var output: [UInt8] = []
        for piece in entry.pieces { append(pieceField, piece.encoded(as: .dataPacket), to: &output) }
        let numbers = [(sentField, UInt64(entry.sent)), (sentAtField, entry.sentAt.milliseconds)]
        let size = numbers.reduce(0) { $0 + ProtoSize.field($1.0, $1.1) }
        output +=
            Bytes(headRoom: 0, count: size) { output in
                for (field, number) in numbers { output.append(field: field, number) }
            }.array
        return Bytes(output)
    }

    private static func entry(_ bytes: Bytes) throws(WireError) -> Entry {
        var (pieces, sent, sentAt): ([WirePacket], UInt64, UInt64) = ([], 0, 0)
        var reader = ProtoReader(bytes.span)
        while let field = try reader.next() {
            switch field {
            case pieceField:
                let part = bytes.slice(try reader.range())
                var (packet, inner) = (WirePacket(), ProtoReader(part.span))
                try packet.merge(&inner, of: part, as: PacketMessage.dataPacket.numbers)
                pieces.append(packet)
            case sentField: sent = try reader.uint64()
            case sentAtField: sentAt = try reader.uint64()
            default: continue
            }
        }
        guard let first = pieces.first, sent <= UInt64(pieces.count) else { throw .missing("piece of a packet") }
        var entry = Entry(
            key: PacketKey(stream: first.stream?.whole, messageID: nil), pieces: pieces,
            size: pieces.reduce(0) { $0 + $1.contentSize })
        (entry.sent, entry.sentAt) = (Int(sent), Timestamp(milliseconds: sentAt))
        return entry
    }

    private static func append(_ field: Int, _ bytes: Bytes, to output: inout [UInt8]) {
        let message = Bytes(headRoom: 0, count: ProtoSize.present(field, count: bytes.count)) { output in
            output.append(present: field, count: bytes.count)
            output.append(bytes: bytes.span)
        }
        output += message.array
    }
}
