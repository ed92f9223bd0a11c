import ChatWire

/// Two participants and the network between them, which the driver holds.
struct Stage {
    let saro: Participant
    let raya: Participant
    let profile: String

    /// What a scenario found: the implementation at fault where that is clear.
    typealias Failure = Participant.Failure

    init(_ first: Implementation, _ second: Implementation, profile: String, within limit: Duration) throws(Failure) {
        self.profile = profile
        saro = try Participant(first, within: limit)
        raya = try Participant(second, within: limit)
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
        try hand(try saro.takeOutbound(), to: raya, expecting: "accepted")
        let events = try raya.takeEvents()
        guard let rayaID = events.started.first else {
            throw Failure("\(raya.implementation.name) began no conversation")
        }
        try check(events.contents.map(\.content), [content], at: raya)
        return (saroID, rayaID)
    }

    /// Sends contents and hands their payloads over at once.
    func pass(
        _ contents: [[UInt8]], from sender: Participant, _ conversation: String, to recipient: Participant
    ) throws(Failure) {
        for content in contents { try sender.send(content, in: conversation) }
        try hand(try sender.takeOutbound(), to: recipient, expecting: "accepted")
        try check(try recipient.takeEvents().contents.map(\.content), contents, at: recipient)
    }

    func hand(
        _ parcels: [Participant.Parcel], to recipient: Participant, expecting outcome: String
    ) throws(Failure) {
        for parcel in parcels {
            let found = try recipient.receive(parcel)
            guard found == outcome else {
                throw Failure("\(recipient.implementation.name): a payload was \(found) instead of \(outcome)")
            }
        }
    }

    func check(_ found: [[UInt8]], _ expected: [[UInt8]], at participant: Participant) throws(Failure) {
        guard found != expected else { return }
        throw Failure(
            "\(participant.implementation.name): \(found.count) contents instead of \(expected.count), or other ones")
    }

    /// Nothing may have happened.
    func checkQuiet(_ participant: Participant) throws(Failure) {
        let events = try participant.takeEvents()
        guard events.started.isEmpty, events.contents.isEmpty else {
            throw Failure("\(participant.implementation.name): events after a payload that was refused or ignored")
        }
    }
}
