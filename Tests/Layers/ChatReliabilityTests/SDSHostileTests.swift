import ChatCodec
import ChatModel
@testable import ChatReliability
import TestSupport
import Testing

struct BadSDSMessages {
    static let bad: [(String, Bytes, Identifier?)] = [
        ("another channel", sdsMessage("m", channel: name("1")), nil),
        ("no channel", sdsMessage("m", channel: Identifier()), nil),
        ("no sender", sdsMessage("m", sender: ""), nil),
        ("no id", sdsMessage(""), nil),
        ("a sender that another one forged", sdsMessage("m"), name("pax")),
        ("a clock at the end", sdsMessage("m", lamport: .max), nil),
        ("a clock behind the limit", sdsMessage("m", lamport: UInt64.max >> 1 + 1), nil),
        ("itself in its history", sdsMessage("m", after: ["a", "m"]), nil),
        ("a history entry without an id", sdsMessage("m", after: [""]), nil),
        ("201 history entries", sdsMessage("m", after: (0...200).map { "h\($0)" }), nil),
        ("201 repair requests", sdsMessage("m", repairs: (0...200).map { "h\($0)" }), nil),
        ("cut", sdsMessage("m").slice(0..<10), nil),
        ("an id of 256 bytes", sdsMessage(String(repeating: "x", count: 250)).slice(0..<20), nil),
    ]

    @Test(arguments: bad.indices)
    func `a message that is malformed, forged or contradicts itself is refused and changes nothing`(index: Int) throws {
        let (text, bytes, sender) = Self.bad[index]
        var saro = sdsChannel("saro")
        var step = SDSStep(now: sdsStart)
        try saro.send(Bytes("1"), id: name("a"), in: &step)
        _ = saro.takeChanges()
        let wake = saro.nextWake
        var next = SDSStep(now: sdsStart)
        let error = #expect(throws: Refusal.self, "\(text)") { try saro.receive(bytes, from: sender, in: &next) }
        #expect(error?.outcome == .invalid, "\(text)")
        #expect(next.events.isEmpty && next.broadcasts.isEmpty && saro.takeChanges().isEmpty && saro.nextWake == wake)
        #expect(saro.missing.isEmpty && saro.waiting.isEmpty && saro.unacknowledged == [name("a")])
    }

    @Test func `a message with the id of somebody else's is refused (SDS-01)`() throws {
        var saro = sdsChannel("saro")
        var step = SDSStep(now: sdsStart)
        try saro.send(Bytes("1"), id: name("a"), in: &step)
        try saro.receive(sdsMessage("b"), in: &step)
        try saro.receive(sdsMessage("c", after: ["x"]), in: &step)
        for id in ["a", "b", "c"] {
            #expect(throws: Refusal(.invalid, ReliabilityCause.identifierInUse(name(id)))) {
                try saro.receive(sdsMessage(id, sender: "pax"), in: &step)
            }
        }
        #expect(throws: Refusal.self) { try saro.send(Bytes("2"), id: name("b"), in: &step) }
        #expect(throws: Refusal.self) { try saro.send(Bytes("2"), id: name("c"), in: &step) }
        #expect(throws: Refusal.self) { try saro.send(Bytes(""), id: name("d"), in: &step) }
        #expect(throws: Refusal.self) { try saro.send(Bytes("2"), id: Identifier(), in: &step) }
    }

    @Test func `a forged clock moves ours only so far, and we can still send (SDS-R4)`() throws {
        var saro = sdsChannel("saro")
        var step = SDSStep(now: sdsStart)
        try saro.receive(sdsMessage("a", lamport: SDSChannel.maximumLamport), in: &step)
        #expect(saro.lamport == sdsStart.milliseconds)
        try saro.receive(sdsMessage("b", lamport: SDSChannel.maximumFollowed), in: &step)
        #expect(saro.lamport == SDSChannel.maximumFollowed)
        for index in 0..<10 { try saro.send(Bytes("1"), id: name("own\(index)"), in: &step) }
        #expect(saro.lamport == SDSChannel.maximumFollowed + 10)
        var pax = sdsChannel("pax")
        for broadcast in step.broadcasts { try pax.receive(broadcast.bytes, in: &step) }
        #expect(pax.waiting.count == 10)  // they wait for a and b
    }

    @Test func `histories of unknown ids are kept within a sender's share, and others are not shut out (SDS-R5)`()
        throws
    {
        var small = SDSSettings()
        (small.limits.missing, small.limits.waiting) = (400, 40)
        var saro = sdsChannel("saro", small)
        var refused = 0
        for index in 0..<100 {
            var step = SDSStep(now: sdsStart)
            do throws(Refusal) {
                try saro.receive(
                    sdsMessage("m\(index)", lamport: 1_000_001, after: (0..<20).map { "x\(index)-\($0)" }), in: &step)
            } catch {
                #expect(error.cause.code == "too_large")
                refused += 1
            }
        }
        #expect(refused == 95 && saro.waiting.count == 5 && saro.missing.count == 100)
        var step = SDSStep(now: sdsStart)
        try saro.receive(sdsMessage("p1", sender: "pax", after: ["p0"]), in: &step)
        try saro.receive(sdsMessage("fine"), in: &step)
        #expect(step.delivered.map(\.id.text) == ["fine"] && saro.waiting.count == 6)
        // Sync messages make nobody wait, but their histories are bounded too.
        for index in 0..<100 {
            try saro.receive(sdsMessage("s", after: (0..<20).map { "y\(index)-\($0)" }, content: nil), in: &step)
        }
        #expect(saro.missing.count <= 400)
    }

    @Test func `filters of a wrong size or full of ones prove nothing, and the message counts (SDS-R6)`() throws {
        let full = Bytes([0x0A, 0x08] + [UInt8](repeating: 0xFF, count: 8) + [0x20, 0x01, 0x28, 0x40])
        #expect(try BloomFilter(decoding: full).contains(name("a")))
        for filter in [full, [], [0xFF, 0xFF], Bytes([UInt8](repeating: 1, count: 3_595)), Bytes([0x0A, 0x01, 0xFF])] {
            var saro = sdsChannel("saro")
            var step = SDSStep(now: sdsStart)
            try saro.send(Bytes("1"), id: name("a"), in: &step)
            for index in 0..<5 { try saro.receive(sdsMessage("b\(index)", filter: filter), in: &step) }
            #expect(saro.unacknowledged == [name("a")] && step.delivered.count == 5)
            #expect(!step.events.contains(.possiblyAcknowledged(name("a"))))
        }
    }

    @Test func `repair requests for everything make bounded work (SDSR-06)`() throws {
        var saro = sdsChannel("saro")
        for index in 0..<1_000 {
            var step = SDSStep(now: sdsStart)
            try saro.send(Bytes("1"), id: name("a\(index)"), in: &step)
        }
        for _ in 0..<20 {
            var step = SDSStep(now: sdsStart + .seconds(1))
            let everything = (0..<200).map { "a\($0)" }
            try saro.receive(sdsMessage("s", repairs: everything, content: nil), in: &step)
            #expect(step.broadcasts.count <= saro.settings.limits.burst)
        }
        var step = SDSStep(now: sdsStart + .seconds(1))
        try saro.receive(sdsMessage("s", repairs: (0..<200).map { "a\($0)" }, content: nil), in: &step)
        #expect(step.broadcasts.isEmpty)
    }

    @Test func `200,000 hostile inputs are decoded or refused`() {
        let valid = [
            sdsMessage("m", after: ["a", "b"], filter: BloomFilter().encoded().slice(0..<40), repairs: ["a"]),
            sdsMessage("n", lamport: nil), sdsMessage("s", content: nil),
        ]
        var hostile = HostileInputs(seed: 10, valid: valid.map(\.array))
        var decoded = 0
        hostile.forEach { input in
            let bytes = Bytes(input)
            for layout in [SDSMessage.Layout.document, .chatProto] {
                if let message = try? SDSMessage(decoding: bytes, layout) { decoded += message.history.count }
            }
        }
        #expect(decoded > HostileInputs.usualCount / 200)
    }

    @Test func `hostile inputs keep a channel within its limits`() throws {
        var small = SDSSettings()
        small.filter = BloomFilter.Parameters(capacity: 10, errorsPerMillion: 1_000, hashes: 10, bits: 144)
        (small.limits.missing, small.limits.waiting, small.limits.log, small.limits.kept) = (64, 32, 64, 16)
        var saro = sdsChannel("saro", small)
        var step = SDSStep(now: sdsStart)
        try saro.send(Bytes("1"), id: name("a"), in: &step)
        var raya = sdsChannel("raya", small)
        for broadcast in step.broadcasts { try raya.receive(broadcast.bytes, in: &step) }
        try raya.send(Bytes("2"), id: name("b"), in: &step)
        let valid = [
            sdsMessage("m", after: ["a", "b"], repairs: ["a"]), sdsMessage("n", lamport: nil),
            sdsMessage("s", content: nil),
            step.broadcasts[1].bytes,
        ]
        var hostile = HostileInputs(seed: 9, valid: valid.map(\.array))
        var (accepted, now) = (0, sdsStart)
        hostile.forEach(30_000) { input in
            now = now + .milliseconds(7)
            var step = SDSStep(now: now)
            do throws(Refusal) {
                try saro.receive(Bytes(input), in: &step)
                accepted += 1
            } catch {}
            if saro.nextWake.map({ $0 <= now }) ?? false { saro.wake(in: &step) }
            if saro.order.count > 64 || saro.waiting.count > 32 || saro.missing.count > 64 || step.broadcasts.count > 80
            {
                Issue.record("beyond the limits")
            }
            _ = saro.takeChanges()
        }
        #expect(accepted > HostileInputs.usualCount / 200)
    }
}
