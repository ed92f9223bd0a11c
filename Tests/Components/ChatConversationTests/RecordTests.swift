import ChatCodec
import ChatCrypto
import ChatModel
import ChatRecords
import LogosFormats
import TestSupport
import Testing

@testable import ChatConversation

/// Applies changes as storage would.
private func apply(_ changes: [Record], to store: inout [String: Record]) {
    for record in changes { store[record.key] = record.bytes == nil ? nil : record }
}

struct RecordTests {
    @Test func `a message changes one record, and a missing one adds a record that goes when it comes`() throws {
        var pair = try Pair<PrivateV1.Libchat>()
        #expect(pair.raya.takeChanges().map(\.key) == ["state"])
        #expect(pair.raya.takeChanges().isEmpty)
        let routed = try (0..<4).map { try pair.saro.send(Bytes("\($0)")) }
        _ = try pair.raya.hear(routed[0])
        #expect(pair.raya.takeChanges().map(\.key) == ["state"])
        _ = try pair.raya.hear(routed[3])
        let changes = pair.raya.takeChanges()
        #expect(changes.map(\.key) == ["skipped/0", "skipped/1", "state"])
        #expect(changes.allSatisfy { ($0.bytes?.count ?? 0) < 400 })
        _ = try pair.raya.hear(routed[2])
        let late = pair.raya.takeChanges()
        #expect(late.map(\.key) == ["skipped/1", "state"] && late[0].bytes == nil)
        #expect(pair.saro.takeChanges().map(\.key) == ["state"])
        _ = try pair.saro.send("x")
        #expect(pair.saro.takeChanges().map(\.key) == ["state"])
    }

    @Test func `transcripts of the vectors go on after a restart at every step (CONV-02)`() throws {
        let stored = RecordCodec(machine: "test")
        try Vectors.run("logos/ratchet.json") { vector in
            let parameters: DoubleRatchet.Parameters =
                try vector.text("info") == "PrivateV1RootKey" ? .reference : .libchat
            let (shared, own) = (try vector.bytes("shared_secret"), try vector.bytes("responder_dh_private"))
            let pair = try X25519.keyPair(Secret(copying: own.span))
            let first = try vector.bytes("initiator_dh_private")
            var random: any RandomSource = ScriptedRandom([(.ratchetPrivate, first)])
            var sides = [
                "initiator": try DoubleRatchet(
                    initiatorWith: Secret(copying: shared.span), remote: pair.publicKey, random: &random, parameters),
                "responder": try DoubleRatchet(responderWith: Secret(copying: shared.span), own: pair, parameters),
            ]
            var stores: [String: [String: Record]] = [:]
            for step in try vector.list("steps") {
                let name = try step.text("by")
                var side = try #require(sides[name])
                try play(step, &side)
                apply(side.takeSkippedChanges(stored), to: &stores[name, default: [:]])
                let state = try RatchetState(decoding: side.state.encoded())
                let restored = try DoubleRatchet(
                    restoring: state, skipped: stores[name].map { Array($0.values) } ?? [], parameters, stored)
                #expect(restored == side, "\(step)")
                sides[name] = restored
            }
        }
    }

    private func play(_ step: Vector, _ side: inout DoubleRatchet) throws {
        let fields = try step.at("message")
        let message = DoubleRatchetMessage(
            dh: Bytes(try fields.bytes("dh")), number: UInt32(try fields.number64("msg_num")),
            previousChainLength: UInt32(try fields.number64("prev_chain_len")),
            ciphertext: Bytes(try fields.bytes("ciphertext")))
        guard try step.text("op") == "send" else {
            let opened = try? side.open(message) { $0 }
            let expected = try step.text("result") == "valid" ? Bytes(try step.bytes("plaintext")) : nil
            #expect(opened?.value == expected, "\(step)")
            return
        }
        let script = ScriptedRandom([(.nonce, try step.bytes("nonce"))])
        if let fresh = try step.optionalBytes("fresh_dh_private") { script.add(.ratchetPrivate, fresh) }
        var random: any RandomSource = script
        let plaintext = try step.bytes("plaintext")
        let payload = try side.seal(plaintext.count, random: &random) { $0.append(bytes: plaintext.span) }
        #expect(try EncryptedPayload(decoding: payload) == .doubleRatchet(message), "\(step)")
    }

    @Test func `records of unknown versions and keys are unsupported, malformed ones invalid`() throws {
        var pair = try Pair<PrivateV1.Libchat>()
        let routed = try (0..<3).map { try pair.saro.send(Bytes("\($0)")) }
        _ = try pair.raya.hear(routed[2])
        let good = pair.raya.takeChanges()
        #expect(good.count == 3)
        #expect(throws: Never.self) { try PrivateV1.Libchat(restoring: good.reversed()) }

        for index in good.indices {
            for (first, outcome) in [(UInt8(2), Refusal.Outcome.unsupported), (0, .unsupported)] {
                expect(outcome, good.replacing(index) { [first] + $0.dropFirst() })
            }
            expect(.invalid, good.replacing(index) { _ in [] })
            expect(.invalid, good.replacing(index) { $0.dropLast() })
            expect(.invalid, good.replacing(index) { _ in [1] })
        }
        expect(.invalid, good.dropLast())  // without the state
        expect(.invalid, [])
        expect(.unsupported, good + [Record("extra", [1])])
        expect(.unsupported, good + [good[2]])
        expect(.invalid, [Record("skipped/0", good[0].bytes), Record("skipped/00", good[0].bytes), good[2]])
        expect(.invalid, [Record("skipped/x", good[0].bytes), good[2]])
        expect(.invalid, [Record("skipped/7", good[0].bytes), good[2]])  // a serial that was not given out yet
        expect(.invalid, [Record("state", nil)])
    }

    private func expect(
        _ outcome: Refusal.Outcome, _ records: [Record], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let refusal = #expect(throws: Refusal.self, sourceLocation: sourceLocation) {
            try PrivateV1.Libchat(restoring: records)
        }
        #expect(
            refusal?.outcome == outcome && refusal?.cause.code == "unreadable_record", sourceLocation: sourceLocation)
    }

    @Test func `the record of a plain conversation is checked too`() throws {
        var pair = try Pair<PlainConversation>()
        let routed = try (0..<600).map { try pair.saro.send(Bytes("\($0)")) }
        for number in stride(from: 1, to: 600, by: 2) { _ = try pair.raya.hear(routed[number]) }
        let good = pair.raya.takeChanges()
        #expect(good.map(\.key) == ["state"])
        #expect(try PlainConversation(restoring: good) == pair.raya)
        for bad in [good + good, [], [Record("skipped/0", [1])], good.replacing(0) { [9] + $0.dropFirst() }] {
            #expect(throws: Refusal.self) { try PlainConversation(restoring: bad) }
        }
        #expect(
            NumberWindow(next: 5, missing: [3..<4, 3..<4]) == nil && NumberWindow(next: 5, missing: [5..<6]) == nil)
        #expect(NumberWindow(next: 5, missing: [2..<2]) == nil && NumberWindow(next: 5, missing: [3..<5]) == nil)
        #expect(NumberWindow(next: 5, missing: [0..<1, 1..<3]) != nil)
    }

    @Test func `missing numbers as they were stored one by one are read (PLAIN-3)`() throws {
        // next 9, missing 2, 3 and 7
        let old = try PlainConversation.State(
            decoding: "\u{8}\u{7}\u{10}\u{9}\u{18}\u{2}\u{18}\u{1}\u{18}\u{4}")
        #expect(old.window == NumberWindow(next: 9, missing: [2..<3, 3..<4, 7..<8]) && old.sent == 7)
        let new = Bytes(headRoom: 0, count: old.size) { old.write(to: &$0) }
        #expect(try PlainConversation.State(decoding: new).window == old.window)
    }

    @Test func `200,000 hostile states of ratchet and conversation are read or refused`() throws {
        var pair = try Pair<PrivateV1.Libchat>()
        let state = try #require(pair.raya.takeChanges().last?.bytes?.array.dropFirst())
        // Small ones too, so that most inputs get past the first length.
        var inputs = HostileInputs(
            seed: 8, valid: [Array(state), [0x0a, 0x01, 0x61, 0x12, 0x01, 0x62, 0x1a, 0x01, 0x63, 0x32, 0x00]])
        var (read, restored) = (0, 0)
        let stored = RecordCodec(machine: "test")
        inputs.forEach { bytes in
            guard let state = try? TwoParty.State<RatchetState>(decoding: Bytes(bytes)) else { return }
            read += 1
            // Restoring computes a public key, so one in a hundred is enough.
            guard read % 100 == 0 else { return }
            if (try? DoubleRatchet(restoring: state.inner, skipped: [], .libchat, stored)) != nil { restored += 1 }
        }
        #expect(read > HostileInputs.usualCount / 200 && restored > HostileInputs.usualCount / 6_667)
    }

    @Test func `200,000 hostile states of a plain conversation and of a missing key are read or refused`() {
        var inputs = HostileInputs(
            seed: 9, valid: [[0x08, 0x07, 0x10, 0x09, 0x20, 0x02, 0x20, 0x03], [0x10, 0x09, 0x18, 0x02]])
        var read = 0
        inputs.forEach { bytes in
            if let state = try? PlainConversation.State(decoding: Bytes(bytes)) {
                read += 1
                // Ascending, so that a look-up finds what is there.
                for range in state.window.missing.prefix(1) {
                    #expect((try? state.window.decide(range.lowerBound)) != nil)
                }
            }
            _ = try? SkippedKeyState(decoding: Bytes(bytes))
        }
        #expect(read > HostileInputs.usualCount / 200)
    }
}

extension [Record] {
    /// The same records with other bytes in one.
    fileprivate func replacing(_ index: Int, _ change: ([UInt8]) -> some Sequence<UInt8>) -> [Record] {
        var copy = self
        copy[index] = Record(self[index].key, Bytes(Array<UInt8>(change(self[index].bytes?.array ?? []))))
        return copy
    }
}
