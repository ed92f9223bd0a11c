import ChatCodec
import ChatModel
import ChatRecords
import TestSupport
import Testing

@testable import ChatConversation

/// Whether a side listens for a payload: under its secret, with its sequence in the window.
private func listens(_ conversation: some SimpleConversation, for routed: Routed) -> Bool {
    conversation.listening.contains { listening in
        listening == Listening(routed.address, routed.route) && listening.window.lowestWanted <= routed.sequence
    }
}

struct SequenceTests {
    @Test(arguments: 1...12)
    func `sequences count on and are listened for, over losses, turns and restarts (CONVERSATION-12, -13, -14)`(
        seed: UInt64
    ) throws {
        try walk(PrivateV1.Ratchet.self, seed: seed)
        try walk(PrivateV1.Libchat.self, seed: seed)
        try walk(PlainConversation.self, seed: seed)
    }

    private func walk<Conversation: SimpleConversation & Equatable>(_ type: Conversation.Type, seed: UInt64) throws {
        let random = SeededRandom(seed)
        let pair = try Pair<Conversation>("first", random: random)
        var (sides, dice) = ([pair.saro, pair.raya], SplitMix64(seed: seed))
        var stores: [[String: Record]] = [[:], [:]]
        var (inboxes, counts): ([[Routed]], [UInt64]) = ([[], []], [1, 0])
        var (secrets, seen): (Set<String>, [UInt64]) = ([], [0, 1])
        for step in 0..<300 {
            let side = dice.below(2)
            switch dice.below(8) {
            case 0, 1, 2:
                guard inboxes[1 - side].count < 5 else { continue }
                let routed = try sides[side].send(Bytes("\(step)"), random: random)
                counts[side] += 1
                #expect(routed.sequence == counts[side])
                #expect(listens(sides[1 - side], for: routed), "step \(step) of \(Conversation.facts.name)")
                secrets.insert(routed.route.secret.map { $0.lend { Bytes(copying: $0).array.hex } } ?? "none")
                inboxes[1 - side].append(routed)
            case 3, 4, 5:
                guard !inboxes[side].isEmpty else { continue }
                let routed = inboxes[side].remove(at: dice.below(inboxes[side].count))
                // Too far ahead for the ratchet, now and then.
                guard (try? sides[side].hear(routed)) != nil else { continue }
                seen[side] = max(seen[side], routed.sequence)
            case 6: _ = inboxes[side].popLast()
            default:
                let again = try sides[side].restored(&stores[side], taking: &sides[side])
                #expect(again == sides[side])
                #expect(again.listening.compactMap(\.window.highestSeen).max() ?? 0 == seen[side])
                sides[side] = again
            }
            #expect(sides[side].listening.count <= RatchetRoutes.maximumEpochs + 1)
        }
        #expect(!secrets.contains("none") && (secrets.count > 3) == (Conversation.facts.name != "plain"))
    }

    @Test func `a payload overtaken by turns is listened for until it arrives, and then no more (CONVERSATION-13)`()
        throws
    {
        var pair = try Pair<PrivateV1.Ratchet>()
        let late = try pair.saro.send("late")
        _ = try pair.raya.hear(try pair.saro.send("1"))
        _ = try pair.saro.hear(try pair.raya.send("2"))
        _ = try pair.raya.hear(try pair.saro.send("3"))
        #expect(pair.raya.listening.count == 2 && listens(pair.raya, for: late))
        var store: [String: Record] = [:]
        pair.raya = try pair.raya.restored(&store, taking: &pair.raya)
        #expect(pair.raya.listening[0].window == SequenceWindow(lowestWanted: 2, highestSeen: 3))
        // Under a later secret, the window begins with its chain while anything is missing before.
        #expect(pair.raya.listening[1].window == SequenceWindow(lowestWanted: 4, highestSeen: 4))
        _ = try pair.raya.hear(late)
        #expect(pair.raya.listening.count == 1 && !listens(pair.raya, for: late))
    }

    @Test func `two sides agree on each secret, and no two secrets are the same (CONVERSATION-15)`() throws {
        var pair = try Pair<PrivateV1.Ratchet>()
        var seen: [Secret] = []
        for turn in 0..<8 {
            let routed = try turn % 2 == 0 ? pair.raya.send("x") : pair.saro.send("x")
            let secret = try #require(routed.route.secret)
            #expect(secret.count == 32 && !seen.contains(secret))
            seen.append(secret)
            _ = try turn % 2 == 0 ? pair.saro.hear(routed) : pair.raya.hear(routed)
        }
    }

    @Test func `a ratchet that was stored without sequences goes on above all that were used, without secrets`() throws
    {
        var pair = try Pair<PrivateV1.Libchat>()
        _ = try pair.raya.hear(try pair.saro.send("1"))
        _ = try pair.saro.hear(try pair.raya.send("2"))
        func migrated(_ side: inout PrivateV1.Libchat) throws -> PrivateV1.Libchat {
            let stored = RecordCodec(machine: "test")
            let records = try side.takeChanges().map { record -> Record in
                guard record.key == "state" else { return record }
                var state: TwoParty.State<RatchetState> = try stored.message(record)
                state.inner.routes = nil
                return stored.record("state", state)
            }
            return try PrivateV1.Libchat(restoring: records)
        }
        (pair.saro, pair.raya) = (try migrated(&pair.saro), try migrated(&pair.raya))
        var sequences: [UInt64] = []
        for turn in 0..<4 {
            let routed = try turn % 2 == 0 ? pair.saro.send("x") : pair.raya.send("x")
            #expect(routed.route.secret == nil)
            _ = try turn % 2 == 0 ? pair.raya.hear(routed) : pair.saro.hear(routed)
            sequences.append(routed.sequence)
            if turn == 1 {
                var store: [String: Record] = [:]
                pair.saro = try pair.saro.restored(&store, taking: &pair.saro)
            }
        }
        let start = RatchetRoutes.migratedStart
        // Saro's chain of two becomes part of the count when she turns; Raya's first of two is sent already.
        #expect(sequences == [start + 3, start + 2, start + 4, start + 3])
        #expect(pair.saro.listening.count == 1 && pair.saro.listening[0].window == SequenceWindow())
    }

    @Test func `a plain conversation that was stored without a secret goes on without one`() throws {
        var pair = try Pair<PlainConversation>()
        let stored = RecordCodec(machine: "plain")
        let record = try #require(pair.saro.takeChanges().first)
        var state: TwoParty.State<PlainConversation.State> = try stored.message(record)
        #expect(state.inner.secret.count == 32)
        state.inner.secret = []
        pair.saro = try PlainConversation(restoring: [stored.record("state", state)])
        let routed = try pair.saro.send("x")
        #expect(routed.sequence == 2 && routed.route.secret == nil)
        #expect(pair.saro.listening == [Listening(routed.address, Route(pair.saro.id.text))])
        _ = try pair.raya.hear(routed)
    }

    @Test func `stored routes that contradict themselves are refused`() throws {
        var pair = try Pair<PrivateV1.Ratchet>()
        _ = try pair.raya.send("x")
        let stored = RecordCodec(machine: "ratchet")
        let record = try #require(pair.raya.takeChanges().last)
        let good: TwoParty.State<RatchetState> = try stored.message(record)
        let routes = try #require(good.inner.routes)
        #expect(routes.hasSecrets && routes.sending.count == 32 && routes.epochs.count == 40)
        func refused(_ change: (inout RatchetRoutes.State) -> Void) {
            var (bad, changed) = (good, routes)
            change(&changed)
            bad.inner.routes = changed
            let record = stored.record("state", bad)
            #expect(throws: Refusal.self) { try PrivateV1.Ratchet(restoring: [record]) }
        }
        refused { $0.hasSecrets = false }
        refused { $0.sentBefore = .max }
        refused { $0.sending = [1] }
        refused { $0.epochs = $0.epochs.slice(0..<39) }
        refused { $0.epochs = Bytes([UInt8](repeating: 0xff, count: 40)) }
        refused { $0.epochs = Bytes($0.epochs.array + $0.epochs.array) }
        refused { $0.epochs = Bytes([UInt8](repeating: 0, count: 160)) }
    }
}
