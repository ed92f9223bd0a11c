public import ChatModel

/// The receiving end of a stream: puts pieces together, decodes, drops what was there already, keeps the order, and
/// acknowledges what the application is done with (section 7 of `Specs/packet-stream.md`).
///
/// A pure machine. A packet that is refused changes nothing: it is neither delivered nor acknowledged. A packet goes to
/// the application at least once; one for which it said that it is done never again, as long as its key is known.
public struct PacketReceiver: Sendable {
    /// What the application, or the other side, is to get.
    public enum Event: Hashable, Sendable {
        /// A packet for the application, which says ``PacketReceiver/done(_:now:)`` or
        /// ``PacketReceiver/release(_:)`` of it.
        case deliver(Delivery)
        /// A receipt or another directive for the control stream.
        case control(ControlMessage)
        /// Credits and acknowledgements for the data stream.
        case flow(FlowControl)
        /// Packets are missing before one that came; it is held for a while.
        case gap(stream: String, partition: String, missing: UInt64)
        /// They did not come, and may be lost: what was held goes on without them.
        case lost(stream: String, partition: String, missing: UInt64)
        /// Too much is held or with the application: the session ends, and the other side sends again.
        case endSession(EndReason)
    }

    /// Why a session has to end.
    public enum EndReason: Hashable, Sendable {
        /// More packets are with the application than de-duplication may remember.
        case pendingOverflow
        /// More packets are held for one that is missing than a buffer has room for.
        case heldOverflow
        /// A packet that is missing did not come in time, and none may be lost.
        case missing
    }

    /// A packet that went to the application.
    public struct Delivery: Hashable, Sendable {
        /// The packet.
        public let packet: Packet
        /// What tells it apart; nil where it has neither a number nor an id.
        public let key: PacketKey?
        /// The bytes of its frame.
        public let size: Int
        /// What the decoder noticed.
        public let diagnostics: [PacketV1.Diagnostic]
        /// The bytes of the message that completed it: pieces that came before were granted again when they came.
        let credit: Int
        /// The message, where the packet came in one.
        let wire: WirePacket?
    }

    private struct Lane: Hashable {
        let stream, partition: String

        /// Compares the bytes.
        static func == (left: Self, right: Self) -> Bool {
            left.stream.hasSameBytes(as: right.stream) && left.partition.hasSameBytes(as: right.partition)
        }
    }

    private struct Held: Hashable {
        let delivery: Delivery
        let place: StreamEnvelope
        /// Bytes of the whole packet, structures included.
        let weight: Int
        let since: Timestamp
    }

    /// How packets are delivered.
    public let policy: DeliveryPolicy
    private let codec: PacketV1
    private var reassembly: Reassembly
    private(set) var deduplication: Deduplication
    private(set) var order: SequenceOrder
    private var held: [Lane: [UInt64: Held]] = [:]
    private var heldBytes = 0
    private var grants = Grants()

    /// A receiver to which nothing came yet.
    public init(
        _ policy: DeliveryPolicy = DeliveryPolicy(), codec: PacketV1 = PacketV1(),
        limits: Reassembly.Limits = Reassembly.Limits(), deduplication: Deduplication = Deduplication()
    ) {
        (self.policy, self.codec, self.deduplication) = (policy, codec, deduplication)
        reassembly = Reassembly(limits)
        order = SequenceOrder(first: policy.firstSequence)
    }

    /// Packets that the application has and is not done with, packets that are held for one before them, and packets of
    /// which pieces are missing.
    public var waiting: (pending: Int, held: Int, partial: Int) {
        (deduplication.pendingCount, heldCount, reassembly.waiting.packets)
    }

    private var heldCount: Int { held.values.reduce(0) { $0 + $1.count } }

    /// When something has to be done although nothing comes.
    public var nextWake: Timestamp? {
        let oldest = policy.holdAfter.flatMap { limit in
            held.values.flatMap { $0.values.map(\.since) }.min().map { $0 + limit }
        }
        return Timestamp.earliest(
            Timestamp.earliest(oldest, reassembly.nextWake), grants.since.map { $0 + policy.ackAfter })
    }

    /// Takes a message of the data stream.
    public mutating func receive(
        _ bytes: Bytes, as message: PacketMessage, now: Timestamp
    ) throws(PacketViolation) -> [Event] {
        try receive(try WirePacket(decoding: bytes, as: message), now: now)
    }

    /// Takes a packet whose protobuf layer was read already.
    public mutating func receive(_ packet: WirePacket, now: Timestamp) throws(PacketViolation) -> [Event] {
        let size = packet.contentSize
        switch try codec.decode(packet) {
        case .legacyHeartbeat: return []
        case .packet(let view, let diagnostics):
            guard view.isDelivered else { return [] }
            return take(view, diagnostics, of: packet, isWhole: true, credit: size, now)
        case .chunk(let chunk):
            // Tried on a copy: if the whole turns out to be refused, its last piece changed nothing.
            var trial = reassembly
            guard case .assembled(let whole) = try trial.receive(chunk, now: now) else {
                reassembly = trial
                return grant(size, now)
            }
            guard case .packet(let view, let diagnostics) = try codec.decode(assembled: whole) else {
                throw PacketViolation(.chunk, "are pieces of no packet")
            }
            reassembly = trial
            guard view.isDelivered else { return grant(size, now) }
            return take(view, diagnostics, of: whole, isWhole: false, credit: size, now)
        }
    }

    /// De-duplicates and orders.
    private mutating func take(
        _ packet: Packet, _ diagnostics: [PacketV1.Diagnostic], of wire: WirePacket, isWhole: Bool, credit: Int,
        _ now: Timestamp
    ) -> [Event] {
        let (key, size) = (PacketKey(stream: packet.stream, messageID: packet.messageID), wire.contentSize)
        let delivery = Delivery(
            packet: packet, key: key, size: size, diagnostics: diagnostics, credit: credit,
            wire: isWhole ? wire : nil)
        if let key, deduplication.isCompleted(key) {
            let receipt = Receipt(for: packet.stream, size: size).map { [Event.control($0.message)] } ?? []
            // What was held behind it goes on only if nothing before it is missing.
            let isNext = order.take(packet.stream) == .next
            return receipt + grant(credit, now) + (isNext ? flush(packet.stream, now) : [])
        }
        guard policy.ordering != .none, let place = packet.stream, place.isSequenced else {
            return deliver(delivery, now)
        }
        let resumed = resume(place, now)
        switch order.place(of: place) {
        case .gap(let missing): return resumed + hold(delivery, place, wire, missing, now)
        case .duplicate:
            // The application has it, or was done with it so long ago that it is forgotten.
            guard !deduplication.isPending(key), let receipt = Receipt(for: place, size: size) else {
                return resumed + grant(credit, now)
            }
            return resumed + [.control(receipt.message)] + grant(credit, now)
        case .next, .unsequenced:
            let events = resumed + deliver(delivery, now)
            if case .endSession? = events.last { return events }
            _ = order.take(place)
            return events + flush(place, now)
        }
    }

    private mutating func deliver(_ delivery: Delivery, _ now: Timestamp) -> [Event] {
        switch deduplication.arrive(delivery.key) {
        case .deliver:
            // Without a key nobody can say that it is done.
            return [.deliver(delivery)] + (delivery.key == nil ? grant(delivery.credit, now) : [])
        case .dropPending, .dropCompleted: return grant(delivery.credit, now)
        case .overflow: return [.endSession(.pendingOverflow)]
        }
    }

    private mutating func hold(
        _ delivery: Delivery, _ place: StreamEnvelope, _ wire: WirePacket, _ missing: UInt64, _ now: Timestamp
    ) -> [Event] {
        let lane = Lane(stream: place.stream, partition: place.partition)
        guard held[lane]?[place.sequence] == nil else { return grant(delivery.credit, now) }
        let weight = wire.encoded(as: .dataPacket).count
        guard heldCount < policy.maximumMessages, held.isEmpty || heldBytes + weight <= policy.maximumBytes else {
            return [.endSession(.heldOverflow)]
        }
        let isFirst = held[lane] == nil
        held[lane, default: [:]][place.sequence] = Held(delivery: delivery, place: place, weight: weight, since: now)
        heldBytes += weight
        return isFirst ? [.gap(stream: place.stream, partition: place.partition, missing: missing)] : []
    }

    /// Delivers what was held and is the next one now; over what is completed the count goes on.
    private mutating func flush(_ place: StreamEnvelope?, _ now: Timestamp) -> [Event] {
        guard policy.ordering != .none, var place, !place.stream.isEmpty else { return [] }
        let lane = Lane(stream: place.stream, partition: place.partition)
        var events: [Event] = []
        while place.sequence < .max {
            place.sequence += 1
            if let next = held[lane]?[place.sequence] {
                let delivered = deliver(next.delivery, now)
                if case .endSession? = delivered.first { return events + delivered }
                held[lane]?[place.sequence] = nil
                if held[lane]?.isEmpty == true { held[lane] = nil }
                heldBytes -= next.weight
                events += delivered
            } else if !isCompleted(place) {
                break
            }
            order.skip(to: place)
        }
        return events
    }

    /// Goes on over numbers that were completed since they were counted back: an earlier session delivered them.
    private mutating func resume(_ place: StreamEnvelope, _ now: Timestamp) -> [Event] {
        guard let number = order.last(in: place) else { return [] }
        var last = place
        last.sequence = number
        return flush(last, now)
    }

    private func isCompleted(_ place: StreamEnvelope) -> Bool {
        PacketKey(stream: place, messageID: nil).map { deduplication.isCompleted($0) } ?? false
    }

    /// The application is done with a packet: a receipt goes out, and room for more.
    public mutating func done(_ delivery: Delivery, now: Timestamp) -> [Event] {
        guard let key = delivery.key else { return [] }
        let isOfThisSession = deduplication.complete(key)
        guard isOfThisSession else { return delivery.packet.stream.map { resume($0, now) } ?? [] }
        if policy.grantsCredit { grants.received(delivery.packet.stream) }
        let receipt =
            Receipt(for: delivery.packet.stream, size: delivery.size).map { [Event.control($0.message)] } ?? []
        return receipt + grant(delivery.credit, now)
    }

    /// The application could not take a packet, or its receipt could not be sent: when it comes again it is new.
    public mutating func release(_ delivery: Delivery) {
        guard let key = delivery.key, deduplication.isPending(key) else { return }
        deduplication.release(key)
        if let place = delivery.packet.stream { order.rewind(before: place) }
    }

    /// A new session begins: what the application was not done with comes again, and pieces and held packets too.
    public mutating func reconnect() {
        order = rewound
        deduplication.reconnect()
        reassembly = reassembly.emptied
        (held, heldBytes, grants) = ([:], 0, Grants())
    }

    /// The count as it is once everything comes again that the application is not done with.
    var rewound: SequenceOrder {
        var order = order
        for case .sequence(let stream, let partition, let number) in deduplication.pendingKeys {
            order.rewind(before: StreamEnvelope(stream: stream, sequence: number, partition: partition))
        }
        return order
    }

    mutating func restore(_ deduplication: Deduplication, _ order: SequenceOrder) {
        (self.deduplication, self.order) = (deduplication, order)
    }

    /// Does what is due: gives up packets that are missing, forgets pieces, grants credits.
    public mutating func wake(_ now: Timestamp) -> [Event] {
        reassembly.evict(now)
        var events: [Event] = []
        for (lane, packets) in held {
            guard let limit = policy.holdAfter, let first = packets.min(by: { $0.key < $1.key })?.value,
                packets.values.contains(where: { now.since($0.since) >= limit })
            else { continue }
            guard case .gap(let missing) = order.place(of: first.place) else { continue }
            guard policy.semantics == .bestEffort else { return events + [.endSession(.missing)] }
            events.append(.lost(stream: lane.stream, partition: lane.partition, missing: missing))
            var before = first.place
            before.sequence -= 1
            order.skip(to: before)
            events += flush(before, now)
        }
        if let since = grants.since, now.since(since) >= policy.ackAfter { events += grants.take() }
        return events
    }

    private mutating func grant(_ size: Int, _ now: Timestamp) -> [Event] {
        guard policy.grantsCredit else { return [] }
        grants.add(size, now)
        return grants.messages >= policy.ackMessages ? grants.take() : []
    }
}

/// Credits that are due, and how far each partition was received.
private struct Grants {
    private(set) var messages = 0
    private(set) var since: Timestamp?
    private var bytes = 0
    private var acks = Metadata()

    mutating func add(_ size: Int, _ now: Timestamp) {
        messages += 1
        bytes += size
        since = since ?? now
    }

    mutating func received(_ stream: StreamEnvelope?) {
        guard let stream, stream.isSequenced, acks.count < Bounds.maximumPartitions || acks[stream.partition] != nil
        else { return }
        let before = acks[stream.partition].flatMap(UInt64.init) ?? 0
        acks[stream.partition] = String(max(before, stream.sequence))
    }

    mutating func take() -> [PacketReceiver.Event] {
        let acks = acks.entries.map { FlowControl.PartitionAck(partition: $0.key, ack: UInt64($0.value) ?? 0) }
        let flow = FlowControl(
            ack: acks.map(\.ack).max() ?? 0, creditsMessages: UInt32(clamping: messages),
            creditsBytes: UInt32(clamping: bytes), partitionAcks: acks)
        self = Grants()
        return [.flow(flow)]
    }
}
