import ChatClient
import ChatModel

// What happens to payloads between peers.
extension Simulation {
    /// A peer publishes a payload; the result is on its way back.
    mutating func post(_ payload: OutboundPayload, from sender: Int) -> Result<Receipt, DeliveryError> {
        let addressed = payload.addressed
        tally.published += 1
        if phase == .measuring, !ledger.liars.contains(sender) { tally.idlePayloads += 1 }
        serial &+= 1
        let content = payload.content.flatMap { number(of: $0, sender) }
        if let content { ledger.notePayload(addressed.id, of: content, at: now) }
        notePublished(payload, content, from: sender)
        guard peers[sender].isOnline else {
            return reject(sender, .unreachable("the service", after: .milliseconds(200)))
        }
        do throws(DeliveryError) {
            try service.admit(addressed, quota: &peers[sender].quota, at: now, &networkDice)
        } catch {
            return reject(sender, error)
        }
        for index in invariants.indices {
            guard let finding = invariants[index].published(addressed, by: sender) else { continue }
            fail(invariants[index].name, finding, peer: sender)
        }
        tally.bytes += addressed.payload.count
        guard let (channel, sequence) = service.take(addressed, from: sender, at: now) else {
            return .success(Receipt())
        }
        fanOut(addressed, sequence, channel, from: sender)
        intrude(addressed, from: sender)
        return .success(Receipt(cursor: service.limits.retention == nil ? nil : Cursor(sequence: sequence)))
    }

    private mutating func reject(_ sender: Int, _ error: DeliveryError) -> Result<Receipt, DeliveryError> {
        tally.rejected += 1
        if trace != nil { note(sender, .rejected(serial, why: error.description)) }
        return .failure(error)
    }

    /// Sends a copy to everybody who listens.
    mutating func fanOut(_ addressed: Addressed, _ sequence: UInt64, _ channel: Int, from sender: Int) {
        let busy = network.time(for: addressed.payload.count)
        peers[sender].sendingUntil = max(now, peers[sender].sendingUntil) + busy
        let start = peers[sender].sendingUntil
        let parcel = parcel(addressed, sequence, from: sender, serial)
        for place in service.channels[channel].subscribers.indices {
            let receiver = Int(service.channels[channel].subscribers[place])
            guard receiver != sender || service.profile.echoes else { continue }
            send(parcel, from: sender, to: receiver, at: start, busy)
        }
        if parcels[parcel].copies == 0 { free(parcel) }
    }

    /// Decides what happens to a copy on its way.
    private mutating func send(
        _ parcel: Int, from sender: Int, to receiver: Int, at start: VirtualTime, _ busy: VirtualTime
    ) {
        let link = network.link(from: sender, to: receiver)
        guard peers[receiver].isOnline, peers[receiver].isUp else { return lose(parcel, receiver, "away") }
        guard peers[receiver].side == peers[sender].side else { return lose(parcel, receiver, "partitioned") }
        guard peers[receiver].deafTo[sender] == nil else { return lose(parcel, receiver, "outage") }
        guard !peers[receiver].isBehind else { return lose(parcel, receiver, "behind") }
        var time = start + link.time(&networkDice)
        guard !network.isCalm else { return deliver(parcel, receiver, at: time, busy, inOrder: true) }
        guard !networkDice.happens(link.loss) else { return lose(parcel, receiver, "lost") }
        let isHeldBack = networkDice.happens(link.reordering)
        if isHeldBack {
            time = time + networkDice.time(in: .zero...link.holdBack)
            tally.heldBack += 1
        }
        let isTwice = networkDice.happens(link.duplication)
        let copy = networkDice.happens(link.corruption) ? corrupted(parcel) : parcel
        deliver(copy, receiver, at: time, busy, inOrder: !isHeldBack)
        guard isTwice else { return }
        tally.duplicated += 1
        deliver(parcel, receiver, at: time + networkDice.time(in: .zero...link.holdBack), busy, inOrder: false)
    }

    /// Plans the arrival of a copy.
    private mutating func deliver(
        _ parcel: Int, _ receiver: Int, at time: VirtualTime, _ busy: VirtualTime, inOrder: Bool
    ) {
        var time = time
        if busy > .zero {
            peers[receiver].receivingUntil = max(time, peers[receiver].receivingUntil) + busy
            time = peers[receiver].receivingUntil
        }
        if inOrder {
            time = max(time, peers[receiver].lastArrival)
            peers[receiver].lastArrival = time
        }
        parcels[parcel].copies += 1
        agenda.add(.arrival, at: time, peer: receiver, index: parcel)
    }

    /// Plans the arrival of a payload that a peer asked for: nothing happens to it but the time it takes.
    mutating func retrieve(_ parcel: Int, _ receiver: Int) {
        let link = network.link(from: Int(parcels[parcel].sender), to: receiver)
        let busy = network.time(for: parcels[parcel].addressed.payload.count)
        deliver(parcel, receiver, at: now + link.time(&networkDice), busy, inOrder: true)
    }

    /// A copy reaches a peer, if that is still there.
    mutating func arrive(_ parcel: Int, at peer: Int) {
        let isConnected = peers[peer].isOnline && peers[peer].isUp
        guard isConnected, parcels[parcel].sent >= peers[peer].connectedSince else {
            lose(parcel, peer, "connection lost")
            return release(parcel)
        }
        guard peers[peer].mailbox.count < service.profile.mailbox else {
            overflow(parcel, peer)
            return release(parcel)
        }
        peers[peer].mailbox.append(Int32(parcel))
        requestStep(peer)
    }

    /// A mailbox is full: the service keeps the rest if it keeps anything.
    private mutating func overflow(_ parcel: Int, _ peer: Int) {
        lose(parcel, peer, "mailbox full")
        if service.limits.retention != nil {
            // Whatever comes after it would move the cursor past it.
            peers[peer].isBehind = true
            peers[peer].connectedSince = now + VirtualTime(microseconds: 1)
        } else {
            peers[peer].notices.append(.gone(parcels[parcel].addressed.address))
        }
    }

    private mutating func lose(_ parcel: Int, _ receiver: Int, _ why: String) {
        tally.lost += 1
        note(Int(parcels[parcel].sender), .lost(parcels[parcel].serial, to: receiver, why: why))
    }

    /// The same payload as it is after some bytes changed on the way.
    private mutating func corrupted(_ original: Int) -> Int {
        tally.corrupted += 1
        let addressed = altered(parcels[original].addressed)
        let (sequence, sender) = (parcels[original].sequence, Int(parcels[original].sender))
        return parcel(addressed, sequence, from: sender, parcels[original].serial)
    }

    /// A payload with some bytes changed, cut off or added.
    mutating func altered(_ addressed: Addressed) -> Addressed {
        var addressed = addressed
        var bytes = addressed.payload.array
        switch networkDice.below(bytes.isEmpty ? 1 : 4) {
        case 0: bytes.append(UInt8(networkDice.below(256)))
        case 1: bytes.removeLast(1 + networkDice.below(bytes.count))
        default:
            for _ in 0...networkDice.below(3) { bytes[networkDice.below(bytes.count)] ^= 1 << networkDice.below(8) }
        }
        addressed.payload = Bytes(bytes)
        return addressed
    }

    private mutating func notePublished(_ payload: OutboundPayload, _ content: Int?, from sender: Int) {
        guard trace != nil else { return }
        var thread: Int?
        if let id = payload.conversation {
            thread = ledger.threads.firstIndex { thread in
                thread.place(of: sender).map { thread.ids[$0] == id } ?? false
            }
        }
        let kind = Trace.Kind.published(serial, bytes: payload.addressed.payload.count)
        note(sender, kind, thread: thread, content: content)
    }
}

// Payloads under way.
extension Simulation {
    mutating func parcel(_ addressed: Addressed, _ sequence: UInt64, from sender: Int, _ serial: UInt32) -> Int {
        let parcel = Parcel(
            addressed: addressed, sequence: sequence, sent: now, sender: Int32(sender), copies: 0, serial: serial)
        if let place = freeParcels.popLast() {
            parcels[Int(place)] = parcel
            return Int(place)
        }
        parcels.append(parcel)
        return parcels.count - 1
    }

    /// One copy less is under way.
    mutating func release(_ parcel: Int) {
        parcels[parcel].copies -= 1
        if parcels[parcel].copies == 0 { free(parcel) }
    }

    private mutating func free(_ parcel: Int) {
        parcels[parcel].addressed.payload = []
        freeParcels.append(Int32(parcel))
    }
}
