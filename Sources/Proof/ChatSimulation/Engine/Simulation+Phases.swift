import ChatClient
import ChatModel

// How a run begins, and what it does next.
extension Simulation {
    /// Makes all peers and plans what happens to them.
    mutating func prepare() {
        for peer in 0..<scenario.peers {
            peers.append(SimulatedPeer())
            peers[peer].disk.keeps = scenario.needsDisks
            start(peer)
        }
        let meeting = VirtualTime(scenario.meeting)
        for thread in ledger.threads.indices {
            agenda.add(.meet, at: trafficDice.time(in: .zero...meeting), index: thread)
        }
        enter(.meeting)
        // Some time for the last invites to arrive before anybody else speaks.
        agenda.add(.phase, at: meeting + VirtualTime(.seconds(2)), index: Phase.talking.rawValue)
    }

    /// Begins a phase and plans the next.
    mutating func enter(_ next: Phase) {
        // Whoever idles is not ended by the time that settling would have had.
        guard next.rawValue >= phase.rawValue, next != .over || now >= idleEnd else { return }
        phase = next
        switch next {
        case .meeting: network.isCalm = scenario.calmStart
        case .talking:
            network.isCalm = false
            let end = now + VirtualTime(scenario.traffic.time)
            let over = planDisturbances(from: now, to: end)
            agenda.add(.speak, at: now)
            agenda.add(.phase, at: max(end, over), index: Phase.settling.rawValue)
        case .settling:
            mendEverything()
            ledger.healed = now
            agenda.add(.phase, at: now + VirtualTime(scenario.settling), index: Phase.over.rawValue)
            idleWhenSettled()
        case .idling:
            let half = VirtualTime(microseconds: VirtualTime(scenario.idling).microseconds / 2)
            agenda.add(.phase, at: now + half, index: Phase.measuring.rawValue)
            idleEnd = now + half + half
            agenda.add(.phase, at: idleEnd, index: Phase.over.rawValue)
        case .measuring: tally.idleTime = VirtualTime(microseconds: VirtualTime(scenario.idling).microseconds / 2)
        case .over: break
        }
    }

    /// Nobody has anything left to say, and everything that was said has been heard.
    mutating func idleWhenSettled() {
        guard phase == .settling, ledger.outstanding == 0, threads.isSettled(scenario.traffic.contents) else { return }
        enter(.idling)
    }
}

// What people say.
extension Simulation {
    /// Somebody speaks, and it is planned when somebody speaks next.
    mutating func speak() {
        guard !ledger.threads.isEmpty, threads.spoken < scenario.traffic.contents else { return }
        let thread = trafficDice.below(ledger.threads.count)
        let count = ledger.threads[thread].participants.count
        let place = trafficDice.happens(scenario.traffic.initiative) ? 0 : 1 + trafficDice.below(count - 1)
        let burst = scenario.traffic.burst
        let wanted = burst.lowerBound + trafficDice.below(burst.count)
        let words = min(wanted, scenario.traffic.contents - threads.spoken)
        threads.spoken += words
        threads.unsaid += words
        ask(thread, place, words)
        guard threads.spoken < scenario.traffic.contents else { return }
        // So that the last is said at about the end of the time, whatever came before.
        let mean = VirtualTime(scenario.traffic.time).seconds * Double(wanted) / Double(scenario.traffic.contents)
        let gap = VirtualTime(microseconds: UInt64(2e6 * mean * trafficDice.unit()))
        agenda.add(.speak, at: now + gap)
    }

    /// Lets a participant say so many contents, as soon as it knows the conversation.
    private mutating func ask(_ thread: Int, _ place: Int, _ words: Int) {
        guard !ledger.threads[thread].isRefused else { return threads.unsaid -= words }
        guard ledger.threads[thread].ids[place] != nil else {
            ledger.threads[thread].unsaid[place] += words
            return
        }
        let peer = ledger.threads[thread].participants[place]
        for _ in 0..<words { peers[peer].tasks.append(.speak(thread: thread)) }
        requestStep(peer)
    }

    /// A participant has learned of a conversation.
    mutating func know(_ thread: Int, _ place: Int, as id: ConversationID) {
        ledger.threads[thread].ids[place] = id
        ledger.threads[thread].met = now
        let words = ledger.threads[thread].unsaid[place]
        ledger.threads[thread].unsaid[place] = 0
        if words > 0 { ask(thread, place, words) }
    }

    /// The members of a thread hand over bundles, and the first of them begins the conversation.
    mutating func meet(_ thread: Int) {
        let participants = ledger.threads[thread].participants
        if thread >= firstReuse { return meetAgain(thread) }
        guard participants.allSatisfy({ peers[$0].isUp }) else {
            return agenda.add(.meet, at: now + VirtualTime(.seconds(1)), index: thread)
        }
        var bundles: [IntroductionBundle] = []
        for peer in participants.dropFirst() {
            do {
                guard let bundle = try introduce(peer) else {
                    return agenda.add(.meet, at: now + VirtualTime(.seconds(1)), index: thread)
                }
                bundles.append(try composition.handOver(bundle))
            } catch {
                return fail(
                    "first contact", "\(ParticipantNames.name(peer)) could not introduce itself: \(error)", peer: peer)
            }
        }
        let first = participants[0]
        if bundles.count == 1 {
            handedOver[thread] = bundles[0]
            peers[first].tasks.append(.begin(thread: thread, bundles[0]))
        } else {
            peers[first].tasks.append(.found(thread: thread, bundles))
        }
        requestStep(first)
    }

    /// Somebody begins a conversation with a bundle that another one was begun with, as soon as there is one.
    private mutating func meetAgain(_ thread: Int) {
        guard let bundle = handedOver[thread - firstReuse] else {
            return agenda.add(.meet, at: now + VirtualTime(.seconds(1)), index: thread)
        }
        let first = ledger.threads[thread].participants[0]
        peers[first].tasks.append(.begin(thread: thread, bundle))
        requestStep(first)
    }

    /// Makes a bundle; nil where the peer crashed over it.
    private mutating func introduce(_ peer: Int) throws -> IntroductionBundle? {
        let clock = peers[peer].clock.reading(at: now)
        guard let bundle = try cores[peer].introduce(1, now: clock).first else { return nil }
        guard store(peer) else { return nil }
        follow(peer)
        return bundle
    }
}
