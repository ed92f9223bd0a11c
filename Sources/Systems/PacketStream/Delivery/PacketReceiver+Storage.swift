import ChatCodec
public import ChatModel
import ChatRecords

// What was completed, and how far streams were counted, for a step that survives its process: stored with the work that
// it confirms, so that nothing it confirmed is delivered again.
extension PacketReceiver {
    private static let version: UInt8 = 1
    private static let completedField = 1, countField = 2, messageField = 3

    /// The count of each stream up to what is not done yet, and the keys behind it that are completed, from the oldest
    /// on: a few bytes for a stream whose packets are done in their order.
    public var stored: Bytes {
        var output = [Self.version]
        let order = rewound
        for key in deduplication.completedKeys {
            switch key {
            case .sequence(let stream, let partition, let number):
                let place = StreamEnvelope(stream: stream, sequence: number, partition: partition)
                // What lies below the count of an ordered stream is a duplicate anyway.
                if policy.ordering != .none, let last = order.last(in: place), number <= last { continue }
                Self.append(Self.completedField, place.encodedWire, to: &output)
            case .message(let id): Self.append(Self.messageField, Bytes(id), to: &output)
            }
        }
        let places = order.places.sorted { ($0.stream, $0.partition) < ($1.stream, $1.partition) }
        for place in places { Self.append(Self.countField, place.encodedWire, to: &output) }
        return Bytes(output)
    }

    /// A receiver that goes on where an earlier one was stored; nothing is with the application.
    public init(
        restoring stored: Bytes, _ policy: DeliveryPolicy = DeliveryPolicy(), codec: PacketV1 = PacketV1(),
        limits: Reassembly.Limits = Reassembly.Limits(), remembering limit: Int = Deduplication.limit
    ) throws(PacketViolation) {
        guard !stored.isEmpty, stored[0] == Self.version else {
            throw PacketViolation(.wire, "is of another version", at: "stored receiver")
        }
        var (deduplication, order) = (Deduplication(limit: limit), SequenceOrder(first: policy.firstSequence))
        let body = stored.slice(1..<stored.count)
        do {
            var reader = ProtoReader(body.span)
            while let field = try reader.next() {
                let part = body.slice(try reader.range())
                switch field {
                case Self.completedField:
                    let place = try StreamEnvelope(decodingWire: part)
                    if let key = PacketKey(stream: place, messageID: nil) { deduplication.remember(key) }
                case Self.messageField:
                    deduplication.remember(.message(String(decoding: part.array, as: UTF8.self)))
                case Self.countField: order.set(try StreamEnvelope(decodingWire: part))
                default: continue
                }
            }
        } catch { throw PacketViolation(error, in: "stored receiver") }
        self.init(policy, codec: codec, limits: limits)
        restore(deduplication, order)
    }

    private static func append(_ field: Int, _ bytes: Bytes, to output: inout [UInt8]) {
        let message = Bytes(headRoom: 0, count: ProtoSize.present(field, count: bytes.count)) { output in
            output.append(present: field, count: bytes.count)
            output.append(bytes: bytes.span)
        }
        output += message.array
    }
}
