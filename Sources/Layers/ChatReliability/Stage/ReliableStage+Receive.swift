import ChatCodec
import ChatCrypto
public import ChatModel

// Receiving and timers.
extension ReliableStage {
    /// Receives a payload; what the inner type refuses changes nothing, what it accepts and is no SDS message is
    /// reported.
    public mutating func receive(_ routed: Routed, in turn: inout Step) throws(Refusal) {
        let left = try turn.lend { (turn) throws(Refusal) in try inner.receive(routed, in: &turn) }.output
        absorb(left, in: &turn)
    }

    /// Passes a signal on, and does what is due.
    public mutating func handle(_ signal: Signal, in turn: inout Step) {
        if signal != .due || inner.nextWake.map({ $0 <= turn.now }) ?? false {
            absorb(turn.lend { inner.handle(signal, in: &$0) }.output, in: &turn)
        }
        var step = self.step(in: turn)
        switch signal {
        case .due: channel.wake(in: &step)
        case .restored, .linkBack: channel.hurry(in: &step)
        case .refused(let content, let error): retract(content, error, in: &turn)
        case .linkLost: channel.loseLink(now: turn.now)
        case .published: channel.makeProgress(now: turn.now)
        case .started, .replyEnded, .contactEnded: break
        }
        carryOut(step, in: &turn) { turn, refusal in turn.report(.refused(refusal)) }
        for abandoned in reassembler.sweep(now: turn.now) {
            turn.report(.gap(Gap(reference: hex(abandoned.hash.array), sender: peer, isFinal: true)))
        }
    }

    /// Nothing is sent again while more than this waits for the service: on a slow link, what is sent again would
    /// only delay what has not been sent yet. Ten large segments.
    private static var maximumBacklog: Int { 1 << 20 }

    /// A message that is on its way to the service for the first time is not sent again unasked (REL-10).
    private func step(in turn: borrowing Step) -> SDSStep {
        let room = max(0, Self.maximumBacklog - turn.waiting.all)
        return SDSStep(now: turn.now, room: room, repeats: turn.waiting.own == 0)
    }

    /// Takes what the inner machine left.
    mutating func absorb(_ left: consuming Step.Output, in turn: inout Step) {
        absorb(left, in: &turn) { turn, refusal in turn.report(.refused(refusal)) }
    }

    /// The same, with what is to happen if something is refused.
    mutating func absorb<E: Error>(
        _ left: consuming Step.Output, in turn: inout Step, _ refuse: (inout Step, Refusal) throws(E) -> Void
    ) throws(E) {
        var step = self.step(in: turn)
        let events = left.events
        left.events = []
        turn.take(left)
        for event in events {
            switch event {
            case .content(let received):
                do throws(Refusal) {
                    try channel.receive(received.content, from: names.peer, in: &step)
                } catch {
                    try refuse(&turn, error)
                }
            // Of its messages, this stage knows better.
            case .status, .gap: continue
            case .members, .refused, .frame, .progress, .cancelled, .ended: turn.report(event)
            }
        }
        try carryOut(step, in: &turn, refuse)
    }

    /// Sends and reports what a step of the channel left.
    private mutating func carryOut<E: Error>(
        _ step: SDSStep, in turn: inout Step, _ refuse: (inout Step, Refusal) throws(E) -> Void
    ) throws(E) {
        var progress: [TransferProgress] = []
        for event in step.events {
            switch event {
            case .delivered(let delivery):
                do throws(Refusal) { progress.note(try deliver(delivery, in: &turn)) } catch {
                    try refuse(&turn, error)
                }
            case .acknowledged(let id):
                guard let (content, acknowledged) = contents.acknowledge(id) else { continue }
                progress.note(acknowledged)
                if acknowledged.isWhole { turn.report(.status(content, .delivered)) }
            case .gaveUp(let id):
                guard let content = contents.content(of: id) else { continue }
                // If some of its messages stayed, a restart would take these for all of it.
                withdraw(contents.remove(content), isReplaced: false)
                let words = "not acknowledged for too long; whether the other side has it is unknown"
                turn.report(.status(content, .failed(words)))
            case .missing(let entry):
                turn.report(.gap(Gap(reference: entry.id.text, sender: peer, isFinal: false)))
            case .lost(let id, _): turn.report(.gap(Gap(reference: id.text, sender: peer, isFinal: true)))
            case .ephemeral, .possiblyAcknowledged: continue
            }
        }
        for one in progress { turn.report(.progress(one.target, done: one.done, of: one.of)) }
        // A segment whose content was cut anew meanwhile, or has failed, is not sent any more.
        var withdrawn: Set<Identifier> = []
        for broadcast in step.broadcasts where !withdrawn.contains(broadcast.id) {
            // That a copy was sent is not reported.
            let content = broadcast.reason == .new ? contents.content(of: broadcast.id) : nil
            do throws(Refusal) { try transmit(broadcast.bytes, for: content, in: &turn) } catch {
                // A message that cannot be sent now is sent again later, unless it has become too large for the service.
                if broadcast.reason != .sync, error.cause.code == Self.tooLarge {
                    withdrawn.formUnion(cutAnewOrFail(broadcast.id, error, in: &turn))
                }
            }
        }
    }

    private static var tooLarge: String { CommonCause.tooLarge("", bytes: 0, limit: 0).code }

    /// A message has become too large to be sent again: its content is cut anew, or fails, and the message is not waited
    /// for (REL-12). Returns the messages that are sent no more.
    private mutating func cutAnewOrFail(_ id: Identifier, _ refusal: Refusal, in turn: inout Step) -> [Identifier] {
        guard let content = contents.content(of: id) else {
            channel.withdraw(id)
            return [id]
        }
        let ids = contents.remove(content)
        let room = turn.maximumPayload - overhead - SegmentMessage.overhead
        if !cutAnew(content, ids, into: room, in: &turn) {
            withdraw(ids, isReplaced: false)
            let words = "\(refusal.cause); whether the other side has it is unknown"
            turn.report(.status(content, .failed(words)))
        }
        return ids
    }

    /// The service refused a payload of a content for good: nothing of it is sent again, and the other side does not
    /// wait for it. What is too large is cut anew, to what the service takes (REL-12); the client reports the rest.
    private mutating func retract(_ content: ContentID, _ error: DeliveryError, in turn: inout Step) {
        let ids = contents.remove(content)
        let largest = ids.compactMap { channel.message($0)?.count }.max()
        guard case .tooLarge(let bytes, let limit) = error, let largest else {
            return withdraw(ids, isReplaced: false)
        }
        // The overhead of the layers below on the largest message, and the most that this layer adds to a segment.
        let room = limit - max(0, bytes - largest) - (overhead - constants.innerOverhead) - SegmentMessage.overhead
        guard cutAnew(content, ids, into: room, in: &turn) else { return withdraw(ids, isReplaced: false) }
        turn.report(.status(content, .accepted))
    }

    /// Sends the frame of a content again, in smaller segments and more of them, of which none is larger than the
    /// room that there is.
    ///
    /// - Parameter ids: its messages; all of them, so that none has been acknowledged.
    /// - Returns: false where nothing has happened, because a message is missing or it cannot be cut so small.
    private mutating func cutAnew(
        _ content: ContentID, _ ids: [Identifier], into room: Int, in turn: inout Step
    ) -> Bool {
        let messages = ids.compactMap { channel.message($0) }
        let segments = messages.compactMap { try? SDSMessage(decoding: $0) }.compactMap(\.content)
        guard segments.count == ids.count, let frame = Self.frame(of: segments),
            let current = segments.map(\.count).max(), room >= Self.leastCut,
            room + SegmentMessage.overhead < current
        else { return false }
        let before = self
        maximumSegment = min(maximumSegment, room)
        // More pieces than before, by which the other side tells the old ones from the new ones.
        let size = max(1, (frame.count + segments.count) / (segments.count + 1))
        withdraw(ids, isReplaced: true)
        do throws(Refusal) {
            let segmentation = try segmentation(in: turn, upTo: size)
            let time = nextTime(turn.now)
            try send(frame: frame, at: time, by: segmentation, for: content, mayWait: false, in: &turn)
        } catch {
            self = before
            return false
        }
        return true
    }

    /// A refusal never makes segments smaller than this, of this content or of later ones: 255 of them still carry a
    /// long text.
    private static var leastCut: Int { 512 }

    private mutating func withdraw(_ ids: [Identifier], isReplaced: Bool) {
        for id in ids { channel.withdraw(id, isReplaced: isReplaced) }
    }

    /// The encoded frame that the segments of a content make, in their order; nil where one is missing.
    private static func frame(of segments: [Bytes]) -> Bytes? {
        let messages = segments.compactMap { try? SegmentMessage(decoding: $0) }
        guard let first = messages.first, messages.count == first.dataCount else { return nil }
        return Bytes(headRoom: 0, count: messages.reduce(0) { $0 + $1.payload.count }) { output in
            for message in messages { output.append(bytes: message.payload.span) }
        }
    }

    /// Takes a segment, and with the last one of a frame what is in it; returns how far the frame is.
    private mutating func deliver(
        _ delivery: SDSEvent.Delivery, in turn: inout Step
    ) throws(Refusal) -> TransferProgress? {
        let outcome = try reassembler.receive(delivery.content, from: names.peer.text, now: turn.now)
        let segment = try SegmentMessage(decoding: delivery.content)
        let bytes: Bytes
        switch outcome {
        case .repeated: return nil
        case .waiting(let have, let of): return TransferProgress(hash: segment.hash, done: have, of: of)
        case .complete(let whole): bytes = whole
        }
        // Cut anew although it had arrived: its only message is in the log, under the hash of the frame (REL-12).
        if segment.dataCount > 1, let id = Identifier(hex: BLAKE2b.hash(count: Self.idSize, bytes.span).span),
            channel.log.contains(id)
        {
            return nil
        }
        let frame: ReliableFrame
        do { frame = try ReliableFrame(decoding: bytes) } catch { throw Refusal(error) }
        switch frame.body {
        case .content(let content):
            turn.report(.content(ReceivedContent(content, sender: peer, reference: delivery.id.text)))
        case .placeholder(let bytes): turn.report(.frame(kind: Placeholder.kind, bytes: bytes))
        case .unknown: throw Refusal(.unsupported, ReliabilityCause.unknownFrame)
        }
        return TransferProgress(hash: segment.hash, done: segment.dataCount, of: segment.dataCount)
    }
}
