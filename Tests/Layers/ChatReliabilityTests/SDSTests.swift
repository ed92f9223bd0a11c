import ChatModel
@testable import ChatReliability
import ChatWire
import TestSupport
import Testing

private func name(_ text: String) -> Identifier { Identifier(text) ?? Identifier() }
private let channelName = name("0")
private let start = Timestamp(milliseconds: 1_000_000)

private func settings(_ change: (inout SDSSettings) -> Void = { _ in }) -> SDSSettings {
    var settings = SDSSettings()
    change(&settings)
    return settings
}

private func channel(_ participant: String, _ settings: SDSSettings = SDSSettings()) -> SDSChannel {
    SDSChannel(name(participant), channel: channelName, settings: settings, now: start)
}

/// A message of Raya as bytes.
private func message(
    _ id: String, sender: String = "raya", channel: Identifier = channelName, lamport: UInt64? = 1_000_001,
    after history: [String] = [], filter: Bytes? = nil, repairs: [String] = [], content: Bytes? = Bytes("content")
) -> Bytes {
    SDSMessage(
        sender: name(sender), id: name(id), channel: channel, lamport: lamport,
        history: history.map { .init(name($0)) }, filter: filter, repairs: repairs.map { .init(name($0)) },
        content: content
    ).encoded()
}

struct BadSDSMessages {
    static let bad: [(String, Bytes, Identifier?)] = [
        ("another channel", message("m", channel: name("1")), nil),
        ("no channel", message("m", channel: Identifier()), nil),
        ("no sender", message("m", sender: ""), nil),
        ("no id", message(""), nil),
        ("a sender that another one forged", message("m"), name("pax")),
        ("a clock at the end", message("m", lamport: .max), nil),
        ("a clock behind the limit", message("m", lamport: UInt64.max >> 1 + 1), nil),
        ("itself in its history", message("m", after: ["a", "m"]), nil),
        ("a history entry without an id", message("m", after: [""]), nil),
        ("201 history entries", message("m", after: (0...200).map { "h\($0)" }), nil),
        ("201 repair requests", message("m", repairs: (0...200).map { "h\($0)" }), nil),
        ("cut", message("m").slice(0..<10), nil),
        ("an id of 256 bytes", message(String(repeating: "x", count: 250)).slice(0..<20), nil),
    ]

    @Test(arguments: bad.indices)
    func `a message that is malformed, forged or contradicts itself is refused and changes nothing`(index: Int) throws {
        let (text, bytes, sender) = Self.bad[index]
        var saro = channel("saro")
        var step = SDSStep(now: start)
        try saro.send(Bytes("1"), id: name("a"), in: &step)
        _ = saro.takeChanges()
        let wake = saro.nextWake
        var next = SDSStep(now: start)
        let error = #expect(throws: Refusal.self, "\(text)") { try saro.receive(bytes, from: sender, in: &next) }
        #expect(error?.outcome == .invalid, "\(text)")
        #expect(next.events.isEmpty && next.broadcasts.isEmpty && saro.takeChanges().isEmpty && saro.nextWake == wake)
        #expect(saro.missing.isEmpty && saro.waiting.isEmpty && saro.unacknowledged == [name("a")])
    }

    @Test func `a message with the id of somebody else's is refused (SDS-01)`() throws {
        var saro = channel("saro")
        var step = SDSStep(now: start)
        try saro.send(Bytes("1"), id: name("a"), in: &step)
        try saro.receive(message("b"), in: &step)
        try saro.receive(message("c", after: ["x"]), in: &step)
        for id in ["a", "b", "c"] {
            #expect(throws: Refusal(.invalid, ReliabilityCause.identifierInUse(name(id)))) {
                try saro.receive(message(id, sender: "pax"), in: &step)
            }
        }
        #expect(throws: Refusal.self) { try saro.send(Bytes("2"), id: name("b"), in: &step) }
        #expect(throws: Refusal.self) { try saro.send(Bytes("2"), id: name("c"), in: &step) }
        #expect(throws: Refusal.self) { try saro.send(Bytes(""), id: name("d"), in: &step) }
        #expect(throws: Refusal.self) { try saro.send(Bytes("2"), id: Identifier(), in: &step) }
    }

    @Test func `a forged clock moves ours only so far, and we can still send (SDS-R4)`() throws {
        var saro = channel("saro")
        var step = SDSStep(now: start)
        try saro.receive(message("a", lamport: SDSChannel.maximumLamport), in: &step)
        #expect(saro.lamport == start.milliseconds)
        try saro.receive(message("b", lamport: SDSChannel.maximumFollowed), in: &step)
        #expect(saro.lamport == SDSChannel.maximumFollowed)
        for index in 0..<10 { try saro.send(Bytes("1"), id: name("own\(index)"), in: &step) }
        #expect(saro.lamport == SDSChannel.maximumFollowed + 10)
        var pax = channel("pax")
        for broadcast in step.broadcasts { try pax.receive(broadcast.bytes, in: &step) }
        #expect(pax.waiting.count == 10)  // they wait for a and b
    }

    @Test func `histories of unknown ids are kept within a sender's share, and others are not shut out (SDS-R5)`()
        throws
    {
        var small = SDSSettings()
        (small.limits.missing, small.limits.waiting) = (400, 40)
        var saro = channel("saro", small)
        var refused = 0
        for index in 0..<100 {
            var step = SDSStep(now: start)
            do throws(Refusal) {
                try saro.receive(
                    message("m\(index)", lamport: 1_000_001, after: (0..<20).map { "x\(index)-\($0)" }), in: &step)
            } catch {
                #expect(error.cause.code == "too_large")
                refused += 1
            }
        }
        #expect(refused == 95 && saro.waiting.count == 5 && saro.missing.count == 100)
        var step = SDSStep(now: start)
        try saro.receive(message("p1", sender: "pax", after: ["p0"]), in: &step)
        try saro.receive(message("fine"), in: &step)
        #expect(step.delivered.map(\.id.text) == ["fine"] && saro.waiting.count == 6)
        // Sync messages make nobody wait, but their histories are bounded too.
        for index in 0..<100 {
            try saro.receive(message("s", after: (0..<20).map { "y\(index)-\($0)" }, content: nil), in: &step)
        }
        #expect(saro.missing.count <= 400)
    }

    @Test func `filters of a wrong size or full of ones prove nothing, and the message counts (SDS-R6)`() throws {
        let full = Bytes([0x0A, 0x08] + [UInt8](repeating: 0xFF, count: 8) + [0x20, 0x01, 0x28, 0x40])
        #expect(try BloomFilter(decoding: full).contains(name("a")))
        for filter in [full, [], [0xFF, 0xFF], Bytes([UInt8](repeating: 1, count: 3_595)), Bytes([0x0A, 0x01, 0xFF])] {
            var saro = channel("saro")
            var step = SDSStep(now: start)
            try saro.send(Bytes("1"), id: name("a"), in: &step)
            for index in 0..<5 { try saro.receive(message("b\(index)", filter: filter), in: &step) }
            #expect(saro.unacknowledged == [name("a")] && step.delivered.count == 5)
            #expect(!step.events.contains(.possiblyAcknowledged(name("a"))))
        }
    }

    @Test func `repair requests for everything make bounded work (SDSR-06)`() throws {
        var saro = channel("saro")
        for index in 0..<1_000 {
            var step = SDSStep(now: start)
            try saro.send(Bytes("1"), id: name("a\(index)"), in: &step)
        }
        for _ in 0..<20 {
            var step = SDSStep(now: start + .seconds(1))
            let everything = (0..<200).map { "a\($0)" }
            try saro.receive(message("s", repairs: everything, content: nil), in: &step)
            #expect(step.broadcasts.count <= saro.settings.limits.burst)
        }
        var step = SDSStep(now: start + .seconds(1))
        try saro.receive(message("s", repairs: (0..<200).map { "a\($0)" }, content: nil), in: &step)
        #expect(step.broadcasts.isEmpty)
    }

    @Test func `200,000 hostile inputs are decoded or refused`() {
        let valid = [
            message("m", after: ["a", "b"], filter: BloomFilter().encoded().slice(0..<40), repairs: ["a"]),
            message("n", lamport: nil), message("s", content: nil),
        ]
        var hostile = HostileInputs(seed: 10, valid: valid.map(\.array))
        var decoded = 0
        hostile.forEach { input in
            let bytes = Bytes(input)
            for layout in [SDSMessage.Layout.document, .chatProto] {
                if let message = try? SDSMessage(decoding: bytes, layout) { decoded += message.history.count }
            }
        }
        #expect(decoded > 1_000)
    }

    @Test func `hostile inputs keep a channel within its limits`() throws {
        var small = SDSSettings()
        small.filter = BloomFilter.Parameters(capacity: 10, errorsPerMillion: 1_000, hashes: 10, bits: 144)
        (small.limits.missing, small.limits.waiting, small.limits.log, small.limits.kept) = (64, 32, 64, 16)
        var saro = channel("saro", small)
        var step = SDSStep(now: start)
        try saro.send(Bytes("1"), id: name("a"), in: &step)
        var raya = channel("raya", small)
        for broadcast in step.broadcasts { try raya.receive(broadcast.bytes, in: &step) }
        try raya.send(Bytes("2"), id: name("b"), in: &step)
        let valid = [
            message("m", after: ["a", "b"], repairs: ["a"]), message("n", lamport: nil), message("s", content: nil),
            step.broadcasts[1].bytes,
        ]
        var hostile = HostileInputs(seed: 9, valid: valid.map(\.array))
        var (accepted, now) = (0, start)
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
        #expect(accepted > 1_000)
    }
}

struct SDSRules {
    @Test func `the example of the specification has these bytes`() throws {
        // Specs/sds.md
        var lean = SDSSettings()
        (lean.filter, lean.repair) = (nil, nil)
        var raya = SDSChannel(name("raya"), channel: channelName, settings: lean, now: .zero, lamport: 0)
        var step = SDSStep(now: Timestamp(milliseconds: 1_700_000_000_000))
        try raya.receive(message("a1", sender: "saro", lamport: 1_700_000_000_000), in: &step)
        try raya.send(Bytes("hi"), id: name("b1"), in: &step)
        #expect(
            step.broadcasts[0].bytes.array.hex
                == "0a0472617961" + "12026231" + "1a0130" + "5081d095ffbc31" + "5a040a026131" + "a201026869")
    }

    @Test func `what is sent takes the clock along, to the time or beyond it (SDS-04)`() throws {
        var saro = channel("saro")
        var step = SDSStep(now: start)
        try saro.send(Bytes("1"), id: name("a"), in: &step)
        #expect(saro.lamport == start.milliseconds + 1)
        step = SDSStep(now: start + .seconds(5))
        try saro.send(Bytes("1"), id: name("b"), in: &step)
        #expect(saro.lamport == start.milliseconds + 5_000)
        try saro.receive(message("c", lamport: 9_000_000), in: &step)
        try saro.send(Bytes("1"), id: name("d"), in: &step)
        #expect(saro.lamport == 9_000_001)
    }

    @Test func `a message names every end of the causal order, also after repeats and a restart (SDS-04, SDS-07)`()
        throws
    {
        var saro = channel("saro")
        var records: [String: Record] = [:]
        var step = SDSStep(now: start)
        try saro.send(Bytes("1"), id: name("a"), in: &step)
        // Raya did not know it when she sent these, and her clock is ahead: it is not at the log's end any more.
        let others = (0..<40).map { number in
            message("r\(number)", lamport: 2_000_000 + UInt64(number), after: number == 0 ? [] : ["r\(number - 1)"])
        }
        for other in others + others.prefix(30) { try saro.receive(other, in: &step) }
        for record in saro.takeChanges() { records[record.key] = record }
        let draft = try saro.draft(Bytes("2"), id: name("b"), now: start)
        #expect(draft.history.contains { $0.id == name("a") } && draft.history.contains { $0.id == name("r39") })
        let stored = records.values.filter { $0.bytes != nil }
        var again = try SDSChannel(restoring: stored)
        var next = try again.draft(Bytes("2"), id: name("b"), now: start)
        #expect(Set(next.history.map(\.id)) == [name("a"), name("r38"), name("r39")])
        // Once it is named, it is no end any more.
        var last = SDSStep(now: start)
        again.commit(next, in: &last)
        for record in again.takeChanges() { records[record.key] = record }
        again = try SDSChannel(restoring: records.values.filter { $0.bytes != nil })
        next = try again.draft(Bytes("3"), id: name("c"), now: start)
        #expect(Set(next.history.map(\.id)) == [name("r39"), name("b")])
    }

    @Test func `ties are ordered by id, byte by byte (SDS-08)`() throws {
        var saro = channel("saro")
        var step = SDSStep(now: start)
        let ids = [
            "z", "a", "ab", "Z", "é", "a\u{0}", String(repeating: "q", count: 40), String(repeating: "q", count: 41),
        ]
        for id in ids { try saro.receive(message(id), in: &step) }
        let expected = ids.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
        #expect(saro.order.map(\.id.text) == expected)
        #expect(saro.order.map(\.id) == saro.order.map(\.id).sorted())
    }

    @Test func `a late message says where it belongs (SDS-08)`() throws {
        var saro = channel("saro")
        var step = SDSStep(now: start)
        for (id, lamport) in [("b", UInt64(20)), ("d", 40), ("c", 30), ("a", 10)] {
            try saro.receive(message(id, sender: id, lamport: lamport), in: &step)
        }
        #expect(step.delivered.map(\.place) == [.end, .end, .after(name("b")), .after(nil)])
    }

    @Test func `own messages that come back are ignored, and repeats change nothing (SDS-06)`() throws {
        var saro = channel("saro")
        var step = SDSStep(now: start)
        try saro.send(Bytes("1"), id: name("a"), in: &step)
        try saro.receive(message("b"), in: &step)
        let order = saro.order.map(\.id)
        var next = SDSStep(now: start)
        try saro.receive(step.broadcasts[0].bytes, in: &next)
        try saro.receive(message("b"), in: &next)
        #expect(next.events.isEmpty && next.broadcasts.isEmpty && saro.order.map(\.id) == order)
        #expect(saro.unacknowledged == [name("a")])
    }

    @Test func `an ephemeral message is delivered at once and leaves no trace (SDS-14)`() throws {
        let (saro, other) = (channel("saro"), channel("raya"))
        var (step, next) = (SDSStep(now: start), SDSStep(now: start))
        saro.ephemeral(Bytes("typing"), id: name("e"), in: &step)
        var raya = other
        _ = raya.takeChanges()
        try raya.receive(step.broadcasts[0].bytes, in: &next)
        #expect(next.events == [.ephemeral(Bytes("typing"), sender: name("saro"))])
        #expect(raya.order.isEmpty && raya.takeChanges().isEmpty && raya.nextWake == nil)
    }

    @Test func `who names a message in a history has it, and if so set, all before it (SDS-09)`() throws {
        for isTransitive in [false, true] {
            var saro = channel("saro", settings { $0.acknowledgesAncestors = isTransitive })
            var step = SDSStep(now: start)
            for id in ["a", "b", "c", "d"] { try saro.send(Bytes("1"), id: name(id), in: &step) }
            try saro.receive(message("s", after: ["b", "c"], content: nil), in: &step)
            let expected = isTransitive ? ["d"] : ["a", "d"]
            #expect(saro.unacknowledged.map(\.text) == expected)
            #expect(Set(step.acknowledged.map(\.text)) == Set(["a", "b", "c", "d"]).subtracting(expected))
        }
    }

    @Test func `a message in filters is possibly there, and after two of them not sent again (SDS-09, SDS-11)`() throws
    {
        var saro = channel("saro")
        var step = SDSStep(now: start)
        try saro.send(Bytes("1"), id: name("a"), in: &step)
        var filter = BloomFilter()
        filter.insert(name("a"))
        try saro.receive(message("s", filter: filter.encoded(), content: nil), in: &step)
        #expect(step.events == [.possiblyAcknowledged(name("a"))])
        var next = SDSStep(now: start + .seconds(6))
        saro.wake(in: &next)
        #expect(next.broadcasts.contains { $0.id == name("a") && $0.reason == .again })
        try saro.receive(message("s", filter: filter.encoded(), content: nil), in: &next)
        for second in stride(from: 10, to: 10_000, by: 100) {
            var later = SDSStep(now: start + .seconds(second))
            saro.wake(in: &later)
            #expect(later.broadcasts.allSatisfy { $0.reason == .sync })
        }
        #expect(saro.unacknowledged == [name("a")])
    }

    @Test
    func `what nobody acknowledges is sent again, ever more rarely, the same bytes, and given up in the end (SDS-11)`()
        throws
    {
        var saro = channel("saro", settings { $0.resend.giveUpAfter = .seconds(7_200) })
        var step = SDSStep(now: start)
        try saro.send(Bytes("1"), id: name("a"), in: &step)
        let bytes = step.broadcasts[0].bytes
        var times: [Duration] = []
        var events: [SDSEvent] = []
        while let wake = saro.nextWake, wake < start + .seconds(10_000) {
            var next = SDSStep(now: wake)
            saro.wake(in: &next)
            for broadcast in next.broadcasts where broadcast.reason == .again {
                #expect(broadcast.bytes == bytes)
                times.append(wake.since(start))
            }
            events += next.events
        }
        let expected: [Duration] = [5, 15, 35, 75, 155, 315, 635, 1_235].map { .seconds($0) }
        #expect(Array(times.prefix(8)) == expected)
        #expect(events == [.gaveUp(name("a"))] && saro.unacknowledged.isEmpty)
    }

    @Test func `idle traffic backs off to one sync message an hour (SDS-12)`() throws {
        var saro = channel("saro")
        var step = SDSStep(now: start)
        #expect(saro.nextWake == nil)
        try saro.receive(message("b"), in: &step)
        var syncs: [Timestamp] = []
        while let wake = saro.nextWake, wake < start + .seconds(86_400) {
            var next = SDSStep(now: wake)
            saro.wake(in: &next)
            #expect(next.broadcasts.map(\.reason) == [.sync])
            let message = try SDSMessage(decoding: next.broadcasts[0].bytes)
            #expect(message.content == nil && message.history.map(\.id) == [name("b")])
            #expect(message.lamport ?? 0 > 1_000_001 && message.filter != nil)
            syncs.append(wake)
        }
        #expect(syncs[0] <= start + .seconds(1))
        #expect(syncs.count < 60)
        for (one, next) in zip(syncs.suffix(10), syncs.suffix(9)) { #expect(next.since(one) >= .seconds(1_800)) }
        #expect(saro.order.map(\.id) == [name("b")])
    }

    @Test func `in a group, who hears another's acknowledgement need not give one (SDS-13)`() throws {
        var saro = channel("saro")
        saro.participants = 5
        var step = SDSStep(now: start)
        try saro.receive(message("b"), in: &step)
        let early = try #require(saro.nextWake)
        #expect(early <= start + .seconds(4))
        try saro.receive(message("s", sender: "pax", after: ["b"], content: nil), in: &step)
        #expect(try #require(saro.nextWake) > start + .seconds(10))
    }

    @Test func `a missing message is reported, waited for, and given up after the time; it may still come (SDS-10)`()
        throws
    {
        var saro = channel("saro", settings { $0.lostAfter = .seconds(100) })
        var step = SDSStep(now: start)
        try saro.receive(message("c", lamport: 30, after: ["b"]), in: &step)
        try saro.receive(message("b", lamport: 20, after: ["a"]), in: &step)
        #expect(step.events == [.missing(.init(name("b"))), .missing(.init(name("a")))])
        #expect(saro.missing == [name("a")] && saro.waiting == [name("b"), name("c")])
        var next = SDSStep(now: start + .seconds(100))
        saro.wake(in: &next)
        #expect(next.events.first == .lost(name("a"), sender: nil))
        #expect(next.delivered.map(\.id.text) == ["b", "c"])
        var late = SDSStep(now: start + .seconds(200))
        try saro.receive(message("a", lamport: 10), in: &late)
        #expect(late.delivered.map(\.place) == [.after(nil)])
        try saro.receive(message("d", lamport: 40, after: ["a", "lost"]), in: &late)
        #expect(saro.missing == [name("lost")])
    }

    @Test func `what was given up stays so over a restart, and a wait begins anew after one (SDS-10)`() throws {
        let patience = settings { $0.lostAfter = .seconds(10_000) }
        var saro = channel("saro", patience)
        var step = SDSStep(now: start)
        try saro.receive(message("b", lamport: 20, after: ["a"]), in: &step)
        var store: [String: Bytes] = [:]
        for record in saro.takeChanges() { store[record.key] = record.bytes }
        saro = try SDSChannel(restoring: store.map { Record($0, $1) }, settings: patience)
        var later = SDSStep(now: start + .seconds(20_000))
        saro.hurry(in: &later)
        #expect(later.events.isEmpty && saro.waiting == [name("b")])
        var end = SDSStep(now: start + .seconds(20_600))
        saro.wake(in: &end)
        #expect(end.delivered.map(\.id.text) == ["b"])
        for record in saro.takeChanges() { store[record.key] = record.bytes }
        saro = try SDSChannel(restoring: store.map { Record($0, $1) }, settings: patience)
        try saro.receive(message("c", lamport: 30, after: ["a"]), in: &end)
        #expect(end.delivered.map(\.id.text) == ["b", "c"])
    }

    @Test func `a chain of four thousand that waits is delivered in order, and cheaply`() throws {
        var saro = channel("saro", settings { ($0.limits.waiting, $0.limits.missing) = (16_384, 32_768) })
        var step = SDSStep(now: start)
        let count = 4_000
        for index in (1..<count).reversed() {
            try saro.receive(message("m\(index)", lamport: UInt64(100 + index), after: ["m\(index - 1)"]), in: &step)
        }
        #expect(saro.waiting.count == count - 1 && step.delivered.isEmpty)
        try saro.receive(message("m0", lamport: 100), in: &step)
        #expect(step.delivered.map(\.id.text) == (0..<count).map { "m\($0)" })
    }

    @Test func `the log forgets its beginning, and a message from then is refused as perhaps repeated (SDS-R5)`() throws
    {
        var saro = channel("saro", settings { $0.limits.log = 10 })
        var step = SDSStep(now: start)
        for index in 0..<30 { try saro.receive(message("m\(index)", lamport: UInt64(100 + index)), in: &step) }
        #expect(saro.order.map(\.lamport) == Array(120..<130))
        for lamport in [50, 100, 119] as [UInt64] {
            let error = #expect(throws: Refusal.self) { try saro.receive(message("m0", lamport: lamport), in: &step) }
            #expect(error?.cause.code == "replay")
        }
        var store: [String: Bytes] = [:]
        for record in saro.takeChanges() { store[record.key] = record.bytes }
        #expect(store.keys.filter { $0.hasPrefix("log/") }.count == 10)
        saro = try SDSChannel(restoring: store.map { Record($0, $1) }, settings: settings { $0.limits.log = 10 })
        #expect(throws: Refusal.self) { try saro.receive(message("m0", lamport: 119), in: &step) }
        try saro.receive(message("new", lamport: 121), in: &step)
    }

    @Test func `a filter begins anew when it is full, and errs as rarely as it says (SDS-03)`() throws {
        var saro = channel("saro")
        var step = SDSStep(now: start)
        for index in 0..<4_500 {
            try saro.receive(message("m\(index)", lamport: UInt64(100 + index)), in: &step)
        }
        saro.wake(in: &step)
        try saro.send(Bytes("1"), id: name("own"), in: &step)
        let bytes = try #require(SDSMessage(decoding: step.broadcasts[0].bytes).filter)
        #expect(bytes.count == 3_600 + 15)
        let filter = try BloomFilter(decoding: bytes)
        #expect((3_600..<4_500).allSatisfy { filter.contains(name("m\($0)")) })
        let errors = (0..<10_000).count { filter.contains(name("x\($0)")) }
        #expect(errors < 40)
        #expect((0..<2_000).count { filter.contains(name("m\($0)")) } < 20)
    }

    @Test func `the example of a filter has these bits`() {
        // Specs/sds.md
        var filter = BloomFilter(.init(capacity: 4, errorsPerMillion: 10_000, hashes: 3, bits: 64))
        filter.insert(name("a1"))
        #expect(filter.encoded().array.hex == "0a080004410000000000100418904e20032840")
    }

    @Test func `sending is refused when too much is on its way (SDS-R5)`() throws {
        var saro = channel("saro", settings { ($0.limits.outgoing, $0.limits.outgoingBytes) = (3, 1_000_000) })
        var step = SDSStep(now: start)
        for id in ["a", "b", "c"] { try saro.send(Bytes("1"), id: name(id), in: &step) }
        let error = #expect(throws: Refusal.self) { try saro.send(Bytes("1"), id: name("d"), in: &step) }
        #expect(error?.outcome == .unable && step.broadcasts.count == 3)
        try saro.receive(message("s", after: ["a"], content: nil), in: &step)
        try saro.send(Bytes("1"), id: name("d"), in: &step)
        var heavy = channel("saro", settings { $0.limits.outgoingBytes = 100 })
        #expect(throws: Refusal.self) {
            try heavy.send(Bytes(String(repeating: "x", count: 101)), id: name("a"), in: &step)
        }
    }

    @Test func `records of another version or form are refused`() throws {
        var saro = channel("saro")
        var step = SDSStep(now: start)
        try saro.send(Bytes("1"), id: name("a"), in: &step)
        try saro.receive(message("c", after: ["b"]), in: &step)
        let records = saro.takeChanges()
        #expect(throws: Refusal.self) { try SDSChannel(restoring: []) }
        for (index, record) in records.enumerated() {
            let bytes = record.bytes?.array ?? []
            for bad in [[2] + bytes.dropFirst(), [], Array(bytes.dropLast())] {
                var damaged = records
                damaged[index] = Record(record.key, Bytes(bad))
                #expect(throws: Refusal.self, "\(record.key)") { try SDSChannel(restoring: damaged) }
            }
            var renamed = records
            renamed[index] = Record("else", record.bytes)
            #expect(throws: Refusal.self, "\(record.key)") { try SDSChannel(restoring: renamed) }
        }
    }
}

struct SDSRepairTests {
    @Test func `times and groups are those of the known answers (SDS-R)`() {
        let (bob, alice, id) = (name("bob"), name("alice"), name("4e03657a"))
        #expect(SDSRepair.requestDelay(bob, id, shortest: 30_000, longest: 300_000) == 293_449)
        #expect(SDSRepair.answerDelay(bob, alice, id, longest: 300_000) == 75_290)
        #expect(SDSRepair.answerDelay(alice, alice, id, longest: 300_000) == 0)
        #expect(SDSRepair.hash([bob, id]) % 4 == 1 && SDSRepair.hash([alice, id]) % 4 == 2)
        #expect(
            SDSRepair.answers(alice, for: alice, id, groups: 4) && !SDSRepair.answers(bob, for: alice, id, groups: 4))
        #expect(SDSRepair.answers(bob, for: alice, id, groups: 1))
        #expect(SDSRepair.answerDelay(bob, alice, id, longest: 0) == 0)
        #expect(SDSRepair.requestDelay(bob, id, shortest: 5, longest: 5) == 5)
    }

    @Test
    func `what is missing is asked for in time, three at a time, and its sender answers at once (SDSR-05, SDSR-06)`()
        throws
    {
        var (saro, raya) = (channel("saro"), channel("raya"))
        var step = SDSStep(now: start)
        for id in ["a", "b", "c", "d", "e"] { try saro.send(Bytes(id), id: name(id), in: &step) }
        let last = step.broadcasts[4].bytes
        var next = SDSStep(now: start)
        try raya.receive(last, in: &next)
        try raya.receive(message("x", sender: "pax", after: ["a", "b"]), in: &next)
        #expect(raya.missing.map(\.text) == ["a", "b", "c", "d"])
        var requests: [SDSMessage.HistoryEntry] = []
        while requests.isEmpty, let wake = raya.nextWake {
            next = SDSStep(now: wake)
            raya.wake(in: &next)
            for broadcast in next.broadcasts { requests += try SDSMessage(decoding: broadcast.bytes).repairs }
        }
        #expect(next.now >= start + .seconds(30) && next.now < start + .seconds(300))
        next = SDSStep(now: start + .seconds(301))
        raya.wake(in: &next)
        requests += try SDSMessage(decoding: try #require(next.broadcasts.first).bytes).repairs
        #expect(requests.count <= 4 && Set(requests.map(\.id)).count == requests.count)
        #expect(requests.allSatisfy { $0.sender == nil || $0.sender == name("saro") })
        var answer = SDSStep(now: start + .seconds(302))
        try saro.receive(
            message("s", after: [], repairs: ["a", "c"], content: nil), in: &answer)
        #expect(answer.broadcasts.map(\.id.text) == ["a", "c"] && answer.broadcasts.allSatisfy { $0.reason == .again })
        #expect(answer.broadcasts.map(\.bytes) == [step.broadcasts[0].bytes, step.broadcasts[2].bytes])
    }

    @Test func `others answer for a sender after their time, unless somebody was faster (SDSR-06, SDSR-07)`() throws {
        for isFaster in [false, true] {
            var pax = channel("pax")
            pax.participants = 3
            var step = SDSStep(now: start)
            try pax.receive(message("a", sender: "saro"), in: &step)
            try pax.receive(message("s", repairs: ["a"], content: nil), in: &step)
            #expect(step.broadcasts.isEmpty)
            if isFaster { try pax.receive(message("a", sender: "saro"), in: &step) }
            var answers: [SDSStep.Broadcast] = []
            while let wake = pax.nextWake, wake < start + .seconds(400) {
                var next = SDSStep(now: wake)
                pax.wake(in: &next)
                answers += next.broadcasts.filter { $0.reason == .again }
            }
            #expect(answers.map(\.bytes) == (isFaster ? [] : [message("a", sender: "saro")]))
        }
    }

    @Test func `an acknowledged message can still be asked for, within the limit (SDSR-03)`() throws {
        var saro = channel("saro", settings { ($0.acknowledgesAncestors, $0.limits.kept) = (true, 3) })
        saro.participants = 3
        var step = SDSStep(now: start)
        for id in ["a", "b", "c", "d", "e"] { try saro.send(Bytes(id), id: name(id), in: &step) }
        try saro.receive(message("s", after: ["d", "e"], content: nil), in: &step)
        #expect(saro.unacknowledged.isEmpty)
        var store: [String: Bytes] = [:]
        for record in saro.takeChanges() { store[record.key] = record.bytes }
        #expect(store.keys.filter { $0.hasPrefix("message/") }.count == 3)
        #expect(store.keys.filter { $0.hasPrefix("done/") }.count == 3)
        saro = try SDSChannel(restoring: store.map { Record($0, $1) }, settings: saro.settings)
        var next = SDSStep(now: start + .seconds(1))
        try saro.receive(message("s", repairs: ["a", "b", "c", "d", "e"], content: nil), in: &next)
        saro.wake(in: &next)
        let again = next.broadcasts.filter { $0.reason == .again }.map(\.id.text)
        #expect(again.count == 3)
    }
}
