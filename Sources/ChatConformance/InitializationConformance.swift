public import ChatModel

extension Conformance {
    /// Checks an initialization (INIT-01 to INIT-04, INBOX-04 and INBOX-05 where bundles are for single use).
    ///
    /// - Parameters:
    ///   - make: gives a fresh initialization, each time of another client; records of one are restored into another
    ///     that `make` gives for the same number.
    ///   - seed: makes the run repeatable.
    public static func check(
        initialization make: (Int) -> any InitializationProtocol, seed: UInt64 = 1
    ) -> Report {
        var checker = Checker("initialization", make(0).facts.name, seed: seed)
        let openings = [[], [1], [0x12, 0], [0x12, 2, 0x10, 1], [0x0a, 1, 0x61]].map { Bytes($0) }

        checker.check("INIT-01", "a bundle becomes a conversation on both sides") { dice throws(Stop) in
            var contact = try Contact(make, &dice)
            let (saro, raya) = try contact.meet("any-type", opening: Bytes("hello"), &dice)
            try expect(saro.role == .initiator && raya.role == .responder, "roles are \(saro.role) and \(raya.role)")
            try expect(saro.secret == raya.secret, "the two secrets differ")
            try expect(saro.remoteKeys == raya.ownKeys.map(\.publicKey), "the responder's keys differ")
            try expect(raya.peers == [saro.ownIdentity].compactMap(\.self), "the responder knows \(raya.peers)")
            try expect(raya.ownIdentity == saro.peers.first, "the initiator knows \(saro.peers)")
        }
        checker.check("INIT-02", "the invite goes where the maker of the bundle listens") { dice throws(Stop) in
            var contact = try Contact(make, &dice)
            let invite = try contact.invite("any-type", opening: Bytes("hello"), &dice).invite
            let isHeard = contact.raya.listening.contains {
                $0.address == invite.address && $0.route.id == invite.route.id
            }
            try expect(isHeard, "nobody listens on \(invite.address) for \(invite.route)")
        }
        checker.check("INIT-03", "any conversation type and any opening come through as they were") {
            dice throws(Stop) in
            for type in ["plain", "private-v1", "private-v1-libchat", "a", String(repeating: "x", count: 60)] {
                for opening in openings + [dice.bytes(3_000)] {
                    var contact = try Contact(make, &dice)
                    let raya = try contact.meet(ConversationType(type), opening: opening, &dice).raya
                    try expect(raya.type.name == type, "\(type) became \(raya.type)")
                    try expect(raya.opening == opening, "an opening of \(opening.count) bytes changed")
                }
            }
        }
        checker.check("INIT-04", "a bundle of another scheme is refused by name") { dice throws(Stop) in
            let contact = try Contact(make, &dice)
            var saro = contact.saro
            var turn = dice.turn()
            let strange = IntroductionBundle(scheme: "nobodys_1", bytes: dice.bytes(40))
            let refused = try refusal(of: "a strange bundle") { () throws(Refusal) in
                _ = try saro.seed("any-type", for: strange, in: &turn)
            }
            try expect(refused.outcome == .unsupported, "refused as \(refused)")
            try expect(turn.sends.isEmpty, "a refused step left a payload")
        }
        checker.check("INBOX-04", "a bundle for single use is good once") { dice throws(Stop) in
            var contact = try Contact(make, &dice)
            try applies(contact.bundle.isSingleUse, "bundles are good more than once")
            let first = try contact.invite("any-type", opening: Bytes("one"), &dice).invite
            let second = try contact.invite("any-type", opening: Bytes("two"), &dice).invite
            _ = try contact.receive(first, &dice)
            _ = try refusal(of: "a second invite to one bundle") { () throws(Refusal) in
                var turn = dice.turn()
                try contact.raya.receive(second, in: &turn)
            }
        }
        checker.check("INBOX-05", "the same invite again begins nothing") { dice throws(Stop) in
            var contact = try Contact(make, &dice)
            let invite = try contact.invite("any-type", opening: Bytes("one"), &dice).invite
            _ = try contact.receive(invite, &dice)
            _ = try refusal(of: "the same invite again") { () throws(Refusal) in
                var turn = dice.turn()
                try contact.raya.receive(invite, in: &turn)
            }
        }
        checker.check("INBOX-14", "what a copy receives is not used up in the original") { dice throws(Stop) in
            var contact = try Contact(make, &dice)
            let invite = try contact.invite("any-type", opening: Bytes("one"), &dice).invite
            let original = contact.raya
            _ = try contact.receive(invite, &dice)
            contact.raya = original
            _ = try contact.receive(invite, &dice)
        }
        checker.check("INBOX-13", "hostile invites are refused and change nothing") { dice throws(Stop) in
            var contact = try Contact(make, &dice)
            let invite = try contact.invite("any-type", opening: Bytes("one"), &dice).invite
            _ = contact.raya.takeChanges()
            for _ in 0..<hostileInputs / 10 {
                var bad = invite
                bad.payload = dice.hostile(like: invite.payload)
                guard bad.payload != invite.payload else { continue }
                var turn = dice.turn()
                var raya = contact.raya
                do throws(Refusal) { try raya.receive(bad, in: &turn) } catch {
                    try expect(turn.seeds.isEmpty, "a refused invite left a seed")
                    try expect(raya.takeChanges().isEmpty, "a refused invite changed records")
                }
            }
            _ = try contact.receive(invite, &dice)
        }
        checker.check("INTRO-07", "hostile bundles are refused and leave nothing") { dice throws(Stop) in
            let contact = try Contact(make, &dice)
            for _ in 0..<hostileInputs / 10 {
                var bad = contact.bundle
                bad.bytes = dice.hostile(like: bad.bytes)
                var saro = contact.saro
                var turn = dice.turn()
                do throws(Refusal) { _ = try saro.seed("any-type", for: bad, in: &turn) } catch {
                    try expect(turn.sends.isEmpty && turn.events.isEmpty, "a refused bundle left something")
                }
            }
        }
        checker.check("INBOX-06", "outstanding bundles survive a restart") { dice throws(Stop) in
            var contact = try Contact(make, &dice)
            let invite = try contact.invite("any-type", opening: Bytes("one"), &dice).invite
            try contact.restart(make)
            _ = try contact.receive(invite, &dice)
            try contact.restart(make)
            _ = try refusal(of: "the same invite after a restart") { () throws(Refusal) in
                var turn = dice.turn()
                try contact.raya.receive(invite, in: &turn)
            }
        }
        checker.check("INIT-02b", "several bundles are outstanding at once") { dice throws(Stop) in
            var contact = try Contact(make, &dice)
            var turn = dice.turn()
            let bundles = try succeed("five bundles") { () throws(Refusal) in try contact.raya.introduce(5, in: &turn) }
            try expect(bundles.count == 5, "\(bundles.count) bundles of 5")
            for bundle in bundles.reversed() {
                contact.bundle = bundle
                _ = try contact.meet("any-type", opening: Bytes("hello"), &dice)
            }
        }
        return checker.report
    }
}

/// Saro has a bundle of Raya's.
private struct Contact {
    var saro: any InitializationProtocol
    var raya: any InitializationProtocol
    var bundle: IntroductionBundle
    private var stored: [String: Bytes] = [:]

    init(_ make: (Int) -> any InitializationProtocol, _ dice: inout Dice) throws(Stop) {
        var raya = make(1)
        var turn = dice.turn()
        let bundles = try succeed("a bundle") { () throws(Refusal) in try raya.introduce(1, in: &turn) }
        guard let bundle = bundles.first else { throw .failed("no bundle was made") }
        (saro, self.raya, self.bundle) = (make(0), raya, bundle)
    }

    mutating func invite(
        _ type: ConversationType, opening: Bytes, _ dice: inout Dice
    ) throws(Stop) -> (seed: ConversationSeed, invite: Routed) {
        var turn = dice.turn()
        let bundle = bundle
        let seed = try succeed("a good bundle") { () throws(Refusal) in try saro.seed(type, for: bundle, in: &turn) }
        try succeed("an invite") { () throws(Refusal) in
            try saro.invite(seed, as: ConversationID("00"), opening: opening, for: ContentID(1), in: &turn)
        }
        guard let send = turn.sends.first else { throw .failed("no invite was sent") }
        return (seed, send.routed)
    }

    mutating func receive(_ invite: Routed, _ dice: inout Dice) throws(Stop) -> ConversationSeed {
        var turn = dice.turn()
        try succeed("a good invite") { () throws(Refusal) in try raya.receive(invite, in: &turn) }
        guard let seed = turn.seeds.first else { throw .failed("an invite gave no seed") }
        return seed
    }

    mutating func meet(
        _ type: ConversationType, opening: Bytes, _ dice: inout Dice
    ) throws(Stop) -> (saro: ConversationSeed, raya: ConversationSeed) {
        let (seed, invite) = try invite(type, opening: opening, &dice)
        return (seed, try receive(invite, &dice))
    }

    mutating func restart(_ make: (Int) -> any InitializationProtocol) throws(Stop) {
        for record in raya.takeChanges() { stored[record.key] = record.bytes }
        let records = stored.sorted { $0.key < $1.key }.map { Record($0.key, $0.value) }
        var again = make(1)
        try succeed("its own records") { () throws(Refusal) in try again.restore(records) }
        raya = again
    }
}
