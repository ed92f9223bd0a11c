import ChatWire

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

    /// What a scenario found: the implementation at fault where that is clear.
    typealias Failure = Participant.Failure

    init(_ first: Implementation, _ second: Implementation, profile: String, within limit: Duration) throws(Failure) {
        self.profile = profile
        saro = try Participant(first, within: limit)
        raya = try Participant(second, within: limit)
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

    /// Hands over what both have, as time passes, until one of them has got contents, in this order.
    func wait(for contents: [[UInt8]], at recipient: Participant, having found: [[UInt8]] = []) throws(Failure) {
        var found = found + (try recipient.takeEvents().contents.map(\.content))
        for round in 1...Self.rounds where isReliable && found.count < contents.count {
            for participant in [saro, raya] { try participant.setTime(Self.start + round * Self.seconds * 1_000) }
            for (sender, other) in [(saro, raya), (raya, saro), (saro, raya)] {
                for parcel in try sender.takeOutbound() { _ = try other.receive(parcel) }
            }
            found += try recipient.takeEvents().contents.map(\.content)
        }
        try check(found, contents, at: recipient)
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
