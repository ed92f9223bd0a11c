public import ChatModel

extension Conformance {
    /// Checks an initialization (INIT-01 to INIT-04, INBOX-04 to INBOX-06, INBOX-13, INTRO-07, CONTACT-1 to
    /// CONTACT-4, CONTACT-7, MODEL-1 to MODEL-6).
    ///
    /// - Parameters:
    ///   - make: gives a fresh initialization, each time of another client; records of one are restored into another
    ///     that `make` gives for the same number.
    ///   - seed: makes the run repeatable.
    ///   - only: the ids of the checks to run; all where nil.
    public static func check(
        initialization make: (Int) -> any InitializationProtocol, seed: UInt64 = 1, only: Set<String>? = nil
    ) -> Report {
        var checker = Checker("initialization", make(0).facts, seed: seed, only: only)
        checker.checkFacts()
        checkContact(make, &checker)
        checkUse(make, &checker)
        checkHostility(make, &checker)
        checkState(make, &checker)
        checkPending(make, &checker)
        return checker.report
    }

    private static func checkContact(_ make: (Int) -> any InitializationProtocol, _ checker: inout Checker) {
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
        checker.check(
            "INIT-01b", "a seed with a secret also has the key pair that any conversation type can begin with"
        ) {
            dice throws(Stop) in
            var contact = try Contact(make, &dice)
            let (saro, raya) = try contact.meet("any-type", opening: Bytes("hello"), &dice)
            guard let secret = saro.secret else { throw .notApplicable("the scheme has no secrets") }
            try expect(secret.count == 32, "the secret has \(secret.count) bytes")
            try expect(saro.remoteKeys.count == 1 && raya.ownKeys.count == 1, "a side has no first key")
            let isOnce = try contact.again(&dice).secret != secret
            try expect(isOnce, "two conversations have the same secret")
        }
        checker.check("INIT-02", "the invite goes where the maker of the bundle listens") { dice throws(Stop) in
            var contact = try Contact(make, &dice)
            let invite = try contact.invite("any-type", opening: Bytes("hello"), &dice).invite
            let isHeard = contact.raya.listening.contains {
                $0.address == invite.address && $0.route.id == invite.route.id
            }
            try expect(isHeard, "the maker does not listen on \(invite.address) for \(invite.route)")
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
        checker.check("INIT-04", "a bundle of another scheme is refused as unsupported") { dice throws(Stop) in
            let contact = try Contact(make, &dice)
            var saro = contact.saro
            var step = dice.step()
            let strange = IntroductionBundle(scheme: "nobodys_1", bytes: contact.bundle.bytes)
            let refused = try refusal(of: "a strange bundle") { () throws(Refusal) in
                _ = try saro.begin("any-type", with: strange, as: ContactID(1), in: &step)
            }
            try expect(refused.outcome == .unsupported, "refused as \(refused)")
            try expect(step.isUntouched, "a refused step left something in its turn")
        }
        checker.check("DS-09", "no invite is larger than the turn allows; one too large is refused with numbers") {
            dice throws(Stop) in
            for size in [100, 1_800, 1_950, 2_000, 50_000] {
                var contact = try Contact(make, &dice)
                var step = dice.step(maximumPayload: 2_000)
                _ = try contact.begin("any-type", &dice)
                let (id, opening) = (contact.latest, dice.bytes(size))
                do throws(Refusal) {
                    try contact.saro.invite(id, opening: opening, for: ContentID(1), in: &step)
                } catch {
                    try expect(error.outcome == .unable && error.cause.code == "too_large", "refused as \(error)")
                    continue
                }
                let sizes = step.sends.map(\.routed.payload.count)
                try expect(sizes.allSatisfy { $0 <= 2_000 }, "a payload has \(sizes.max() ?? 0) bytes of 2000")
            }
        }
    }

    private static func checkUse(_ make: (Int) -> any InitializationProtocol, _ checker: inout Checker) {
        checker.check("INIT-02b", "several bundles are outstanding at once") { dice throws(Stop) in
            var contact = try Contact(make, &dice)
            var step = dice.step()
            let bundles = try succeed("five bundles") { () throws(Refusal) in try contact.raya.introduce(5, in: &step) }
            try expect(bundles.count == 5, "\(bundles.count) bundles of 5")
            for bundle in bundles.reversed() {
                contact.bundle = bundle
                _ = try contact.meet("any-type", opening: Bytes("hello"), &dice)
            }
        }
        checker.check("INBOX-04", "a bundle for single use is good once") { dice throws(Stop) in
            var contact = try Contact(make, &dice)
            try applies(contact.bundle.isSingleUse, "bundles are good more than once")
            let first = try contact.invite("any-type", opening: Bytes("one"), &dice).invite
            let second = try contact.invite("any-type", opening: Bytes("two"), &dice).invite
            _ = try contact.receive(first, &dice)
            _ = try refusal(of: "a second invite to one bundle") { () throws(Refusal) in
                var step = dice.step()
                try contact.raya.receive(second, in: &step)
            }
        }
        checker.check("INBOX-05", "the same invite again begins nothing") { dice throws(Stop) in
            var contact = try Contact(make, &dice)
            let invite = try contact.invite("any-type", opening: Bytes("one"), &dice).invite
            _ = try contact.receive(invite, &dice)
            _ = try refusal(of: "the same invite again") { () throws(Refusal) in
                var step = dice.step()
                try contact.raya.receive(invite, in: &step)
            }
        }
        checker.check("INBOX-06", "outstanding bundles survive a restart, and used ones stay used") {
            dice throws(Stop) in
            var contact = try Contact(make, &dice)
            let invite = try contact.invite("any-type", opening: Bytes("one"), &dice).invite
            try contact.restart(make)
            _ = try contact.receive(invite, &dice)
            try contact.restart(make)
            _ = try refusal(of: "the same invite after a restart") { () throws(Refusal) in
                var step = dice.step()
                try contact.raya.receive(invite, in: &step)
            }
        }
    }

    private static func checkHostility(_ make: (Int) -> any InitializationProtocol, _ checker: inout Checker) {
        checker.check("INBOX-13", "what cannot be read as an invite is refused as invalid or unsupported") {
            dice throws(Stop) in
            var contact = try Contact(make, &dice)
            let invite = try contact.invite("any-type", opening: Bytes("one"), &dice).invite
            for _ in 0..<1_000 {
                var (raya, bad, step) = (contact.raya, invite, dice.step())
                bad.payload = dice.hostile(like: invite.payload)
                do throws(Refusal) { try raya.receive(bad, in: &step) } catch {
                    let isTold = error.outcome == .invalid || error.outcome == .unsupported
                    try expect(isTold, "\(bad.payload.array) is refused as \(error)")
                }
            }
        }
        checker.check("INTRO-07", "hostile bundles are refused and leave nothing") { dice throws(Stop) in
            let contact = try Contact(make, &dice)
            for _ in 0..<hostileInputs / 10 {
                var (bad, saro, step) = (contact.bundle, contact.saro, dice.step())
                bad.bytes = dice.hostile(like: bad.bytes)
                do throws(Refusal) { _ = try saro.begin("any-type", with: bad, as: ContactID(1), in: &step) } catch {
                    try expect(step.isUntouched, "\(bad.bytes.array) was refused and left something in its turn")
                }
            }
        }
        checker.check("MODEL-2", "a refused invite changes nothing and leaves nothing in its turn") {
            dice throws(Stop) in
            var contact = try Contact(make, &dice)
            let invite = try contact.invite("any-type", opening: Bytes("one"), &dice).invite
            var before = Stored()
            before.take(contact.raya.takeChanges())
            for _ in 0..<hostileInputs / 10 {
                var (raya, bad, step) = (contact.raya, invite, dice.step())
                bad.payload = dice.hostile(like: invite.payload)
                do throws(Refusal) { try raya.receive(bad, in: &step) } catch {
                    try expect(step.isUntouched, "\(bad.payload.array) was refused and left something in its turn")
                    var after = before
                    after.take(raya.takeChanges())
                    try expect(after == before, "\(bad.payload.array) was refused and changed records")
                }
            }
        }
        checker.check("MODEL-4", "hostile invites and records never trap, and good ones work afterwards") {
            dice throws(Stop) in
            var contact = try Contact(make, &dice)
            let invite = try contact.invite("any-type", opening: Bytes("one"), &dice).invite
            let records = contact.records
            for _ in 0..<hostileInputs / 20 {
                var (bad, step, raya) = (invite, dice.step(), contact.raya)
                bad.payload = dice.hostile(like: invite.payload)
                do throws(Refusal) { try raya.receive(bad, in: &step) } catch {
                    // As a client does: what was refused has changed nothing, so the machine is kept.
                    contact.raya = raya
                }
                var fresh = make(1)
                try? fresh.restore(records.map { Record($0.key, dice.hostile(like: $0.bytes ?? [])) })
            }
            _ = try contact.receive(invite, &dice)
        }
    }

    private static func checkState(_ make: (Int) -> any InitializationProtocol, _ checker: inout Checker) {
        checker.check("INBOX-14", "what a copy receives is not used up in the original") { dice throws(Stop) in
            var contact = try Contact(make, &dice)
            let invite = try contact.invite("any-type", opening: Bytes("one"), &dice).invite
            let original = contact.raya
            _ = try contact.receive(invite, &dice)
            contact.raya = original
            _ = try contact.receive(invite, &dice)
        }
        checker.check("MODEL-3b", "records of an unknown version are refused, and change nothing") {
            dice throws(Stop) in
            var contact = try Contact(make, &dice)
            let records = contact.records
            try applies(!records.isEmpty, "keeps no records")
            for index in records.indices {
                guard var bytes = records[index].bytes?.array, !bytes.isEmpty else { continue }
                bytes[0] = 0xee
                var altered = records
                altered[index] = Record(records[index].key, Bytes(bytes))
                var fresh = make(1)
                let list = altered
                _ = try refusal(of: "version 0xee of \(records[index].key)") { () throws(Refusal) in
                    try fresh.restore(list)
                }
            }
        }
        checker.check("MODEL-3c", "a restored initialization states what it stated before") { dice throws(Stop) in
            var contact = try Contact(make, &dice)
            let (listening, isTimed) = (contact.raya.listening, contact.raya.nextWake != nil)
            try contact.restart(make)
            try expect(contact.raya.listening == listening, "over a restart, what it listens to changed")
            try expect(!isTimed || contact.raya.nextWake != nil, "over a restart, it forgot that it wants to be woken")
        }
        checker.check("MODEL-6", "after `due`, the next time it wants to be woken lies in the future") {
            dice throws(Stop) in
            var contact = try Contact(make, &dice)
            _ = try contact.invite("any-type", opening: Bytes("one"), &dice)
            for machine in [contact.saro, contact.raya] {
                var (machine, now) = (machine, UInt64(1_700_000_000_000))
                for _ in 0..<100 {
                    guard let next = machine.nextWake else { break }
                    now = max(now, next.milliseconds)
                    var step = dice.step(now: now)
                    machine.handle(.due, in: &step)
                    guard let again = machine.nextWake else { break }
                    try expect(again > step.now, "woken at \(step.now), it wants to be woken at \(again)")
                }
            }
        }
        checker.check("CONTACT-3", "a contact that has begun is invited after a restart as before it") {
            dice throws(Stop) in
            var contact = try Contact(make, &dice)
            let seed = try contact.begin("any-type", &dice)
            try contact.restartSaro(make)
            let invite = try contact.invite(opening: Bytes("late"), &dice)
            let raya = try contact.receive(invite, &dice)
            try expect(raya.opening == Bytes("late") && raya.secret == seed.secret, "the invite is of another contact")
        }
        checker.check("CONTACT-4", "a contact that was invited, or has ended, leaves nothing that is stored") {
            dice throws(Stop) in
            var contact = try Contact(make, &dice)
            let before = contact.sarosRecords
            for isInvited in [true, false] {
                _ = try contact.begin("any-type", &dice)
                if isInvited { _ = try contact.invite(opening: Bytes("hello"), &dice) }
                try contact.expectForgotten(since: before, &dice)
            }
            _ = try contact.knock("any-type", &dice)
            try contact.expectForgotten(since: before, &dice)
        }
        checker.check("MODEL-5", "what is stored stays below \(maximumState) bytes, whatever is asked for") {
            dice throws(Stop) in
            var contact = try Contact(make, &dice)
            for count in [0, 1, 50, 5_000] {
                var (raya, step) = (contact.raya, dice.step())
                // Refusing so many is as good as forgetting old ones.
                guard (try? raya.introduce(count, in: &step)) != nil else { continue }
                contact.raya = raya
            }
            for _ in 0..<200 {
                guard let invite = try? contact.invite("any-type", opening: dice.bytes(3_000), &dice).invite else {
                    break
                }
                guard (try? contact.receive(invite, &dice)) != nil else { break }
            }
            let size = contact.storedSize
            try expect(size <= maximumState, "records have \(size) bytes")
        }
    }
}
