import ChatClient
import ChatModel

/// One thing that goes wrong, to whom and for how long.
struct Disturbance: Sendable {
    enum Kind: Sendable {
        case crash, absence, partition, pause, outage, off, jump, rollback, replacement, intrusion

        /// Whether it takes its time, also after the last content was said.
        var isLasting: Bool { [.outage, .off, .rollback, .intrusion].contains(self) }
    }
    let kind: Kind
    let peers: [Int]
    let time: VirtualTime
    var isActive = false
}

// What goes wrong with peers, and how it ends.
extension Simulation {
    /// Plans everything that is to go wrong; gives when the last of what takes its time is over.
    mutating func planDisturbances(from start: VirtualTime, to end: VirtualTime) -> VirtualTime {
        var over = end
        let plan = scenario.disturbances
        for (kind, episodes) in [
            (Disturbance.Kind.crash, plan.crashes), (.absence, plan.absences), (.partition, plan.partitions),
            (.pause, plan.pauses), (.outage, plan.outages), (.off, plan.offs), (.jump, plan.jumps),
            (.rollback, plan.rollbacks), (.replacement, plan.replacements), (.intrusion, plan.intrusions),
        ] {
            for _ in 0..<episodes.count {
                let range = VirtualTime(episodes.time.lowerBound)...VirtualTime(episodes.time.upperBound)
                let affected = affected(by: kind)
                let disturbance = Disturbance(kind: kind, peers: affected, time: troubleDice.time(in: range))
                disturbances.append(disturbance)
                let time = troubleDice.time(in: start...end)
                agenda.add(.disturb, at: time, index: disturbances.count - 1)
                if kind.isLasting { over = max(over, time + disturbance.time + VirtualTime(.seconds(1))) }
            }
        }
        return over
    }

    /// Whom something happens to: one peer, those of one side, or who no longer hears whom.
    private mutating func affected(by kind: Disturbance.Kind) -> [Int] {
        switch kind {
        case .partition: return (0..<scenario.peers).filter { _ in troubleDice.happens(0.4) }
        case .outage where !ledger.threads.isEmpty:
            let group = ledger.threads[troubleDice.below(ledger.threads.count)].participants
            let from = troubleDice.below(group.count)
            return [group[from], group[(from + 1 + troubleDice.below(group.count - 1)) % group.count]]
        default: return [troubleDice.below(scenario.peers)]
        }
    }

    mutating func disturb(_ index: Int) {
        guard phase == .talking else { return }
        let disturbance = disturbances[index]
        switch disturbance.kind {
        case .crash, .off:
            // It ends at that point of the first step that has one; the restart is planned then.
            for peer in disturbance.peers where peers[peer].isUp {
                peers[peer].crashPoint = CrashPoint.allCases.randomElement(using: &troubleDice)
                peers[peer].downTime = max(disturbance.time, peers[peer].downTime)
                requestStep(peer)
            }
        case .jump: jump(disturbance.peers[0], by: disturbance.time)
        case .replacement: replaceService()
        default:
            disturbances[index].isActive = true
            for peer in disturbance.peers { begin(disturbance.kind, index, peer) }
            agenda.add(.mend, at: now + disturbance.time, index: index)
        }
    }

    mutating func mend(_ index: Int) {
        guard disturbances[index].isActive else { return }
        disturbances[index].isActive = false
        for peer in disturbances[index].peers { end(disturbances[index].kind, index, peer) }
    }

    /// Ends everything that is wrong with peers.
    mutating func mendEverything() {
        for index in disturbances.indices { mend(index) }
        for peer in peers.indices {
            peers[peer].crashPoint = nil
            if !peers[peer].isUp { start(peer) }
        }
    }

    private mutating func begin(_ kind: Disturbance.Kind, _ index: Int, _ peer: Int) {
        switch kind {
        case .crash, .off, .jump, .replacement: break
        case .outage:
            // Both are named, and only the second hears less.
            let way = disturbances[index].peers
            guard peer == way[1] else { return }
            peers[peer].deafTo[way[0], default: 0] += 1
            note(peer, .changed("no longer hears \(ParticipantNames.name(way[0]))"))
        case .rollback:
            copies[index] = peers[peer].copy
            note(peer, .changed("is copied"))
        case .intrusion: intruders += 1
        case .pause:
            peers[peer].pauses += 1
            note(peer, .changed("stops reading events"))
        case .partition where service.limits.retention == nil:
            peers[peer].side = index + 1
            note(peer, .changed("is cut off from the others"))
        case .partition, .absence:
            peers[peer].absences += 1
            note(peer, .changed("loses its link"))
            peers[peer].notices.append(.interrupted("no link"))
            requestStep(peer)
        }
    }

    private mutating func end(_ kind: Disturbance.Kind, _ index: Int, _ peer: Int) {
        switch kind {
        case .crash, .off, .jump, .replacement: break
        case .outage:
            let way = disturbances[index].peers
            guard peer == way[1], let count = peers[peer].deafTo[way[0]] else { return }
            peers[peer].deafTo[way[0]] = count > 1 ? count - 1 : nil
            note(peer, .changed("hears \(ParticipantNames.name(way[0])) again"))
        case .rollback: rollBack(peer, to: copies.removeValue(forKey: index))
        case .intrusion: intruders -= 1
        case .pause:
            peers[peer].pauses -= 1
            requestStep(peer)
        case .partition where service.limits.retention == nil:
            if peers[peer].side == index + 1 { peers[peer].side = 0 }
        case .partition, .absence:
            peers[peer].absences -= 1
            guard peers[peer].isOnline, peers[peer].isUp else { return }
            note(peer, .changed("has its link again"))
            peers[peer].notices.append(.resumed())
            reconnect(peer)
            requestStep(peer)
        }
    }
}

// Processes that start and end.
extension Simulation {
    /// Starts a process with what it has stored.
    mutating func start(_ peer: Int) {
        guard !peers[peer].isUp else { return }
        let error = VirtualTime(scenario.clockError).microseconds / 1_000
        peers[peer].clock.offset = Int64(troubleDice.below(2 * Int(error) + 1)) - Int64(error)
        if error > 0 { peers[peer].clock.drift = Int64(troubleDice.below(401)) - 200 }
        let records = peers[peer].disk.load()
        do {
            let core = try ChatCore(
                composition.initialization(of: peer, seed: seed),
                conversations: composition.types(isLiar: ledger.liars.contains(peer)),
                framing: composition.framing, delivery: service.limits,
                random: Dice(seed: seed, peer: peer, life: peers[peer].life), limits: composition.limits,
                restoring: records, now: peers[peer].clock.reading(at: now))
            if peer < cores.count { cores[peer] = core } else { cores.append(core) }
            peers[peer].isUp = true
        } catch {
            return fail(
                "restart", "\(ParticipantNames.name(peer)) cannot start with what it stored: \(error)", peer: peer)
        }
        if peers[peer].life > 0 { note(peer, .restarted) }
        peers[peer].connectedSince = now
        guard store(peer) else { return }
        follow(peer)
        if !peers[peer].tasks.isEmpty { requestStep(peer) }
    }

    /// Ends a process without warning.
    mutating func crash(_ peer: Int, _ point: CrashPoint) {
        tally.crashes += 1
        tally.mix(3, peer, tally.crashes, at: now)
        note(peer, .crashed(point.rawValue))
        service.forget(peer, on: peers[peer].channels)
        for parcel in peers[peer].mailbox { release(Int(parcel)) }
        let tasks = peers[peer].unstored + peers[peer].tasks
        peers[peer].endProcess()
        peers[peer].tasks = tasks
        drafts.removeAll(keepingCapacity: true)
        agenda.add(.start, at: now + peers[peer].downTime, peer: peer)
        peers[peer].downTime = .zero
    }
}

// Connections to the service.
extension Simulation {
    /// Subscribes to what the client wants since the last time, and takes up reading where it fell behind.
    mutating func connectAnew(_ peer: Int) {
        let (begun, ended) = cores[peer].takeSubscriptions()
        for address in ended {
            let channel = service.channel(of: address)
            service.forget(peer, on: [channel])
            peers[peer].channels.removeAll { $0 == channel }
        }
        for (address, since) in begun.sorted(by: { $0.key.text < $1.key.text }) {
            let channel = service.channel(of: address)
            if !peers[peer].channels.contains(channel) {
                peers[peer].channels.append(channel)
                service.channels[channel].subscribers.append(Int32(peer))
            }
            if peers[peer].isOnline { catchUp(peer, channel, since) }
        }
        if peers[peer].isBehind, peers[peer].mailbox.isEmpty { reconnect(peer) }
    }

    /// Begins a new connection: what was under way on the old one is lost.
    mutating func reconnect(_ peer: Int) {
        peers[peer].connectedSince = now
        peers[peer].isBehind = false
        guard service.limits.retention != nil else { return }
        for (address, since) in cores[peer].wanted.sorted(by: { $0.key.text < $1.key.text }) {
            catchUp(peer, service.channel(of: address), since)
        }
    }

    /// Sends what a peer missed on a channel, as far as it is retained.
    private mutating func catchUp(_ peer: Int, _ channel: Int, _ since: Since) {
        guard service.limits.retention != nil else { return }
        let position: UInt64
        switch since {
        case .now: return
        case .earliest: position = 0
        case .after(let cursor): position = cursor.sequence
        }
        if position > 0, position < service.channels[channel].goneThrough {
            peers[peer].notices.append(.gone(service.channels[channel].address))
        }
        let room = max(1, service.profile.mailbox / 2)
        let own = service.profile.echoes ? nil : peer
        let entries = service.channels[channel].entries(after: position, atMost: room, without: own)
        for entry in entries {
            let parcel = parcel(entry.addressed, entry.sequence, from: Int(entry.sender), 0)
            retrieve(parcel, peer)
        }
        if entries.count == room { peers[peer].isBehind = true }
    }
}
