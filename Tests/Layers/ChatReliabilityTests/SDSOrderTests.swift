import ChatModel
import TestSupport
import Testing

@testable import ChatReliability

/// What happens at one time happens in one order, and follows from times alone, not from when somebody looked.
struct SDSOrderTests {
    private let names = (0..<20).map { "m\(($0 * 7) % 20 + 10)" }

    private func wake(_ channel: inout SDSChannel, _ time: Timestamp) -> SDSStep {
        var step = SDSStep(now: time)
        channel.wake(in: &step)
        return step
    }

    @Test func `requests due together are made in the order of the ids (SDSR-05)`() throws {
        var raya = sdsChannel("raya", .two)
        var step = SDSStep(now: sdsStart)
        try raya.receive(sdsMessage("x", sender: "saro", after: names), in: &step)
        let asked = try wake(&raya, sdsStart + .milliseconds(400)).broadcasts.map { try SDSMessage(decoding: $0.bytes) }
        #expect(asked.first?.repairs.map(\.id.text) == Array(names.sorted().prefix(16)))
    }

    @Test func `missing messages that are given up together are so in the order of the ids (SDS-10)`() throws {
        var raya = sdsChannel("raya")
        var step = SDSStep(now: sdsStart)
        try raya.receive(sdsMessage("x", sender: "saro", after: names), in: &step)
        for hour in 1..<24 { _ = wake(&raya, sdsStart + .seconds(hour * 3_600)) }
        let lost = wake(&raya, sdsStart + .seconds(86_400)).events.compactMap { event -> String? in
            guard case .lost(let id, _) = event else { return nil }
            return id.text
        }
        #expect(lost == names.sorted())
    }

    @Test func `naming all that came again moves on to no other end (SDS-04)`() throws {
        var raya = sdsChannel("raya")
        var step = SDSStep(now: sdsStart)
        for (id, after) in [("a1", []), ("b1", ["a1"]), ("b2", ["b1"]), ("b3", ["b2"]), ("a1", [])] {
            try raya.receive(sdsMessage(id, sender: "saro", after: after), in: &step)
        }
        _ = wake(&raya, sdsStart + .seconds(1))
        for index in 10..<24 {
            try raya.receive(sdsMessage("e\(index)", sender: "pax", lamport: 2_000_000), in: &step)
        }
        let sync = try SDSMessage(decoding: #require(wake(&raya, sdsStart + .seconds(60)).broadcasts.first).bytes)
        let ends = ["b3"] + (10..<17).map { "e\($0)" } + ["e22", "e23"]
        #expect(sync.history.map(\.id.text) == ends)
    }

    @Test func `after a restart the oldest leave at once and the rest after the first time (SDS-11)`() throws {
        var saro = sdsChannel("saro", .two)
        var step = SDSStep(now: sdsStart)
        for index in 10..<30 { try saro.send(Bytes("x"), id: name("m\(index)"), in: &step) }
        let records = saro.takeChanges()
        var again = try SDSChannel(restoring: records, settings: .two)
        let back = sdsStart + .seconds(60)
        #expect(try #require(again.nextWake) <= back)
        let first = wake(&again, back).broadcasts.filter { $0.reason == .again }.map(\.id.text)
        #expect(first == (10..<18).map { "m\($0)" })
        #expect(wake(&again, back + .milliseconds(1_999)).broadcasts.filter { $0.reason == .again }.isEmpty)
        let rest = wake(&again, back + .seconds(2)).broadcasts.filter { $0.reason == .again }.map(\.id.text)
        #expect(rest.suffix(12) == (18..<30).map { "m\($0)" }[...])
    }

    @Test func `what moves up among the oldest is sent again if its time has come (SDS-11)`() throws {
        var saro = sdsChannel("saro")
        var step = SDSStep(now: sdsStart)
        for index in 10..<27 { try saro.send(Bytes("x"), id: name("m\(index)"), in: &step) }
        // Heard for the first time, which is another reason to be sent again.
        try saro.receive(sdsMessage("a"), in: &step)
        #expect(wake(&saro, sdsStart + .seconds(5)).broadcasts.filter { $0.reason == .again }.count == 16)
        step = SDSStep(now: sdsStart + .seconds(6))
        try saro.receive(sdsMessage("b", after: ["m10"]), in: &step)
        #expect(try #require(saro.nextWake) <= step.now + .milliseconds(1))
        let again = wake(&saro, sdsStart + .milliseconds(6_001)).broadcasts.filter { $0.reason == .again }
        #expect(again.map(\.id.text) == ["m26"])
    }

    /// What is sent at which time, if a channel is also woken every so many milliseconds.
    private func sendings(every pause: Int?, _ settings: SDSSettings, seed: UInt64) throws -> [String] {
        var random = SplitMix64(seed: seed)
        var (saro, sent) = (sdsChannel("saro", settings), [String]())
        func note(_ step: SDSStep) {
            for one in step.broadcasts where one.reason == .again {
                sent.append("\(step.now.milliseconds) \(one.id.text)")
            }
        }
        var now = sdsStart
        for index in 10..<30 {
            let next = now + .milliseconds(Int(random.next() % 9_000))
            while true {
                let quiet = pause.map { now + .milliseconds($0) }
                guard let wake = Timestamp.earliest(saro.nextWake.map { max($0, now) }, quiet), wake < next else {
                    break
                }
                now = max(wake, now + .milliseconds(1))
                note(self.wake(&saro, now))
            }
            now = max(now, next)
            var step = SDSStep(now: now)
            if random.next() % 2 == 0 {
                try saro.send(Bytes("x"), id: name("m\(index)"), in: &step)
            } else {
                let named = random.next() % 3 == 0 ? ["m\(10 + Int(random.next() % 10))"] : []
                let message = sdsMessage("b\(index)", after: named.filter { saro.unacknowledged.contains(name($0)) })
                try saro.receive(message, in: &step)
            }
            note(step)
        }
        return sent
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `a wake that sends nothing changes no later time (SDS-11, SDS-R8)`(seed: UInt64) throws {
        var small = SDSSettings.two
        small.resend.window = 3
        for settings in [SDSSettings(), .two, small] {
            let plain = try sendings(every: nil, settings, seed: seed)
            #expect(!plain.isEmpty)
            #expect(try sendings(every: 37, settings, seed: seed) == plain)
            #expect(try sendings(every: 411, settings, seed: seed) == plain)
        }
    }
}
