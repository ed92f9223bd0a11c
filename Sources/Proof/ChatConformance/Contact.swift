internal import ChatModel

/// Saro has a bundle of Raya's.
struct Contact {
    var saro: any InitializationProtocol
    var raya: any InitializationProtocol
    var bundle: IntroductionBundle
    private var stored = Stored()
    private var sarosStored = Stored()
    /// The contact that began last.
    private(set) var latest = ContactID(0)

    init(_ make: (Int) -> any InitializationProtocol, _ dice: inout Dice) throws(Stop) {
        var raya = make(1)
        let bundle = try Self.bundle(of: &raya, &dice)
        (saro, self.raya, self.bundle) = (make(0), raya, bundle)
    }

    private static func bundle(
        of raya: inout any InitializationProtocol, _ dice: inout Dice
    ) throws(Stop) -> IntroductionBundle {
        var step = dice.step()
        let bundles = try succeed("a bundle") { () throws(Refusal) in try raya.introduce(1, in: &step) }
        guard let bundle = bundles.first else { throw .failed("no bundle was made") }
        return bundle
    }

    mutating func invite(
        _ type: ConversationType, opening: Bytes, _ dice: inout Dice
    ) throws(Stop) -> (seed: ConversationSeed, invite: Routed) {
        let seed = try begin(type, &dice)
        return (seed, try invite(opening: opening, &dice))
    }

    /// Begins a contact; gives its seed, or what is sent where it is pending.
    mutating func knock(
        _ type: ConversationType, _ dice: inout Dice
    ) throws(Stop) -> (seed: ConversationSeed?, sends: [Step.Send]) {
        var step = dice.step()
        let bundle = bundle
        latest = ContactID(latest.number + 1)
        let contact = latest
        let seed = try succeed("a good bundle") { () throws(Refusal) in
            try saro.begin(type, with: bundle, as: contact, in: &step)
        }
        return (seed, step.sends)
    }

    /// Begins a contact and brings it to its seed.
    ///
    /// - Parameter between: called before each message of a first contact that is pending; says of which side it is,
    ///   and whether it is the first of those that are sent together.
    mutating func begin(
        _ type: ConversationType, _ dice: inout Dice,
        between: (inout Contact, _ message: Routed, _ isSaros: Bool, _ isFirst: Bool, inout Dice) throws(Stop) -> Void =
            {
                (_, _, _, _, _) throws(Stop) in
            }
    ) throws(Stop) -> ConversationSeed {
        let begun = try knock(type, &dice)
        let seed: ConversationSeed
        if let ready = begun.seed { seed = ready } else { seed = try handshake(begun.sends, &dice, between) }
        try expect(seed.contact == latest, "the seed of contact \(latest) names another")
        return seed
    }

    /// Invites for the contact that began last.
    mutating func invite(opening: Bytes, _ dice: inout Dice) throws(Stop) -> Routed {
        var step = dice.step()
        let contact = latest
        try succeed("an invite") { () throws(Refusal) in
            try saro.invite(contact, opening: opening, for: ContentID(1), in: &step)
        }
        guard let send = step.sends.first else { throw .failed("no invite was sent") }
        return send.routed
    }

    /// Carries messages back and forth until the latest contact, which is pending, has a seed.
    private mutating func handshake(
        _ sends: [Step.Send], _ dice: inout Dice,
        _ between: (inout Contact, Routed, Bool, Bool, inout Dice) throws(Stop) -> Void
    ) throws(Stop) -> ConversationSeed {
        var (payloads, isSaros) = (sends.map(\.routed), true)
        for _ in 0..<16 {
            var replies: [Routed] = []
            for (index, payload) in payloads.enumerated() {
                try between(&self, payload, isSaros, index == 0, &dice)
                var step = dice.step()
                try succeed("a message of the first contact") { () throws(Refusal) in
                    if isSaros { try raya.receive(payload, in: &step) } else { try saro.receive(payload, in: &step) }
                }
                if let seed = step.seeds.first(where: { $0.contact != nil }) { return seed }
                replies += step.sends.map(\.routed)
            }
            (payloads, isSaros) = (replies, !isSaros)
        }
        throw .failed("after 16 messages, contact \(latest) has no seed")
    }

    mutating func receive(_ invite: Routed, _ dice: inout Dice) throws(Stop) -> ConversationSeed {
        var step = dice.step()
        try succeed("a good invite") { () throws(Refusal) in try raya.receive(invite, in: &step) }
        guard let seed = step.seeds.first else { throw .failed("an invite gave no seed") }
        return seed
    }

    mutating func meet(
        _ type: ConversationType, opening: Bytes, _ dice: inout Dice
    ) throws(Stop) -> (saro: ConversationSeed, raya: ConversationSeed) {
        let (seed, invite) = try invite(type, opening: opening, &dice)
        return (seed, try receive(invite, &dice))
    }

    /// The seed of a second contact; from another bundle where a bundle is good once.
    mutating func again(_ dice: inout Dice) throws(Stop) -> ConversationSeed {
        if bundle.isSingleUse { bundle = try Self.bundle(of: &raya, &dice) }
        return try invite("any-type", opening: Bytes("again"), &dice).seed
    }

    /// Raya's records.
    var records: [Record] {
        mutating get {
            stored.take(raya.takeChanges())
            return stored.records
        }
    }

    var storedSize: Int {
        mutating get {
            stored.take(raya.takeChanges())
            return stored.size
        }
    }

    /// Saro's records.
    var sarosRecords: [Record] {
        mutating get {
            sarosStored.take(saro.takeChanges())
            return sarosStored.records
        }
    }

    mutating func restartSaro(_ make: (Int) -> any InitializationProtocol) throws(Stop) {
        let records = sarosRecords
        var again = make(0)
        try succeed("its own records") { () throws(Refusal) in try again.restore(records) }
        saro = again
    }

    mutating func restart(_ make: (Int) -> any InitializationProtocol) throws(Stop) {
        let records = records
        var again = make(1)
        try succeed("its own records") { () throws(Refusal) in try again.restore(records) }
        raya = again
    }
}
