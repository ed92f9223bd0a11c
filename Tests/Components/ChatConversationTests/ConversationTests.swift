import ChatCodec
import ChatCrypto
import ChatModel
import ChatReliability
import LogosFormats
import TestSupport
import Testing

@testable import ChatConversation

private typealias Type = any (SimpleConversation & Equatable).Type
private let both: [Type] = [PrivateV1.Libchat.self, PlainConversation.self]

/// What both conversation types have in common.
struct ConversationTests {
    @Test(arguments: both)
    private func `an opening begins the other side, and both talk in turns (CONV-03, CT-06)`(type: Type) throws {
        try talk(type)
    }

    private func talk<C: SimpleConversation & Equatable>(_ type: C.Type) throws {
        var pair = try Pair<C>("hello")
        #expect(contents(pair.begun) == ["hello"])
        #expect(pair.saro.id != pair.raya.id)
        guard case .content(let received) = pair.begun[0] else { return }
        #expect(received.sender == PublicKey([UInt8](repeating: 8, count: 32)) && received.part == .whole)
        for (index, content) in ["", "a", String(repeating: "b", count: 70_000)].enumerated() {
            let there = try pair.saro.send(Bytes(content))
            #expect(there.route.id == pair.raya.id.text && pair.raya.listening[0].address == there.address)
            #expect(contents(try pair.raya.hear(there)) == [Bytes(content)], "\(index)")
            let back = try pair.raya.send(Bytes(content))
            #expect(contents(try pair.saro.hear(back)) == [Bytes(content)], "\(index)")
        }
    }

    @Test(arguments: both)
    private func `a repeat is refused as replay and tells nothing to the application (CT-12)`(type: Type) throws {
        try repeatOne(type)
    }

    private func repeatOne<C: SimpleConversation & Equatable>(_ type: C.Type) throws {
        var pair = try Pair<C>()
        let routed = try pair.saro.send("once")
        _ = try pair.raya.hear(routed)
        let before = pair.raya
        let refusal = #expect(throws: Refusal.self) { try pair.raya.hear(routed) }
        #expect(refusal?.outcome == .invalid && refusal?.cause.code == "replay" && pair.raya == before)
        #expect(pair.raya.takeChanges().isEmpty == false && pair.raya.takeChanges().isEmpty)
        #expect(throws: Refusal.self) { try pair.raya.hear(routed) }
        #expect(pair.raya.takeChanges().isEmpty)
    }

    @Test(arguments: both)
    private func `what is missing is reported, and is named when it comes after all (PV1-18)`(type: Type) throws {
        try skip(type)
    }

    private func skip<C: SimpleConversation & Equatable>(_ type: C.Type) throws {
        var pair = try Pair<C>()
        let routed = try (0..<3).map { try pair.saro.send(Bytes("\($0)")) }
        let events = try pair.raya.hear(routed[2])
        #expect(events.count == 3)
        guard case .gap(let gap) = events[0], case .gap(let second) = events[1] else {
            Issue.record("no gaps: \(events)")
            return
        }
        #expect(!gap.isFinal && gap.reference != second.reference)
        let late = try pair.raya.hear(routed[0])
        guard late.count == 1, case .content(let received) = late[0] else { return }
        #expect(received.content == "0" && received.reference == gap.reference)
    }

    @Test(arguments: both)
    private func `the first payload of an initiator goes into the invite, all others to the route (CT-04)`(type: Type)
        throws
    {
        try route(type)
    }

    private func route<C: SimpleConversation & Equatable>(_ type: C.Type) throws {
        let random = SeededRandom(4)
        var turn = Step(now: now, headRoom: 11, random: random)
        var saro = try C(Seeds(random: random).initiator, in: &turn)
        for number in 1...3 { try saro.perform(.send("x"), as: ContentID(UInt64(number)), in: &turn) }
        #expect(turn.openings.map(\.content) == [ContentID(1)])
        #expect(turn.sends.map(\.content) == [ContentID(2), ContentID(3)])
        #expect(turn.sends.map(\.routed.sequence) == [2, 3])
        let listening = saro.listening
        #expect(listening.count == 1 && listening[0].address == turn.sends[0].routed.address)
    }

    @Test(arguments: both)
    private func `content that does not fit is refused with numbers before anything changes (DS-09)`(type: Type) throws
    {
        try tooLarge(type)
    }

    private func tooLarge<C: SimpleConversation & Equatable>(_ type: C.Type) throws {
        var pair = try Pair<C>()
        let before = pair.raya
        var twin = pair.raya
        let fits = try twin.send("12345").payload.count
        var turn = Step(now: now, maximumPayload: fits, random: SeededRandom(1))
        let refusal = #expect(throws: Refusal.self) {
            try pair.raya.perform(.send("123456"), as: ContentID(1), in: &turn)
        }
        #expect(refusal == Refusal(.unable, CommonCause.tooLarge("payload", bytes: fits + 1, limit: fits)))
        #expect(pair.raya == before && turn.sends.isEmpty)
        try pair.raya.perform(.send("12345"), as: ContentID(1), in: &turn)
        #expect(turn.sends[0].routed.payload.count == fits)
    }

    @Test(arguments: both)
    private func `an action that the type does not have is unsupported (CT-09)`(type: Type) throws {
        try act(type)
    }

    private func act<C: SimpleConversation & Equatable>(_ type: C.Type) throws {
        var pair = try Pair<C>()
        let actions: [Action] = [
            .add([]), .remove([]), .leave, .frame(kind: "dance", bytes: []), .cancel(.own(ContentID(1))),
            .send([1], part: .delta), .send([1], part: .snapshot), .send([1], part: .cut(.complete)),
            .send([1], about: .received("1")),
        ]
        for action in actions {
            var turn = Step(now: now, random: SeededRandom(1))
            let refusal = #expect(throws: Refusal.self) { try pair.saro.perform(action, as: ContentID(9), in: &turn) }
            #expect(refusal == Refusal(.unsupported, CommonCause.unsupportedAction(action.name, type: C.facts.name)))
        }
    }

    @Test(arguments: both)
    private func `a seed that lacks something says what (CONV-01)`(type: Type) throws {
        try lack(type)
    }

    private func lack<C: SimpleConversation & Equatable>(_ type: C.Type) throws {
        let pair = try Pair<C>()
        var turn = Step(now: now, random: SeededRandom(1))
        var seed = Seeds().initiator
        seed.secret = nil
        expectIncomplete(C.self, seed, &turn)
        seed.secret = Secret(count: 16) { _ in }
        expectIncomplete(C.self, seed, &turn)
        if C.self == PrivateV1.Libchat.self {
            seed = Seeds().initiator
            seed.remoteKeys = []
            expectIncomplete(C.self, seed, &turn)
            seed = Seeds().responder(pair.opening)
            seed.ownKeys = []
            expectIncomplete(C.self, seed, &turn)
        }
        #expect(turn.events.isEmpty && turn.sends.isEmpty && turn.openings.isEmpty)
    }

    private func expectIncomplete<C: SimpleConversation>(
        _ type: C.Type, _ seed: ConversationSeed, _ turn: inout Step, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let refusal = #expect(throws: Refusal.self, sourceLocation: sourceLocation) { try C(seed, in: &turn) }
        #expect(refusal?.cause.code == "incomplete_seed" && refusal?.outcome == .unable, sourceLocation: sourceLocation)
    }
}

struct LibchatTests {
    @Test func `an opening that is altered, of another kind or no content begins nothing (INBOX-14)`() throws {
        let pair = try Pair<PrivateV1.Libchat>()
        let seeds = Seeds(random: SeededRandom(1))
        var altered = pair.opening
        altered.withMutableSpan { $0[$0.count - 1] ^= 1 }
        let plain = EncryptedPayload.plaintext("hello").encoded()
        for (opening, code) in [(altered, "authentication_failed"), (plain, "unsupported"), ([], "malformed")] {
            var turn = Step(now: now, random: SeededRandom(1))
            let refusal = #expect(throws: Refusal.self) { try PrivateV1.Libchat(seeds.responder(opening), in: &turn) }
            #expect(refusal?.cause.code == code && turn.events.isEmpty)
        }
    }

    @Test func `a placeholder is an event and no content, and no opening (PV1-16)`() throws {
        var pair = try Crafted()
        let frame = PrivateV1.Frame(conversation: "x", timestamp: -1, body: .placeholder([0x08, 0x07]))
        let events = try pair.raya.hear(pair.routed(frame))
        #expect(events == [.frame(kind: "placeholder", bytes: [0x08, 0x07])])
        #expect(PrivateV1.Placeholder(events[0])?.counter == 7)
        #expect(PrivateV1.Placeholder(.frame(kind: "other", bytes: [])) == nil)

        let opening = try Crafted.opening(frame)
        var turn = Step(now: now, random: SeededRandom(1))
        let refusal = #expect(throws: Refusal.self) { try PrivateV1.Libchat(opening, in: &turn) }
        #expect(refusal?.outcome == .unsupported && turn.events.isEmpty)
    }

    @Test func `nobody begins with a placeholder: it is refused until content opened the conversation (PVL-10)`() throws
    {
        var turn = Step(now: now, random: SeededRandom(1))
        var saro = try PrivateV1.Libchat(Seeds(random: SeededRandom(1)).initiator, in: &turn)
        let notice = Action.frame(kind: "placeholder", bytes: [0x10, 0x01])
        let refusal = #expect(throws: Refusal.self) { try saro.perform(notice, as: ContentID(1), in: &turn) }
        #expect(refusal?.outcome == .unsupported && turn.openings.isEmpty && turn.sends.isEmpty)
        try saro.perform(.send("hello"), as: ContentID(2), in: &turn)
        #expect(turn.openings.count == 1, "the opening is the content")
    }

    @Test func `a frame of an unknown kind is reported and harms nothing (CT-10, CT-12)`() throws {
        var pair = try Crafted()
        let unknown = PrivateV1.Frame(conversation: "x", timestamp: 1, body: .unknown)
        #expect(
            try pair.raya.hear(pair.routed(unknown)) == [
                .refused(Refusal(.unsupported, ConversationCause.unknownFrame(type: "private-v1-libchat")))
            ])
        #expect(
            contents(try pair.raya.hear(pair.routed(.init(conversation: "", timestamp: 0, body: .content("next")))))
                == ["next"])
    }

    @Test func `an authentic frame that does not decode is invalid and changes nothing (CT-11)`() throws {
        var pair = try Crafted()
        for bytes in [[0x52, 0x05], [0x08, 0x01], [0x0a, 0x01, 0xff], [0x5a, 0x01, 0x08]] as [[UInt8]] {
            let routed = try pair.routed(bytes)
            let before = pair.raya
            let refusal = #expect(throws: Refusal.self) { try pair.raya.hear(routed) }
            #expect(refusal?.outcome == .invalid && refusal?.cause.code == "malformed" && pair.raya == before)
        }
    }

    @Test func `of 10,000 hostile payloads none is accepted and none changes anything (CT-11)`() throws {
        var pair = try Pair<PrivateV1.Libchat>()
        let good = try pair.saro.send("good")
        let before = pair.raya
        var inputs = HostileInputs(seed: 6, valid: [good.payload.array])
        var accepted = 0
        inputs.forEach(10_000) { bytes in
            guard bytes != good.payload.array else { return }
            var routed = good
            routed.payload = Bytes(bytes)
            var turn = Step(now: now, random: SeededRandom(1))
            if (try? pair.raya.receive(routed, in: &turn)) != nil { accepted += 1 }
        }
        // Some inputs differ from the good one only in what proto3 skips; those are the good one.
        #expect(accepted <= 1)
        guard accepted == 0 else { return }
        #expect(pair.raya == before)
        #expect(contents(try pair.raya.hear(good)) == ["good"])
    }

    @Test func `200,000 hostile frames are read or refused (CT-11)`() {
        let valid = PrivateV1.Frame(conversation: "0123", timestamp: 5, body: .content("hi"))
        let other = PrivateV1.Frame(conversation: "", timestamp: -1, body: .placeholder([0x08, 0x07]))
        let encoded = [valid, other].map { frame in Bytes(headRoom: 0, count: frame.size) { frame.write(to: &$0) }.array
        }
        var inputs = HostileInputs(seed: 7, valid: encoded, longest: 32)
        var read = 0
        inputs.forEach { bytes in
            if (try? PrivateV1.Frame.body(of: Bytes(bytes))) != nil { read += 1 }
        }
        #expect(read > HostileInputs.usualCount / 200 && read < HostileInputs.usualCount * 199 / 200)
    }
}

/// Raya, and a Saro who can say what no Saro would.
private struct Crafted {
    var raya: PrivateV1.Libchat
    private var saro: DoubleRatchet
    private var random: any RandomSource = SeededRandom(1)

    init() throws {
        var turn = Step(now: now, random: SeededRandom(5))
        var ratchet = try Self.saro()
        let payload = try Self.seal(PrivateV1.Frame(conversation: "", timestamp: 0, body: .content("hello")), &ratchet)
        (raya, saro) = (try PrivateV1.Libchat(Seeds().responder(payload), in: &turn), ratchet)
    }

    static func opening(_ frame: PrivateV1.Frame) throws -> ConversationSeed {
        var ratchet = try saro()
        return Seeds().responder(try seal(frame, &ratchet))
    }

    mutating func routed(_ frame: PrivateV1.Frame) throws -> Routed {
        Routed(PrivateV1.Libchat.address, Route(raya.id.text), payload: try Self.seal(frame, &saro))
    }

    mutating func routed(_ bytes: [UInt8]) throws -> Routed {
        let payload = try saro.seal(bytes.count, random: &random) { $0.append(bytes: bytes.span) }
        return Routed(PrivateV1.Libchat.address, Route(raya.id.text), payload: payload)
    }

    private static func saro() throws -> DoubleRatchet {
        var random: any RandomSource = SeededRandom(8)
        let seed = Seeds().initiator
        return try DoubleRatchet(
            initiatorWith: #require(seed.secret), remote: seed.remoteKeys[0], random: &random, .libchat)
    }

    private static func seal(_ frame: PrivateV1.Frame, _ ratchet: inout DoubleRatchet) throws -> Payload {
        var random: any RandomSource = SeededRandom(9)
        return try ratchet.seal(frame.size, random: &random) { frame.write(to: &$0) }
    }
}
