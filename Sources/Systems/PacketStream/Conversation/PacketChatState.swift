import ChatCodec
import ChatModel
import ChatRecords

/// What a chat stores besides its sender and its receiver.
struct PacketChatState: Hashable, Sendable {
    static let stateKey = RecordCodec.stateKey, countsKey = "counts", receiverKey = "receiver"
    private static let packetPrefix = "packet/"
    private static let machine = RecordCodec(machine: PacketChat.name)
    private static let version: UInt8 = 1

    /// Whether the invite has its opening.
    var isOpened = false
    /// How many contents an application may have at most that it is not done with.
    static let maximumOpen = 4_096
    /// The receipts of contents that the application is not done with, by reference.
    var open: [String: Receipt] = [:]
    /// Contents of packets that have no receipt yet, by sequence.
    var contents: [UInt64: ContentID] = [:]

    /// The record of a packet without receipt.
    static func packetKey(_ sequence: UInt64) -> String { "\(packetPrefix)\(sequence)" }

    static func sequence(of key: String) -> UInt64? {
        key.hasPrefix(packetPrefix) ? UInt64(key.dropFirst(packetPrefix.count)) : nil
    }

    /// A version, then proto3: 1 whether this side invited, 2 the place, 3 whether it opened, 4 and 5 sequences and
    /// contents, one by one, 6 to 8 references, sequences and sizes of what the application is not done with.
    func encoded(_ place: PacketChatConversation.Place) -> Bytes {
        let pairs = contents.sorted { $0.key < $1.key }
        var size = 1 + ProtoSize.field(1, place.isInitiator ? 1 : 0) + ProtoSize.field(2, count: place.base.count)
        size += ProtoSize.field(3, isOpened ? 1 : 0)
        for (sequence, content) in pairs { size += ProtoSize.field(4, sequence) + ProtoSize.field(5, content.number) }
        let waiting = open.sorted { $0.value.sequence < $1.value.sequence }
        for (reference, receipt) in waiting {
            size += ProtoSize.field(6, reference) + ProtoSize.field(7, receipt.sequence)
            size += ProtoSize.tag(8) + ProtoSize.varint(UInt64(receipt.size))
        }
        return Bytes(headRoom: 0, count: size) { output in
            output.append(Self.version)
            output.append(field: 1, place.isInitiator ? 1 : 0)
            output.append(field: 2, Bytes(place.base))
            output.append(field: 3, isOpened ? 1 : 0)
            for (sequence, content) in pairs {
                output.append(field: 4, sequence)
                output.append(field: 5, content.number)
            }
            for (reference, receipt) in waiting {
                output.append(field: 6, reference)
                output.append(field: 7, receipt.sequence)
                output.append(varint: 8 << 3)
                output.append(varint: UInt64(receipt.size))
            }
        }
    }

    typealias All = (
        place: PacketChatConversation.Place, state: PacketChatState, counts: Bytes, packets: [Bytes], receiver: Bytes
    )

    static func read(_ records: [Record]) throws(Refusal) -> All {
        var (found, packets): ([String: Bytes], [UInt64: Bytes]) = ([:], [:])
        for record in records {
            guard let bytes = record.bytes else { throw machine.unreadable(record.key) }
            if let sequence = sequence(of: record.key) {
                packets[sequence] = bytes
            } else if [stateKey, countsKey, receiverKey].contains(record.key) {
                found[record.key] = bytes
            } else {
                throw machine.unreadable(record.key, .unsupported)
            }
        }
        guard let bytes = found[stateKey], !bytes.isEmpty, bytes[0] == version else {
            throw machine.unreadable(stateKey)
        }
        guard let counts = found[countsKey], let receiver = found[receiverKey] else {
            throw machine.unreadable(found[countsKey] == nil ? countsKey : receiverKey)
        }
        var (state, isInitiator, base, sequence) = (PacketChatState(), false, [UInt8](), UInt64(0))
        var (reference, waiting) = ("", [(String, UInt64, UInt64)]())
        do throws(WireError) {
            let body = bytes.slice(1..<bytes.count)
            var reader = ProtoReader(body.span)
            while let field = try reader.next() {
                switch field {
                case 1: isInitiator = try reader.bool()
                case 2: base = body.slice(try reader.range()).array
                case 3: state.isOpened = try reader.bool()
                case 4: sequence = try reader.uint64()
                case 5: state.contents[sequence] = ContentID(try reader.uint64())
                case 6: reference = try reader.string(limit: .max)
                case 7: sequence = try reader.uint64()
                case 8: waiting.append((reference, sequence, try reader.uint64()))
                default: continue
                }
            }
        } catch { throw machine.unreadable(stateKey) }
        guard base.count == 16 else { throw machine.unreadable(stateKey) }
        let place = PacketChatConversation.Place(isInitiator: isInitiator, base: base)
        for (reference, sequence, size) in waiting {
            let stream = StreamEnvelope(stream: place.own.id, sequence: sequence)
            state.open[reference] = Receipt(for: stream, size: Int(clamping: size))
        }
        let ordered = packets.sorted { $0.key < $1.key }.map(\.value)
        return (place, state, counts, ordered, receiver)
    }
}

/// A receipt where there is no control stream: a hook that is not counted (PS-11).
enum ReceiptHook {
    static func packet(_ receipt: Receipt, to route: Route) -> Packet {
        let metadata = receipt.message.metadata
        let data = JSON.Object(pairs: metadata.entries.map { (key: $0.key, value: .string($0.value)) })
        let payload: PacketObject = ["version": "v1", "event": .string(Receipt.action), "data": .object(data)]
        return Packet(.hook, payload: payload, stream: StreamEnvelope(stream: route.id))
    }

    /// Nil for any other packet.
    static func receipt(_ packet: Packet) -> Receipt? {
        guard packet.kind == .hook, packet.stream?.isSequenced != true, packet.payload?["event"]?.text == Receipt.action
        else { return nil }
        let members = packet.payload?["data"]?.members ?? []
        let metadata = Metadata(members.map { ($0.key, $0.value.text ?? "") })
        return Receipt(ControlMessage(metadata: metadata, customAction: Receipt.action))
    }
}
