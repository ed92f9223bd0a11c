import ChatClient
import ChatModel

// One peer's step, in the order that every client keeps: take in, store, publish, show.
extension Simulation {
    /// Lets a peer deal with what waits for it, soon.
    mutating func requestStep(_ peer: Int) {
        guard !peers[peer].isStepping, peers[peer].isUp else { return }
        peers[peer].isStepping = true
        agenda.add(.step, at: now + VirtualTime(scenario.stepPause), peer: peer)
    }

    /// An alarm rings; one that has been set anew since is not meant.
    mutating func ring(_ peer: Int, at time: VirtualTime) {
        guard peers[peer].alarm == time else { return }
        peers[peer].alarm = .never
        guard peers[peer].isUp, !peers[peer].isStepping else { return }
        note(peer, .alarm)
        step(peer)
    }

    /// The service's answers arrive, unless the process has ended since.
    mutating func answer(_ peer: Int, life: UInt32) {
        guard peers[peer].life == life, !peers[peer].answersUnderWay.isEmpty else { return }
        peers[peer].answers.append(peers[peer].answersUnderWay.removeFirst())
        requestStep(peer)
    }

    mutating func step(_ peer: Int) {
        peers[peer].isStepping = false
        guard peers[peer].isUp else { return }
        tally.steps += 1
        let clock = peers[peer].clock.reading(at: now)
        takeIn(peer, clock)
        carryOutTasks(peer, clock)
        guard store(peer) else { return }
        follow(peer)
    }

    /// What follows from what is stored.
    mutating func follow(_ peer: Int) {
        guard publish(peer) else { return }
        connectAnew(peer)
        guard show(peer) else { return }
        let load = cores[peer].load
        (peers[peer].isFull, peers[peer].nextAlarm) = (load.isFull, load.nextAlarm)
        check(peer, load)
        setAlarm(peer, load)
        if !peers[peer].mailbox.isEmpty, !load.isFull { requestStep(peer) }
    }

    private mutating func takeIn(_ peer: Int, _ clock: Timestamp) {
        if !peers[peer].notices.isEmpty {
            for notice in peers[peer].notices { cores[peer].notice(notice, now: clock) }
            peers[peer].notices.removeAll(keepingCapacity: true)
        }
        if !peers[peer].mailbox.isEmpty, !peers[peer].isFull {
            let hasCursors = service.limits.retention != nil
            for index in peers[peer].mailbox {
                let parcel = parcels[Int(index)]
                let cursor = hasCursors ? Cursor(sequence: parcel.sequence) : nil
                deliveries.append(Delivery(parcel.addressed, cursor: cursor))
                tally.deliveries += 1
                tally.mix(1, peer, parcel.addressed.payload.count, at: now)
                note(peer, .received(parcel.serial, from: Int(parcel.sender)))
                release(Int(index))
            }
            peers[peer].mailbox.removeAll(keepingCapacity: true)
            cores[peer].receive(deliveries, now: clock)
            deliveries.removeAll(keepingCapacity: true)
        }
        if !peers[peer].answers.isEmpty {
            for answer in peers[peer].answers { cores[peer].settle(answer.payloads, answer.results, now: clock) }
            peers[peer].answers.removeAll(keepingCapacity: true)
        }
        if let alarm = peers[peer].nextAlarm, alarm <= clock { cores[peer].wake(now: clock) }
    }

    /// Stores what changed; false where the process ended over it.
    mutating func store(_ peer: Int) -> Bool {
        if peers[peer].crashPoint == .beforeStoring {
            crash(peer, .beforeStoring)
            return false
        }
        let records = cores[peer].takeRecords()
        if !records.isEmpty { peers[peer].disk.commit(records) }
        acceptDrafts(peer)
        if peers[peer].crashPoint == .beforePublishing {
            crash(peer, .beforePublishing)
            return false
        }
        return true
    }

    /// Hands what waits to the service; false where the process ended over it.
    private mutating func publish(_ peer: Int) -> Bool {
        let clock = peers[peer].clock.reading(at: now)
        while true {
            let payloads = cores[peer].takeOutbox(now: clock)
            guard !payloads.isEmpty else { return true }
            let isCutOff = peers[peer].crashPoint == .whilePublishing
            var results: [Result<Receipt, DeliveryError>] = []
            results.reserveCapacity(payloads.count)
            for payload in payloads.prefix(isCutOff ? (payloads.count + 1) / 2 : payloads.count) {
                results.append(post(payload, from: peer))
            }
            if isCutOff || peers[peer].crashPoint == .beforeResults {
                crash(peer, peers[peer].crashPoint ?? .whilePublishing)
                return false
            }
            peers[peer].answersUnderWay.append(SimulatedPeer.Answer(payloads: payloads, results: results))
            agenda.add(.answer, at: now + network.answerTime, peer: peer, index: Int(peers[peer].life))
        }
    }

    /// Shows the application what happened; false where the process ended before that was stored.
    private mutating func show(_ peer: Int) -> Bool {
        guard peers[peer].pauses == 0 else { return true }
        let batches = cores[peer].waitingBatches
        guard !batches.isEmpty else { return true }
        for batch in batches { show(batch, to: peer) }
        if peers[peer].crashPoint == .beforeConfirming {
            crash(peer, .beforeConfirming)
            return false
        }
        for batch in batches { cores[peer].confirm(batchesUpTo: batch.number) }
        return true
    }

    /// Checks what a peer holds.
    private mutating func check(_ peer: Int, _ core: CoreLoad) {
        let load = PeerLoad(core: core, storedBytes: peers[peer].disk.liveBytes)
        tally.largestOutbox = max(tally.largestOutbox, core.outboxPayloads)
        tally.largestParked = max(tally.largestParked, core.deferredPayloads)
        tally.largestStore = max(tally.largestStore, load.storedBytes)
        guard !ledger.liars.contains(peer) else { return }
        for index in invariants.indices {
            guard let finding = invariants[index].stepped(load, peer: peer) else { continue }
            fail(invariants[index].name, finding, peer: peer)
        }
    }

    private mutating func setAlarm(_ peer: Int, _ load: CoreLoad) {
        var next = load.nextAlarm
        if let publish = load.nextPublish { next = next.map { min($0, publish) } ?? publish }
        guard let next else { return }
        let time = peers[peer].clock.moment(of: next, from: now)
        // An alarm that rings too early looks again; one that would ring too late is set anew.
        guard time < peers[peer].alarm else { return }
        peers[peer].alarm = max(time, now + VirtualTime(microseconds: 1))
        agenda.add(.alarm, at: peers[peer].alarm, peer: peer)
    }
}
