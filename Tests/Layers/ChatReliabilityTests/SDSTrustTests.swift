import ChatModel
import Testing

@testable import ChatReliability

/// What a sender may conclude from a message that names a later one (SDS-09), and how long a receiver waits (SDS-10).
@Suite struct SDSTrustTests {
    private let start = Timestamp(milliseconds: 1_700_000_000_000)

    private func name(_ text: String) throws -> Identifier { try #require(Identifier(text)) }

    private func channel(_ text: String, _ settings: SDSSettings = .two) throws -> SDSChannel {
        SDSChannel(try name(text), channel: try name("0"), settings: settings, now: start, lamport: 1)
    }

    private func restarted(_ channel: inout SDSChannel) throws -> SDSChannel {
        var store: [String: Bytes] = [:]
        for record in channel.takeChanges() { store[record.key] = record.bytes }
        return try SDSChannel(restoring: store.map { Record($0, $1) }, settings: channel.settings)
    }

    /// Saro sends `a` and `b`, of which the second names the first; Raya names `b` after a time.
    private func acknowledged(after time: Duration, restart: Bool = false) throws -> [String] {
        var saro = try channel("saro")
        var step = SDSStep(now: start)
        for id in ["a", "b"] { try saro.send(Bytes("1"), id: name(id), in: &step) }
        if restart { saro = try restarted(&saro) }
        var later = SDSStep(now: start + time)
        let history = [SDSMessage.HistoryEntry(try name("b"))]
        let message = SDSMessage(
            sender: try name("raya"), id: try name("s"), channel: try name("0"), lamport: 9, history: history)
        try saro.receive(message.encoded(), in: &later)
        return later.events.compactMap { if case .acknowledged(let id) = $0 { id.text } else { nil } }
    }

    @Test func `who has a message has those before it, for half the time of giving up (SDS-09)`() throws {
        #expect(try acknowledged(after: .seconds(43_199)) == ["b", "a"])
        #expect(try acknowledged(after: .seconds(43_200)) == ["b"], "a slow clock may hide as much again")
    }

    @Test func `over a restart nobody knows how much time passed: each counts by its own name (SDS-09)`() throws {
        #expect(try acknowledged(after: .seconds(1), restart: true) == ["b"])
    }

    @Test func `of two, the whole time begins anew after a restart (SDS-10)`() throws {
        var raya = try channel("raya")
        var step = SDSStep(now: start)
        let message = SDSMessage(
            sender: try name("saro"), id: try name("b"), channel: try name("0"), lamport: 9,
            history: [.init(try name("a"))], content: Bytes("1"))
        try raya.receive(message.encoded(), in: &step)
        raya = try restarted(&raya)
        // Its clock is wrong by more than a day now.
        let again = start + .seconds(100_000)
        func isLost(after time: Duration) -> Bool {
            var copy = raya
            var hurry = SDSStep(now: again)
            copy.hurry(in: &hurry)
            var later = SDSStep(now: again + time)
            copy.wake(in: &later)
            return later.events.contains { if case .lost = $0 { true } else { false } }
        }
        #expect(!isLost(after: .seconds(3_600)) && !isLost(after: .seconds(7_000)))
        #expect(raya.waiting == [try name("b")])
    }

    @Test func `who asks in vain asks every ten minutes in the end, whatever else it sends (SDSR-05)`() throws {
        var settings = SDSSettings.two
        (settings.resend.first, settings.resend.longest) = (.seconds(5), .seconds(5))
        settings.repair = SDSSettings.Repair()
        var raya = try channel("raya", settings)
        var step = SDSStep(now: start)
        let gaps = try (0..<20).map { SDSMessage.HistoryEntry(try name("gap \($0)")) }
        let message = SDSMessage(
            sender: try name("saro"), id: try name("b"), channel: try name("0"), lamport: 9, history: gaps,
            content: Bytes("1"))
        try raya.receive(message.encoded(), in: &step)
        var (now, asked) = (start, 0)
        while let wake = raya.nextWake, wake < start + .seconds(12 * 3_600) {
            now = max(wake, now + .milliseconds(1))
            var next = SDSStep(now: now)
            raya.wake(in: &next)
            guard now > start + .seconds(11 * 3_600) else { continue }
            asked += next.broadcasts.count { (try? SDSMessage(decoding: $0.bytes))?.repairs.isEmpty == false }
        }
        #expect((1...13).contains(asked), "asked \(asked) times in the twelfth hour")
    }
}
