import ChatCodec
import ChatModel
import PacketStream

extension FuzzTarget {
    /// Packets of workflows: bytes of every message, and the machines that deliver them.
    static func packetStream() throws -> [FuzzTarget] {
        [try streamPackets(), streamEnvelopes, try controlMessages(), packetForms, chunkArrivals, sessions, packetHub]
    }

    private static func samples() throws -> [[UInt8]] {
        let codec = PacketV1()
        let audio = AudioFrame(pcm: [0, 1, 2], sampleRate: 16_000, channels: 1, codec: "opus")
        let place = StreamEnvelope(stream: "s", sequence: 7, partition: "p")
        let packets = [
            Packet(
                .chatMessage, messageID: "m-1", timestamp: 7, metadata: ["é": "x"], payload: ["text": "hi"],
                stream: place),
            Packet("speech.audio.v1", payload: ["n": 1.5, "l": [nil, true]], inputs: [:], carrier: .audio(audio)),
            Packet(messageID: "m-2", carrier: .opaque(.init(Bytes("raya"), mimeType: "a/b; c=d", timestamp: 3))),
            Packet(.heartbeat), Packet(.hook), Packet(.error, payload: StructuredError(.timeout, "late").payload),
        ]
        var bytes: [[UInt8]] = []
        for packet in packets { bytes.append(try codec.encode(packet, as: .dataPacket).array) }
        let big = Packet(stream: place, carrier: .opaque(.init(Bytes("saro raya pax"), mimeType: "a/b")))
        for piece in try codec.split(big, chunkID: "c", size: 5) { bytes.append(piece.encoded(as: .dataPacket).array) }
        return bytes
    }

    /// A view or one rule; what canonical mode takes interop takes too; a view is written as itself or refused.
    private static func streamPackets() throws -> FuzzTarget {
        FuzzTarget("packet-stream", seeds: try samples()) { bytes in
            let canonical = try check(Bytes(bytes), .canonical)
            let interop = try check(Bytes(bytes), .interop)
            if canonical { try demand(interop, "interop mode refuses what canonical mode takes") }
            return canonical
        }
    }

    private static func check(_ bytes: Bytes, _ mode: PacketMode) throws -> Bool {
        guard let decoded = try? PacketV1(mode).decode(bytes, as: .dataPacket) else { return false }
        guard case .packet(let packet, _) = decoded, let again = try? PacketV1().encode(packet, as: .hubPushRequest)
        else { return true }
        let read = try? PacketV1().decode(again, as: .hubPushRequest)
        try demand(read == .packet(packet, diagnostics: []), "a packet is not read as it was written")
        return true
    }

    /// The JSON of an envelope, so that a fuzzer need not keep lengths right.
    private static var streamEnvelopes: FuzzTarget {
        let seeds = [
            #"{"version":"v1","kind":"chat.message.v1","messageId":"m","timestampMs":7,"metadata":{"a":"b"},"payload":{"text":"hi"}}"#,
            #"{"payload":{"n":9007199254740993,"x":1e400},"inputs":{},"transports":[{"name":"live","typedConfig":{"transportRef":"r"}}]}"#,
            #"{"kind":"error","payload":{"version":"v1","type":"timeout","message":"late","exitCode":-1}}"#,
            #"{"kind":"hook","payload":{"event":"session.start"}}"#, #"{"kind":"noop"}"#,
        ]
        return FuzzTarget("packet-envelope", seeds: seeds.map { Array($0.utf8) }) { bytes in
            let frame = BinaryFrame(payload: Bytes(bytes), mimeType: "application/vnd.bubu.packet+json")
            let packet = WirePacket(frame: .binary(frame))
            return try check(packet.encoded(as: .dataPacket), .canonical)
        }
    }

    /// Control streams, and the start of a session that they make.
    private static func controlMessages() throws -> FuzzTarget {
        let messages = [
            ControlMessage(.ready, metadata: ["startup.capabilities": "required"]),
            ControlMessage(.capabilities, metadata: ["audio": "opus"]),
            ControlMessage(
                .error, flow: FlowControl(ack: 3, partitionAcks: [.init(partition: "p", ack: 1)], signal: .pause),
                failure: .init(code: 4, message: "x", details: ["a": "b"])),
        ]
        return FuzzTarget("packet-control", seeds: messages.map { $0.encoded(as: .response).array }) { bytes in
            guard let message = try? ControlMessage(decoding: Bytes(bytes), as: .response) else { return false }
            let again = try? ControlMessage(decoding: message.encoded(as: .response), as: .response)
            try demand(again == message, "a directive is not read as it was written")
            var handshake = PacketHandshake()
            let before = handshake
            do { try handshake.receive(message) } catch {
                try demand(handshake == before, "a refusal changed the start")
            }
            var sender = PacketSender()
            if let flow = message.flow { try? sender.receive(flow) }
            return (try? message.check()) != nil
        }
    }
}

// Machines, from decisions.
extension FuzzTarget {
    /// The protobuf layer of packets whose fields are good, nearly good, or contradict each other.
    private static var packetForms: FuzzTarget {
        .generated("packet-forms") { choices, steps in
            for _ in 0..<steps / 4 where !choices.isOver {
                let packet = choices.streamPacket()
                for message in [PacketMessage.dataPacket, .hubPushRequest, .dataRequest] {
                    let bytes = packet.encoded(as: message)
                    let read = try? WirePacket(decoding: bytes, as: message)
                    try demand(read == packet || read == nil, "the protobuf layer reads something else")
                }
                _ = try check(Bytes(choices.nearly(packet.encoded(as: .dataPacket).array)), .interop)
            }
        }
    }

    /// Chunks of some packets that agree or not: limits hold, a refusal changes nothing, a whole is the sum of its pieces.
    private static var chunkArrivals: FuzzTarget {
        .generated("packet-chunks") { choices, steps in
            let limits = Reassembly.Limits(assemblies: 3, chunk: 8, inFlight: 24, headers: 512)
            var (reassembly, now) = (Reassembly(limits), Timestamp(milliseconds: 1))
            for _ in 0..<steps where !choices.isOver {
                if choices.isOne(of: 6) { now = now.later(choices.wait()) }
                var packet = choices.streamPacket()
                var stream = packet.stream ?? StreamEnvelope()
                stream.chunkID = choices.text(of: "a", "b", "c", "d")
                (stream.stream, stream.chunkCount) = ("s", UInt32(1 + choices.below(3)))
                (stream.chunkIndex, stream.chunkBytes) = (UInt32(choices.below(3)), 0)
                stream.totalBytes = choices.one(of: 0, 0, 6)
                packet.stream = stream
                packet.frame = .binary(
                    BinaryFrame(payload: Bytes(choices.bytes(1 + choices.below(9))), mimeType: "a/b"))
                (packet.metadata, packet.payload, packet.inputs, packet.transports) = ([:], nil, nil, [])
                guard case .chunk(let chunk)? = try? PacketV1().decode(packet) else { continue }
                let before = reassembly
                do {
                    guard case .assembled(let whole) = try reassembly.receive(chunk, now: now) else { continue }
                    try demand(whole.contentSize > 0 && whole.stream?.stream == "s", "a whole is none")
                } catch is PacketViolation {
                    var evicted = before
                    evicted.evict(now)
                    try demand(reassembly == evicted, "a refused chunk changed what is held")
                }
                let waiting = reassembly.waiting
                try demand(waiting.packets <= 3 && waiting.bytes <= 24, "more is held than may be")
            }
        }
    }

    /// A receiver to which anything comes, in any order, and an application that is done or not: what it confirmed does
    /// not come again, and nothing grows beyond its limits.
    private static var sessions: FuzzTarget {
        .generated("packet-sessions", inputs: 300) { choices, steps in
            let policy = DeliveryPolicy(
                semantics: choices.one(of: .atLeastOnce, .bestEffort), maximumMessages: 4, maximumBytes: 64,
                firstSequence: choices.one(of: nil, 1))
            var (receiver, now) = (PacketReceiver(policy), Timestamp(milliseconds: 1))
            var (application, confirmed): ([PacketReceiver.Delivery], Set<PacketKey>) = ([], [])
            for _ in 0..<steps where !choices.isOver {
                now = now.later(UInt64(choices.below(2_000)))
                var events: [PacketReceiver.Event] = []
                switch choices.below(12) {
                case 0: receiver.reconnect()
                case 1: events = receiver.wake(now)
                case 2, 3, 4:
                    guard let delivery = choices.one(of: application) else { continue }
                    events = receiver.done(delivery, now: now)
                    if let key = delivery.key { confirmed.insert(key) }
                case 5: if let delivery = choices.one(of: application) { receiver.release(delivery) }
                case 6: receiver = try PacketReceiver(restoring: receiver.stored, policy)
                case 7: events = (try? receiver.receive(choices.streamPacket(), now: now)) ?? []
                default:
                    let place = StreamEnvelope(
                        stream: "s", sequence: choices.number(near: 3), partition: choices.one(of: "", "p"))
                    let packet = try PacketV1().wire(Packet(payload: [:], stream: place))
                    events = try receiver.receive(packet, now: now)
                }
                for case .deliver(let delivery) in events {
                    if let key = delivery.key { try demand(!confirmed.contains(key), "a confirmed packet comes again") }
                    application.append(delivery)
                }
                try demand(receiver.waiting.held <= 4, "more is held than may be")
            }
        }
    }
}

extension Choices {
    /// A packet as protobuf has it, of which some fields are wrong.
    mutating func streamPacket() -> WirePacket {
        var packet = WirePacket()
        for _ in 0..<below(3) {
            packet.metadata[text(of: "type", "bubu.envelope.kind", "bubu-heartbeat")] = text(of: "true", "7")
        }
        if isOne(of: 3) { packet.payload = object() }
        if isOne(of: 4) { packet.inputs = object() }
        if isOne(of: 5) {
            packet.transports = [TransportDescriptor(name: text(of: "live"), settings: one(of: nil, .init()))]
        }
        switch below(5) {
        case 0:
            packet.frame = .audio(AudioFrame(pcm: Bytes(bytes(below(4))), sampleRate: one(of: 16_000, 7), channels: 1))
        case 1:
            packet.frame = .video(
                VideoFrame(payload: Bytes(bytes(below(4))), codec: text(of: "vp8"), isRaw: isOne(of: 4)))
        case 2, 3: packet.frame = .binary(binary())
        default: break
        }
        if isOne(of: 2) {
            packet.stream = StreamEnvelope(
                stream: text(of: "s"), sequence: number(near: 3), partition: text(of: "", "p"),
                chunkID: one(of: "", "c"),
                chunkIndex: UInt32(below(3)), chunkCount: UInt32(below(3)), chunkBytes: UInt32(below(4)))
        }
        return packet
    }

    private mutating func binary() -> BinaryFrame {
        let isEnvelope = isOne(of: 2)
        let json = ["{\"payload\":{}}", "{\"kind\":\"noop\"}", "{\"kind\":\"data\",\"payload\":{\"k\":1}}", "{"][
            below(4)]
        return BinaryFrame(
            payload: isEnvelope ? Bytes(json) : Bytes(bytes(below(4))),
            mimeType: isEnvelope ? "application/vnd.bubu.packet+json" : text(of: "a/b"), timestamp: number())
    }

    private mutating func object() -> PacketObject {
        var object = JSON.Object()
        for _ in 0..<below(3) { object[text(of: "k", "event", "type")] = one(of: nil, 1, 1.5, "x", ["l"], ["k": true]) }
        return PacketObject(object)
    }
}
