import ChatCodec
import ChatModel
@testable import ChatReliability
import TestSupport
import Testing

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
        var (saro, raya) = (sdsChannel("saro"), sdsChannel("raya"))
        var step = SDSStep(now: sdsStart)
        for id in ["a", "b", "c", "d", "e"] { try saro.send(Bytes(id), id: name(id), in: &step) }
        let last = step.broadcasts[4].bytes
        var next = SDSStep(now: sdsStart)
        try raya.receive(last, in: &next)
        try raya.receive(sdsMessage("x", sender: "pax", after: ["a", "b"]), in: &next)
        #expect(raya.missing.map(\.text) == ["a", "b", "c", "d"])
        var requests: [SDSMessage.HistoryEntry] = []
        while requests.isEmpty, let wake = raya.nextWake {
            next = SDSStep(now: wake)
            raya.wake(in: &next)
            for broadcast in next.broadcasts { requests += try SDSMessage(decoding: broadcast.bytes).repairs }
        }
        #expect(next.now >= sdsStart + .seconds(30) && next.now < sdsStart + .seconds(300))
        next = SDSStep(now: sdsStart + .seconds(301))
        raya.wake(in: &next)
        requests += try SDSMessage(decoding: try #require(next.broadcasts.first).bytes).repairs
        #expect(requests.count <= 4 && Set(requests.map(\.id)).count == requests.count)
        #expect(requests.allSatisfy { $0.sender == nil || $0.sender == name("saro") })
        var answer = SDSStep(now: sdsStart + .seconds(302))
        try saro.receive(
            sdsMessage("s", after: [], repairs: ["a", "c"], content: nil), in: &answer)
        #expect(answer.broadcasts.map(\.id.text) == ["a", "c"] && answer.broadcasts.allSatisfy { $0.reason == .again })
        #expect(answer.broadcasts.map(\.bytes) == [step.broadcasts[0].bytes, step.broadcasts[2].bytes])
    }

    @Test func `others answer for a sender after their time, unless somebody was faster (SDSR-06, SDSR-07)`() throws {
        for isFaster in [false, true] {
            var pax = sdsChannel("pax")
            pax.participants = 3
            var step = SDSStep(now: sdsStart)
            try pax.receive(sdsMessage("a", sender: "saro"), in: &step)
            try pax.receive(sdsMessage("s", repairs: ["a"], content: nil), in: &step)
            #expect(step.broadcasts.isEmpty)
            if isFaster { try pax.receive(sdsMessage("a", sender: "saro"), in: &step) }
            var answers: [SDSStep.Broadcast] = []
            while let wake = pax.nextWake, wake < sdsStart + .seconds(400) {
                var next = SDSStep(now: wake)
                pax.wake(in: &next)
                answers += next.broadcasts.filter { $0.reason == .again }
            }
            #expect(answers.map(\.bytes) == (isFaster ? [] : [sdsMessage("a", sender: "saro")]))
        }
    }

    @Test func `an acknowledged message can still be asked for, within the limit (SDSR-03)`() throws {
        var saro = sdsChannel("saro", sdsSettings { ($0.acknowledgesAncestors, $0.limits.kept) = (true, 3) })
        saro.participants = 3
        var step = SDSStep(now: sdsStart)
        for id in ["a", "b", "c", "d", "e"] { try saro.send(Bytes(id), id: name(id), in: &step) }
        try saro.receive(sdsMessage("s", after: ["d", "e"], content: nil), in: &step)
        #expect(saro.unacknowledged.isEmpty)
        var store: [String: Bytes] = [:]
        for record in saro.takeChanges() { store[record.key] = record.bytes }
        #expect(store.keys.filter { $0.hasPrefix("message/") }.count == 3)
        #expect(store.keys.filter { $0.hasPrefix("done/") }.count == 3)
        saro = try SDSChannel(restoring: store.map { Record($0, $1) }, settings: saro.settings)
        var next = SDSStep(now: sdsStart + .seconds(1))
        try saro.receive(sdsMessage("s", repairs: ["a", "b", "c", "d", "e"], content: nil), in: &next)
        saro.wake(in: &next)
        let again = next.broadcasts.filter { $0.reason == .again }.map(\.id.text)
        #expect(again.count == 3)
    }
}
