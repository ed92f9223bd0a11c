internal import ChatCrypto
public import ChatModel

extension Conformance {
    /// Checks a conversation type (CT-01 to CT-16, CONV-01 to CONV-03).
    ///
    /// Drives two participants through their protocol alone: Saro begins, her opening begins Raya's side.
    ///
    /// - Parameters:
    ///   - type: the conversation type.
    ///   - idBits: how long its ids are; 128 unless a published profile says otherwise (CT-02).
    ///   - seed: makes the run repeatable.
    public static func check(
        conversation type: any ConversationProtocol.Type, idBits: Int = 128, seed: UInt64 = 1
    ) -> Report {
        var checker = Checker("conversation", type.facts.name, seed: seed)

        checker.check("CT-02", "ids have \(idBits) bits in lowercase hex") { dice throws(Stop) in
            let pair = try Pair(type, &dice)
            for id in [pair.saro.id, pair.raya.id] {
                let isHex = id.text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
                try expect(isHex && id.text.utf8.count * 4 == idBits, "an id is \(id)")
            }
        }
        checker.check("CT-03", "conversations from different seeds have different ids") { dice throws(Stop) in
            var ids: Set<ConversationID> = []
            for _ in 0..<16 { ids.insert(try Pair(type, &dice).saro.id) }
            try expect(ids.count == 16, "\(ids.count) different ids of 16")
        }
        checker.check("CT-05", "each side says what it listens to from the start") { dice throws(Stop) in
            let pair = try Pair(type, &dice)
            try expect(!pair.saro.listening.isEmpty && !pair.raya.listening.isEmpty, "a side listens to nothing")
        }
        checker.check("CT-04", "each payload goes where the other side listens") { dice throws(Stop) in
            var pair = try Pair(type, &dice)
            for turns in 0..<6 {
                for routed in try pair.send(dice.bytes(10), fromSaro: turns % 2 == 0, &dice) {
                    let listening = turns % 2 == 0 ? pair.raya.listening : pair.saro.listening
                    let isHeard = listening.contains { $0.address == routed.address && $0.route.id == routed.route.id }
                    try expect(isHeard, "nobody listens on \(routed.address) for \(routed.route)")
                    _ = try pair.receive(routed, bySaro: turns % 2 == 1, &dice)
                }
            }
        }
        checker.check("CT-06", "content of any size arrives as it was, in both directions") { dice throws(Stop) in
            var pair = try Pair(type, &dice)
            try expect(pair.opened == [Pair.hello], "the opening carried \(pair.opened)")
            for (index, size) in [0, 1, 200, 20_000, 0, 33].enumerated() {
                let content = dice.bytes(size)
                let received = try pair.pass(content, fromSaro: index % 2 == 0, &dice)
                try expect(received == [content], "\(size) bytes arrived as \(received.map(\.count))")
            }
        }
        checker.check("CT-14", "content is opaque: whatever the bytes say") { dice throws(Stop) in
            var pair = try Pair(type, &dice)
            for index in 0..<200 {
                let content = dice.hostile(like: [0x0a, 0x03, 0x61, 0x62, 0x63])
                try expect(try pair.pass(content, fromSaro: index % 3 == 0, &dice) == [content], "content changed")
            }
        }
        checker.check("CT-12", "the same payload again delivers nothing more") { dice throws(Stop) in
            var pair = try Pair(type, &dice)
            for payload in try pair.send([1], fromSaro: true, &dice) {
                _ = try pair.receive(payload, bySaro: false, &dice)
                let again = (try? pair.receive(payload, bySaro: false, &dice)) ?? []
                try expect(again.isEmpty, "delivered twice")
            }
            try expect(try pair.pass([2], fromSaro: true, &dice) == [[2]], "nothing more arrives after a repeat")
        }
        checker.check("DS-05", "payloads that change places arrive all the same") { dice throws(Stop) in
            var pair = try Pair(type, &dice)
            for _ in 0..<5 {
                var payloads: [Routed] = []
                let contents = (0..<6).map { Bytes([UInt8($0)]) }
                for content in contents { payloads += try pair.send(content, fromSaro: true, &dice) }
                payloads.shuffle(using: &dice)
                var received: [Content] = []
                for payload in payloads { received += try pair.receive(payload, bySaro: false, &dice) }
                try expect(Set(received) == Set(contents), "\(received.count) of \(contents.count) arrived")
                try expect(received.count == contents.count, "\(received.count) deliveries of \(contents.count)")
                try expect(try pair.pass([9], fromSaro: false, &dice) == [[9]], "the answer does not arrive")
            }
        }
        checker.check("CONV-01", "an altered payload is refused, or the type claims no integrity") {
            dice throws(Stop) in
            let claims = type.facts.claims.filter { $0.holds }.map(\.property)
            try applies(claims.contains(.integrity), "claims no integrity")
            var pair = try Pair(type, &dice)
            for payload in try pair.send(dice.bytes(40), fromSaro: true, &dice) {
                for bit in 0..<payload.payload.count * 8 {
                    var bytes = payload.payload.array
                    bytes[bit / 8] ^= 1 << UInt8(bit % 8)
                    var altered = payload
                    altered.payload = Bytes(bytes)
                    let delivered = (try? pair.receive(altered, bySaro: false, &dice)) ?? []
                    try expect(delivered.isEmpty, "bit \(bit) flipped, and content was delivered")
                }
                try expect(try pair.receive(payload, bySaro: false, &dice).count == 1, "a forgery used up the original")
            }
        }
        checker.check("CT-11", "hostile payloads are refused and change nothing") { dice throws(Stop) in
            var pair = try Pair(type, &dice)
            for payload in try pair.send(dice.bytes(20), fromSaro: true, &dice) {
                _ = pair.raya.takeChanges()
                let integrity = type.facts.claims.contains { $0.property == .integrity && $0.holds }
                for _ in 0..<hostileInputs / 10 {
                    var bad = payload
                    bad.payload = dice.hostile(like: payload.payload)
                    guard bad.payload != payload.payload else { continue }
                    var turn = dice.turn()
                    var raya = pair.raya
                    do throws(Refusal) { try raya.receive(bad, in: &turn) } catch {
                        try expect(
                            turn.sends.isEmpty && turn.events.isEmpty, "a refused receive left something in its turn")
                        try expect(raya.takeChanges().isEmpty, "a refused receive changed records")
                    }
                }
                guard integrity else { continue }
                try expect(
                    try pair.receive(payload, bySaro: false, &dice).count == 1, "the good payload is refused now")
            }
        }
        checker.check("CONV-02", "a conversation restored from its records goes on as if nothing had been") {
            dice throws(Stop) in
            var pair = try Pair(type, &dice)
            for index in 0..<12 {
                let content = Bytes([UInt8(index)])
                let payloads = try pair.send(content, fromSaro: index % 3 != 0, &dice)
                try pair.restart(type)
                var received: [Content] = []
                for payload in payloads { received += try pair.receive(payload, bySaro: index % 3 == 0, &dice) }
                try expect(received == [content], "content \(index) is lost over a restart")
                try pair.restart(type)
            }
        }
        checker.check("CT-13", "records of an unknown version are refused") { dice throws(Stop) in
            var pair = try Pair(type, &dice)
            try pair.restart(type)
            try applies(!pair.stored[0].isEmpty, "keeps no records")
            for (key, bytes) in pair.stored[0] where !bytes.isEmpty {
                var altered = bytes.array
                altered[0] = 0xee
                var records = pair.stored[0]
                records[key] = Bytes(altered)
                let list = records.map { Record($0.key, $0.value) }
                _ = try refusal(of: "version 0xee of \(key)") { () throws(Refusal) in
                    _ = try type.init(restoring: list)
                }
            }
        }
        checker.check("CT-09", "an action that the type does not have is refused as such") { dice throws(Stop) in
            let pair = try Pair(type, &dice)
            var saro = pair.saro
            var turn = dice.turn()
            let refused = try refusal(of: "an action nobody knows") { () throws(Refusal) in
                try saro.perform(.frame(kind: "no such action", bytes: []), in: &turn)
            }
            try expect(refused.cause.code == "unsupported", "the cause is \(refused)")
        }
        checker.check("DS-09", "content that does not fit is refused with numbers, and the next one is sent") {
            dice throws(Stop) in
            var pair = try Pair(type, &dice)
            var turn = dice.turn(maximumPayload: 2_000)
            let large = dice.bytes(1 << 20)
            var refused: Refusal?
            do throws(Refusal) { try pair.saro.perform(.send(large, ContentID(99)), in: &turn) } catch {
                refused = error
            }
            guard let refused else {
                try expect(turn.sends.allSatisfy { $0.routed.payload.count <= 2_000 }, "a payload is too large")
                throw .notApplicable("takes content of any size")
            }
            try expect(refused.outcome == .unable && refused.cause.code == "too_large", "refused as \(refused)")
            try expect(try pair.pass([5], fromSaro: true, &dice) == [[5]], "nothing is sent after a refusal")
        }
        checker.check("MODEL-1", "a copy is independent of the original") { dice throws(Stop) in
            var pair = try Pair(type, &dice)
            let payloads = try pair.send([7], fromSaro: true, &dice)
            let original = pair.raya
            for payload in payloads { _ = try pair.receive(payload, bySaro: false, &dice) }
            pair.raya = original
            for payload in payloads {
                let delivered = try pair.receive(payload, bySaro: false, &dice)
                try expect(delivered == [[7]], "a copy that received changed the original")
            }
        }
        return checker.report
    }
}
