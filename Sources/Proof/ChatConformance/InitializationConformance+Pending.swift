internal import ChatModel

// First contacts of several messages (`Specs/contracts.md`, CONTACT).
extension Conformance {
    static func checkPending(_ make: (Int) -> any InitializationProtocol, _ checker: inout Checker) {
        checker.check("CONTACT-1", "a pending contact goes on over restarts of both sides between its messages") {
            dice throws(Stop) in
            var contact = try Contact(make, &dice)
            try contact.expectPending(&dice)
            _ = try contact.begin("any-type", &dice) { contact, _, isSaros, isFirst, _ throws(Stop) in
                // Those that are sent together are sent again together.
                guard isFirst else { return }
                if isSaros { try contact.restart(make) } else { try contact.restartSaro(make) }
            }
        }
        checker.check("CONTACT-2", "a forged message of a first contact changes nothing and ends no contact") {
            dice throws(Stop) in
            var contact = try Contact(make, &dice)
            try contact.expectPending(&dice)
            let isAuthentic = make(0).facts.claims(.integrity)
            _ = try contact.begin("any-type", &dice) { contact, message, isSaros, _, dice throws(Stop) in
                try contact.offerForgeries(of: message, bySaro: !isSaros, isAuthentic, &dice)
            }
        }
        checker.check("CONTACT-7", "a pending contact sends something until it ends, so that it fails unanswered") {
            dice throws(Stop) in
            var contact = try Contact(make, &dice)
            try contact.expectPending(&dice)
            let sends = try contact.knock("any-type", &dice).sends
            let isRepeated = sends.contains { $0.contact == contact.latest }
            try expect(isRepeated, "of \(sends.count) payloads, none is sent until the contact ends")
        }
    }
}

extension Contact {
    /// Ends the check where a first contact takes one message.
    fileprivate func expectPending(_ dice: inout Dice) throws(Stop) {
        var trial = self
        try applies(try trial.knock("any-type", &dice).seed == nil, "a first contact takes one message")
    }

    /// Ends the latest contact; nothing of it may be left in Saro's records.
    mutating func expectForgotten(since before: [Record], _ dice: inout Dice) throws(Stop) {
        _ = sarosRecords
        var step = dice.step()
        saro.handle(.contactEnded(latest), in: &step)
        try expect(sarosRecords == before, "records of a contact that has ended are left")
    }

    /// Offers altered messages to the one who is to receive the good one, each to a copy.
    fileprivate func offerForgeries(
        of message: Routed, bySaro: Bool, _ isAuthentic: Bool, _ dice: inout Dice
    ) throws(Stop) {
        var original = bySaro ? saro : raya
        var before = Stored()
        before.take(original.takeChanges())
        for _ in 0..<Conformance.hostileInputs / 20 {
            var (machine, bad, step) = (original, message, dice.step())
            bad.payload = dice.hostile(like: message.payload)
            guard bad.payload != message.payload else { continue }
            do throws(Refusal) { try machine.receive(bad, in: &step) } catch {
                try expect(step.isUntouched, "\(bad.payload.array) was refused and left something in its turn")
                var after = before
                after.take(machine.takeChanges())
                try expect(after == before, "\(bad.payload.array) was refused and changed records")
                continue
            }
            let isNothing = step.seeds.isEmpty && step.endings.isEmpty
            try expect(isNothing || !isAuthentic, "\(bad.payload.array) decided the contact")
        }
    }
}
