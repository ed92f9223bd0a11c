internal import ChatModel

// First contacts: begun, pending, invited, sent again, ended (`Specs/contracts.md`, CONTACT).
extension ChatCore {
    /// A conversation that a seed began, not yet kept.
    struct Begun {
        let id: ConversationID
        let machine: any Conversation
        let about: About
        /// The output of the machine, without openings.
        var output: Step.Output
        /// The invites made of its openings.
        var invites: [Step.Output] = []
    }

    /// Makes the conversation of a seed, and its invite on a trial copy of the initialization.
    func begin(
        _ seed: ConversationSeed, saying content: (id: ContentID, bytes: Content)? = nil,
        on trial: inout any InitializationProtocol, in step: inout Step
    ) throws(Refusal) -> Begun {
        guard let type = types[seed.type] else {
            throw Refusal(.unsupported, CommonCause.unsupportedConversationType(seed.type.name, by: "this client"))
        }
        let (machine, output) = try step.lend { (step) throws(Refusal) -> any Conversation in
            var machine = try type.begin(seed, in: &step)
            if let content, machine.acceptsContent {
                try machine.perform(.send(content.bytes), as: content.id, in: &step)
            }
            return machine
        }
        let id = seed.contact.flatMap { contacts[$0]?.conversation } ?? machine.id
        try admit(id)
        let isAnswered = if case .inviting = seed.side { false } else { true }
        let about = About(
            type: seed.type, role: seed.role, peers: seed.peers, isAnswered: isAnswered, contact: seed.contact,
            machine: machine.id)
        var begun = Begun(id: id, machine: machine, about: about, output: output)
        begun.output.openings = []
        for opening in output.openings {
            begun.invites.append(try invite(opening, for: about, on: &trial, in: &step))
        }
        return begun
    }

    /// Turns what a conversation opened into an invite, on a trial copy of the initialization.
    func invite(
        _ opening: Step.Opening, for about: About, on trial: inout any InitializationProtocol, in step: inout Step
    ) throws(Refusal) -> Step.Output {
        guard let contact = opening.contact ?? about.contact else {
            throw Refusal(.unable, ClientCause.nobodyInvited(about.type))
        }
        let invite = try step.lend { (step) throws(Refusal) in
            try trial.invite(contact, opening: opening.payload, for: opening.content, in: &step)
        }.output
        for send in invite.sends where send.routed.payload.count > maximumPayload {
            throw Refusal(
                .unable, CommonCause.tooLarge("invite", bytes: send.routed.payload.count, limit: maximumPayload))
        }
        return invite
    }

    /// Keeps a conversation that began, and carries out what it wants.
    ///
    /// - Parameter bundle: with which it began here; nil where its contact was pending, or somebody else began it.
    mutating func keep(_ begun: Begun, with bundle: IntroductionBundle? = nil) {
        if let contact = begun.about.contact {
            update(
                Contacts.Entry(
                    id: contact, type: begun.about.type, conversation: begun.id, isMember: false, isPending: false))
            if !begun.about.isAnswered { noteBegun(begun.about.type, with: bundle, as: begun.id) }
        }
        insert(begun.machine, begun.about, as: begun.id)
        carryOut(begun.invites, of: begun.about.contact, for: begun.id)
        absorb(begun.output, from: .conversation(begun.id))
        if isInterrupted { wake(.conversation(begun.id), .linkLost(on: nil)) }
    }

    /// Keeps an initialization that a step was tried on.
    mutating func keep(_ trial: any InitializationProtocol) {
        initialization = trial
        touch(.initialization)
        follow(.initialization)
    }

    /// Sends invites; what the conversation says later waits until the service has them (CORE-16).
    mutating func carryOut(_ invites: [Step.Output], of contact: ContactID?, for id: ConversationID) {
        guard !invites.isEmpty else { return }
        if let contact, var entry = contacts[contact] {
            entry.isInvited = true
            update(entry)
        }
        for invite in invites { carryOut(invite, from: .conversation(id), isInvite: true) }
    }

    /// Sends the invite that a conversation opened after it began; refused, it fails the contact and the content.
    mutating func invite(_ opening: Step.Opening, from id: ConversationID) {
        guard let about = hosted[id]?.about else { return }
        let contact = opening.contact ?? about.contact
        var trial = initialization
        do throws(Refusal) {
            let invite = try run { (core, step) throws(Refusal) in
                try core.invite(opening, for: about, on: &trial, in: &step)
            }.result
            keep(trial)
            carryOut([invite], of: contact, for: id)
        } catch {
            if let content = opening.content {
                fresh.append(.conversation(id, .status(content, .failed(error.description))))
            }
            if let contact { fail(contact, error) }
        }
    }

    /// Begins the conversations, and adds the members, that a step asked for; what is refused is told.
    mutating func start(_ seeds: [ConversationSeed]) {
        for seed in seeds {
            var trial = initialization
            do throws(Refusal) {
                if let entry = seed.contact.flatMap({ contacts[$0] }), entry.isMember {
                    try addMember(seed, entry)
                    continue
                }
                let begun = try run { (core, step) throws(Refusal) in
                    try core.begin(seed, on: &trial, in: &step)
                }.result
                keep(trial)
                keep(begun)
                releaseWaiting(for: begun.id)
            } catch {
                if let contact = seed.contact { fail(contact, error) } else { tell(error, in: nil) }
            }
        }
    }

    private mutating func addMember(_ seed: ConversationSeed, _ entry: Contacts.Entry) throws(Refusal) {
        var started = entry
        started.isPending = false
        update(started)
        let action = ContentID(numbers.content + 1)
        try perform(.add([seed]), as: action, in: entry.conversation)
        numbers.content = action.number
    }

    /// Ends a contact: nothing is sent again for it, and the initialization forgets it.
    mutating func end(_ contact: ContactID) {
        guard let entry = contacts[contact] else { return }
        changes.records += contacts.remove(contact).map { Record(Keys.repeated($0), nil) }
        changes.records.append(Record(Keys.contact(contact), nil))
        if hosted[entry.conversation]?.about.contact == contact {
            hosted[entry.conversation]?.about.contact = nil
            storeAbout(entry.conversation)
            settleBegun(entry.conversation)
        }
        wake(.initialization, .contactEnded(contact))
    }

    /// Ends a contact that came to nothing; what waited for it fails with the reason.
    mutating func fail(_ contact: ContactID, _ refusal: Refusal) {
        guard let entry = contacts[contact] else { return }
        end(contact)
        if entry.isPending, !entry.isMember {
            for one in takeWaiting(for: entry.conversation) {
                fresh.append(.conversation(entry.conversation, .status(one.id, .failed(refusal.description))))
            }
        }
        if !entry.isMember { forgetBegun(entry.conversation) }
        fresh.append(.failed(entry.conversation, ClientEvent.Report(refusal)))
        if hosted[entry.conversation] != nil { wake(.conversation(entry.conversation), .contactEnded(contact)) }
    }

    /// Sends again what is due for contacts that have not ended (CONTACT-5).
    mutating func sendRepeats() {
        // Without a link they would only wait together.
        guard !isInterrupted else { return }
        for (sent, next) in contacts.takeDue(at: now) {
            changes.records.append(Record(Keys.repeated(sent.number), next?.encoded))
            _ = post(sent.routed, for: nil, from: .initialization, isInvite: false)
            guard next == nil, contacts[sent.contact]?.isPending == true else { continue }
            fail(sent.contact, Refusal(.unable, ClientCause.unanswered))
        }
    }

    /// Remembers what is to be sent again; earlier payloads of the same contact are sent no more.
    mutating func repeatUntilEnd(_ sends: [Step.Send]) {
        for contact in Set(sends.compactMap(\.contact)).sorted() where contacts[contact] != nil {
            changes.records += contacts.removeRepeats(of: contact).map { Record(Keys.repeated($0), nil) }
            for send in sends where send.contact == contact {
                let (added, lost) = contacts.add(send.routed, until: contact, now: now)
                changes.records.append(Record(Keys.repeated(added.number), added.encoded))
                if let lost { changes.records.append(Record(Keys.repeated(lost), nil)) }
            }
        }
    }

    mutating func update(_ entry: Contacts.Entry) {
        contacts.insert(entry)
        changes.records.append(Record(Keys.contact(entry.id), entry.encoded))
        changes.isUrgent = true
    }

    /// Lets content wait until its conversation takes it; bounded.
    mutating func wait(_ content: Content, as id: ContentID, for conversation: ConversationID) throws(Refusal) {
        guard contacts.waitingCount < limits.waitingContents else {
            throw Refusal(.unable, ClientCause.tooMany("contents wait for an answer", limit: limits.waitingContents))
        }
        guard contacts.waitingBytes + content.count <= limits.waitingContentBytes else {
            let bytes = contacts.waitingBytes + content.count
            throw Refusal(
                .unable,
                CommonCause.tooLarge("contents that wait", bytes: bytes, limit: limits.waitingContentBytes))
        }
        let one = Contacts.Waiting(id: id, conversation: conversation, content: content)
        contacts.wait(one)
        changes.records.append(Record(Keys.waiting(id), one.encoded))
        changes.isUrgent = true
    }

    /// Hands content that waited to its conversation, as soon as that takes it, in order.
    mutating func releaseWaiting(for id: ConversationID) {
        guard contacts.waiting[id] != nil, hosted[id]?.machine.acceptsContent == true else { return }
        for one in takeWaiting(for: id) {
            guard hosted[id]?.machine.acceptsContent == true else {
                contacts.wait(one)
                changes.records.append(Record(Keys.waiting(one.id), one.encoded))
                continue
            }
            do throws(Refusal) { try perform(.send(one.content), as: one.id, in: id) } catch {
                fresh.append(.conversation(id, .status(one.id, .failed(error.description))))
            }
        }
    }

    mutating func takeWaiting(for id: ConversationID) -> [Contacts.Waiting] {
        let all = contacts.takeWaiting(for: id)
        changes.records += all.map { Record(Keys.waiting($0.id), nil) }
        return all
    }
}
