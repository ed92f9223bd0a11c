import ChatModel

/// One session between a client and a relay, on either side: messages both ways over packets that may be lost,
/// repeated and reordered. It neither knows what the messages say nor does any I/O.
package struct Link: Sendable {
    /// What a side of a session was told and decided.
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
        package var keepAlive: Micros?
    }

    package let session: UInt64
    private let keepAlive: Micros?
    private var sender: MessageSender
    private var receiver: MessageReceiver
    private var recovery = Recovery()
    private var received = PacketNumbers()
    private var owesAcknowledgement = false
    private var newestReceivedAt = Moment.zero
    private var pingsDue = false
    private var lastSent: Moment
    /// When a packet of the session came last.
    private(set) var lastHeard: Moment
    /// Packets that came again.
    private(set) var repeatedPackets: UInt64 = 0

    package init(_ configuration: Configuration, now: Moment) {
        session = configuration.session
        keepAlive = configuration.keepAlive
        sender = MessageSender(window: configuration.sendWindow)
        receiver = MessageReceiver(maximumMessage: configuration.maximumMessage, window: configuration.receiveWindow)
        (lastSent, lastHeard) = (now, now)
    }

    /// Bytes and number of messages that have not arrived yet.
    var queued: (bytes: Int, messages: Int) { (sender.queuedBytes, sender.queued) }
    /// Bytes of messages that wait for pieces or for other messages.
    var heldBytes: Int { receiver.heldBytes }
    /// Packets declared lost.
    var lostPackets: UInt64 { recovery.lostPackets }
    /// How long nothing has come back although something was asked.
    func silence(_ now: Moment) -> Micros { recovery.silence(now) }

    /// Sends a message as soon as possible; returns its number.
    mutating func send(head: [UInt8], body: Bytes = Bytes(), order: UInt64? = nil) -> UInt64 {
        sender.send(head: head, body: body, order: order)
    }

    /// Takes the messages that are complete, each once.
    mutating func takeMessages() -> [MessageReceiver.Message] { receiver.takeReady() }

    /// Receives the frames of a packet; one that is refused changes nothing and is not acknowledged.
    ///
    /// - Parameter room: bytes that may be held in addition to what is held.
    package mutating func receive(
        _ datagram: Span<UInt8>, number: UInt64, framesAt offset: Int, room: Int, now: Moment
    ) throws(UDPError) {
        let isEliciting = try check(datagram, offset, room: room)
        lastHeard = now
        if isEliciting { owesAcknowledgement = true }
        guard received.insert(number) else {
            repeatedPackets += 1
            return
        }
        newestReceivedAt = now
        var frames = try FrameReader(datagram, at: offset)
        while let frame = try frames.next() {
            switch frame {
            case .padding, .ping: continue
            case .acknowledgement(let acknowledgement): recovery.acknowledge(acknowledgement, &sender, now)
            case .message(let fragment, let bytes): receiver.receive(fragment, datagram.extracting(bytes))
            }
        }
    }

    private func check(_ datagram: Span<UInt8>, _ offset: Int, room: Int) throws(UDPError) -> Bool {
        var frames = try FrameReader(datagram, at: offset)
        var isEliciting = false
        while let frame = try frames.next() {
            if frame.isEliciting { isEliciting = true }
            switch frame {
            case .padding, .ping: continue
            case .acknowledgement(let acknowledgement): try recovery.check(acknowledgement)
            case .message(let fragment, _): try receiver.check(fragment, room: room)
            }
        }
        return isEliciting
    }

    /// Writes what may be sent now, as far as the batch has room.
    package mutating func write(into batch: inout DatagramBatch, to peer: NetworkAddress, now: Moment) {
        while !batch.isFull {
            let maySend = recovery.maySend
            guard owesAcknowledgement || (maySend && (sender.hasNext() || pingsDue || recovery.mustSend)) else {
                return
            }
            batch.begin(.data, session: session)
            batch.append { $0.append(big: recovery.next) }
            if owesAcknowledgement { writeAcknowledgement(to: &batch, now) }
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
            let isEliciting = pings || !pieces.isEmpty
            if isEliciting { pingsDue = false }
            recovery.sent(size: batch.size, pieces: pieces, isEliciting: isEliciting, now)
            lastSent = now
            batch.end(to: peer)
        }
    }

    private mutating func writeAcknowledgement(to batch: inout DatagramBatch, _ now: Moment) {
        owesAcknowledgement = false
        guard !received.ranges.isEmpty else { return }
        let delay = UInt32(clamping: now.since(newestReceivedAt).count)
        batch.append { $0.append(Acknowledgement(delay: delay, ranges: received.ranges.reversed())) }
    }

    /// When to call ``tick(_:)`` again.
    var wake: Moment? {
        let ping = pingsDue ? nil : keepAlive.map { lastSent + $0 }
        guard let due = recovery.wake else { return ping }
        return ping.map { min($0, due) } ?? due
    }

    /// Does what is due: repeats and pings are written next.
    mutating func tick(_ now: Moment) {
        recovery.tick(&sender, now)
        if let keepAlive, lastSent + keepAlive <= now { pingsDue = true }
    }
}
