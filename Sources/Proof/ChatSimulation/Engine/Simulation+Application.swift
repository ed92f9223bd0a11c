import ChatClient
import ChatModel

// The application above a peer: it says what it is asked to say, and writes down what it hears.
extension Simulation {
    /// Asks the client for what the application wants; what crashes before it is stored is asked for again.
    mutating func carryOutTasks(_ peer: Int, _ clock: Timestamp) {
        guard !peers[peer].tasks.isEmpty else { return }
        let tasks = peers[peer].tasks
        peers[peer].tasks.removeAll(keepingCapacity: true)
        for task in tasks {
            do throws(Refusal) {
                switch task {
                case .begin(let thread, let bundle): _ = try begin(thread, with: bundle, peer, clock)
                case .found(let thread, let bundles): try found(thread, with: bundles, peer, clock)
                case .speak(let thread): try say(thread, peer, clock)
                }
                peers[peer].unstored.append(task)
            } catch {
                refuse(task, peer, error)
            }
        }
    }

    private mutating func begin(
        _ thread: Int, with bundle: IntroductionBundle?, _ peer: Int, _ clock: Timestamp
    ) throws(Refusal) -> ConversationID {
        let (draft, type) = (draft(thread, 0), composition.conversations[0].name)
        let (id, content) = try cores[peer].begin(type, with: bundle, saying: draft.content, now: clock)
        if let content { drafts.append((draft, content, id)) }
        return id
    }

    private mutating func found(
        _ thread: Int, with bundles: [IntroductionBundle], _ peer: Int, _ clock: Timestamp
    ) throws(Refusal) {
        let id = try begin(thread, with: nil, peer, clock)
        try cores[peer].add(bundles, to: id, now: clock)
    }

    private mutating func say(_ thread: Int, _ peer: Int, _ clock: Timestamp) throws(Refusal) {
        guard let place = ledger.threads[thread].place(of: peer), let id = ledger.threads[thread].ids[place],
            cores[peer].machine(id) != nil
        else { return }
        let draft = draft(thread, place)
        let content = try cores[peer].send(draft.content, in: id, now: clock)
        drafts.append((draft, content, id))
    }

    private mutating func draft(_ thread: Int, _ place: Int) -> Draft {
        let sizes = scenario.traffic.size
        let size = max(Draft.minimumSize, sizes.lowerBound + trafficDice.below(sizes.count))
        return Draft(number: ledger.contents.count + drafts.count, thread: thread, sender: place, size: size)
    }

    /// A client refuses: what there is no room for is asked again later, anything else is given up.
    private mutating func refuse(_ task: SimulatedPeer.Task, _ peer: Int, _ refusal: Refusal) {
        if refusal.outcome == .unable, case .speak = task {
            peers[peer].tasks.append(task)
            peers[peer].alarm = min(peers[peer].alarm, now + VirtualTime(.seconds(1)))
            return agenda.add(.alarm, at: peers[peer].alarm, peer: peer)
        }
        switch task {
        case .begin(let thread, _) where thread >= firstReuse:
            // Who is told at once that a link is used up has been told, and says nothing there.
            threads.waiting -= 1
            threads.unsaid -= ledger.threads[thread].unsaid.reduce(0, +)
            ledger.threads[thread].isRefused = true
            idleWhenSettled()
        case .begin(let thread, _), .found(let thread, _):
            fail(
                "first contact", "\(ParticipantNames.name(peer)) could not begin: \(refusal)", peer: peer,
                thread: thread)
        case .speak:
            tally.refusedContents += 1
            threads.unsaid -= 1
            idleWhenSettled()
        }
    }

    /// What was asked for is stored: from now on it counts.
    mutating func acceptDrafts(_ peer: Int) {
        guard !peers[peer].unstored.isEmpty else { return }
        for (draft, content, id) in drafts {
            ledger.say(draft, at: now)
            if ledger.threads[draft.thread].ids[draft.sender] == nil { know(draft.thread, draft.sender, as: id) }
            tally.contents += 1
            while UInt64(peers[peer].contents.count) <= content.number { peers[peer].contents.append(-1) }
            peers[peer].contents[Int(content.number)] = Int32(draft.number)
            note(peer, .said(bytes: draft.size), thread: draft.thread, content: draft.number)
        }
        drafts.removeAll(keepingCapacity: true)
        for task in peers[peer].unstored {
            if case .speak = task { threads.unsaid -= 1 } else { threads.waiting -= 1 }
        }
        peers[peer].unstored.removeAll(keepingCapacity: true)
    }

    /// The application reads a batch; one that it has dealt with before must be the same as then.
    mutating func show(_ batch: EventBatch, to peer: Int) {
        guard batch.number > 0 else {
            for event in batch.events { hear(event, peer) }
            return
        }
        guard batch.number > peers[peer].lastBatchNumber else {
            if let last = peers[peer].lastBatch, last.number == batch.number {
                let isSame = batch.events.allSatisfy { last.events.contains($0) }
                if !isSame { fail("batches stay the same", "batch \(batch.number) changed over a restart", peer: peer) }
            }
            return
        }
        peers[peer].lastBatchNumber = batch.number
        if scenario.needsDisks { peers[peer].lastBatch = batch }
        for event in batch.events { hear(event, peer) }
    }

    private mutating func hear(_ event: ClientEvent, _ peer: Int) {
        switch event {
        case .conversation(let id, .content(let received)): hear(received, in: id, peer)
        case .conversation(_, .status(let content, let status)): learn(status, of: content, peer)
        case .conversation(let id, .gap(let gap)):
            tally.gaps += 1
            if gap.isFinal { learn(id, peer) { $0.finalGaps += 1 } }
            note(peer, .told("a gap, \(gap.isFinal ? "for good" : "for now")"))
        case .refused(let id, let report):
            tally.refusedPayloads += 1
            if let id { end(id, peer, report) }
            note(peer, .told(report.description))
        case .failed(let id, let report), .broken(let id, let report):
            end(id, peer, report)
            note(peer, .told(report.description))
        case .link(let notice):
            if case .gone = notice { tally.gone += 1 }
        case .began, .pending, .conversation, .storageTrouble: break
        }
    }

    /// A conversation whose keys no longer fit stays broken, whatever is reported of it later.
    private mutating func end(_ id: ConversationID, _ peer: Int, _ report: ClientEvent.Report) {
        guard composition.endings.contains(report.code) else { return }
        learn(id, peer) { $0.isBroken = true }
    }

    private mutating func hear(_ received: ReceivedContent, in id: ConversationID, _ peer: Int) {
        let number = Draft.number(of: received.content).flatMap { $0 < ledger.contents.count ? $0 : nil }
        let content = number.map { ledger.contents[$0] }
        let place = content.flatMap { ledger.threads[$0.thread].place(of: peer) }
        var (isFirst, isInPlace) = (true, true)
        if let number, let content, let place {
            if let known = ledger.threads[content.thread].ids[place] {
                isInPlace = known == id && content.size == received.content.count
            } else {
                know(content.thread, place, as: id)
            }
            isFirst = ledger.hear(number, by: place, at: now)
            if isFirst {
                tally.delays.add(now.since(content.time))
                tally.lastHeard = now
            }
        }
        tally.heard += 1
        tally.mix(2, peer, number ?? -1, at: now)
        note(peer, .heard(again: !isFirst), thread: content?.thread, content: number)
        guard isJudged(content, in: id, peer) else {
            if content == nil { tally.lies += 1 }
            return idleWhenSettled()
        }
        let hearing = Hearing(
            peer: peer, content: number, place: place, isFirst: isFirst, isInPlace: isInPlace, received: received)
        for index in invariants.indices {
            guard let finding = invariants[index].heard(hearing, in: ledger) else { continue }
            let sender = content.map { ledger.threads[$0.thread].participants[$0.sender] }
            let more = Finding(finding.text, peers: finding.peers + [sender].compactMap(\.self), thread: finding.thread)
            fail(invariants[index].name, more, peer: peer, thread: content?.thread)
        }
        if ledger.outstanding == 0 { idleWhenSettled() }
    }

    /// Whether it is judged what a peer heard: not what a liar hears, nor what one may have said.
    private func isJudged(_ content: Ledger.Content?, in id: ConversationID, _ peer: Int) -> Bool {
        guard !ledger.liars.isEmpty else { return true }
        guard !ledger.liars.contains(peer) else { return false }
        if let content { return ledger.isHonest(content) }
        return !ledger.threads.indices.contains { thread in
            guard let place = ledger.threads[thread].place(of: peer), !ledger.isHonest(thread) else { return false }
            // A lie may be the first that is heard of a conversation.
            return ledger.threads[thread].ids[place].map { $0 == id } ?? true
        }
    }

    /// The ledger's number of what a peer's client calls a content.
    func number(of content: ContentID, _ peer: Int) -> Int? {
        guard content.number < UInt64(peers[peer].contents.count) else { return nil }
        let number = Int(peers[peer].contents[Int(content.number)])
        return number >= 0 ? number : nil
    }

    private mutating func learn(_ status: ContentStatus, of content: ContentID, _ peer: Int) {
        guard let number = number(of: content, peer) else { return }
        if case .failed = status { tally.failed += 1 }
        if trace != nil { note(peer, .told("\(status)"), thread: ledger.contents[number].thread, content: number) }
        defer { ledger.tell(number, status) }
        guard ledger.isHonest(ledger.contents[number]) else { return }
        for index in invariants.indices {
            guard let finding = invariants[index].told(status, of: number, in: ledger) else { continue }
            fail(invariants[index].name, finding, peer: peer, thread: ledger.contents[number].thread)
        }
    }

    /// A participant is told that something of a conversation will not come.
    private mutating func learn(_ id: ConversationID, _ peer: Int, _ body: (inout Ledger.Thread) -> Void) {
        for thread in ledger.threads.indices {
            guard let place = ledger.threads[thread].place(of: peer) else { continue }
            guard ledger.threads[thread].ids[place] == id else { continue }
            ledger.threads[thread].told |= 1 << UInt64(place)
            body(&ledger.threads[thread])
        }
    }
}
