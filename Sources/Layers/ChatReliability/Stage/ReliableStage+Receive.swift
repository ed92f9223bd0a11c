public import ChatModel
import ChatWire

// What comes from the other side, and what time brings.
extension ReliableStage {
    /// Receives a payload; what the inner type refuses changes nothing, what it accepts and is no SDS message is
    /// reported.
    public mutating func receive(_ routed: Routed, in turn: inout Step) throws(Refusal) {
        let mark = turn.mark
        try inner.receive(routed, in: &turn)
        absorb(since: mark, in: &turn)
    }

    /// Passes a signal on, and does what is due.
    public mutating func handle(_ signal: Signal, in turn: inout Step) {
        if signal != .due || inner.nextWake.map({ $0 <= turn.now }) ?? false {
            let mark = turn.mark
            inner.handle(signal, in: &turn)
            absorb(since: mark, in: &turn)
        }
        var step = self.step(in: turn)
        switch signal {
        case .due: channel.wake(in: &step)
        case .restored, .linkBack: channel.hurry(in: &step)
        case .refused(let content, _):
            // The client reports it; nothing of it is sent again.
            for id in contents.remove(content) { channel.withdraw(id) }
        case .linkLost: channel.loseLink()
        case .started, .replyEnded, .published, .inviteAnswered: break
        }
        carryOut(step, in: &turn) { turn, refusal in turn.report(.refused(refusal)) }
        for abandoned in reassembler.sweep(now: turn.now) {
            turn.report(.gap(Gap(reference: hex(abandoned.hash.array), sender: peer, isFinal: true)))
        }
    }

    /// Nothing is sent again while more than this waits for the service: on a slow link, what is sent again would
    /// only delay what has not been sent yet. Ten large segments.
    private static var maximumBacklog: Int { 1 << 20 }

    private func step(in turn: borrowing Step) -> SDSStep {
        SDSStep(now: turn.now, room: max(0, Self.maximumBacklog - turn.waitingBytes))
    }

    /// Takes what the inner machine reported since a mark.
    mutating func absorb(since mark: Step.Mark, in turn: inout Step) {
        absorb(since: mark, in: &turn) { turn, refusal in turn.report(.refused(refusal)) }
    }

    /// The same, with what is to happen if something is refused.
    mutating func absorb<E: Error>(
        since mark: Step.Mark, in turn: inout Step, _ refuse: (inout Step, Refusal) throws(E) -> Void
    ) throws(E) {
        var step = self.step(in: turn)
        for event in turn.takeEvents(since: mark) {
            switch event {
            case .content(let received):
                do throws(Refusal) {
                    try channel.receive(received.content, from: names.peer, in: &step)
                } catch {
                    try refuse(&turn, error)
                }
            // Of its messages, this stage knows better.
            case .status, .gap: continue
            case .members, .refused, .frame: turn.report(event)
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
                guard let acknowledged = contents.acknowledge(id), let content = acknowledged.content else { continue }
                progress.note(acknowledged)
                if acknowledged.isWhole { turn.report(.status(content, .delivered)) }
            case .gaveUp(let id):
                guard let content = contents.fail(id) else { continue }
                turn.report(.status(content, .failed("the other side acknowledged nothing for too long")))
            case .missing(let entry):
                turn.report(.gap(Gap(reference: entry.id.text, sender: peer, isFinal: false)))
            case .lost(let id, _): turn.report(.gap(Gap(reference: id.text, sender: peer, isFinal: true)))
            case .ephemeral, .possiblyAcknowledged: continue
            }
        }
        for one in progress { turn.report(one.event) }
        for broadcast in step.broadcasts {
            // A message that cannot be sent now is sent again later.
            do throws(Refusal) { try transmit(broadcast.bytes, for: nil, in: &turn) } catch { continue }
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
