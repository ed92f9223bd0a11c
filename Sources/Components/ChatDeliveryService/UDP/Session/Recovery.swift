/// The packets under way in one direction of a session: what was acknowledged, what is lost, when to ask again.
///
/// After RFC 9002: a packet is lost if one sent three later arrived, or if one sent a while later did; when
/// nothing comes back at all, the oldest pieces are sent again in a probe, at growing intervals.
struct Recovery: Sendable {
    /// Packets that may overtake another one.
    static let reorderThreshold: UInt64 = 3
    /// Waits in vain after which the path counts as broken.
    static let patience = 3
    /// After this time a packet is lost whatever was acknowledged: who acknowledges the oldest alone, one at a time,
    /// makes the other side probe and remember more and more.
    static let longestWay = MicrosecondSpan(16_000_000)

    /// Numbers left out that are remembered: those of 8,192 packets.
    static let skipsRemembered = 32

    private struct Packet: Sendable {
        let number: UInt64
        let sentAt: MonotonicInstant
        let size: Int
        let pieces: [MessageSender.Piece]
        var isUnderWay: Bool
        /// Its pieces are already on their way again.
        var isRepeated = false
    }

    /// Those that ask for an acknowledgement, from the oldest under way on.
    private var packets = Queue<Packet>()
    /// The number of the next packet.
    private(set) var next: UInt64 = 0
    /// The newest numbers that were left out.
    private var skipped: [UInt64] = []
    private(set) var bytesUnderWay = 0
    private var countUnderWay = 0
    private var largestAcknowledged: UInt64?
    private(set) var roundTrip = RoundTrip()
    private(set) var congestion = CongestionWindow()
    private var attempts = 0
    private var probes = 0
    private var lossAt: MonotonicInstant?
    private var lastSent = MonotonicInstant.zero
    private var progressAt = MonotonicInstant.zero
    /// Packets declared lost.
    private(set) var lostPackets: UInt64 = 0

    /// Whether a packet that asks for an acknowledgement may be sent.
    var maySend: Bool { isProbing || bytesUnderWay + UDPFormat.maximumDatagram <= congestion.bytes }
    /// Whether the next packet asks because nothing came back.
    var isProbing: Bool { probes > 0 }
    /// Whether one must be sent even if there is nothing to say.
    var mustSend: Bool { isProbing && countUnderWay > 0 }

    /// How long nothing has come back although something was asked.
    func silence(_ now: MonotonicInstant) -> MicrosecondSpan {
        countUnderWay > 0 ? now.since(progressAt) : MicrosecondSpan(0)
    }

    /// How long to wait for an answer.
    var probeTimeout: MicrosecondSpan { roundTrip.wait(after: 0) }

    /// The path is another one: nothing is known of it (UDP2-16).
    mutating func pathChanged() { (roundTrip, congestion) = (RoundTrip(), CongestionWindow()) }

    /// When to look again.
    var wake: MonotonicInstant? {
        guard countUnderWay > 0 else { return nil }
        return lossAt ?? lastSent + roundTrip.wait(after: attempts)
    }

    /// Remembers the packet with the number ``next``.
    mutating func sent(size: Int, pieces: [MessageSender.Piece], isEliciting: Bool, _ now: MonotonicInstant) {
        defer { next += 1 }
        guard isEliciting else { return }
        packets.append(Packet(number: next, sentAt: now, size: size, pieces: pieces, isUnderWay: true))
        if countUnderWay == 0 { progressAt = now }
        (bytesUnderWay, countUnderWay, lastSent) = (bytesUnderWay + size, countUnderWay + 1, now)
        probes = max(0, probes - 1)
    }

    /// Whether an acknowledgement speaks only of packets that were sent.
    func check(_ acknowledgement: Acknowledgement) throws(UDPError) {
        guard let newest = acknowledgement.ranges.first?.upperBound else { return }
        guard newest < next else { throw .acknowledgesUnsent(newest) }
        for number in skipped where acknowledgement.ranges.contains(where: { $0.contains(number) }) {
            throw .acknowledgesUnsent(number)
        }
    }

    /// Leaves out a number, so that who acknowledges what it did not get is caught; the newest ones are remembered.
    mutating func skip() {
        skipped.append(next)
        if skipped.count > Self.skipsRemembered { skipped.removeFirst() }
        next += 1
    }

    /// Takes an acknowledgement that was checked.
    mutating func acknowledge(
        _ acknowledgement: Acknowledgement, _ sender: inout MessageSender, _ now: MonotonicInstant
    ) {
        let isFull = bytesUnderWay * 2 >= congestion.bytes
        var isNew = false
        for range in acknowledgement.ranges {
            var place = place(of: range.lowerBound)
            while place < packets.count, let packet = packets[place], packet.number <= range.upperBound {
                defer { place += 1 }
                guard packet.isUnderWay else { continue }
                isNew = true
                if packet.number == acknowledgement.ranges[0].upperBound {
                    let time = now.since(packet.sentAt)
                    roundTrip.measured(MicrosecondSpan(time.count - min(time.count, UInt64(acknowledgement.delay))))
                }
                leave(place)
                congestion.acknowledged(packet.size, sentAt: packet.sentAt, isFull: isFull)
                for piece in packet.pieces { sender.acknowledge(piece) }
            }
        }
        guard isNew, let newest = acknowledgement.ranges.first?.upperBound else { return }
        largestAcknowledged = max(largestAcknowledged ?? 0, newest)
        (attempts, probes, progressAt) = (0, 0, now)
        detectLosses(&sender, now)
        forgetFirst()
    }

    /// The place of the first packet with at least a number, found by halving.
    private func place(of number: UInt64) -> Int {
        var (low, high) = (0, packets.count)
        while low < high {
            let middle = (low + high) / 2
            if let packet = packets[middle], packet.number < number { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func leave(_ place: Int) {
        guard let size = packets[place]?.size else { return }
        packets[place]?.isUnderWay = false
        (bytesUnderWay, countUnderWay) = (bytesUnderWay - size, countUnderWay - 1)
    }

    private mutating func forgetFirst() {
        while let packet = packets.first, !packet.isUnderWay { packets.popFirst() }
    }

    private mutating func detectLosses(_ sender: inout MessageSender, _ now: MonotonicInstant) {
        lossAt = nil
        guard let largest = largestAcknowledged else { return }
        for place in 0..<packets.count {
            guard let packet = packets[place], packet.number < largest else { break }
            guard packet.isUnderWay else { continue }
            let due = packet.sentAt + roundTrip.lossDelay
            guard largest - packet.number >= Self.reorderThreshold || due <= now else {
                lossAt = min(lossAt ?? due, due)
                continue
            }
            lose(packet, at: place, &sender, now)
        }
    }

    private mutating func lose(_ packet: Packet, at place: Int, _ sender: inout MessageSender, _ now: MonotonicInstant)
    {
        leave(place)
        lostPackets += 1
        congestion.lost(sentAt: packet.sentAt, now: now)
        if !packet.isRepeated { sender.lose(packet.pieces) }
    }

    /// Gives up what has been under way for too long.
    private mutating func loseOldest(_ sender: inout MessageSender, _ now: MonotonicInstant) {
        forgetFirst()
        while let packet = packets.first, packet.sentAt + Self.longestWay < now {
            lose(packet, at: 0, &sender, now)
            forgetFirst()
        }
    }

    /// Does what is due.
    mutating func tick(_ sender: inout MessageSender, _ now: MonotonicInstant) {
        guard let wake, wake <= now else { return }
        loseOldest(&sender, now)
        guard countUnderWay > 0 else { return }
        guard lossAt == nil else {
            detectLosses(&sender, now)
            return forgetFirst()
        }
        attempts += 1
        probes = 2
        if attempts >= Self.patience { congestion.collapse(now) }
        var repeated = 0
        for place in 0..<packets.count where repeated < probes {
            guard let packet = packets[place], packet.isUnderWay, !packet.isRepeated else { continue }
            packets[place]?.isRepeated = true
            sender.lose(packet.pieces)
            repeated += 1
        }
        lastSent = now
    }
}
