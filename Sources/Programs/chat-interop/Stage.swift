import ChatCodec

/// Two participants and the network between them, which the driver holds.
///
/// A profile with reliable conversations sends again what was lost, in its own time; there, what a scenario waits for
/// may come a while later, and in causal order. Elsewhere it comes at once or not at all.
struct Stage {
    /// When every participant begins.
    static let start = 1_700_000_000_000
    /// How often, and for how long each time, a reliable profile is waited for: longer than any pause between repeats.
    static let rounds = 12, seconds = 10
    let saro: Participant
    let raya: Participant
    let profile: String
    /// Whether what is lost comes again.
    let isReliable: Bool

    init(
        _ first: Implementation, _ second: Implementation, profile: String, _ steps: Steps, within limit: Duration
    ) throws(Failure) {
        self.profile = profile
        saro = try Participant(first, as: "Saro", steps, within: limit)
        raya = try Participant(second, as: "Raya", steps, within: limit)
        isReliable = try saro.isReliable(profile)
        try saro.createIdentity(profile)
        try raya.createIdentity(profile)
    }

    func end() {
        saro.end()
        raya.end()
    }

    /// Saro has Raya's bundle and says something; both know the conversation by their ids.
    func meet(_ content: [UInt8] = Array("hello".utf8)) throws(Failure) -> (saro: String, raya: String) {
        let saroID = try saro.initiate(try raya.createIntro(), content)
        try hand(try saro.takeOutbound(), to: raya, expecting: .accepted)
        return (saroID, try checkBegan([content], at: raya))
    }

    /// One conversation began with these contents; gives its id.
    @discardableResult
    func checkBegan(_ contents: [[UInt8]], at participant: Participant) throws(Failure) -> String {
        let events = try participant.takeEvents()
        guard events.started.count == 1, let id = events.started.first else {
            let name = participant.implementation.name
            throw Failure("\(name): \(events.started.count) conversations began instead of one")
        }
        try check(events.contents, contents, in: id, at: participant)
        return id
    }

    /// Sends contents in a conversation, and hands their payloads over at once.
    func pass(
        _ contents: [[UInt8]], from sender: Participant, _ ids: (saro: String, raya: String)
    ) throws(Failure) {
        let isSaro = sender === saro
        let (own, other, recipient) = isSaro ? (ids.saro, ids.raya, raya) : (ids.raya, ids.saro, saro)
        for content in contents { try sender.send(content, in: own) }
        try hand(try sender.takeOutbound(), to: recipient, expecting: .accepted)
        try check(try recipient.takeEvents(), contents, in: other, at: recipient)
    }

    /// Hands over payloads, of which there must be some; each must have the same outcome.
    func hand(
        _ parcels: [Participant.Parcel], to recipient: Participant, expecting outcome: Outcome
    ) throws(Failure) {
        guard !parcels.isEmpty else { throw Failure("\(recipient.implementation.name): nothing was sent to it") }
        for parcel in parcels {
            let found = try recipient.receive(parcel)
            guard found.outcome == outcome else {
                throw Failure(
                    "\(recipient.implementation.name): a payload was \(found.outcome) instead of \(outcome)",
                    code: found.code, message: found.message, payload: parcel.payload)
            }
        }
    }

    /// Hands over what both have, as time passes, until one of them has got contents, in this order.
    ///
    /// What is handed over is genuine and new, so whoever gets it accepts it; what is in it may have come before.
    func wait(for contents: [[UInt8]], in conversation: String, at recipient: Participant) throws(Failure) {
        var found = try recipient.takeEvents()
        for round in 1...Self.rounds where isReliable && found.contents.count < contents.count {
            for participant in [saro, raya] { try participant.setTime(Self.start + round * Self.seconds * 1_000) }
            for (sender, other) in [(saro, raya), (raya, saro), (saro, raya)] {
                for parcel in try sender.takeOutbound() { try handAgain(parcel, to: other) }
            }
            let more = try recipient.takeEvents()
            found.started += more.started
            found.contents += more.contents
        }
        try check(found, contents, in: conversation, at: recipient)
    }

    private func handAgain(_ parcel: Participant.Parcel, to recipient: Participant) throws(Failure) {
        let found = try recipient.receive(parcel)
        guard found.outcome == .accepted || found.outcome == .rejected && found.code == "replay" else {
            throw Failure(
                "\(recipient.implementation.name): a genuine payload was \(found.outcome)", code: found.code,
                message: found.message, payload: parcel.payload)
        }
    }

    /// These contents came in this conversation, each once, and no conversation began.
    ///
    /// - Parameter inOrder: whether they came in this order; payloads that changed places may be told as they come.
    func check(
        _ found: Events, _ expected: [[UInt8]], in conversation: String, at participant: Participant,
        inOrder: Bool = true
    ) throws(Failure) {
        guard found.started.isEmpty else {
            throw Failure("\(participant.implementation.name): a conversation began that nobody asked for")
        }
        try check(found.contents, expected, in: conversation, at: participant, inOrder: inOrder)
    }

    private func check(
        _ found: [Events.Received], _ expected: [[UInt8]], in conversation: String, at participant: Participant,
        inOrder: Bool = true
    ) throws(Failure) {
        let name = participant.implementation.name
        guard found.allSatisfy({ $0.conversation == conversation }) else {
            throw Failure("\(name): a content came in another conversation than \(conversation)")
        }
        var contents = found.map(\.content)
        if !inOrder { contents.sort { $0.lexicographicallyPrecedes($1) } }
        guard contents.count == expected.count else {
            throw Failure("\(name): \(contents.count) contents instead of \(expected.count)")
        }
        guard let place = expected.indices.first(where: { contents[$0] != expected[$0] }) else { return }
        throw Failure("\(name): content \(place) of \(expected.count) is another one")
    }

    /// Nothing may have happened.
    func checkQuiet(_ participant: Participant) throws(Failure) {
        guard try participant.takeEvents().isEmpty else {
            throw Failure("\(participant.implementation.name): events after a payload that was refused or ignored")
        }
    }
}
