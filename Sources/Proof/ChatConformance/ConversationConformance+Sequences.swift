internal import ChatModel

// Sequences, secrets of routes and windows: what a framing that derives identifiers relies on.
extension Conformance {
    static func checkSequences(_ type: any ConversationProtocol, _ checker: inout Checker) {
        checker.check("CONVERSATION-12", "sequences on a route count up from 1 over turns, or all of them are 0") {
            dice throws(Stop) in
            var (pair, counts) = (try Pair(type, &dice), SequenceCounts())
            for turn in 0..<12 {
                for _ in 0...turn % 3 { try converse(&pair, &counts, bySaro: turn % 2 == 0, &dice) }
            }
        }
        checker.check("CONVERSATION-12b", "sequences on a route count on after a restart") { dice throws(Stop) in
            var (pair, counts) = (try Pair(type, &dice), SequenceCounts())
            for turn in 0..<12 {
                let isSaro = turn / 3 % 2 == 0
                try pair.restart(type, saro: isSaro)
                try converse(&pair, &counts, bySaro: isSaro, &dice)
            }
        }
        checker.check("CONVERSATION-13", "a secret is listened to before a payload is sent under it") {
            dice throws(Stop) in
            var pair = try Pair(type, &dice)
            for turn in 0..<12 {
                let isSaro = turn % 2 == 0
                for routed in try pair.send(dice.bytes(10), fromSaro: isSaro, &dice) {
                    if turn % 3 == 0 { try pair.restart(type, saro: !isSaro) }
                    try pair.expectListening(for: routed, bySaro: !isSaro)
                    _ = try pair.receive(routed, bySaro: !isSaro, &dice)
                }
            }
        }
        checker.check("CONVERSATION-13b", "an old secret is listened to until it is used up") { dice throws(Stop) in
            try applies(!type.facts.needs.contains(.ordering), "needs a service that keeps the order")
            var pair = try Pair(type, &dice)
            let late = try pair.send([1], fromSaro: true, &dice)
            _ = try pair.pass([2], fromSaro: true, &dice)
            _ = try pair.pass([3], fromSaro: false, &dice)
            _ = try pair.pass([4], fromSaro: true, &dice)
            for routed in late { try pair.expectListening(for: routed, bySaro: false) }
            try pair.restart(type, saro: false)
            for routed in late { try pair.expectListening(for: routed, bySaro: false) }
            _ = try pair.receive(late, bySaro: false, &dice)
        }
        checker.check("CONVERSATION-14", "after a restart, a window stands behind what arrived") { dice throws(Stop) in
            var pair = try Pair(type, &dice)
            for turn in 0..<6 { _ = try pair.pass(dice.bytes(10), fromSaro: turn % 2 == 0, &dice) }
            _ = pair.settle(&dice)
            for isSaro in [true, false] {
                try pair.restart(type, saro: isSaro)
                let sent = pair.sent[isSaro ? 1 : 0]
                guard let last = sent.max(by: { $0.sequence < $1.sequence }), last.sequence > 0 else { continue }
                let moved = SequenceWindow(lowestWanted: last.sequence + 1, highestSeen: last.sequence)
                let windows = pair.listening(ofSaro: isSaro).filter { $0.route == last.route }.map(\.window)
                try expect(windows.contains(moved), "\(last.sequence) payloads arrived, and the windows are \(windows)")
            }
            try applies(pair.sent.contains { $0.contains { $0.sequence > 0 } }, "does not count")
        }
    }

    /// Passes a content and looks at the sequences of its payloads.
    private static func converse(
        _ pair: inout Pair, _ counts: inout SequenceCounts, bySaro isSaro: Bool, _ dice: inout Dice
    ) throws(Stop) {
        let sent = try pair.send(dice.bytes(10), fromSaro: isSaro, &dice)
        for routed in sent { try counts.note(routed) }
        _ = try pair.receive(sent, bySaro: !isSaro, &dice)
    }
}

/// The highest sequence on each route; the two sides' routes have different ids.
private struct SequenceCounts {
    private var highest: [String: UInt64] = [:]
    private var counts: Bool?

    mutating func note(_ routed: Routed) throws(Stop) {
        let (id, sequence) = (routed.route.id, routed.sequence)
        let isCounted = sequence > 0
        try expect(counts ?? isCounted == isCounted, "sequence \(sequence) where others are not 0, or are")
        let last = highest[id] ?? 0
        try expect(!isCounted || sequence > last, "sequence \(sequence) on route \(id) after \(last)")
        (counts, highest[id]) = (isCounted, sequence)
    }
}

extension Pair {
    func listening(ofSaro isSaro: Bool) -> [Listening] { isSaro ? saro.listening : raya.listening }

    /// Fails unless a side listens for a payload: to its address, its route under its secret, and its sequence.
    fileprivate func expectListening(for routed: Routed, bySaro isSaro: Bool) throws(Stop) {
        let candidates = listening(ofSaro: isSaro).filter { $0.address == routed.address }
        let isHeard = candidates.contains { $0.route == routed.route && $0.window.lowestWanted <= routed.sequence }
        let secrets = candidates.filter { $0.route.id == routed.route.id }.count
        try expect(isHeard, "payload \(routed.sequence) is listened for under none of \(secrets) secrets")
    }
}
