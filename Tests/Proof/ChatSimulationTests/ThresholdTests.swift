import ChatModel
import Testing

@testable import ChatClient
@testable import ChatSimulation

/// Each invariant with a number holds at the number, and not beyond it (SIM-7).
@Suite struct ThresholdTests {
    private static let second: UInt64 = 1_000_000

    /// Saro says one thing to Raya and Pax, ten seconds after the beginning; everything is mended a minute later.
    private func ledger(liars: Range<Int> = 0..<0, _ change: (inout Ledger) -> Void) -> Ledger {
        var ledger = Ledger(threads: [[0, 1, 2]], liars: liars)
        ledger.threads[0].ids = ["a", "b", "c"].map { ConversationID($0) }
        ledger.say(Draft(number: 0, thread: 0, sender: 0, size: 8), at: VirtualTime(microseconds: 10 * Self.second))
        ledger.healed = VirtualTime(microseconds: 70 * Self.second)
        change(&ledger)
        return ledger
    }

    private func finds(_ invariant: some Invariant, _ change: (inout Ledger) -> Void) -> Bool {
        var invariant = invariant
        return invariant.concluded(ledger(change), Tally()) != nil
    }

    @Test func `nothing lost: who misses something must know, and who said it, and only where the world allows it`() {
        let (strict, lenient) = (NothingLost(), NothingLost(mayFail: true))
        func both(_ ledger: inout Ledger) { for place in 1...2 { _ = ledger.hear(0, by: place, at: .zero) } }
        #expect(!finds(strict) { both(&$0) } && !finds(lenient) { both(&$0) })
        #expect(finds(strict) { _ = $0.hear(0, by: 1, at: .zero) }, "one of two has heard it")
        #expect(finds(lenient) { _ = $0.hear(0, by: 1, at: .zero) }, "nobody is told")
        func told(_ ledger: inout Ledger, sender: Bool, receivers: UInt64) {
            if sender { ledger.tell(0, .failed("why")) }
            ledger.threads[0].told = receivers
        }
        #expect(finds(lenient) { told(&$0, sender: true, receivers: 0) }, "the receivers are not told")
        #expect(finds(lenient) { told(&$0, sender: true, receivers: 0b010) }, "one receiver is not told")
        #expect(finds(lenient) { told(&$0, sender: true, receivers: 0b101) }, "the sender is no receiver")
        #expect(finds(lenient) { told(&$0, sender: false, receivers: 0b110) }, "the sender is not told")
        #expect(!finds(lenient) { told(&$0, sender: true, receivers: 0b110) }, "all are told")
        #expect(finds(strict) { told(&$0, sender: true, receivers: 0b110) }, "being told is not enough here")
        #expect(
            !finds(lenient) {
                _ = $0.hear(0, by: 2, at: .zero)
                told(&$0, sender: true, receivers: 0b010)
            }, "who has heard it need not be told")
    }

    @Test func `nothing lost: who never learned of a conversation cannot be told, its sender must be`() {
        let strict = NothingLost()
        func unknown(_ ledger: inout Ledger, _ status: ContentStatus?) {
            _ = ledger.hear(0, by: 1, at: .zero)
            ledger.threads[0].ids[2] = nil
            if let status { ledger.tell(0, status) }
        }
        #expect(!finds(strict) { unknown(&$0, .failed("why")) })
        for status in [nil, .accepted, .sent, .delivered] as [ContentStatus?] {
            #expect(finds(strict) { unknown(&$0, status) }, "\(String(describing: status))")
        }
        #expect(
            finds(strict) {
                $0.threads[0].ids[2] = nil
                $0.tell(0, .failed("why"))
            }, "the other receiver knows the conversation and misses the content")
    }

    @Test func `nothing lost: what a device forgot that it said need not be heard, and nothing else`() {
        let lenient = NothingLost(mayFail: true)
        #expect(!finds(lenient) { $0.forget(0, but: []) })
        #expect(
            finds(lenient) {
                $0.forget(0, but: [0])
                $0.threads[0].told = 0b110
            }, "its copy knows it")
        #expect(
            finds(lenient) {
                $0.forget(1, but: [])
                $0.threads[0].told = 0b110
            }, "somebody else was set back")
    }

    @Test func `nothing lost: what a liar says or hears is not judged, what honest ones miss is (SIM-8)`() {
        var strict = NothingLost()
        #expect(strict.concluded(ledger(liars: 2..<3) { _ = $0.hear(0, by: 1, at: .zero) }, Tally()) == nil)
        #expect(strict.concluded(ledger(liars: 2..<3) { _ = $0.hear(0, by: 2, at: .zero) }, Tally()) != nil)
        #expect(strict.concluded(ledger(liars: 0..<1) { _ in }, Tally()) == nil, "it said it itself")
        var status = HonestStatus()
        func delivered(_ ledger: inout Ledger) { ledger.tell(0, .delivered) }
        #expect(status.concluded(ledger(liars: 1..<3, delivered), Tally()) == nil)
        #expect(status.concluded(ledger(liars: 2..<3, delivered), Tally()) != nil)
        #expect(ledger(liars: 2..<3) { _ in }.outstanding == 1 && ledger(liars: 0..<1) { _ in }.outstanding == 0)
        #expect(ledger(liars: 2..<3) { _ = $0.hear(0, by: 2, at: .zero) }.outstanding == 1)
    }

    @Test func `nothing lost: what is heard after the stated time is found, to the microsecond`() {
        let hour = VirtualTime(.seconds(3_600))
        func heard(_ ledger: inout Ledger, after late: UInt64) {
            for place in 1...2 { _ = ledger.hear(0, by: place, at: ledger.healed + VirtualTime(microseconds: late)) }
        }
        #expect(!finds(NothingLost(healing: hour)) { heard(&$0, after: hour.microseconds) })
        #expect(finds(NothingLost(healing: hour)) { heard(&$0, after: hour.microseconds + 1) })
        #expect(
            !finds(NothingLost(healing: hour)) {
                _ = $0.hear(0, by: 1, at: .zero); _ = $0.hear(0, by: 2, at: .zero)
            })
    }

    @Test func `nothing lost: a conversation that is known to all after the stated time is found, to the microsecond`()
    {
        let (hour, day) = (VirtualTime(.seconds(3_600)), VirtualTime(.seconds(86_400)))
        func heard(_ ledger: inout Ledger, met: UInt64, after late: UInt64 = 0) {
            ledger.threads[0].met = ledger.healed + VirtualTime(microseconds: met)
            for place in 1...2 { _ = ledger.hear(0, by: place, at: ledger.threads[0].met + .init(microseconds: late)) }
        }
        let strict = NothingLost(healing: hour, firstContact: day)
        #expect(!finds(strict) { heard(&$0, met: day.microseconds) })
        #expect(finds(strict) { heard(&$0, met: day.microseconds + 1) })
        // What is said before they meet is heard within its time after they do.
        #expect(!finds(strict) { heard(&$0, met: day.microseconds, after: hour.microseconds) })
        #expect(finds(strict) { heard(&$0, met: day.microseconds, after: hour.microseconds + 1) })
    }

    @Test func `quiet when idle: the bound is for each participant and hour`() {
        func finds(_ payloads: Int, hours: Int = 1, _ bound: Int = 6, isBroken: Bool = false) -> Bool {
            var (invariant, tally) = (QuietWhenIdle(bound, inVain: 50), Tally())
            (tally.idlePayloads, tally.idleTime) = (payloads, VirtualTime(.seconds(3_600 * hours)))
            var ledger = Ledger(threads: [[0, 1, 2], [0, 1]])
            ledger.threads[1].isBroken = isBroken
            return invariant.concluded(ledger, tally) != nil
        }
        #expect(!finds(118, isBroken: true) && finds(119, isBroken: true), "two of them try in vain")
        #expect(!finds(30) && finds(31), "five participants, six payloads each")
        #expect(!finds(60, hours: 2) && finds(61, hours: 2))
        #expect(!finds(30, hours: 0) && !finds(31, hours: 0), "nothing was measured")
        #expect(Scenario.Bounds().idlePayloads == 6 && Scenario.Bounds().vainPayloads == 50)
    }

    @Test func `a type that sends seven times an hour is found out, and one that sends five times is not`() {
        var scenario = Scenario.calm
        scenario.idling = .seconds(20 * 3_600)
        #expect(run(scenario, toys(SendsFive.self)).violation == nil)
        #expect(run(scenario, toys(SendsSeven.self)).violation?.invariant == "quiet when idle")
    }

    @Test func `memory within bounds: each bound holds at its number`() {
        let bounds = Scenario.Bounds()
        #expect((bounds.outbox, bounds.deferred, bounds.events, bounds.storedBytes) == (4_096, 256, 16_384, 8 << 20))
        func finds(_ outbox: Int, _ deferred: Int, _ events: Int, _ stored: Int, conversations: Int = 1) -> Bool {
            var invariant = BoundedMemory(bounds)
            let load = CoreLoad(
                outboxPayloads: outbox, outboxBytes: 0, deferredPayloads: deferred, waitingEvents: events,
                conversations: conversations, isFull: false, nextAlarm: nil, nextPublish: nil)
            return invariant.stepped(PeerLoad(core: load, storedBytes: stored), peer: 0) != nil
        }
        #expect(!finds(4_096, 256, 16_384, 8 << 20))
        #expect(finds(4_097, 0, 0, 0) && finds(0, 257, 0, 0) && finds(0, 0, 16_385, 0) && finds(0, 0, 0, 8 << 20 + 1))
        #expect(!finds(0, 0, 0, 16 << 20, conversations: 2) && finds(0, 0, 0, (16 << 20) + 1, conversations: 2))
    }

    @Test func `honest status: a status gets no worse, and what failed may yet arrive`() {
        func finds(_ first: ContentStatus, _ second: ContentStatus) -> Bool {
            var (invariant, ledger) = (HonestStatus(), ledger { _ in })
            ledger.tell(0, first)
            return invariant.told(second, of: 0, in: ledger) != nil
        }
        #expect(finds(.delivered, .sent) && finds(.delivered, .failed("why")) && finds(.sent, .accepted))
        #expect(!finds(.sent, .sent) && !finds(.accepted, .sent) && !finds(.sent, .failed("why")))
        #expect(!finds(.failed("why"), .delivered) && !finds(.sent, .delivered))
        #expect(self.finds(HonestStatus()) { $0.tell(0, .delivered) }, "nobody heard it")
        #expect(
            self.finds(HonestStatus()) {
                _ = $0.hear(0, by: 1, at: .zero)
                $0.tell(0, .delivered)
            }, "one of two heard it")
    }

    @Test func `causal order: nobody hears an answer before the question`() {
        func finds(final gaps: Int, isCutAnew: Bool = false) -> Bool {
            var ledger = ledger { _ in }
            if isCutAnew { ledger.threads[0].cutAnew = 1 }
            _ = ledger.hear(0, by: 1, at: .zero)
            ledger.say(Draft(number: 1, thread: 0, sender: 1, size: 8), at: .zero)
            ledger.threads[0].finalGaps = gaps
            var invariant = CausalOrder()
            _ = ledger.hear(1, by: 2, at: .zero)
            return invariant.heard(hearing(1, by: 2), in: ledger) != nil
        }
        #expect(finds(final: 0))
        #expect(!finds(final: 1), "what cannot come any more cannot come first")
        #expect(!finds(final: 0, isCutAnew: true), "what is cut anew comes behind (REL-12)")
    }

    @Test func `causal order: what a device forgot that was set back, it does not answer`() {
        func finds(_ isSetBack: Bool) -> Bool {
            var (invariant, ledger) = (CausalOrder(), ledger { _ in })
            _ = ledger.hear(0, by: 1, at: .zero)
            if isSetBack { ledger.forget(1, but: []) }
            ledger.say(Draft(number: 1, thread: 0, sender: 1, size: 8), at: .zero)
            _ = ledger.hear(1, by: 2, at: .zero)
            if invariant.heard(hearing(1, by: 2), in: ledger) != nil { return true }
            // What it says and hears after that, it knows.
            ledger.say(Draft(number: 2, thread: 0, sender: 1, size: 8), at: .zero)
            ledger.say(Draft(number: 3, thread: 0, sender: 1, size: 8), at: .zero)
            _ = ledger.hear(3, by: 2, at: .zero)
            return invariant.heard(hearing(3, by: 2), in: ledger) == nil
        }
        #expect(finds(false) && !finds(true))
    }

    @Test func `nothing twice: a device that was set back may hear again what it forgot, and nobody else`() {
        var (invariant, ledger) = (NothingTwice(), ledger { _ in })
        #expect(invariant.heard(hearing(0, by: 1, isFirst: false), in: ledger) != nil)
        ledger.forget(1, but: [])
        #expect(invariant.heard(hearing(0, by: 1, isFirst: false), in: ledger) == nil)
        #expect(invariant.heard(hearing(0, by: 2, isFirst: false), in: ledger) != nil)
    }

    private func hearing(_ content: Int, by place: Int, isFirst: Bool = true) -> Hearing {
        Hearing(
            peer: place, content: content, place: place, isFirst: isFirst, isInPlace: true,
            received: ReceivedContent([]))
    }
}
