import ChatClient
import ChatModel
import TestSupport
import Testing

/// An asker and a server whose answers stream in parts, over a network that loses what is transient, with restarts and
/// cancelling at any time; processes end with what they have not stored.
private struct StreamWorld {
    var asker: CorePeer
    var server: CorePeer
    let asks: ConversationID
    let serves: ConversationID
    var random: SplitMix64
    /// Payloads on their way, by their recipient.
    var (toAsker, toServer): ([Addressed], [Addressed]) = ([], [])
    /// What the server has said of its answer, and what the asker shows of it.
    var (said, shown): ([UInt8], [UInt8]) = ([], [])
    var answer: ContentID?
    var (isCut, isRestarted) = (false, false)
    /// The last part that the asker heard, and how often there was one.
    var endings: [(part: Part, content: [UInt8])] = []
    var statuses: [ContentStatus] = []
    /// Transactions of the server for deltas, and the deltas.
    var (flushes, deltas) = (0, 0)
    var shownBatches = 0

    init(_ seed: UInt64) throws {
        random = SplitMix64(seed: seed)
        asker = try CorePeer("saro", types: [ToyStream.type], maximumPayload: 4_000)
        server = try CorePeer("raya", types: [ToyStream.type], maximumPayload: 4_000)
        asks = try asker.begin(with: try server.introduce(), "toy-stream")
        server.receive(asker.publish())
        serves = try #require(server.core.conversations.first?.id)
        shownBatches = asker.seen.count
    }

    func roll(_ sides: Int, _ random: inout SplitMix64) -> Int { Int(random.next() % UInt64(sides)) }

    /// Says one part more: mostly a delta, a snapshot now and then, and after a restart.
    mutating func speak() throws {
        guard !isCut else { return }
        let more = Array("\(said.count) ".utf8)
        let isDelta = roll(8, &random) > 0 && !isRestarted
        let content = isDelta ? more : said + more
        do throws(Refusal) {
            answer = try server.core.perform(
                .send(Bytes(content), part: isDelta ? .delta : .snapshot, about: .received("1")), in: serves,
                as: answer, now: server.now)
        } catch {
            Issue.record("the server cannot go on: \(error)")
            return
        }
        said += more
        if isDelta { deltas += 1 }
        isRestarted = false
        try commit(counting: true)
    }

    /// Stores what must be stored before payloads leave.
    mutating func commit(counting: Bool = false) throws {
        let records = server.core.takeUrgentRecords()
        if counting, !records.isEmpty { flushes += 1 }
        for record in records { server.stored[record.key] = record.bytes }
        let payloads = server.core.takeOutbox(now: server.now)
        server.core.settle(payloads, payloads.map { _ in .success(Receipt()) }, now: server.now)
        toAsker += payloads.map(\.addressed)
    }

    mutating func end(_ ending: Ending) throws {
        guard !isCut, let answer else { return }
        isCut = true
        _ = try server.core.perform(
            .send(Bytes(said), part: .cut(ending)), in: serves, as: answer, now: server.now)
        server.store()
        try commit()
    }

    /// Delivers what is on its way; transient payloads get lost.
    mutating func deliver(losing: Int) throws {
        for addressed in toAsker {
            // The kind is behind the framing's route; the last parts and cancelling must come through.
            if losing > 0, roll(100, &random) < losing, isTransient(addressed) { continue }
            asker.receive([addressed])
        }
        toAsker = []
        toServer += asker.publish()
        server.receive(toServer)
        toServer = []
        try commit()
        show()
    }

    private func isTransient(_ addressed: Addressed) -> Bool {
        let bytes = addressed.payload.array
        guard let route = bytes.first.map(Int.init), bytes.count > 1 + route else { return false }
        return (2...3).contains(bytes[1 + route])
    }

    /// Folds what the asker's application was shown.
    mutating func show() {
        for batch in asker.seen[shownBatches...] {
            for case .conversation(_, .content(let received)) in batch.events {
                let content = received.content.array
                switch received.part {
                case .delta: shown += content
                case .snapshot: shown = content
                case .whole, .cut:
                    shown = content
                    endings.append((received.part, content))
                }
            }
        }
        shownBatches = asker.seen.count
    }

    mutating func restartServer() throws {
        try server.restart()
        isRestarted = true
    }
}

@Suite struct StreamWorldTests {
    @Test(arguments: Seeds.all(60))
    func `a streamed answer ends once, and what is shown is what was said, whatever is lost (PART-2 to PART-5)`(
        seed: UInt64
    ) throws {
        var world = try StreamWorld(seed)
        let (losing, steps) = (Int(seed % 4) * 15, 40 + Int(seed % 7) * 30)
        var isCancelled = false
        for step in 0..<steps {
            try world.speak()
            if world.roll(4, &world.random) == 0 { try world.deliver(losing: losing) }
            #expect(world.said.starts(with: world.shown), "seed \(seed), step \(step)")
            switch world.roll(60, &world.random) {
            case 0: try world.restartServer()
            case 1:
                try world.asker.restart()
                world.show()
            case 2 where !isCancelled && seed % 2 == 0:
                // Either side may win: the server may have ended it already.
                isCancelled =
                    (try? world.asker.core.perform(
                        .cancel(.received("1")), in: world.asks, now: world.asker.now)) != nil
                world.asker.store()
                world.toServer += world.asker.publish()
            default: break
            }
            let heard = world.server.events.contains {
                if case .conversation(_, .cancelled) = $0 { true } else { false }
            }
            if heard { try world.end(.cancelled) }
        }
        try world.end(.complete)
        for _ in 0..<3 { try world.deliver(losing: 0) }
        #expect(world.endings.count == 1, "seed \(seed): \(world.endings.count) endings")
        #expect(world.endings.first?.content == world.said && world.shown == world.said)
        // Numbers of parts are reserved a hundred at a time, and the first part of a content is stored.
        #expect(
            world.flushes <= 2 + world.deltas / 100 + 8, "seed \(seed): \(world.flushes) for \(world.deltas) deltas")
        // Nothing follows the last part, also after a restart.
        try world.restartServer()
        #expect(throws: Refusal.self) {
            try world.server.core.perform(
                .send(Bytes("more"), part: .delta), in: world.serves, as: world.answer, now: world.server.now)
        }
        try world.asker.restart()
        world.show()
        #expect(world.endings.count == 1)
    }
}
