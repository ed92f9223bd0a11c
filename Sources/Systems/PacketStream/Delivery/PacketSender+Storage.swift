public import ChatModel
import ChatWire

// What has no receipt yet, for a sender that survives its process (replay `durable`).
extension PacketSender {
    private static let version: UInt8 = 1

    /// Everything that a sender needs to go on after a restart: the numbers of its streams, and packets without
    /// receipt. Stored before what it sent leaves the process, nothing that was accepted is lost.
    public var stored: Bytes {
        var output = [Self.version]
        for (lane, last) in counts.last.sorted(by: {
            ($0.key.stream, $0.key.partition) < ($1.key.stream, $1.key.partition)
        }) {
            let place = StreamEnvelope(stream: lane.stream, sequence: last, partition: lane.partition)
            Self.append(1, place.encodedWire, to: &output)
        }
        for entry in entries {
            var pieces: [UInt8] = []
            for piece in entry.pieces { Self.append(1, piece.encoded(as: .dataPacket), to: &pieces) }
            Self.append(2, Bytes(pieces), to: &output)
        }
        return Bytes(output)
    }

    /// A sender that goes on where an earlier one was stored.
    public init(
        restoring stored: Bytes, _ policy: DeliveryPolicy = DeliveryPolicy(), codec: PacketV1 = PacketV1()
    ) throws(PacketViolation) {
        guard !stored.isEmpty, stored[0] == Self.version else {
            throw PacketViolation(.wire, "is of another version", at: "stored sender")
        }
        self.init(policy, codec: codec)
        do {
            var counts = LaneCounts()
            var entries: [Entry] = []
            let body = stored.slice(1..<stored.count)
            var reader = ProtoReader(body.span)
            while let field = try reader.next() {
                let part = body.slice(try reader.range())
                if field == 1 {
                    let place = try StreamEnvelope(decodingWire: part)
                    counts.last[LaneCounts.Lane(place)] = place.sequence
                } else {
                    entries.append(try Self.entry(part))
                }
            }
            restore(counts, entries)
        } catch { throw PacketViolation(error, in: "stored sender") }
    }

    private static func entry(_ bytes: Bytes) throws(WireError) -> Entry {
        var pieces: [WirePacket] = []
        var reader = ProtoReader(bytes.span)
        while let field = try reader.next() {
            guard field == 1 else { continue }
            let part = bytes.slice(try reader.range())
            var (packet, inner) = (WirePacket(), ProtoReader(part.span))
            try packet.merge(&inner, of: part, as: PacketMessage.dataPacket.numbers)
            pieces.append(packet)
        }
        let whole = pieces.first.map { $0.stream?.whole } ?? nil
        return Entry(
            key: PacketKey(stream: whole, messageID: nil), pieces: pieces,
            size: pieces.reduce(0) { $0 + $1.contentSize })
    }

    private static func append(_ field: Int, _ bytes: Bytes, to output: inout [UInt8]) {
        let message = Bytes(headRoom: 0, count: ProtoSize.present(field, count: bytes.count)) { output in
            output.append(present: field, count: bytes.count)
            output.append(bytes: bytes.span)
        }
        output += message.array
    }
}
