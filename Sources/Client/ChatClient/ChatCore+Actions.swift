public import ChatModel

// What the application asks for.
extension ChatCore {
    /// Makes bundles to be published; each is good as soon as the records are stored.
    public mutating func introduce(_ count: Int, now: Timestamp) throws(Refusal) -> [IntroductionBundle] {
        advance(to: now)
        var step = makeStep()
        let bundles = try initialization.introduce(count, in: &step)
        absorb(&step, from: .initialization)
        return bundles
    }

    /// Begins a conversation with the maker of a bundle; the content travels in the invite.
    ///
    /// One step of two machines, tried on a copy of the initialization: whatever refuses, nothing has happened.
    ///
    /// - Parameter bundle: nil founds a group.
    public mutating func begin(
        _ type: ConversationType, with bundle: IntroductionBundle?, saying content: Content, now: Timestamp
    ) throws(Refusal) -> (ConversationID, ContentID) {
        advance(to: now)
        guard let Conversation = types[type] else {
            throw Refusal(.unsupported, CommonCause.unsupportedConversationType(type.name, by: "this client"))
        }
        try admitOutbound(bytes: content.count)
        var step = makeStep()
        var trial = initialization
        let seed = try trial.seed(type, for: bundle, in: &step)
        var machine: any ConversationProtocol = try Conversation.init(seed, in: &step)
        let id = machine.id
        try admit(id)
        let contentID = ContentID(numbers.content + 1)
        let start = step.mark
        try machine.perform(.send(content, contentID), in: &step)
        let openings = step.takeOpenings(since: start)
        let said = step.sends.count
        if bundle != nil {
            guard let opening = openings.first else { throw Refusal(.unable, ClientCause.noOpening(type)) }
            try trial.invite(seed, as: id, opening: opening.payload, for: opening.content, in: &step)
        }
        for send in step.sends where send.routed.payload.count > maximumPayload {
            throw Refusal(
                .unable, CommonCause.tooLarge("invite", bytes: send.routed.payload.count, limit: maximumPayload))
        }
        numbers.content = contentID.number
        keep(trial)
        insert(machine, About(type: type, role: .initiator, peers: seed.peers, isAnswered: bundle == nil))
        absorb(&step, from: .conversation(id), invite: said)
        return (id, contentID)
    }

    /// Sends content in a conversation that is here.
    public mutating func send(_ content: Content, in id: ConversationID, now: Timestamp) throws(Refusal) -> ContentID {
        advance(to: now)
        try admitOutbound(bytes: content.count)
        if let lane = slots[id]?.lane { try admitOutbound(bytes: content.count, on: lane) }
        let contentID = ContentID(numbers.content + 1)
        try perform(.send(content, contentID), in: id)
        speak(id)
        numbers.content = contentID.number
        changes.numbers = true
        return contentID
    }

    /// Does something else in a conversation that is here.
    public mutating func perform(_ action: Action, in id: ConversationID, now: Timestamp) throws(Refusal) {
        advance(to: now)
        try perform(action, in: id)
        speak(id)
    }

    /// Invites the makers of bundles into a conversation whose type takes members.
    ///
    /// All seeds are made first, then the conversation decides, then each invite is sent with its opening.
    public mutating func add(
        _ bundles: [IntroductionBundle], to id: ConversationID, now: Timestamp
    ) throws(Refusal) {
        advance(to: now)
        guard let type = slots[id]?.about.type else { throw Refusal(.unable, ClientCause.unknownConversation(id)) }
        var step = makeStep()
        var trial = initialization
        var seeds: [ConversationSeed] = []
        for bundle in bundles { seeds.append(try trial.seed(type, for: bundle, in: &step)) }
        let start = step.mark
        // The copy keeps the machine as it is should an invite be refused.
        guard var machine = slots[id]?.machine else { return }
        try machine.perform(.add(seeds), in: &step)
        for opening in step.takeOpenings(since: start) where seeds.indices.contains(opening.member) {
            try trial.invite(
                seeds[opening.member], as: id, opening: opening.payload, for: opening.content, in: &step)
        }
        slots[id]?.machine = machine
        speak(id)
        keep(trial)
        absorb(&step, from: .conversation(id))
    }

    /// Forgets a conversation and everything stored of it.
    public mutating func forget(_ id: ConversationID, now: Timestamp) throws(Refusal) {
        advance(to: now)
        guard slots[id] != nil else { throw Refusal(.unable, ClientCause.unknownConversation(id)) }
        remove(id)
    }

    /// Removes a conversation and everything stored of it.
    mutating func remove(_ id: ConversationID) {
        guard let slot = slots.removeValue(forKey: id) else { return }
        budget.add(-slot.bytes, of: Self.stranger(id, slot.about))
        if troubles.removeValue(forKey: id) != nil { changes.records.append(Record(Keys.trouble(id), nil)) }
        let owner = Owner.conversation(id)
        alarms.set(nil, for: owner)
        listen([], for: owner)
        changes.records += slot.keys.keys.sorted().map { Record(slot.prefix + $0.text, nil) }
        changes.records.append(Record(Keys.about(id), nil))
    }

    mutating func perform(_ action: Action, in id: ConversationID) throws(Refusal) {
        var step = makeStep()
        guard let place = slots.index(forKey: id) else {
            throw Refusal(.unable, ClientCause.unknownConversation(id))
        }
        try slots.values[place].machine.perform(action, in: &step)
        touch(id, at: place)
        carryOut(&step, from: .conversation(id))
    }

    /// Keeps an initialization that a step was tried on.
    private mutating func keep(_ trial: any InitializationProtocol) {
        initialization = trial
        touch(.initialization)
        follow(.initialization)
    }

    private func admitOutbound(bytes: Int) throws(Refusal) {
        guard outbox.entries.count < limits.outboxPayloads else {
            throw Refusal(.unable, ClientCause.tooMany("payloads wait for the service", limit: limits.outboxPayloads))
        }
        guard outbox.bytes + bytes <= limits.outboxBytes else {
            throw Refusal(
                .unable,
                CommonCause.tooLarge("outbox", bytes: outbox.bytes + bytes, limit: limits.outboxBytes))
        }
    }

    /// One address takes a part of the outbox at most, so that who is never reached does not silence everybody.
    private func admitOutbound(bytes: Int, on lane: DeliveryAddress) throws(Refusal) {
        let load = outbox.load(of: lane)
        guard load.payloads < limits.lanePayloads else {
            throw Refusal(.unable, ClientCause.tooMany("payloads wait for one address", limit: limits.lanePayloads))
        }
        guard load.payloads == 0 || load.bytes + bytes <= limits.laneBytes else {
            throw Refusal(
                .unable,
                CommonCause.tooLarge("outbox of one address", bytes: load.bytes + bytes, limit: limits.laneBytes))
        }
    }

    func admit(_ id: ConversationID) throws(Refusal) {
        guard slots[id] == nil else { throw Refusal(.invalid, ClientCause.duplicateConversation(id)) }
        guard slots.count < limits.conversations else {
            throw Refusal(.unable, ClientCause.tooMany("conversations", limit: limits.conversations))
        }
    }

    mutating func insert(_ machine: any ConversationProtocol, _ about: About) {
        let id = machine.id
        slots[id] = Slot(machine: machine, about: about)
        changes.records.append(Record(Keys.about(id), about.encoded))
        touch(.conversation(id))
        follow(.conversation(id))
        fresh.append(.conversationStarted(id, about.type, about.role, peers: about.peers))
    }
}
