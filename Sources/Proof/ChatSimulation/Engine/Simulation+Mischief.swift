import ChatClient
import ChatModel

// What happens to devices and services as a whole, and what strangers do.
extension Simulation {
    /// A running peer's clock shows another time at once, forward or back.
    mutating func jump(_ peer: Int, by time: VirtualTime) {
        let milliseconds = Int64(clamping: time.microseconds / 1_000)
        peers[peer].clock.jumped += troubleDice.happens(0.3) ? -milliseconds : milliseconds
        note(peer, .changed("has a clock that jumps by \(time)"))
        requestStep(peer)
    }

    /// An old copy takes the place of what a peer has stored since, and the process starts with it.
    mutating func rollBack(_ peer: Int, to copy: SimulatedPeer.Copy?) {
        guard let copy else { return }
        if peers[peer].isUp {
            peers[peer].downTime = VirtualTime(.seconds(1))
            crash(peer, .beforeStoring)
        }
        note(peer, .changed("is set back to an old copy"))
        peers[peer].restore(copy)
        ledger.forget(peer, but: copy.contents)
    }

    /// Who was set back does not know what began since; at the end nothing can be asked of it there.
    mutating func forgetConversations() {
        for thread in ledger.threads.indices {
            for (place, peer) in ledger.threads[thread].participants.enumerated()
            where ledger.rolledBack.contains(peer) {
                guard let id = ledger.threads[thread].ids[place], cores[peer].machine(id) == nil else { continue }
                ledger.threads[thread].ids[place] = nil
            }
        }
    }

    /// A stricter relay takes the place of the one that was there; everybody is connected to it at once.
    mutating func replaceService() {
        service.replace(maximumPayload: scenario.strictPayload, rate: .init(payloads: 30, epoch: .seconds(3)))
        for peer in peers.indices where peers[peer].isUp && peers[peer].isOnline {
            note(peer, .changed("is connected to another relay"))
            peers[peer].notices += [.interrupted("no link"), .resumed()]
            peers[peer].connectedSince = now
            requestStep(peer)
        }
    }

    /// An intruder who saw a payload sends something of its own making where it was sent: the same again, the same
    /// with some bytes changed, one that it saw before or elsewhere, or noise.
    mutating func intrude(_ addressed: Addressed, from sender: Int) {
        guard intruders > 0 else { return }
        if overheard.count < 256 {
            overheard.append(addressed)
        } else {
            overheard[troubleDice.below(256)] = addressed
        }
        guard troubleDice.happens(0.3) else { return }
        var forged = addressed
        switch troubleDice.below(4) {
        case 0: break
        case 1: forged = altered(addressed)
        case 2: forged.payload = overheard[troubleDice.below(overheard.count)].payload
        default: forged.payload = Bytes(troubleDice.bytes(troubleDice.below(300), for: .identifier))
        }
        forged.id = PayloadID(high: troubleDice.next(), low: troubleDice.next())
        guard forged.payload.count <= service.limits.maximumPayload,
            let (channel, sequence) = service.take(forged, from: sender, at: now)
        else { return }
        tally.intruded += 1
        fanOut(forged, sequence, channel, from: sender)
    }
}
