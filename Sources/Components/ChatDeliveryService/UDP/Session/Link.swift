import ChatModel

/// One session between a client and a relay, on either side: messages both ways over packets that may be lost,
/// repeated and reordered. It neither knows what the messages say nor does any I/O.
package struct Link: Sendable {
    /// The parameters that a side of a session received and chose.
    package struct Configuration: Sendable {
        /// Names the session.
        package var session: UInt64
        /// Bytes of a message that is received at most.
        package var maximumMessage: Int
        /// Bytes of messages that are taken ahead of the oldest unfinished one.
        package var receiveWindow: Int
        /// The same of the other side.
        package var sendWindow: Int
        /// When nothing was sent for this time, a ping is; nil on the relay's side.
        package var keepAlive: MicrosecondSpan?
    }

    /// Challenges answered at once, at most.
    private static let challengesAnswered = 4

    package let session: UInt64
    /// The seal of the hop; nil in plain.
    var seal: HopSeal?
    private let keepAlive: MicrosecondSpan?
    private var sender: MessageSender
    private var receiver: MessageReceiver
    private var recovery = Recovery()
    private var received = PacketNumbers()
    private var owesAcknowledgement = false
    private var newestReceivedAt = MonotonicInstant.zero
    private var pingsDue = false
    private var challenges: [UInt64] = []
    /// What the other side sent back of a challenge.
    var response: UInt64?
    /// Why the other side has ended the session, and after how many milliseconds it makes sense to come back.
    private(set) var ending: (reason: UDPFormat.ResetReason, milliseconds: UInt32)?
    private var lastSent: MonotonicInstant
    /// When a packet of the session came last.
    private(set) var lastHeard: MonotonicInstant
    /// Packets that came again.
    private(set) var repeatedPackets: UInt64 = 0

    /// A session that begins.
    ///
    /// - Parameter seal: of a sealed hop; nil in plain.
    package init(_ configuration: Configuration, seal: HopSeal? = nil, now: MonotonicInstant) {
        (session, self.seal) = (configuration.session, seal)
        keepAlive = configuration.keepAlive
        sender = MessageSender(window: configuration.sendWindow)
        receiver = MessageReceiver(maximumMessage: configuration.maximumMessage, window: configuration.receiveWindow)
        (lastSent, lastHeard) = (now, now)
    }

    /// Bytes and number of messages that have not arrived yet.
    var queued: (bytes: Int, messages: Int) { (sender.queuedBytes, sender.queued) }
    /// The number of the oldest message that has not arrived, or of the next one.
    var oldestUnfinished: UInt64 { sender.base }
    /// Bytes of messages that wait for pieces or for other messages.
    var heldBytes: Int { receiver.heldBytes }
    /// Packets declared lost.
    var lostPackets: UInt64 { recovery.lostPackets }
    /// How long nothing has come back although something was asked.
    func silence(_ now: MonotonicInstant) -> MicrosecondSpan { recovery.silence(now) }

    /// Sends a message as soon as possible; returns its number.
    mutating func send(head: [UInt8], body: Bytes = Bytes(), order: UInt64? = nil) -> UInt64 {
        sender.send(head: head, body: body, order: order)
    }

    /// Takes the messages that are complete, each once.
    mutating func takeMessages() -> [MessageReceiver.Message] { receiver.takeReady() }

    /// Receives the frames of a packet; one that is refused changes nothing and is not acknowledged, except that
    /// acknowledgements count in one that found no room: they may be what makes room.
    ///
    /// - Parameter room: bytes that may be held in addition to what is held; below zero no new message is taken at all.
    package mutating func receive(
        _ datagram: Span<UInt8>, number: UInt64, framesAt offset: Int, room: Int, now: MonotonicInstant
    ) throws(UDPError) {
        let isKnown = received.contains(number)
        let (isEliciting, shortage) = try check(datagram, offset, room: room)
        lastHeard = now
        if let shortage, !isKnown {
            try apply(datagram, offset, takesMessages: false, now)
            throw .noRoom(bytes: shortage)
        }
        if isEliciting { owesAcknowledgement = true }
        guard received.insert(number) else {
            repeatedPackets += 1
            return
        }
        newestReceivedAt = now
        try apply(datagram, offset, takesMessages: true, now)
    }

    /// Checks every frame against the state as those before it will have changed it.
    private func check(
        _ datagram: Span<UInt8>, _ offset: Int, room: Int
    ) throws(UDPError) -> (isEliciting: Bool, shortage: Int?) {
        var frames = try FrameReader(datagram, at: offset, isSealed: seal != nil)
        var packet = PacketCheck(room: room)
        var isEliciting = false
        while let frame = try frames.next() {
            if frame.isEliciting { isEliciting = true }
            switch frame {
            case .padding, .ping, .challenge, .response, .close: continue
            case .acknowledgement(let acknowledgement): try recovery.check(acknowledgement)
            case .message(let fragment, _): try packet.check(fragment, by: receiver)
            case .key(let generation, let key):
                guard seal?.accepts(.init(generation: generation, key: key)) == true else {
                    throw .malformed("generation \(generation)", at: offset)
                }
            }
        }
        return (isEliciting, packet.shortage)
    }

    private mutating func apply(
        _ datagram: Span<UInt8>, _ offset: Int, takesMessages: Bool, _ now: MonotonicInstant
    ) throws(UDPError) {
        var frames = try FrameReader(datagram, at: offset, isSealed: seal != nil)
        while let frame = try frames.next() {
            switch frame {
            case .padding, .ping: continue
            case .challenge(let value): if challenges.count < Self.challengesAnswered { challenges.append(value) }
            case .response(let value): response = value
            case .key(let generation, let key): seal?.take(.init(generation: generation, key: key), now)
            case .close(let reason, let milliseconds): ending = (reason, milliseconds)
            case .acknowledgement(let acknowledgement): recovery.acknowledge(acknowledgement, &sender, now)
            case .message(let fragment, let bytes):
                if takesMessages { receiver.receive(fragment, datagram.extracting(bytes)) }
            }
        }
    }

    /// Writes what may be sent now, as far as the batch has room.
    ///
    /// - Parameter local: our address that they go out from; nil for the system's choice.
    package mutating func write(
        into batch: inout DatagramBatch, to peer: NetworkAddress, from local: NetworkAddress? = nil,
        now: MonotonicInstant
    ) {
        while !batch.isFull {
            let maySend = recovery.maySend
            let half = seal?.half(now, wait: recovery.probeTimeout)
            guard
                owesAcknowledgement || half != nil || !challenges.isEmpty
                    || (maySend && (sender.hasNext() || pingsDue || recovery.mustSend))
            else { return }
            begin(&batch)
            if owesAcknowledgement { writeAcknowledgement(to: &batch, now) }
            let controls = half != nil || !challenges.isEmpty
            if let half { batch.append { $0.append(half) } }
            for value in challenges {
                batch.append { bytes in
                    bytes.append(Frame.Code.response)
                    bytes.append(big: value)
                }
            }
            challenges = []
            var pieces: [MessageSender.Piece] = []
            while maySend, let fragment = sender.next(within: batch.room) {
                batch.append { bytes in
                    bytes.append(fragment)
                    sender.write(fragment, to: &bytes)
                }
                pieces.append(MessageSender.Piece(message: fragment.message, index: fragment.index))
            }
            let pings = maySend && pieces.isEmpty && (pingsDue || recovery.mustSend)
            if pings { batch.append { $0.append(Frame.Code.ping) } }
            let isEliciting = pings || controls || !pieces.isEmpty
            if isEliciting { pingsDue = false }
            // A relay that does not know the session may answer only what is as long as a hello.
            if isEliciting, recovery.isProbing, keepAlive != nil { batch.pad() }
            guard end(&batch, to: peer, from: local) else { return }
            recovery.sent(size: batch.lastSize, pieces: pieces, isEliciting: isEliciting, now)
            lastSent = now
        }
    }

    /// A number may have to be left out first.
    private mutating func begin(_ batch: inout DatagramBatch) {
        guard let id = seal?.remoteID else {
            batch.begin(.data, session: session)
            return batch.append { $0.append(big: recovery.next) }
        }
        if seal?.skipIfDue() == true { recovery.skip() }
        batch.begin(packetTo: id)
    }

    /// Whether the packet was ended; one that cannot be sealed is not sent, and the session ends.
    private mutating func end(
        _ batch: inout DatagramBatch, to peer: NetworkAddress, from local: NetworkAddress?
    ) -> Bool {
        guard var seal = seal.take() else {
            batch.end(to: peer, from: local)
            return true
        }
        defer { self.seal = seal }
        batch.pad(to: SealedFormat.pingSize)
        do throws(SealedError) { try batch.seal(by: &seal) } catch {
            batch.abandon()
            return false
        }
        batch.end(to: peer, from: local)
        return true
    }

    /// A packet that asks whether somebody receives at a new address, as long as what may be sent there at once.
    mutating func challenge(_ value: UInt64, now: MonotonicInstant) -> [UInt8]? {
        if seal?.skipIfDue() == true { recovery.skip() }
        var frames = [Frame.Code.challenge]
        frames.append(big: value)
        guard let packet = seal?.packet(frames) else { return nil }
        recovery.sent(size: packet.count, pieces: [], isEliciting: true, now)
        return packet
    }

    /// The last packet of a session that this side ends; nil in plain.
    mutating func goodbye(_ reason: UDPFormat.ResetReason, milliseconds: UInt32 = 0) -> [UInt8]? {
        if seal?.skipIfDue() == true { recovery.skip() }
        var frames: [UInt8] = []
        frames.append(close: reason, milliseconds: milliseconds)
        return seal?.packet(frames)
    }

    /// Opens a packet of a sealed session; one that does not open changes nothing.
    mutating func open(
        _ packet: Span<UInt8>, _ now: MonotonicInstant
    ) throws(SealedError) -> (number: UInt64, frames: [UInt8]) {
        guard var seal = seal.take() else { throw .forged }
        defer { self.seal = seal }
        return try seal.open(packet, wait: recovery.probeTimeout, now: now)
    }

    /// How long to wait for an answer before asking again.
    var probeTimeout: MicrosecondSpan { recovery.probeTimeout }

    /// Whether the session must end, since its seal holds no more.
    var isSpent: Bool { seal?.isSpent ?? false }

    /// Asks for an acknowledgement as soon as possible.
    mutating func ping() { pingsDue = true }

    /// The packets take another path from now on, of which nothing is known.
    mutating func pathChanged() { recovery.pathChanged() }

    private mutating func writeAcknowledgement(to batch: inout DatagramBatch, _ now: MonotonicInstant) {
        owesAcknowledgement = false
        guard !received.ranges.isEmpty else { return }
        let delay = UInt32(clamping: now.since(newestReceivedAt).count)
        batch.append { $0.append(Acknowledgement(delay: delay, ranges: received.newest)) }
    }

    /// When to call ``tick(_:)`` again.
    var wake: MonotonicInstant? {
        let ping = pingsDue ? nil : keepAlive.map { lastSent + $0 }
        var earliest = recovery.wake
        if let ping, earliest.map({ ping < $0 }) ?? true { earliest = ping }
        if let half = seal?.wake, earliest.map({ half < $0 }) ?? true { earliest = half }
        return earliest
    }

    /// Does what is due: repeats and pings are written next.
    mutating func tick(_ now: MonotonicInstant) {
        recovery.tick(&sender, now)
        if let keepAlive, lastSent + keepAlive <= now { pingsDue = true }
    }
}
