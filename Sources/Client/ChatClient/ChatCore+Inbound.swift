public import ChatModel

// Received payloads, notices and alarms.
extension ChatCore {
    /// Takes payloads that a delivery service delivered, in order.
    ///
    /// Nothing here throws: what is refused is reported, what is too early is kept, and the cursors move on.
    public mutating func receive(_ deliveries: [Delivery], now: Timestamp) {
        advance(to: now)
        for delivery in deliveries {
            switch process(delivery.addressed) {
            case .accepted, .idle: break
            case .refused(let refusal, let conversation): tell(refusal, in: conversation)
            case .foreign: park(delivery.addressed, for: nil)
            case .early(_, let owner): park(delivery.addressed, for: owner)
            }
        }
        pass(deliveries)
        offerParked()
    }

    /// Goes on behind a payload that is left out.
    mutating func skip(_ delivery: Delivery, _ refusal: Refusal, now: Timestamp) {
        advance(to: now)
        tell(refusal, in: nil)
        pass([delivery])
    }

    /// Moves the cursors behind payloads.
    private mutating func pass(_ deliveries: [Delivery]) {
        var read: Set<DeliveryAddress> = []
        for delivery in deliveries {
            guard let cursor = delivery.cursor else { continue }
            subscriptions.read(delivery.addressed.address, to: cursor)
            read.insert(delivery.addressed.address)
        }
        for address in read.count > 1 ? read.sorted(by: { $0.text.precedesInBytes($1.text) }) : Array(read) {
            guard let cursor = subscriptions.cursors[address] else { continue }
            changes.records.append(Record(Keys.cursor(address), cursor.bytes))
        }
    }

    /// Takes news of the delivery service.
    public mutating func notice(_ notice: Notice, now: Timestamp) {
        advance(to: now)
        switch notice {
        case .interrupted(_, on: nil):
            guard !isInterrupted else { return }
            interrupt()
        case .resumed(on: nil):
            guard isInterrupted else { return }
            isInterrupted = false
            // Perhaps to another service.
            liftRestriction()
            outbox.hurry()
            wakeAll(.linkBack(on: nil))
        case .interrupted(_, let address?):
            for owner in listeners(on: address) { wake(owner, .linkLost(on: address)) }
        case .resumed(let address?):
            for owner in listeners(on: address) { wake(owner, .linkBack(on: address)) }
        case .ended(let address, let ending):
            let owners = listeners(on: address) + [replies.removeValue(forKey: address)].compactMap(\.self)
            for owner in owners { wake(owner, .replyEnded(address, ending)) }
            subscriptions.renew(address)
        case .gone: break
        }
        fresh.append(.link(notice))
        offerParked()
    }

    /// Lets machines know that there is no link.
    mutating func interrupt() {
        isInterrupted = true
        wakeAll(.linkLost(on: nil))
    }

    private func listeners(on address: DeliveryAddress) -> [Owner] {
        subscriptions.listeners(on: address).sorted(by: Self.precedes)
    }

    /// Remembers who was asked to reply at an address, to tell it when nobody listens there any more.
    private mutating func noteReply(_ address: DeliveryAddress?, by owner: Owner) {
        guard let address, offers.contains(.replies), replies.count < limits.replies else { return }
        replies[address] = owner
    }

    /// Wakes machines whose time has come.
    public mutating func wake(now: Timestamp) {
        advance(to: now)
        sendRepeats()
        for owner in alarms.takeDue(at: self.now).sorted(by: Self.precedes) { ring(owner) }
        tellUnanswered()
        offerParked()
    }

    /// When, by the clock of the calls, ``wake(now:)`` next has something to do.
    public var nextAlarm: Timestamp? {
        let repeats = isInterrupted ? nil : contacts.nextDue
        return Timestamp.earliest(.earliest(alarms.next, repeats), begun.nextEnd).map(numbers.clock.reading)
    }

    /// Takes one payload and says what became of it; keeps nothing to be offered again.
    ///
    /// For drivers that hold the network themselves and want an answer to each payload.
    public mutating func offer(_ addressed: Addressed, now: Timestamp) -> Verdict {
        advance(to: now)
        defer { (isListeningNew, progressed) = (false, []) }
        return process(addressed)
    }

    /// The outcome of a payload.
    public enum Verdict: Sendable, Hashable {
        /// It did what it was meant to do.
        case accepted
        /// It was a sign of life, an echo or a repeat.
        case idle
        /// It was refused for good; the conversation is named where one refused.
        case refused(Refusal, in: ConversationID?)
        /// It is for nobody here, as far as one can tell now.
        case foreign
        /// Its owner cannot use it yet.
        case early(Refusal, Owner)
    }

    private mutating func process(_ addressed: Addressed) -> Verdict {
        guard !recent.contains(addressed.id) else { return .idle }
        do throws(Refusal) {
            switch try framing.unwrap(addressed) {
            case .payload(let routed, let owner):
                let verdict = hand(routed, to: owner)
                if case .accepted = verdict { recent.insert(addressed.id) }
                return verdict
            case .foreign: return .foreign
            case .idle: return .idle
            }
        } catch {
            return .refused(error, in: nil)
        }
    }

    private mutating func hand(_ routed: Routed, to owner: Owner) -> Verdict {
        do throws(Refusal) {
            switch owner {
            case .initialization: try receiveInvite(routed)
            case .conversation(let id):
                try receive(routed, in: id)
                trust(id, opened: true)
            }
            noteReply(routed.replyAddress, by: owner)
            if framing.accepted(routed, for: owner) { isListeningNew = true }
            if !deferred.entries.isEmpty { progressed.insert(owner) }
            return .accepted
        } catch {
            if error.outcome == .early { return .early(error, owner) }
            guard case .conversation(let id) = owner else { return .refused(error, in: nil) }
            return .refused(error, in: id)
        }
    }

    private mutating func receive(_ routed: Routed, in id: ConversationID) throws(Refusal) {
        guard let place = place(of: id) else { throw Refusal(.foreign, ClientCause.noSuchOwner) }
        let look = hosted.values[place].look()
        try checkRoom(bytes: look.bytes)
        let output = try run(on: look.lane) { (core, step) throws(Refusal) in
            try core.hosted.values[place].machine.receive(routed, in: &step)
        }.output
        let isFirst = hosted.values[place].answer()
        touch(id, at: place)
        carryOut(output, from: .conversation(id))
        guard isFirst else { return }
        storeAbout(id)
        if let contact = hosted[id]?.about.contact { end(contact) }
    }

    /// Tries what came for the initialization on a copy, so that an invite which comes to nothing costs no single-use
    /// key, and an answer that comes to nothing no contact.
    private mutating func receiveInvite(_ routed: Routed) throws(Refusal) {
        var trial = initialization
        var members: [ConversationSeed] = []
        var (begun, output) = try run { (core, step) throws(Refusal) -> [Begun] in
            var output = try step.lend { (step) throws(Refusal) in try trial.receive(routed, in: &step) }.output
            var begun: [Begun] = []
            for seed in output.seeds {
                if seed.contact.flatMap({ core.contacts[$0]?.isMember }) == true {
                    members.append(seed)
                } else {
                    begun.append(try core.begin(seed, on: &trial, in: &step))
                }
            }
            output.seeds = []
            step.take(output)
            return begun
        }
        keep(trial)
        output.seeds = members
        carryOut(output, from: .initialization)
        while !begun.isEmpty {
            let one = begun.removeFirst()
            keep(one)
            releaseWaiting(for: one.id)
        }
    }

    private mutating func park(_ addressed: Addressed, for owner: Owner?) {
        let (kept, gone) = deferred.keep(addressed, for: owner, limits: limits)
        if let kept { changes.records.append(Record(Keys.deferred(kept.number), kept.encoded)) }
        changes.records += gone.map { Record(Keys.deferred($0.number), nil) }
    }

    /// Reports a payload that was refused. A repeat is not reported: a service may deliver a payload twice, and an
    /// invite is sent again until it is answered.
    mutating func tell(_ refusal: Refusal, in conversation: ConversationID?) {
        guard refusal.cause.code != "replay" else { return }
        note(refusal, in: conversation)
    }

    /// Offers deferred payloads again as long as that leads anywhere.
    private mutating func offerParked() {
        while isListeningNew || !progressed.isEmpty {
            let (listeningNew, owners) = (isListeningNew, progressed)
            (isListeningNew, progressed) = (false, [])
            var index = 0
            while index < deferred.entries.count {
                let entry = deferred.entries[index]
                index += 1
                guard entry.owner.map(owners.contains) ?? listeningNew else { continue }
                switch process(entry.addressed) {
                case .accepted, .idle: break
                case .refused(let refusal, let conversation): tell(refusal, in: conversation)
                case .foreign: continue
                case .early(_, let owner):
                    // Somebody listens for it by now, and it is still too early.
                    guard owner != entry.owner else { continue }
                    let entry = deferred.assign(index - 1, to: owner)
                    changes.records.append(Record(Keys.deferred(entry.number), entry.encoded))
                    continue
                }
                index -= 1
                deferred.remove(at: index)
                changes.records.append(Record(Keys.deferred(entry.number), nil))
            }
        }
    }

    /// An order of owners that does not depend on hashing, so that runs repeat.
    static func precedes(_ left: Owner, _ right: Owner) -> Bool {
        switch (left, right) {
        case (.initialization, .conversation): true
        case (.conversation(let first), .conversation(let second)): first < second
        default: false
        }
    }
}
