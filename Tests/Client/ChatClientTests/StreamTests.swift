import ChatClient
import ChatConformance
import ChatModel
import TestSupport
import Testing

@Suite struct StreamTests {
    /// Saro has asked; Raya has heard the question.
    private func asked() throws -> (saro: CorePeer, raya: CorePeer, ask: ConversationID, serve: ConversationID) {
        var saro = try CorePeer("saro", types: [ToyStream.type])
        var raya = try CorePeer("raya", types: [ToyStream.type])
        let id = try saro.begin(with: try raya.introduce(), "toy-stream")
        raya.receive(saro.publish())
        return (saro, raya, id, try #require(raya.core.conversations.first?.id))
    }

    private func say(
        _ text: String, _ part: Part, of id: ContentID?, about: Target? = nil, _ peer: inout CorePeer,
        in conversation: ConversationID
    ) throws -> ContentID {
        defer { peer.store() }
        return try peer.core.perform(
            .send(Bytes(text), part: part, about: about), in: conversation, as: id, now: peer.now)
    }

    /// Parts that came, each with its word.
    private func parts(_ peer: CorePeer) -> [String] {
        peer.events.compactMap {
            guard case .conversation(_, .content(let received)) = $0 else { return nil }
            return "\(received.part.word) \(String(decoding: received.content.array, as: UTF8.self))"
        }
    }

    private func statuses(_ peer: CorePeer, of id: ContentID) -> [ContentStatus] {
        peer.events.compactMap { if case .conversation(_, .status(id, let status)) = $0 { status } else { nil } }
    }

    @Test(arguments: [false, true])
    func `an answer streams in parts under one id, over restarts, and names what it answers (PART-1, PART-2)`(
        restarts: Bool
    ) throws {
        var (saro, raya, ask, serve) = try asked()
        let answer = try say("The ", .delta, of: nil, about: .received("1"), &raya, in: serve)
        for word in ["walrus ", "said"] { _ = try say(word, .delta, of: answer, &raya, in: serve) }
        saro.receive(raya.publish())
        #expect(parts(saro) == ["delta The ", "delta walrus ", "delta said"])
        #expect(statuses(raya, of: answer).isEmpty, "what is not finished is not sent")
        if restarts {
            try saro.restart()
            try raya.restart()
            #expect(parts(saro).last == "snapshot The walrus said", "a restart shows the last snapshot (PART-5)")
        }
        _ = try say("The walrus said.", .cut(.complete), of: answer, &raya, in: serve)
        saro.receive(raya.publish())
        #expect(parts(saro).last == "cut The walrus said." && statuses(raya, of: answer) == [.sent])
        let abouts = saro.events.compactMap { event -> Target? in
            guard case .conversation(ask, .content(let received)) = event, received.part != .snapshot else {
                return nil
            }
            return received.about
        }
        #expect(abouts.count == 4 && Set(abouts) == [.own(ContentID(1))])
        for part in [Part.delta, .snapshot, .whole, .cut(.complete)] {
            #expect(throws: Refusal.self) { try say("more", part, of: answer, &raya, in: serve) }
        }
    }

    @Test func `who asked cancels; who serves hears it and ends the answer (PART-3)`() throws {
        var (saro, raya, ask, serve) = try asked()
        let answer = try say("and ", .delta, of: nil, about: .received("1"), &raya, in: serve)
        saro.receive(raya.publish())
        _ = try saro.core.perform(.cancel(.received("1")), in: ask, now: saro.now)
        saro.store()
        raya.receive(saro.publish())
        #expect(raya.events.contains(.conversation(serve, .cancelled(.own(answer)))))
        _ = try raya.core.perform(.cancel(.own(answer)), in: serve, now: raya.now)
        raya.store()
        saro.receive(raya.publish())
        #expect(parts(saro).last == "cut and ")
        #expect(statuses(raya, of: answer) == [.cancelled])
        // A late cancel changes nothing.
        #expect(throws: Refusal.self) { try saro.core.perform(.cancel(.received("1")), in: ask, now: saro.now) }
        #expect(throws: Refusal.self) { try raya.core.perform(.cancel(.own(answer)), in: serve, now: raya.now) }
    }

    @Test func `cancelling drops what has not left, and nothing of it is stored (PART-3)`() throws {
        var (saro, raya, _, serve) = try asked()
        let answer = try say("one ", .delta, of: nil, about: .received("1"), &raya, in: serve)
        _ = try say("two ", .delta, of: answer, &raya, in: serve)
        #expect(raya.core.waiting.payloads == 2)
        #expect(!raya.stored.keys.contains { $0.hasPrefix("outbox/") }, "deltas are not stored (DURABLE-2)")
        _ = try raya.core.perform(.cancel(.own(answer)), in: serve, now: raya.now)
        raya.store()
        #expect(raya.stored.keys.count { $0.hasPrefix("outbox/") } == 1, "that it was cancelled is left")
        try raya.restart()
        saro.receive(raya.publish())
        #expect(parts(saro) == ["cut "])
    }

    @Test func `after a lost delta the others are held back until a snapshot comes (PART-4)`() throws {
        var (saro, raya, _, serve) = try asked()
        let answer = try say("a", .delta, of: nil, about: .received("1"), &raya, in: serve)
        saro.receive(raya.publish())
        _ = try say("b", .delta, of: answer, &raya, in: serve)
        _ = raya.publish()  // lost
        _ = try say("c", .delta, of: answer, &raya, in: serve)
        saro.receive(raya.publish())
        #expect(parts(saro) == ["delta a"])
        _ = try say("abcd", .snapshot, of: answer, &raya, in: serve)
        _ = try say("e", .delta, of: answer, &raya, in: serve)
        _ = try say("abcde", .cut(.failed("out of paper")), of: answer, &raya, in: serve)
        saro.receive(raya.publish())
        #expect(parts(saro) == ["delta a", "snapshot abcd", "delta e", "cut abcde"])
    }

    @Test func `content that waits for its conversation can be cancelled (PART-3)`() throws {
        var saro = try CorePeer("saro", initialization: { ToyHandshake($0) })
        var raya = try CorePeer("raya", initialization: { ToyHandshake($0) })
        let id = try saro.begin(with: try raya.introduce())
        let second = try saro.core.send(Bytes("two"), in: id, now: saro.now)
        try saro.send("three", in: id)
        _ = try saro.core.perform(.cancel(.own(second)), in: id, now: saro.now)
        saro.store()
        try saro.restart()
        for _ in 0..<3 {
            raya.receive(saro.publish())
            saro.receive(raya.publish())
        }
        #expect(raya.contents == ["hello", "three"] && statuses(saro, of: second) == [.cancelled])
    }

    @Test func `a type with parts passes its suite`() {
        let report = Conformance.check(conversation: ToyStream.type, idBits: 136)
        // The toy ends after 250 contents, and that check sends 400.
        #expect(report.failures.allSatisfy { $0.id == "MODEL-5" }, "\(report)")
    }
}
