internal import ChatModel

// The rules of machines: values, refusals that change nothing, records, bounds.
extension Conformance {
    /// The most bytes of records after 400 contents of 3,000 bytes, many of which never came; 1.2 MB may wait for an answer.
    static let maximumState = 4 << 20

    static func checkHostility(_ type: any ConversationProtocol, _ checker: inout Checker) {
        checker.check("CT-10", "what cannot be read is refused as invalid, unsupported or early") { dice throws(Stop) in
            var pair = try Pair(type, &dice)
            guard let good = try pair.send(dice.bytes(20), fromSaro: true, &dice).first else { return }
            for _ in 0..<1_000 {
                var (raya, bad, step) = (pair.raya, good, dice.step())
                bad.payload = dice.hostile(like: good.payload)
                do throws(Refusal) { try raya.receive(bad, in: &step) } catch {
                    let isTold = [.invalid, .unsupported, .early].contains(error.outcome)
                    try expect(isTold, "\(bad.payload.array) is refused as \(error)")
                }
            }
        }
        checker.check("MODEL-2", "a refused payload changes nothing and leaves nothing in its turn") {
            dice throws(Stop) in
            var pair = try Pair(type, &dice)
            for payload in try pair.send(dice.bytes(20), fromSaro: true, &dice) {
                var before = Stored()
                before.take(pair.raya.takeChanges())
                for _ in 0..<hostileInputs / 10 {
                    var (bad, step, raya) = (payload, dice.step(), pair.raya)
                    bad.payload = dice.hostile(like: payload.payload)
                    do throws(Refusal) { try raya.receive(bad, in: &step) } catch {
                        try expect(step.isUntouched, "\(bad.payload.array) was refused and left something in its turn")
                        var after = before
                        after.take(raya.takeChanges())
                        try expect(after == before, "\(bad.payload.array) was refused and changed records")
                        try expect(raya.listening == pair.raya.listening, "a refusal changed what is listened to")
                    }
                }
                _ = try pair.receive(payload, bySaro: false, &dice)
            }
        }
        checker.check("MODEL-4", "hostile payloads, openings and records never trap, and good ones work afterwards") {
            dice throws(Stop) in
            var pair = try Pair(type, &dice)
            let payloads = try pair.send(dice.bytes(20), fromSaro: true, &dice)
            let (seed, records) = (pair.invited, pair.records)
            for _ in 0..<hostileInputs / 20 {
                for payload in payloads {
                    var (bad, step) = (payload, dice.step())
                    bad.payload = dice.hostile(like: payload.payload)
                    guard bad.payload != payload.payload || !type.facts.claims(.integrity) else { continue }
                    try? pair.raya.receive(bad, in: &step)
                }
                var (invited, step) = (seed, dice.step())
                invited.side = .invited(opening: dice.hostile(like: seed.opening ?? []))
                _ = try? type.begin(invited, in: &step)
                let bad = records.map { Record($0.key, dice.hostile(like: $0.bytes ?? [])) }
                _ = try? type.restore(bad)
            }
            guard type.facts.claims(.integrity) else { return }
            // The good one may have come already, in another encoding.
            _ = pair.offer(payloads, &dice)
            try expect(try pair.pass([1], fromSaro: true, &dice) == [[1]], "nothing good arrives any more")
        }
    }

    static func checkState(_ type: any ConversationProtocol, _ checker: inout Checker) {
        checker.check("MODEL-1", "a copy is independent of the original") { dice throws(Stop) in
            var pair = try Pair(type, &dice)
            let payloads = try pair.send([7], fromSaro: true, &dice)
            let original = pair.raya
            let first = try pair.receive(payloads, bySaro: false, &dice)
            pair.raya = original
            let second = try pair.receive(payloads, bySaro: false, &dice)
            try expect(first == [[7]] && second == first, "\(first) on a copy, then \(second) on the original")
        }
        checker.check("MODEL-3", "a conversation restored from its records goes on as if nothing had been") {
            dice throws(Stop) in
            var pair = try Pair(type, &dice)
            for index in 0..<12 {
                let (content, isSaro) = (Bytes([UInt8(index)]), index % 3 != 0)
                let payloads = try pair.send(content, fromSaro: isSaro, &dice)
                // One side at a time: two sides that forget the same would agree again.
                try pair.restart(type, saro: isSaro)
                let received = try pair.receive(payloads, bySaro: !isSaro, &dice)
                try expect(received == [content], "content \(index) is lost over a restart")
                if index % 2 == 0 { try pair.restart(type, saro: !isSaro) }
            }
        }
        checker.check("CONTACT-3", "what is said first opens the conversation, also after a restart without content") {
            dice throws(Stop) in
            var pair = try Pair(type, isRestarted: true, &dice)
            try expect(pair.opened == [Pair.hello], "the opening carried \(pair.opened)")
            let answer = try pair.pass([1], fromSaro: false, &dice)
            try expect(answer == [[1]], "the answer to a late opening arrived as \(answer)")
        }
        checker.check("MODEL-3b", "records of an unknown version, or none at all, are refused") { dice throws(Stop) in
            var pair = try Pair(type, &dice)
            let records = pair.records
            try applies(!records.isEmpty, "keeps no records")
            _ = try refusal(of: "nothing to restore from") { () throws(Refusal) in _ = try type.restore([]) }
            for index in records.indices {
                guard var bytes = records[index].bytes?.array, !bytes.isEmpty else { continue }
                bytes[0] = 0xee
                var altered = records
                altered[index] = Record(records[index].key, Bytes(bytes))
                _ = try refusal(of: "version 0xee of \(records[index].key)") { () throws(Refusal) in
                    _ = try type.restore(altered)
                }
            }
        }
        checker.check("MODEL-3c", "a restored conversation states what it stated before") { dice throws(Stop) in
            var pair = try Pair(type, &dice)
            for index in 0..<4 {
                _ = try pair.send(Bytes([UInt8(index)]), fromSaro: index % 2 == 0, &dice)
                let (listening, isTimed) = (pair.saro.listening, pair.saro.nextWake != nil)
                try pair.restart(type, saro: true)
                try expect(pair.saro.listening == listening, "over a restart, what it listens to changed")
                try expect(!isTimed || pair.saro.nextWake != nil, "over a restart, it forgot that it wants to be woken")
            }
        }
        checker.check("MODEL-6", "after `due`, the next time it wants to be woken lies in the future") {
            dice throws(Stop) in
            var pair = try Pair(type, &dice)
            for index in 0..<6 {
                let payloads = try pair.send(Bytes([UInt8(index)]), fromSaro: index % 2 == 0, &dice)
                // A type that needs the order refuses what comes after a loss; others check that.
                if index % 3 != 0 { _ = try? pair.receive(payloads, bySaro: index % 2 != 0, &dice) }
            }
            try pair.wakeAlone(&dice)
        }
        checker.check("MODEL-5", "what is stored stays below \(maximumState) bytes") { dice throws(Stop) in
            var pair = try Pair(type, &dice)
            let content = dice.bytes(3_000)
            for index in 0..<400 {
                let payloads = try pair.send(content, fromSaro: true, &dice)
                // Every third arrives, so that a type that remembers what is missing has much to remember.
                if index % 3 == 0 { _ = pair.offer(payloads, &dice) }
                if index % 40 == 0 { _ = try? pair.pass([1], fromSaro: false, &dice) }
                pair.store()
            }
            try pair.restart(type, saro: true)
            try pair.restart(type, saro: false)
            try expect(pair.storedSize <= maximumState, "records have \(pair.storedSize) bytes")
        }
    }
}
