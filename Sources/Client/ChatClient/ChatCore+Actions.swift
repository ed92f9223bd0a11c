public import ChatModel

// Requests of the application.
extension ChatCore {
    /// Makes bundles to be published; each is good as soon as the records are stored.
    public mutating func introduce(_ count: Int, now: Timestamp) throws(Refusal) -> [IntroductionBundle] {
        advance(to: now)
        let (bundles, output) = try run { (core, step) throws(Refusal) in
            try core.initialization.introduce(count, in: &step)
        }
        absorb(output, from: .initialization)
        changes.isUrgent = true
        return bundles
    }

    /// Begins a conversation with the maker of a bundle, perhaps with content; the first travels in the invite.
    ///
    /// One step of two machines, tried on a copy of the initialization: whatever refuses, nothing has happened. Where
    /// messages must go back and forth first, the contact is pending: what is said waits, stored, until it begins or
    /// fails.
    ///
    /// - Parameters:
    ///   - type: the conversation type.
    ///   - bundle: nil founds a group.
    ///   - content: the first content; nil to begin without one.
    ///   - now: the current time.
    public mutating func begin(
        _ type: ConversationType, with bundle: IntroductionBundle?, saying content: Content?, now: Timestamp
    ) throws(Refusal) -> (ConversationID, ContentID?) {
        advance(to: now)
        guard types[type] != nil else {
            throw Refusal(.unsupported, CommonCause.unsupportedConversationType(type.name, by: "this client"))
        }
        try admitOutbound(bytes: content?.count ?? 0)
        if let bundle { try checkUnused(bundle, type) }
        let contact = ContactID(numbers.contact + 1)
        let said = content.map { (id: ContentID(numbers.content + 1), bytes: $0) }
        var trial = initialization
        let (begun, output) = try run { (core, step) throws(Refusal) -> Begun? in
            guard let bundle else {
                let seed = try trial.found(type, in: &step)
                return try core.begin(seed, saying: said, on: &trial, in: &step)
            }
            guard var seed = try trial.begin(type, with: bundle, as: contact, in: &step) else { return nil }
            seed.contact = contact
            let begun = try core.begin(seed, saying: said, on: &trial, in: &step)
            guard said == nil || !begun.machine.acceptsContent || !begun.invites.isEmpty else {
                throw Refusal(.unable, ClientCause.noOpening(type))
            }
            return begun
        }
        let id = begun?.id ?? ConversationID(bytes: random.bytes(16, for: .identifier))
        if begun == nil { try admit(id) }
        if let said, begun.map({ !$0.machine.acceptsContent }) ?? true {
            try wait(said.bytes, as: said.id, for: id)
        }
        numbers.content = said?.id.number ?? numbers.content
        if bundle != nil { numbers.contact = contact.number }
        if begun == nil {
            update(Contacts.Entry(id: contact, type: type, conversation: id, isMember: false, isPending: true))
            fresh.append(.pending(id, type))
        }
        keep(trial)
        if let begun { keep(begun, with: bundle) }
        carryOut(output, from: .initialization)
        return (id, said?.id)
    }

    /// Sends content in a conversation that is here; where that does not take content yet, it waits, stored.
    public mutating func send(_ content: Content, in id: ConversationID, now: Timestamp) throws(Refusal) -> ContentID {
        try perform(.send(content), in: id, now: now)
    }

    /// Does something in a conversation that is here; what becomes of it is a status of the id.
    ///
    /// - Parameters:
    ///   - action: the request.
    ///   - id: the conversation.
    ///   - earlier: the id of a content of which this is another part, or nil.
    ///   - now: the current time.
    public mutating func perform(
        _ action: Action, in id: ConversationID, as earlier: ContentID? = nil, now: Timestamp
    ) throws(Refusal) -> ContentID {
        advance(to: now)
        let contentID = earlier ?? ContentID(numbers.content + 1)
        let look = place(of: id).map { hosted.values[$0].look() }
        switch action {
        case .send(let content, let part, let about):
            try admitOutbound(bytes: content.count)
            if let lane = look?.lane { try limits.admit(content.count, to: outbox.load(of: lane)) }
            if look.map({ !$0.acceptsContent }) ?? (contacts.pending(id) != nil) {
                guard part == .whole, about == nil else {
                    throw Refusal(.unable, ClientCause.pendingConversation(id))
                }
                try wait(content, as: contentID, for: id)
                break
            }
            let wasUnfinished =
                part.isLast ? unfinished.remove(contentID) != nil : !unfinished.insert(contentID).inserted
            do throws(Refusal) { try perform(action, as: contentID, in: id) } catch {
                if wasUnfinished { unfinished.insert(contentID) } else { unfinished.remove(contentID) }
                throw error
            }
        case .cancel(.own(let content)) where contacts.waiting[id]?.contains(where: { $0.id == content }) == true:
            changes.records.append(Record(Keys.waiting(content), nil))
            contacts.stopWaiting(content, for: id)
            fresh.append(.conversation(id, .status(content, .cancelled)))
        default: try perform(action, as: contentID, in: id)
        }
        if contentID.number > numbers.content {
            numbers.content = contentID.number
            changes.isUrgent = true
        }
        changes.numbers = true
        if look?.hasSpoken != true { speak(id) }
        return contentID
    }

    /// Invites the makers of bundles into a conversation whose type takes members.
    ///
    /// All contacts begin first, then the conversation decides, then each invite is sent with its opening. One whose
    /// contact is pending is added as soon as it is no more.
    public mutating func add(
        _ bundles: [IntroductionBundle], to id: ConversationID, now: Timestamp
    ) throws(Refusal) {
        advance(to: now)
        guard let about = hosted[id]?.about, let before = hosted[id]?.machine else { throw unknown(id) }
        for bundle in bundles { try checkUnused(bundle, about.type) }
        var (machine, trial, number) = (before, initialization, numbers.contact)
        var (entries, invites): ([Contacts.Entry], [(ContactID?, Step.Output)]) = ([], [])
        let action = ContentID(numbers.content + 1)
        let (said, output) = try run { (core, step) throws(Refusal) -> Step.Output in
            var seeds: [ConversationSeed] = []
            for (place, bundle) in bundles.enumerated() {
                guard !bundle.isSingleUse || !bundles[..<place].contains(bundle) else {
                    throw Refusal(.unable, ClientCause.usedBundle(id))
                }
                number += 1
                let contact = ContactID(number)
                var seed = try trial.begin(about.type, with: bundle, as: contact, in: &step)
                seed?.contact = contact
                if let seed { seeds.append(seed) }
                entries.append(
                    Contacts.Entry(
                        id: contact, type: about.type, conversation: id, isMember: true, isPending: seed == nil))
            }
            guard !seeds.isEmpty else { return Step.Output() }
            var said = try step.lend { (step) throws(Refusal) in try machine.perform(.add(seeds), as: action, in: &step)
            }.output
            for opening in said.openings {
                invites.append((opening.contact, try core.invite(opening, for: about, on: &trial, in: &step)))
            }
            said.openings = []
            return said
        }
        (numbers.contact, numbers.content) = (number, action.number)
        hosted[id]?.machine = machine
        for (entry, bundle) in zip(entries, bundles) {
            update(entry)
            if bundle.isSingleUse { noteMember(of: id, about.type, with: bundle) }
        }
        keep(trial)
        for (contact, invite) in invites { carryOut([invite], of: contact, for: id) }
        absorb(said, from: .conversation(id))
        carryOut(output, from: .initialization)
    }

    /// Forgets a conversation, pending or here, and everything stored of it.
    public mutating func forget(_ id: ConversationID, now: Timestamp) throws(Refusal) {
        advance(to: now)
        guard hosted[id] != nil || contacts.pending(id) != nil else { throw unknown(id) }
        for contact in contacts.all(of: id) { end(contact) }
        _ = takeWaiting(for: id)
        changes.isUrgent = true
        remove(id)
    }

    /// Removes a conversation and everything stored of it.
    mutating func remove(_ id: ConversationID) {
        guard let conversation = unhost(id) else { return }
        budget.add(-conversation.bytes, of: Self.stranger(id, conversation.about))
        budget.end(id)
        notices[id] = nil
        if troubles.removeValue(forKey: id) != nil { changes.records.append(Record(Keys.trouble(id), nil)) }
        changes.isUrgent = true
        let owner = Owner.conversation(id)
        held = held.filter { $0.value.conversation != id }
        alarms.set(nil, for: owner)
        forgetBegun(id)
        listen([], for: owner)
        changes.records += conversation.keys.keys.sorted().map { Record(conversation.prefix + $0.text, nil) }
        changes.records.append(Record(Keys.about(id), nil))
    }

    /// Does what the application asks. As long as an invite may follow, on copies of both machines: whatever refuses,
    /// nothing has happened.
    mutating func perform(_ action: Action, as contentID: ContentID, in id: ConversationID) throws(Refusal) {
        guard let place = place(of: id) else { throw unknown(id) }
        guard contacts.awaitsInvite(of: id) else {
            let output = try run(on: hosted.values[place].look().lane) { (core, step) throws(Refusal) in
                try core.hosted.values[place].machine.perform(action, as: contentID, in: &step)
            }.output
            touch(id, at: place)
            hold(action, as: contentID, in: id, unless: output)
            return carryOut(output, from: .conversation(id))
        }
        let about = hosted.values[place].about
        var (machine, trial) = (hosted.values[place].machine, initialization)
        var invites: [(ContactID?, Step.Output)] = []
        let output = try run { (core, step) throws(Refusal) in
            try machine.perform(action, as: contentID, in: &step)
            for opening in step.openings {
                let invite = try core.invite(opening, for: about, on: &trial, in: &step)
                invites.append((opening.contact ?? about.contact, invite))
            }
        }.output
        hosted.values[place].machine = machine
        keep(trial)
        for (contact, invite) in invites { carryOut([invite], of: contact, for: id) }
        var rest = output
        rest.openings = []
        absorb(rest, from: .conversation(id))
    }

    /// Notes a content that its machine keeps until the link is back, so that it counts among what waits.
    private mutating func hold(
        _ action: Action, as content: ContentID, in id: ConversationID, unless output: borrowing Step.Output
    ) {
        guard isInterrupted, case .send(let bytes, _, _) = action, !output.mentions(content) else { return }
        held[content] = (id, bytes.count)
    }

    private func unknown(_ id: ConversationID) -> Refusal {
        guard contacts.pending(id) == nil else { return Refusal(.unable, ClientCause.pendingConversation(id)) }
        return Refusal(.unable, ClientCause.unknownConversation(id))
    }

    private mutating func admitOutbound(bytes: Int) throws(Refusal) { try limits.admit(bytes, toAll: waiting) }

    func admit(_ id: ConversationID) throws(Refusal) {
        guard hosted[id] == nil else { throw Refusal(.invalid, ClientCause.duplicateConversation(id)) }
        guard hosted.count < limits.conversations, contacts.entries.count < limits.conversations else {
            throw Refusal(.unable, ClientCause.tooMany("conversations", limit: limits.conversations))
        }
    }

    mutating func insert(_ machine: any Conversation, _ about: About, as id: ConversationID) {
        host(HostedConversation(machine: machine, about: about, id: id), as: id)
        count(id, about)
        storeAbout(id)
        touch(.conversation(id))
        follow(.conversation(id))
        fresh.append(.began(id, about.type, about.role, peers: about.peers))
    }

    mutating func storeAbout(_ id: ConversationID) {
        guard let about = hosted[id]?.about else { return }
        changes.records.append(Record(Keys.about(id), about.encoded))
    }
}

// Of the limits and not of the core, which would be copied for a question that may throw.
extension CoreLimits {
    /// Refuses more bytes than may wait for the service.
    fileprivate func admit(_ bytes: Int, toAll load: (payloads: Int, bytes: Int)) throws(Refusal) {
        guard load.payloads < outboxPayloads else {
            throw Refusal(.unable, ClientCause.tooMany("payloads wait for the service", limit: outboxPayloads))
        }
        guard load.bytes + bytes <= outboxBytes else {
            throw Refusal(.unable, CommonCause.tooLarge("outbox", bytes: load.bytes + bytes, limit: outboxBytes))
        }
    }

    /// One address takes a part of the outbox at most, so that who is never reached does not silence everybody.
    fileprivate func admit(_ bytes: Int, to lane: (payloads: Int, bytes: Int)) throws(Refusal) {
        guard lane.payloads < lanePayloads else {
            throw Refusal(.unable, ClientCause.tooMany("payloads wait for one address", limit: lanePayloads))
        }
        guard lane.payloads == 0 || lane.bytes + bytes <= laneBytes else {
            throw Refusal(
                .unable, CommonCause.tooLarge("outbox of one address", bytes: lane.bytes + bytes, limit: laneBytes))
        }
    }
}

extension Step.Output {
    /// Whether something is sent, or said, of a content.
    fileprivate borrowing func mentions(_ content: ContentID) -> Bool {
        sends.contains { $0.content == content } || openings.contains { $0.content == content }
            || events.contains { if case .status(content, _) = $0 { true } else { false } }
    }
}
