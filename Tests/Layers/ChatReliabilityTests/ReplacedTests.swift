import ChatCodec
import ChatModel
import TestSupport
import Testing

@testable import ChatReliability

private let now = Timestamp(milliseconds: 1_700_000_000_000)

/// Messages whose content comes in others (SDS-R11).
struct ReplacedTests {
    @Test(arguments: [false, true], [false, true])
    func `what is replaced is told with a hint, what is gone without one, over a restart (SDS-R11)`(
        isReplaced: Bool, restarts: Bool
    ) throws {
        let settings = SDSSettings.two
        var saro = SDSChannel(name("saro"), channel: name("c"), settings: settings, now: now)
        var raya = SDSChannel(name("raya"), channel: name("c"), settings: settings, now: now)
        var store: [String: Bytes] = [:]
        var step = SDSStep(now: now)
        try saro.send(Bytes("never taken"), id: name("old"), in: &step)
        saro.withdraw(name("old"), isReplaced: isReplaced)
        for record in saro.takeChanges() { store[record.key] = record.bytes }
        if restarts { saro = try SDSChannel(restoring: store.map { Record($0, $1) }, settings: settings) }
        step = SDSStep(now: now)
        try saro.send(Bytes("next"), id: name("next"), in: &step)
        let bytes = try #require(step.broadcasts.last?.bytes)
        #expect(try SDSMessage(decoding: bytes).gone.map(\.hint) == [isReplaced ? Bytes() : nil])
        var heard = SDSStep(now: now)
        try raya.receive(bytes, in: &heard)
        let lost = heard.events.count { if case .lost = $0 { true } else { false } }
        #expect(lost == (isReplaced ? 0 : 1), "a gap is told only of what is lost")
        #expect(heard.events.contains { if case .delivered = $0 { true } else { false } })
        #expect(raya.missing.isEmpty)
    }

    @Test func `the most that a message names fits into what is reckoned with for it (REL-1)`() throws {
        var names = ReliableNames(.initiator)
        names.own = name(String(repeating: "s", count: 32))
        let settings = SDSSettings.two
        func entries(_ count: Int, hint: Bytes? = nil) throws -> [SDSMessage.HistoryEntry] {
            (0..<count).map { number in
                SDSMessage.HistoryEntry(name(String(repeating: "\(number % 10)", count: 32)), hint: hint)
            }
        }
        let content = Bytes([UInt8](repeating: 0, count: 102_400))
        let message = SDSMessage(
            sender: names.own, id: name(String(repeating: "i", count: 32)), channel: names.channel,
            lamport: now.milliseconds, history: try entries(settings.historyLength + settings.frontierLength),
            filter: BloomFilter().encoded(), gone: try entries(settings.maximumGone, hint: Bytes()), content: content)
        #expect(message.encoded().count - content.count <= SDSMessage.maximumOverhead(names, settings))
    }
}
