import ChatCodec
import ChatModel
@testable import ChatReliability
import TestSupport
import Testing

struct SDSRules {
    @Test func `the example of the specification has these bytes`() throws {
        // Specs/sds.md
        var lean = SDSSettings()
        (lean.filter, lean.repair) = (nil, nil)
        var raya = SDSChannel(name("raya"), channel: sdsName, settings: lean, now: .zero, lamport: 0)
        var step = SDSStep(now: Timestamp(milliseconds: 1_700_000_000_000))
        try raya.receive(sdsMessage("a1", sender: "saro", lamport: 1_700_000_000_000), in: &step)
        try raya.send(Bytes("hi"), id: name("b1"), in: &step)
        #expect(
            step.broadcasts[0].bytes.array.hex
                == "0a0472617961" + "12026231" + "1a0130" + "5081d095ffbc31" + "5a040a026131" + "a201026869")
    }

    @Test func `what is sent takes the clock along, to the time or beyond it (SDS-04)`() throws {
        var saro = sdsChannel("saro")
        var step = SDSStep(now: sdsStart)
        try saro.send(Bytes("1"), id: name("a"), in: &step)
        #expect(saro.lamport == sdsStart.milliseconds + 1)
        step = SDSStep(now: sdsStart + .seconds(5))
        try saro.send(Bytes("1"), id: name("b"), in: &step)
        #expect(saro.lamport == sdsStart.milliseconds + 5_000)
        try saro.receive(sdsMessage("c", lamport: 9_000_000), in: &step)
        try saro.send(Bytes("1"), id: name("d"), in: &step)
        #expect(saro.lamport == 9_000_001)
    }

    @Test func `a message names every end of the causal order, also after repeats and a restart (SDS-04, SDS-07)`()
        throws
    {
        var saro = sdsChannel("saro")
        var records: [String: Record] = [:]
        var step = SDSStep(now: sdsStart)
        try saro.send(Bytes("1"), id: name("a"), in: &step)
        // Raya did not know it when she sent these, and her clock is ahead: it is not at the log's end any more.
        let others = (0..<40).map { number in
            sdsMessage("r\(number)", lamport: 2_000_000 + UInt64(number), after: number == 0 ? [] : ["r\(number - 1)"])
        }
        for other in others + others.prefix(30) { try saro.receive(other, in: &step) }
        for record in saro.takeChanges() { records[record.key] = record }
        let draft = try saro.draft(Bytes("2"), id: name("b"), now: sdsStart)
        #expect(draft.history.contains { $0.id == name("a") } && draft.history.contains { $0.id == name("r39") })
        let stored = records.values.filter { $0.bytes != nil }
        var again = try SDSChannel(restoring: stored)
        var next = try again.draft(Bytes("2"), id: name("b"), now: sdsStart)
        #expect(Set(next.history.map(\.id)) == [name("a"), name("r38"), name("r39")])
        // Once it is named, it is no end any more.
        var last = SDSStep(now: sdsStart)
        again.commit(next, in: &last)
        for record in again.takeChanges() { records[record.key] = record }
        again = try SDSChannel(restoring: records.values.filter { $0.bytes != nil })
        next = try again.draft(Bytes("3"), id: name("c"), now: sdsStart)
        #expect(Set(next.history.map(\.id)) == [name("r39"), name("b")])
    }

    @Test func `ties are ordered by id, byte by byte (SDS-08)`() throws {
        var saro = sdsChannel("saro")
        var step = SDSStep(now: sdsStart)
        let ids = [
            "z", "a", "ab", "Z", "é", "a\u{0}", String(repeating: "q", count: 40), String(repeating: "q", count: 41),
        ]
        for id in ids { try saro.receive(sdsMessage(id), in: &step) }
        let expected = ids.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
        #expect(saro.order.map(\.id.text) == expected)
        #expect(saro.order.map(\.id) == saro.order.map(\.id).sorted())
    }

    @Test func `a late message says where it belongs (SDS-08)`() throws {
        var saro = sdsChannel("saro")
        var step = SDSStep(now: sdsStart)
        for (id, lamport) in [("b", UInt64(20)), ("d", 40), ("c", 30), ("a", 10)] {
            try saro.receive(sdsMessage(id, sender: id, lamport: lamport), in: &step)
        }
        #expect(step.delivered.map(\.place) == [.end, .end, .after(name("b")), .after(nil)])
    }

    @Test func `own messages that come back are ignored, and repeats change nothing (SDS-06)`() throws {
        var saro = sdsChannel("saro")
        var step = SDSStep(now: sdsStart)
        try saro.send(Bytes("1"), id: name("a"), in: &step)
        try saro.receive(sdsMessage("b"), in: &step)
        let order = saro.order.map(\.id)
        var next = SDSStep(now: sdsStart)
        try saro.receive(step.broadcasts[0].bytes, in: &next)
        try saro.receive(sdsMessage("b"), in: &next)
        #expect(next.events.isEmpty && next.broadcasts.isEmpty && saro.order.map(\.id) == order)
        #expect(saro.unacknowledged == [name("a")])
    }

    @Test func `an ephemeral message is delivered at once and leaves no trace (SDS-14)`() throws {
        let (saro, other) = (sdsChannel("saro"), sdsChannel("raya"))
        var (step, next) = (SDSStep(now: sdsStart), SDSStep(now: sdsStart))
        saro.ephemeral(Bytes("typing"), id: name("e"), in: &step)
        var raya = other
        _ = raya.takeChanges()
        try raya.receive(step.broadcasts[0].bytes, in: &next)
        #expect(next.events == [.ephemeral(Bytes("typing"), sender: name("saro"))])
        #expect(raya.order.isEmpty && raya.takeChanges().isEmpty && raya.nextWake == nil)
    }

    @Test func `who names a message in a history has it, and if so set, all before it (SDS-09)`() throws {
        for isTransitive in [false, true] {
            var saro = sdsChannel("saro", sdsSettings { $0.acknowledgesAncestors = isTransitive })
            var step = SDSStep(now: sdsStart)
            for id in ["a", "b", "c", "d"] { try saro.send(Bytes("1"), id: name(id), in: &step) }
            try saro.receive(sdsMessage("s", after: ["b", "c"], content: nil), in: &step)
            let expected = isTransitive ? ["d"] : ["a", "d"]
            #expect(saro.unacknowledged.map(\.text) == expected)
            #expect(Set(step.acknowledged.map(\.text)) == Set(["a", "b", "c", "d"]).subtracting(expected))
        }
    }

    @Test func `a message in filters is possibly there, and after two of them not sent again (SDS-09, SDS-11)`() throws
    {
        var saro = sdsChannel("saro")
        var step = SDSStep(now: sdsStart)
        try saro.send(Bytes("1"), id: name("a"), in: &step)
        var filter = BloomFilter()
        filter.insert(name("a"))
        try saro.receive(sdsMessage("s", filter: filter.encoded(), content: nil), in: &step)
        #expect(step.events == [.possiblyAcknowledged(name("a"))])
        var next = SDSStep(now: sdsStart + .seconds(6))
        saro.wake(in: &next)
        #expect(next.broadcasts.contains { $0.id == name("a") && $0.reason == .again })
        try saro.receive(sdsMessage("s", filter: filter.encoded(), content: nil), in: &next)
        for second in stride(from: 10, to: 10_000, by: 100) {
            var later = SDSStep(now: sdsStart + .seconds(second))
            saro.wake(in: &later)
            #expect(later.broadcasts.allSatisfy { $0.reason == .sync })
        }
        #expect(saro.unacknowledged == [name("a")])
    }

    @Test func `the time of what waits to be dispatched begins when it is, and nobody is woken for it before (SDS-11)`()
        throws
    {
        var saro = sdsChannel("saro", sdsSettings { $0.resend.giveUpAfter = .seconds(7_200) })
        var step = SDSStep(now: sdsStart)
        try saro.send(Bytes("1"), id: name("a"), in: &step)
        saro.hold(name("a"))
        for half in 1...6 {
            step = SDSStep(now: sdsStart + .seconds(1_800 * half))
            saro.wake(in: &step)
            #expect(saro.nextWake.map { $0 > step.now + .seconds(1) } ?? true, "woken for nothing")
        }
        saro.didSend(name("a"), now: step.now)
        for seconds in [1, 7_000, 200] {
            step = SDSStep(now: step.now + .seconds(seconds))
            saro.wake(in: &step)
            #expect(step.events.contains(.gaveUp(name("a"))) == (seconds == 200), "\(seconds)")
        }
    }

    @Test func `no sync message names what waits for room to leave (SDS-R13)`() throws {
        var saro = sdsChannel("saro", .two)
        var step = SDSStep(now: sdsStart)
        try saro.send(Bytes("1"), id: name("a"), in: &step)
        saro.loseLink(now: step.now)
        saro.commit(try saro.draft(Bytes("2"), id: name("b"), now: step.now), untilLink: true, in: &step)
        step = SDSStep(now: sdsStart + .seconds(60), room: 0)
        saro.hurry(in: &step)
        #expect(step.broadcasts.isEmpty, "neither message has room, and no sync message would be true")
        step = SDSStep(now: sdsStart + .seconds(61))
        saro.wake(in: &step)
        #expect(step.broadcasts.contains { $0.id == name("b") })
    }

    @Test
    func `what nobody acknowledges is sent again, ever more rarely, the same bytes, and given up in the end (SDS-11)`()
        throws
    {
        var saro = sdsChannel("saro", sdsSettings { $0.resend.giveUpAfter = .seconds(7_200) })
        var step = SDSStep(now: sdsStart)
        try saro.send(Bytes("1"), id: name("a"), in: &step)
        let bytes = step.broadcasts[0].bytes
        var times: [Duration] = []
        var events: [SDSEvent] = []
        while let wake = saro.nextWake, wake < sdsStart + .seconds(10_000) {
            var next = SDSStep(now: wake)
            saro.wake(in: &next)
            for broadcast in next.broadcasts where broadcast.reason == .again {
                #expect(broadcast.bytes == bytes)
                times.append(wake.since(sdsStart))
            }
            events += next.events
        }
        let expected: [Duration] = [5, 15, 35, 75, 155, 315, 635, 1_235].map { .seconds($0) }
        #expect(Array(times.prefix(8)) == expected)
        #expect(events == [.gaveUp(name("a"))] && saro.unacknowledged.isEmpty)
    }

    @Test func `idle traffic backs off to one sync message an hour (SDS-12)`() throws {
        var saro = sdsChannel("saro")
        var step = SDSStep(now: sdsStart)
        #expect(saro.nextWake == nil)
        try saro.receive(sdsMessage("b"), in: &step)
        var syncs: [Timestamp] = []
        while let wake = saro.nextWake, wake < sdsStart + .seconds(86_400) {
            var next = SDSStep(now: wake)
            saro.wake(in: &next)
            #expect(next.broadcasts.map(\.reason) == [.sync])
            let message = try SDSMessage(decoding: next.broadcasts[0].bytes)
            #expect(message.content == nil && message.history.map(\.id) == [name("b")])
            #expect(message.lamport ?? 0 > 1_000_001 && message.filter != nil)
            syncs.append(wake)
        }
        #expect(syncs[0] <= sdsStart + .seconds(1))
        #expect(syncs.count < 60)
        for (one, next) in zip(syncs.suffix(10), syncs.suffix(9)) { #expect(next.since(one) >= .seconds(1_800)) }
        #expect(saro.order.map(\.id) == [name("b")])
    }

    @Test func `in a group, who hears another's acknowledgement need not give one (SDS-13)`() throws {
        var saro = sdsChannel("saro")
        saro.participants = 5
        var step = SDSStep(now: sdsStart)
        try saro.receive(sdsMessage("b"), in: &step)
        let early = try #require(saro.nextWake)
        #expect(early <= sdsStart + .seconds(4))
        try saro.receive(sdsMessage("s", sender: "pax", after: ["b"], content: nil), in: &step)
        #expect(try #require(saro.nextWake) > sdsStart + .seconds(10))
    }

    @Test func `a missing message is reported, waited for, and given up after the time; it may still come (SDS-10)`()
        throws
    {
        var saro = sdsChannel("saro", sdsSettings { $0.lostAfter = .seconds(100) })
        var step = SDSStep(now: sdsStart)
        try saro.receive(sdsMessage("c", lamport: 30, after: ["b"]), in: &step)
        try saro.receive(sdsMessage("b", lamport: 20, after: ["a"]), in: &step)
        #expect(step.events == [.missing(.init(name("b"))), .missing(.init(name("a")))])
        #expect(saro.missing == [name("a")] && saro.waiting == [name("b"), name("c")])
        var next = SDSStep(now: sdsStart + .seconds(100))
        saro.wake(in: &next)
        #expect(next.events.first == .lost(name("a"), sender: nil))
        #expect(next.delivered.map(\.id.text) == ["b", "c"])
        var late = SDSStep(now: sdsStart + .seconds(200))
        try saro.receive(sdsMessage("a", lamport: 10), in: &late)
        #expect(late.delivered.map(\.place) == [.after(nil)])
        try saro.receive(sdsMessage("d", lamport: 40, after: ["a", "lost"]), in: &late)
        #expect(saro.missing == [name("lost")])
    }

    @Test func `what was given up stays so over a restart, and a wait begins anew after one (SDS-10)`() throws {
        let patience = sdsSettings { $0.lostAfter = .seconds(10_000) }
        var saro = sdsChannel("saro", patience)
        var step = SDSStep(now: sdsStart)
        try saro.receive(sdsMessage("b", lamport: 20, after: ["a"]), in: &step)
        var store: [String: Bytes] = [:]
        for record in saro.takeChanges() { store[record.key] = record.bytes }
        saro = try SDSChannel(restoring: store.map { Record($0, $1) }, settings: patience)
        var later = SDSStep(now: sdsStart + .seconds(20_000))
        saro.hurry(in: &later)
        #expect(later.events.isEmpty && saro.waiting == [name("b")])
        var end = SDSStep(now: sdsStart + .seconds(20_600))
        saro.wake(in: &end)
        #expect(end.delivered.map(\.id.text) == ["b"])
        for record in saro.takeChanges() { store[record.key] = record.bytes }
        saro = try SDSChannel(restoring: store.map { Record($0, $1) }, settings: patience)
        try saro.receive(sdsMessage("c", lamport: 30, after: ["a"]), in: &end)
        #expect(end.delivered.map(\.id.text) == ["b", "c"])
    }

    @Test func `a chain of four thousand that waits is delivered in order, and cheaply`() throws {
        var saro = sdsChannel("saro", sdsSettings { ($0.limits.waiting, $0.limits.missing) = (16_384, 32_768) })
        var step = SDSStep(now: sdsStart)
        let count = 4_000
        for index in (1..<count).reversed() {
            try saro.receive(sdsMessage("m\(index)", lamport: UInt64(100 + index), after: ["m\(index - 1)"]), in: &step)
        }
        #expect(saro.waiting.count == count - 1 && step.delivered.isEmpty)
        try saro.receive(sdsMessage("m0", lamport: 100), in: &step)
        #expect(step.delivered.map(\.id.text) == (0..<count).map { "m\($0)" })
    }

    @Test func `the log forgets its beginning, and a message from then is refused as perhaps repeated (SDS-R5)`() throws
    {
        var saro = sdsChannel("saro", sdsSettings { $0.limits.log = 10 })
        var step = SDSStep(now: sdsStart)
        for index in 0..<30 { try saro.receive(sdsMessage("m\(index)", lamport: UInt64(100 + index)), in: &step) }
        #expect(saro.order.map(\.lamport) == Array(120..<130))
        for lamport in [50, 100, 119] as [UInt64] {
            let error = #expect(throws: Refusal.self) {
                try saro.receive(sdsMessage("m0", lamport: lamport), in: &step)
            }
            #expect(error?.cause.code == "replay")
        }
        var store: [String: Bytes] = [:]
        for record in saro.takeChanges() { store[record.key] = record.bytes }
        #expect(store.keys.filter { $0.hasPrefix("log/") }.count == 10)
        saro = try SDSChannel(restoring: store.map { Record($0, $1) }, settings: sdsSettings { $0.limits.log = 10 })
        #expect(throws: Refusal.self) { try saro.receive(sdsMessage("m0", lamport: 119), in: &step) }
        try saro.receive(sdsMessage("new", lamport: 121), in: &step)
    }

    @Test func `a filter begins anew when it is full, and errs as rarely as it says (SDS-03)`() throws {
        var saro = sdsChannel("saro")
        var step = SDSStep(now: sdsStart)
        for index in 0..<4_500 {
            try saro.receive(sdsMessage("m\(index)", lamport: UInt64(100 + index)), in: &step)
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
        var saro = sdsChannel("saro", sdsSettings { ($0.limits.outgoing, $0.limits.outgoingBytes) = (3, 1_000_000) })
        var step = SDSStep(now: sdsStart)
        for id in ["a", "b", "c"] { try saro.send(Bytes("1"), id: name(id), in: &step) }
        let error = #expect(throws: Refusal.self) { try saro.send(Bytes("1"), id: name("d"), in: &step) }
        #expect(error?.outcome == .unable && step.broadcasts.count == 3)
        try saro.receive(sdsMessage("s", after: ["a"], content: nil), in: &step)
        try saro.send(Bytes("1"), id: name("d"), in: &step)
        var heavy = sdsChannel("saro", sdsSettings { $0.limits.outgoingBytes = 100 })
        #expect(throws: Refusal.self) {
            try heavy.send(Bytes(String(repeating: "x", count: 101)), id: name("a"), in: &step)
        }
    }

    @Test func `records of another version or form are refused`() throws {
        var saro = sdsChannel("saro")
        var step = SDSStep(now: sdsStart)
        try saro.send(Bytes("1"), id: name("a"), in: &step)
        try saro.receive(sdsMessage("c", after: ["b"]), in: &step)
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
