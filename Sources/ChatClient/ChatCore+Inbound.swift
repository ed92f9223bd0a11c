public import ChatModel

// What arrives, and what time brings.
extension ChatCore {
    /// Takes payloads that a delivery service delivered, in order.
    ///
    /// Nothing here throws: what is refused is reported, what is too early is kept, and the cursors move on.
    public mutating func receive(_ deliveries: [Delivery], now: Timestamp) {
        advance(to: now)
        for delivery in deliveries {
            if case .later(let owner) = process(delivery.addressed) { park(delivery.addressed, for: owner) }
            guard let cursor = delivery.cursor else { continue }
            subscriptions.read(delivery.addressed.address, to: cursor)
        }
        for address in Set(deliveries.lazy.filter { $0.cursor != nil }.map(\.addressed.address)) {
            guard let cursor = subscriptions.cursors[address] else { continue }
            changes.records.append(Record(Keys.cursor(address), cursor.bytes))
        }
        offerParked()
    }

    /// Takes news of the delivery service.
    public mutating func notice(_ notice: Notice, now: Timestamp) {
        advance(to: now)
        switch notice {
        case .interrupted: wakeAll(.linkLost)
        case .resumed:
            outbox.hurry()
            wakeAll(.linkBack)
        case .ended(let address):
            for owner in subscriptions.listeners(on: address).sorted(by: Self.precedes) {
                wake(owner, .replyEnded(address))
            }
        case .gone: break
        }
        fresh.append(.link(notice))
        offerParked()
    }

    /// Wakes machines whose time has come.
    public mutating func wake(now: Timestamp) {
        advance(to: now)
        let due = alarms.filter { $0.value <= numbers.now }.keys.sorted(by: Self.precedes)
        for owner in due {
            alarms[owner] = nil
            wake(owner, .due)
        }
        offerParked()
    }

    /// When ``wake(now:)`` or the outbox next has something to do.
    public var nextAlarm: Timestamp? { alarms.values.min() }

    /// What became of a payload.
    private enum Fate {
        /// It did something, was refused for good, or carried nothing.
        case done
        /// It may be of use later; the owner is known where it was refused as too early.
        case later(Owner?)
    }

    private mutating func process(_ addressed: Addressed) -> Fate {
        do throws(Refusal) {
            switch try framing.unwrap(addressed) {
            case .payload(let routed, let owner): return hand(routed, to: owner)
            case .foreign: return .later(nil)
            case .idle: return .done
            }
        } catch {
            fresh.append(refused(error, in: nil))
            return .done
        }
    }

    private mutating func hand(_ routed: Routed, to owner: Owner) -> Fate {
        do throws(Refusal) {
            switch owner {
            case .initialization: try receiveInvite(routed)
            case .conversation(let id): try receive(routed, in: id)
            }
            framing.accepted(routed, for: owner)
            progressed.insert(owner)
            return .done
        } catch {
            if error.outcome == .early { return .later(owner) }
            var conversation: ConversationID?
            if case .conversation(let id) = owner { conversation = id }
            fresh.append(refused(error, in: conversation))
            return .done
        }
    }

    private mutating func receive(_ routed: Routed, in id: ConversationID) throws(Refusal) {
        var turn = turn()
        guard let isAnswered = slots[id]?.about.isAnswered else { throw Refusal(.foreign, ClientCause.noSuchOwner) }
        try slots[id]?.machine.receive(routed, in: &turn)
        absorb(&turn, from: .conversation(id))
        guard !isAnswered else { return }
        slots[id]?.about.isAnswered = true
        if let about = slots[id]?.about { changes.records.append(Record(Keys.about(id), about.encoded)) }
        wake(.initialization, .inviteAnswered(id))
    }

    /// Tries an invite on a copy of the initialization, so that one which comes to nothing costs no single-use key.
    private mutating func receiveInvite(_ routed: Routed) throws(Refusal) {
        var turn = turn()
        var trial = initialization
        try trial.receive(routed, in: &turn)
        var begun: [(any ConversationProtocol, About, Turn)] = []
        for seed in turn.takeSeeds() {
            guard let Conversation = types[seed.type] else {
                throw Refusal(.unsupported, CommonCause.unsupportedConversationType(seed.type.name, by: "this client"))
            }
            var inner = self.turn()
            inner.random = turn.random
            let machine: any ConversationProtocol = try Conversation.init(seed, in: &inner)
            turn.random = inner.random
            try admit(machine.id)
            begun.append(
                (machine, About(type: seed.type, role: .responder, peers: seed.peers, isAnswered: true), inner))
        }
        initialization = trial
        absorb(&turn, from: .initialization)
        for (machine, about, inner) in begun {
            var inner = inner
            inner.random = random
            insert(machine, about)
            absorb(&inner, from: .conversation(machine.id))
        }
    }

    private mutating func park(_ addressed: Addressed, for owner: Owner?) {
        let (kept, gone) = parked.keep(addressed, for: owner, limits: limits)
        if let kept { changes.records.append(Record(Keys.parked(kept.number), kept.encoded)) }
        changes.records += gone.map { Record(Keys.parked($0.number), nil) }
    }

    /// Offers parked payloads again as long as that leads anywhere.
    private mutating func offerParked() {
        while isListeningNew || !progressed.isEmpty {
            let (listeningNew, owners) = (isListeningNew, progressed)
            (isListeningNew, progressed) = (false, [])
            var index = 0
            while index < parked.entries.count {
                let entry = parked.entries[index]
                index += 1
                guard entry.owner.map(owners.contains) ?? listeningNew else { continue }
                switch process(entry.addressed) {
                case .done:
                    index -= 1
                    parked.remove(at: index)
                    changes.records.append(Record(Keys.parked(entry.number), nil))
                case .later(let owner):
                    // Somebody listens for it by now, and it is still too early.
                    guard owner != entry.owner else { continue }
                    let entry = parked.assign(index - 1, to: owner)
                    changes.records.append(Record(Keys.parked(entry.number), entry.encoded))
                }
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
