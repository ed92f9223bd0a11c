import ChatCodec
import ChatCrypto
public import ChatModel
import ChatRecords

/// One chat in packets.
public struct PacketChatConversation: Conversation {
    private let type: PacketChat
    private let place: Place
    /// This side's own id, and where it is heard.
    public let id: ConversationID
    /// What is listened to; it never changes.
    public let listening: [Listening]

    private var sender: PacketSender
    private var receiver: PacketReceiver
    private var state: PacketChatState
    private var changes: Set<String> = []

    /// Where the two sides meet, which follows from their secret.
    struct Place: Hashable, Sendable {
        let isInitiator: Bool
        let base: [UInt8]

        var address: DeliveryAddress { DeliveryAddress(Hex.encode(Array(base.prefix(8)))) }

        private func route(_ isInitiator: Bool) -> Route { Route(PacketChat.routePrefix + (isInitiator ? "i" : "r")) }

        var own: Route { route(isInitiator) }
        var remote: Route { route(!isInitiator) }

        var id: ConversationID {
            let named = Array("packet-chat|\(isInitiator ? "i" : "r")|".utf8) + base
            return ConversationID(bytes: BLAKE2b.hash(count: 16, named))
        }
    }

    init(_ seed: ConversationSeed, _ type: PacketChat, in step: inout Step) throws(Refusal) {
        guard let secret = seed.secret else {
            throw Refusal(.unable, CommonCause.incompleteSeed("a secret", type: PacketChat.name))
        }
        let base = BLAKE2b.derive(count: 16, key: secret, personal: "PacketChat-Place").lend {
            Bytes(copying: $0).array
        }
        self.init(Place(isInitiator: seed.role == .initiator, base: base), type)
        state.isOpened = seed.role == .responder
        changes = [PacketChatState.stateKey, PacketChatState.countsKey, PacketChatState.receiverKey]
        guard seed.role == .responder else { return }
        guard let opening = seed.opening else {
            throw Refusal(.invalid, CommonCause.incompleteSeed("an opening", type: PacketChat.name))
        }
        try take(opening, in: &step)
    }

    private init(_ place: Place, _ type: PacketChat) {
        (self.type, self.place, id) = (type, place, place.id)
        listening = [Listening(place.address, place.own)]
        (sender, receiver) = (PacketSender(PacketChat.policy), PacketReceiver(PacketChat.policy))
        state = PacketChatState()
    }

    init(restoring records: [Record], _ type: PacketChat) throws(Refusal) {
        let stored = try PacketChatState.read(records)
        self.init(stored.place, type)
        state = stored.state
        do throws(PacketViolation) {
            sender = try PacketSender(restoring: stored.counts, packets: stored.packets, PacketChat.policy)
            receiver = try PacketReceiver(restoring: stored.receiver, PacketChat.policy)
        } catch { throw Refusal(.invalid, error) }
    }

    /// When something is sent again, or a gap is given up.
    public var nextWake: Timestamp? { Timestamp.earliest(sender.nextWake, receiver.nextWake) }

    /// Whether another packet fits into what waits for receipts.
    public var acceptsContent: Bool {
        let waiting = sender.waiting
        return waiting.packets < PacketChat.policy.maximumMessages && waiting.bytes < PacketChat.policy.maximumBytes / 2
    }

    /// The records that changed since the last call: packets without receipt have one each.
    public mutating func takeChanges() -> [Record] {
        defer { changes = [] }
        return changes.sorted().map { key in
            switch key {
            case PacketChatState.countsKey: Record(key, sender.storedCounts)
            case PacketChatState.receiverKey: Record(key, receiver.stored)
            case PacketChatState.stateKey: Record(key, state.encoded(place))
            default: Record(key, PacketChatState.sequence(of: key).flatMap { sender.stored(packet($0)) })
            }
        }
    }

    private func packet(_ sequence: UInt64) -> PacketKey {
        .sequence(stream: place.remote.id, partition: "", sequence)
    }
}

// Sending.
extension PacketChatConversation {
    /// Sends a content as a chat message, or what ``PacketChatEvent`` says.
    public mutating func perform(_ action: Action, as id: ContentID, in step: inout Step) throws(Refusal) {
        var trial = self
        switch action {
        case .send(let content, part: .whole, about: nil):
            let packet = Packet(
                place.isInitiator ? .chatMessage : .chatResponse, messageID: "\(place.own.id)/\(id)",
                payload: ChatPayload.object(content))
            try trial.send(packet, for: id, in: &step)
        case .frame(PacketChatEvent.kind, let bytes):
            let packet = try Self.decode(bytes)
            guard packet.isDelivered, packet.stream == nil else {
                throw Refusal(.unable, PacketViolation(.stream, "of a chat gets its place here", at: ".envelope"))
            }
            try trial.send(packet, for: id, in: &step)
        case .frame(PacketChatEvent.doneKind, let bytes) where type.isDoneByApplication:
            let reference = String(decoding: bytes.array, as: UTF8.self)
            guard let receipt = trial.state.open.removeValue(forKey: reference) else {
                throw Refusal(
                    .unable, PacketViolation(.sequence, "\(reference.prefix(64)) is not with the application"))
            }
            trial.changes.insert(PacketChatState.stateKey)
            trial.answer(receipt, in: &step)
        default:
            throw Refusal(.unsupported, CommonCause.unsupportedAction(action.name, type: PacketChat.name))
        }
        self = trial
    }

    private static func decode(_ bytes: Bytes) throws(Refusal) -> Packet {
        do throws(PacketViolation) {
            guard case .packet(let packet, _) = try PacketV1().decode(bytes, as: .dataPacket) else {
                throw PacketViolation(.frame, "is no whole packet")
            }
            return packet
        } catch { throw Refusal(.unable, error) }
    }

    private mutating func send(_ packet: Packet, for content: ContentID, in step: inout Step) throws(Refusal) {
        var placed = packet
        placed.stream = StreamEnvelope(stream: place.remote.id)
        let (size, acceptance): (Int, PacketSender.Acceptance)
        do throws(PacketViolation) {
            // The number that it gets has ten bytes at most.
            placed.stream?.sequence = .max
            size = try PacketV1().wire(placed).encoded(as: .dataPacket).count
            acceptance = try sender.send(placed)
        } catch { throw Refusal(.unable, error) }
        guard size <= step.maximumPayload else {
            throw Refusal(.unable, CommonCause.tooLarge("packet", bytes: size, limit: step.maximumPayload))
        }
        guard case .accepted(let key) = acceptance else {
            let limit = PacketChat.policy.maximumMessages
            throw Refusal(.unable, CommonCause.tooLarge("what waits for a receipt", bytes: limit + 1, limit: limit))
        }
        if case .sequence(_, _, let number)? = key { state.contents[number] = content }
        changes.formUnion([PacketChatState.countsKey, PacketChatState.stateKey])
        flush(for: content, in: &step)
    }

    /// Sends what may leave; the first packet of who invites goes into the invite.
    private mutating func flush(for content: ContentID?, in step: inout Step) {
        for packet in sender.take(now: step.now) {
            if let sequence = packet.stream?.sequence { changes.insert(PacketChatState.packetKey(sequence)) }
            say(
                packet, for: packet.stream.flatMap { state.contents[$0.sequence] } == content ? content : nil, in: &step
            )
        }
    }

    private mutating func say(_ packet: WirePacket, for content: ContentID?, in step: inout Step) {
        let bytes = packet.encoded(as: .dataPacket)
        let payload = Bytes(headRoom: step.headRoom, count: bytes.count) { $0.append(bytes: bytes.span) }
        guard state.isOpened else {
            state.isOpened = true
            changes.insert(PacketChatState.stateKey)
            return step.open(payload, for: content)
        }
        // Packets have their own numbers, and come again under them; the route's are not counted.
        step.send(Routed(place.address, place.remote, payload: payload), for: content)
    }
}

// Receiving.
extension PacketChatConversation {
    /// Takes a packet of the other side.
    public mutating func receive(_ routed: Routed, in step: inout Step) throws(Refusal) {
        try take(routed.payload, in: &step)
    }

    private mutating func take(_ payload: Payload, in step: inout Step) throws(Refusal) {
        let events: [PacketReceiver.Event]
        guard state.open.count < PacketChatState.maximumOpen else {
            let limit = PacketChatState.maximumOpen
            throw Refusal(.unable, CommonCause.tooLarge("contents that are not done", bytes: limit + 1, limit: limit))
        }
        do throws(PacketViolation) {
            let packet = try WirePacket(decoding: payload, as: .dataPacket)
            guard packet.stream?.stream.hasSameBytes(as: place.own.id) == true else {
                throw PacketViolation(.stream, "is not this chat's", at: ".envelope.stream_id")
            }
            events = try receiver.receive(packet, now: step.now)
        } catch { throw Refusal(.invalid, error) }
        changes.insert(PacketChatState.receiverKey)
        hear(events, in: &step)
    }

    private mutating func hear(_ events: [PacketReceiver.Event], in step: inout Step) {
        for event in events {
            switch event {
            case .deliver(let delivery): hear(delivery, in: &step)
            case .control(let message):
                // Of what the application is not done with there is no receipt yet, also if it comes again.
                guard let receipt = Receipt(message), !state.open.values.contains(receipt) else { continue }
                answer(receipt, in: &step)
            case .gap(_, _, let missing): step.report(.gap(Gap(reference: "\(missing)", isFinal: false)))
            case .lost(_, _, let missing): step.report(.gap(Gap(reference: "\(missing)", isFinal: true)))
            case .endSession: receiver.reconnect()  // the other side sends again what has no receipt
            case .flow: break
            }
        }
    }

    private mutating func hear(_ delivery: PacketReceiver.Delivery, in step: inout Step) {
        let packet = delivery.packet
        if let receipt = ReceiptHook.receipt(packet) { return hear(receipt, in: &step) }
        let isChat = packet.kind == .chatMessage || packet.kind == .chatResponse
        if isChat, let content = packet.payload.flatMap(ChatPayload.content), let reference = packet.messageID {
            step.report(.content(ReceivedContent(content, reference: reference)))
            // The client stores the content with this step, so it need not come again; the receipt waits for the word.
            if type.isDoneByApplication, let receipt = Receipt(for: packet.stream, size: delivery.size) {
                state.open[reference] = receipt
                changes.insert(PacketChatState.stateKey)
            }
        } else if let bytes = try? PacketV1().encode(packet, as: .dataPacket) {
            step.report(.frame(kind: PacketChatEvent.kind, bytes: bytes))
        }
        finish(delivery, in: &step)
    }

    /// A content is done, or with the client: it is not delivered again.
    private mutating func finish(_ delivery: PacketReceiver.Delivery, in step: inout Step) {
        changes.insert(PacketChatState.receiverKey)
        hear(receiver.done(delivery, now: step.now), in: &step)
    }

    private mutating func answer(_ receipt: Receipt, in step: inout Step) {
        guard let packet = try? PacketV1().wire(ReceiptHook.packet(receipt, to: place.remote)) else { return }
        guard state.isOpened else { return }
        say(packet, for: nil, in: &step)
    }

    /// A receipt is also the credit for one more message.
    private mutating func hear(_ receipt: Receipt, in step: inout Step) {
        guard receipt.stream.hasSameBytes(as: place.remote.id), sender.receive(receipt) else { return }
        changes.formUnion([PacketChatState.packetKey(receipt.sequence), PacketChatState.stateKey])
        if let content = state.contents.removeValue(forKey: receipt.sequence) {
            step.report(.status(content, .delivered))
        }
        try? sender.receive(FlowControl(creditsMessages: 1, creditsBytes: UInt32(clamping: receipt.size)))
        flush(for: nil, in: &step)
    }

    /// Sends again what has no receipt, after a restart, a loss of the link, or a while.
    public mutating func handle(_ signal: Signal, in step: inout Step) {
        switch signal {
        case .restored, .linkBack: sender.reconnect()
        case .due: hear(receiver.wake(step.now), in: &step)
        default: return
        }
        flush(for: nil, in: &step)
    }
}
