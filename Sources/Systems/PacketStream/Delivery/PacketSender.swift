public import ChatModel

/// The sending end of a stream: numbers packets, keeps them until a receipt comes, and sends no more than the other
/// side has credit for (section 7 of `Specs/packet-stream.md`).
///
/// A pure machine: who runs it asks ``take(now:)`` for what may leave, and hands in what came back. A new session sends
/// everything again that has no receipt, in its order. Nothing that was accepted is forgotten without a word.
public struct PacketSender: Sendable {
    /// What became of a packet that was handed in.
    public enum Acceptance: Hashable, Sendable {
        /// It will be sent; the key comes back with its receipt.
        case accepted(PacketKey?)
        /// There is no room, and nothing changed.
        case full
        /// There is no room, and the policy drops the newest.
        case dropped
        /// It will be sent, instead of older ones.
        case acceptedInstead(PacketKey?, dropped: Int)
    }

    struct Entry: Hashable {
        let key: PacketKey?
        /// What is on the wire: the packet, or its pieces.
        let pieces: [WirePacket]
        let size: Int
        /// How many pieces left in this session.
        var sent = 0
        var sentAt = Timestamp.zero
        /// Whether it has a receipt that does not count yet.
        var isConfirmed = false

        /// Whether it left in this session, and nothing is known of it yet.
        var isUnderWay: Bool { sent > 0 && !isConfirmed }
    }

    /// How packets are delivered.
    public let policy: DeliveryPolicy
    private let codec: PacketV1
    var counts = LaneCounts()
    var entries: [Entry] = []
    private var bytes = 0
    private var credits: Credits
    private var isPaused = false

    /// A sender of nothing yet.
    public init(_ policy: DeliveryPolicy = DeliveryPolicy(), codec: PacketV1 = PacketV1()) {
        (self.policy, self.codec) = (policy, codec)
        credits = Credits(messages: policy.maximumMessages, bytes: policy.maximumBytes)
    }

    /// Packets that are kept, and their bytes.
    public var waiting: (packets: Int, bytes: Int) { (entries.count, bytes) }

    /// Whether a packet waits for credit, or for the end of a pause: they leave in their order.
    public var hasUnsent: Bool { entries.last.map { $0.sent < $0.pieces.count } ?? false }

    /// The packets that have no receipt yet, from the oldest on.
    public var unconfirmed: [PacketKey] { entries.compactMap { $0.isConfirmed ? nil : $0.key } }

    /// When a packet will have waited too long for its receipt.
    public var nextWake: Timestamp? {
        guard policy.semantics == .atLeastOnce else { return nil }
        return entries.filter(\.isUnderWay).map(\.sentAt).min().map { $0 + policy.replayAfter }
    }

    /// Takes a packet; one of a stream is counted, unless nothing is kept in order.
    ///
    /// - Parameter packet: its stream envelope names stream and partition; a number in it is replaced.
    public mutating func send(_ packet: Packet) throws(PacketViolation) -> Acceptance {
        let (counted, lane) = numbered(packet)
        return send(try OutgoingPacket(counted, codec, chunkSize: policy.chunkSize), lane)
    }

    /// Takes a packet that keeps its number and was encoded before, for this sender and perhaps others.
    public mutating func send(_ packet: OutgoingPacket) -> Acceptance { send(packet, nil) }

    private mutating func send(_ packet: OutgoingPacket, _ lane: LaneCounts.Lane?) -> Acceptance {
        let (key, entry) = (packet.key, Entry(key: packet.key, pieces: packet.pieces, size: packet.size))
        var dropped = 0
        if !hasRoom(for: entry.size) {
            switch policy.overflow {
            case .refuse: return .full
            case .dropNewest: return .dropped
            case .dropOldest:
                while !entries.isEmpty, !hasRoom(for: entry.size) {
                    bytes -= entries.removeFirst().size
                    dropped += 1
                }
            }
        }
        if let lane { counts.count(lane) }
        entries.append(entry)
        bytes += entry.size
        return dropped > 0 ? .acceptedInstead(key, dropped: dropped) : .accepted(key)
    }

    /// A packet larger than the whole buffer is taken where there is no other.
    private func hasRoom(for size: Int) -> Bool {
        entries.count < policy.maximumMessages && (entries.isEmpty || bytes + size <= policy.maximumBytes)
    }

    private func numbered(_ packet: Packet) -> (Packet, LaneCounts.Lane?) {
        guard var stream = packet.stream, !stream.stream.isEmpty, policy.ordering != .none else { return (packet, nil) }
        if policy.ordering == .perStream { stream.partition = "" }
        let lane = LaneCounts.Lane(stream)
        stream.sequence = counts.next(lane)
        var counted = packet
        counted.stream = stream
        return (counted, lane)
    }

    /// What may leave now: pieces in their order, as far as credits go and unless the other side asked for a pause.
    public mutating func take(now: Timestamp) -> [WirePacket] {
        guard !isPaused else { return [] }
        if policy.semantics == .atLeastOnce { repeatLate(now) }
        var leaving: [WirePacket] = []
        var index = 0
        while index < entries.count {
            while entries[index].sent < entries[index].pieces.count {
                let piece = entries[index].pieces[entries[index].sent]
                guard credits.spend(piece.contentSize) else { return leaving }
                leaving.append(piece)
                entries[index].sent += 1
                entries[index].sentAt = now
            }
            // Without a receipt to wait for, what left is forgotten.
            if policy.semantics == .bestEffort || entries[index].key?.hasReceipt != true {
                bytes -= entries.remove(at: index).size
            } else {
                index += 1
            }
        }
        return leaving
    }

    /// Packets whose receipt is late are sent again. What they cost is given back: either they were lost, or the other
    /// side is done with them and its word was. Where nothing is on the way the other side has its whole window free.
    private mutating func repeatLate(_ now: Timestamp) {
        for index in entries.indices where entries[index].isUnderWay {
            guard now.since(entries[index].sentAt) >= policy.replayAfter else { continue }
            let left = entries[index].pieces.prefix(entries[index].sent)
            credits.refund(messages: left.count, bytes: left.reduce(0) { $0 + $1.contentSize })
            entries[index].sent = 0
        }
        if !entries.contains(where: \.isUnderWay) { credits.refill() }
    }

    /// Credits, a pause or its end; bounds are checked first (SA-04).
    public mutating func receive(_ flow: FlowControl) throws(PacketViolation) {
        try flow.check()
        credits.add(messages: flow.creditsMessages, bytes: flow.creditsBytes)
        switch flow.signal {
        case .pause: isPaused = true
        case .resume: isPaused = false
        case nil: break
        }
    }

    /// A receipt: the packet is forgotten.
    ///
    /// - Returns: whether it was still kept.
    public mutating func receive(_ receipt: Receipt) -> Bool {
        guard let index = entries.firstIndex(where: { $0.key == receipt.key }) else { return false }
        bytes -= entries.remove(at: index).size
        return true
    }

    /// A receipt that counts once all packets before its own in the stream and partition have theirs. Until then the
    /// packet is kept, and comes again in a new session: the other side, if it remembers nothing, would wait for it.
    ///
    /// - Returns: the packets that are forgotten now, in their order.
    public mutating func receiveInOrder(_ receipt: Receipt) -> [PacketKey] {
        let isOfLane = { (entry: Entry) in entry.key?.isOfSameLane(as: receipt.key) ?? false }
        guard let first = entries.firstIndex(where: isOfLane),
            let index = entries[first...].firstIndex(where: { $0.key == receipt.key })
        else { return [] }
        entries[index].isConfirmed = true
        var (forgotten, next): ([PacketKey], Int) = ([], first)
        while next < entries.count {
            guard isOfLane(entries[next]), let key = entries[next].key else {
                next += 1
                continue
            }
            guard entries[next].isConfirmed else { break }
            bytes -= entries.remove(at: next).size
            forgotten.append(key)
        }
        return forgotten
    }

    /// A new session: what has no receipt is sent again, and credits are those of the beginning.
    public mutating func reconnect() {
        for index in entries.indices { (entries[index].sent, entries[index].isConfirmed) = (0, false) }
        credits = Credits(messages: policy.maximumMessages, bytes: policy.maximumBytes)
        isPaused = false
    }

    /// Packets of an earlier run, before anything was sent by this one.
    mutating func restore(_ counts: LaneCounts, _ entries: [Entry]) {
        (self.counts, self.entries) = (counts, entries)
        bytes = entries.reduce(0) { $0 + $1.size }
    }
}

/// A packet as it leaves, encoded once for all who get it.
public struct OutgoingPacket: Hashable, Sendable {
    /// What tells it apart; nil where it has neither a number nor an id.
    public let key: PacketKey?
    /// The bytes of its frame.
    public let size: Int
    /// What is on the wire: the packet, or its pieces.
    let pieces: [WirePacket]

    /// Encodes a packet, with the number that it has.
    ///
    /// - Parameters:
    ///   - packet: the packet.
    ///   - codec: encodes it, within its limits.
    ///   - chunkSize: the most bytes of a frame that is sent in one piece.
    public init(
        _ packet: Packet, _ codec: PacketV1 = PacketV1(), chunkSize: Int = PacketV1.chunkSize
    ) throws(PacketViolation) {
        key = PacketKey(stream: packet.stream, messageID: packet.messageID)
        pieces = try codec.split(packet, chunkID: Self.chunkID(of: packet), size: chunkSize)
        size = pieces.reduce(0) { $0 + $1.contentSize }
    }

    /// A packet that came and goes to others: as it came where it may be written so, else encoded anew.
    init(forwarding delivery: PacketReceiver.Delivery, _ codec: PacketV1) throws(PacketViolation) {
        if let wire = delivery.wire, codec.forwards(wire, of: delivery.packet) {
            self.init(key: delivery.key, size: delivery.size, pieces: [wire])
        } else {
            try self.init(delivery.packet, codec)
        }
    }

    private init(key: PacketKey?, size: Int, pieces: [WirePacket]) {
        (self.key, self.size, self.pieces) = (key, size, pieces)
    }

    /// What the pieces of a packet share: its number, or its id.
    private static func chunkID(of packet: Packet) -> String {
        if let stream = packet.stream, stream.isSequenced { return "c\(stream.sequence)" }
        return packet.messageID.map { String($0.unicodeScalars.prefix(100).map(Character.init)) } ?? "c"
    }
}

/// What may still be sent before the other side grants more. A message larger than all credit for bytes may leave when
/// nothing else is on the way, or it never could.
struct Credits: Sendable {
    private let window: (messages: Int, bytes: Int)
    private var messages, bytes: Int

    init(messages: Int, bytes: Int) {
        (self.messages, self.bytes, window) = (messages, bytes, (messages, bytes))
    }

    /// The whole window, unless there is more already.
    mutating func refill() {
        (messages, bytes) = (max(messages, window.messages), max(bytes, window.bytes))
    }

    /// Gives back what was spent, up to the window.
    mutating func refund(messages more: Int, bytes moreBytes: Int) {
        messages = max(messages, min(window.messages, messages + more))
        bytes = max(bytes, min(window.bytes, bytes + moreBytes))
    }

    mutating func spend(_ size: Int) -> Bool {
        guard messages > 0, size <= bytes || bytes >= window.bytes else { return false }
        messages -= 1
        bytes -= size
        return true
    }

    mutating func add(messages more: UInt32, bytes moreBytes: UInt32) {
        // Far from overflowing: a sum beyond 2³¹ says no more than that there is no limit.
        messages = min(messages + Int(more), 1 << 31)
        bytes = min(bytes + Int(moreBytes), 1 << 40)
    }
}

/// The last number of each stream and partition.
struct LaneCounts: Hashable, Sendable {
    struct Lane: Hashable, Sendable {
        let stream, partition: String

        init(_ stream: StreamEnvelope) {
            (self.stream, partition) = (stream.stream, stream.partition)
        }

        /// Compares the bytes.
        static func == (left: Self, right: Self) -> Bool {
            left.stream.hasSameBytes(as: right.stream) && left.partition.hasSameBytes(as: right.partition)
        }
    }

    var last: [Lane: UInt64] = [:]

    /// The number of the next packet; at the end of all numbers the last one comes again.
    func next(_ lane: Lane) -> UInt64 {
        let last = last[lane] ?? 0
        return last == .max ? last : last + 1
    }

    mutating func count(_ lane: Lane) {
        last[lane] = next(lane)
    }
}
