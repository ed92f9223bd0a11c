public import ChatModel

extension Conformance {
    /// Checks a conversation type (CT-01 to CT-16, CONV-01 to CONV-03, CONVERSATION-12 to CONVERSATION-14, MODEL-1 to
    /// MODEL-5).
    ///
    /// Drives two participants through their protocol alone: Saro begins, her opening begins Raya's side.
    ///
    /// - Parameters:
    ///   - type: the conversation type.
    ///   - idBits: how long its ids are; 128 unless a published profile says otherwise (CT-02).
    ///   - seed: makes the run repeatable.
    ///   - only: the ids of the checks to run; all where nil.
    public static func check(
        conversation type: any ConversationProtocol, idBits: Int = 128, seed: UInt64 = 1,
        only: Set<String>? = nil
    ) -> Report {
        var checker = Checker("conversation", type.facts, seed: seed, only: only)
        checker.checkFacts()
        checkNames(type, idBits, &checker)
        checkAddresses(type, &checker)
        checkContent(type, &checker)
        checkUnreliability(type, &checker)
        checkLimits(type, &checker)
        checkParts(type, &checker)
        checkClaims(type, &checker)
        checkHostility(type, &checker)
        checkState(type, &checker)
        checkSequences(type, &checker)
        return checker.report
    }

    private static func checkNames(_ type: any ConversationProtocol, _ idBits: Int, _ checker: inout Checker) {
        checker.check("CT-01", "an id follows from the seed and the turn's randomness alone") { dice throws(Stop) in
            var again = dice
            let (pair, same) = (try Pair(type, &dice), try Pair(type, &again))
            try expect(pair.saro.id == same.saro.id && pair.raya.id == same.raya.id, "the same seed gave other ids")
        }
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
    }

    private static func checkAddresses(_ type: any ConversationProtocol, _ checker: inout Checker) {
        checker.check("CT-04", "each payload goes where the other side listens") { dice throws(Stop) in
            var pair = try Pair(type, &dice)
            for turns in 0..<6 {
                for routed in try pair.send(dice.bytes(10), fromSaro: turns % 2 == 0, &dice) {
                    let listening = turns % 2 == 0 ? pair.raya.listening : pair.saro.listening
                    let isHeard = listening.contains { $0.address == routed.address && $0.route.id == routed.route.id }
                    try expect(isHeard, "no side listens on \(routed.address) for \(routed.route)")
                    _ = try pair.receive(routed, bySaro: turns % 2 == 1, &dice)
                }
            }
        }
        checker.check("CT-05", "each side listens to addresses from the start, and they stay the same") {
            dice throws(Stop) in
            var pair = try Pair(type, &dice)
            let before = pair.addresses
            try expect(before.allSatisfy { !$0.isEmpty }, "a side listens to nothing")
            for turns in 0..<6 { _ = try pair.pass(dice.bytes(10), fromSaro: turns % 2 == 0, &dice) }
            try expect(pair.addresses == before, "the addresses changed from \(before) to \(pair.addresses)")
        }
    }

    private static func checkContent(_ type: any ConversationProtocol, _ checker: inout Checker) {
        checker.check("CT-06", "content of any size arrives as it was") { dice throws(Stop) in
            var pair = try Pair(type, &dice)
            try expect(pair.opened == [Pair.hello], "the opening carried \(pair.opened)")
            for size in [0, 1, 200, 20_000, 0, 33] {
                let content = dice.bytes(size)
                let received = try pair.pass(content, fromSaro: true, &dice)
                try expect(received == [content], "\(size) bytes arrived as \(received.map(\.count))")
            }
        }
        checker.check("CT-07", "a payload yields one content at most") { dice throws(Stop) in
            var pair = try Pair(type, &dice)
            for size in [0, 10, 20_000] {
                for payload in try pair.send(dice.bytes(size), fromSaro: true, &dice) {
                    let count = try pair.receive(payload, bySaro: false, &dice).count
                    try expect(count <= 1, "one payload gave \(count) contents")
                }
            }
        }
        checker.check("CT-14", "content is opaque, whatever the bytes say") { dice throws(Stop) in
            var pair = try Pair(type, &dice)
            for index in 0..<200 {
                let content = dice.hostile(like: [0x0a, 0x03, 0x61, 0x62, 0x63])
                try expect(try pair.pass(content, fromSaro: index % 3 == 0, &dice) == [content], "content changed")
            }
        }
        checker.check("CT-15", "conversations of one type do not disturb each other") { dice throws(Stop) in
            var pairs = [try Pair(type, &dice), try Pair(type, &dice)]
            for index in 0..<8 {
                let received = try pairs[index % 2].pass([UInt8(index)], fromSaro: index % 4 < 2, &dice)
                try expect(received == [[UInt8(index)]], "content \(index) arrived as \(received.map(\.array))")
            }
        }
        checker.check("CONV-03", "both sides send, also at the same time") { dice throws(Stop) in
            var pair = try Pair(type, &dice)
            for _ in 0..<3 {
                let fromSaro = try pair.send([1], fromSaro: true, &dice)
                let fromRaya = try pair.send([2], fromSaro: false, &dice)
                let byRaya = try pair.receive(fromSaro, bySaro: false, &dice)
                let bySaro = try pair.receive(fromRaya, bySaro: true, &dice)
                try expect(byRaya == [[1]] && bySaro == [[2]], "crossing contents gave \(byRaya) and \(bySaro)")
            }
        }
    }
}
