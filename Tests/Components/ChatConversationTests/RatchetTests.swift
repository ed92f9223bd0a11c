import ChatCodec
import ChatCrypto
import ChatModel
import ChatRecords
import LogosFormats
import TestSupport
import Testing

@testable import ChatConversation

/// Two ratchets, and the messages between them.
private struct Ends {
    var saro: DoubleRatchet
    var raya: DoubleRatchet
    var random: any RandomSource

    init(_ parameters: DoubleRatchet.Parameters = .libchat, seed: UInt64 = 1) throws {
        random = SeededRandom(seed)
        let secret = random.secret(32, for: .secret)
        let pair = X25519.generate(using: &random, for: .introEphemeralPrivate)
        saro = try DoubleRatchet(initiatorWith: secret, remote: pair.publicKey, random: &random, parameters)
        raya = try DoubleRatchet(responderWith: secret, own: pair, parameters)
    }

    mutating func seal(_ text: String, by end: WritableKeyPath<Ends, DoubleRatchet>) throws -> DoubleRatchetMessage {
        let bytes = Bytes(text)
        var random = random
        let payload = try self[keyPath: end].seal(bytes.count, random: &random) { $0.append(bytes: bytes.span) }
        guard case .doubleRatchet(let message) = try EncryptedPayload(decoding: payload) else {
            throw WireError.missing("")
        }
        return message
    }

    @discardableResult
    mutating func open(
        _ message: DoubleRatchetMessage, by end: WritableKeyPath<Ends, DoubleRatchet>
    ) throws -> OpenedPayload<Bytes> {
        try self[keyPath: end].open(message) { $0 }
    }

    /// Opens what must be refused, and checks that nothing changed.
    mutating func refusal(
        of message: DoubleRatchetMessage, by end: WritableKeyPath<Ends, DoubleRatchet>,
        sourceLocation: SourceLocation = #_sourceLocation
    ) -> Refusal? {
        let before = self[keyPath: end]
        let refusal = #expect(throws: Refusal.self, sourceLocation: sourceLocation) { try open(message, by: end) }
        #expect(self[keyPath: end] == before, sourceLocation: sourceLocation)
        return refusal
    }

    /// One message from each to the other, Saro first.
    mutating func goRound() throws {
        try open(seal("ping", by: \.saro), by: \.raya)
        try open(seal("pong", by: \.raya), by: \.saro)
    }
}

struct RatchetTests {
    @Test(arguments: [0, 1, 11, 27])
    func `a ciphertext without room for nonce and tag is malformed (DR-4)`(size: Int) throws {
        var ends = try Ends()
        var message = try ends.seal("", by: \.saro)
        message.ciphertext = message.ciphertext.slice(0..<size)
        let refusal = ends.refusal(of: message, by: \.raya)
        #expect(refusal == Refusal(.invalid, ConversationCause.tooShort(bytes: size, minimum: 28)))
    }

    @Test(arguments: [0, 31, 33])
    func `a ratchet key of another size is an invalid header (DR-4)`(size: Int) throws {
        var ends = try Ends()
        var message = try ends.seal("hello", by: \.saro)
        message.dh = Bytes([UInt8](repeating: 9, count: size))
        #expect(ends.refusal(of: message, by: \.raya)?.cause.code == "invalid_header")
    }

    @Test(arguments: [[UInt8](repeating: 0, count: 32), [1] + [UInt8](repeating: 0, count: 31)])
    func `a ratchet key of low order is weak, for a message and for a start (DR-5)`(key: [UInt8]) throws {
        var ends = try Ends()
        var message = try ends.seal("hello", by: \.saro)
        message.dh = Bytes(key)
        #expect(ends.refusal(of: message, by: \.raya)?.cause.code == "weak_key")
        var random: any RandomSource = SeededRandom(1)
        #expect(throws: Refusal(.invalid, CryptoError.weakKey("X25519 public key"))) {
            try DoubleRatchet(
                initiatorWith: Secret(count: 32) { _ in }, remote: PublicKey(key), random: &random, .libchat)
        }
    }

    @Test func `numbers at the end of 32 bits are refused without overflow (DR-6)`() throws {
        var ends = try Ends()
        var message = try ends.seal("hello", by: \.saro)
        try ends.open(message, by: \.raya)
        message = try ends.seal("more", by: \.saro)
        message.number = .max
        #expect(ends.refusal(of: message, by: \.raya)?.outcome == .early)
        message = try ends.seal("more", by: \.saro)
        message.previousChainLength = .max  // not in the header of its chain, so only forged
        #expect(ends.refusal(of: message, by: \.raya)?.cause.code == "authentication_failed")

        try ends.open(ends.seal("answer", by: \.raya), by: \.saro)
        var turned = try ends.seal("turned", by: \.saro)
        turned.previousChainLength = .max
        let refusal = ends.refusal(of: turned, by: \.raya)
        // Raya has two of the chain already: the first, and the number above that was skipped stays refused.
        #expect(refusal == Refusal(.early, ConversationCause.tooManySkipped(UInt64(UInt32.max) - 1, limit: 10)))
    }

    @Test func `a length of a chain that was never begun is an invalid header (DR-6)`() throws {
        var ends = try Ends()
        var message = try ends.seal("hello", by: \.saro)
        message.previousChainLength = 1
        #expect(ends.refusal(of: message, by: \.raya)?.cause.code == "invalid_header")
    }

    @Test func `ten missing are waited for and eleven are early until one of them comes (DR-7, PV1-07)`() throws {
        var ends = try Ends()
        let messages = try (0..<13).map { try ends.seal("\($0)", by: \.saro) }
        #expect(
            ends.refusal(of: messages[11], by: \.raya)
                == Refusal(.early, ConversationCause.tooManySkipped(11, limit: 10)))
        try ends.open(messages[0], by: \.raya)
        let opened = try ends.open(messages[11], by: \.raya)
        #expect(opened.value == "11" && opened.missing.count == 10 && ends.raya.skippedKeyCount == 10)
        for number in (1...10).reversed() {
            let late = try ends.open(messages[number], by: \.raya)
            #expect(late.value == Bytes("\(number)"))
            #expect(late.reference == opened.missing[number - 1])
        }
        #expect(ends.raya.skippedKeyCount == 0)
        #expect(try ends.open(messages[12], by: \.raya).value == "12")
    }

    @Test func `missing at the end of a chain and at the start of the next are both waited for (DR-7)`() throws {
        var ends = try Ends()
        try ends.open(ends.seal("begin", by: \.saro), by: \.raya)
        let old = try (0..<10).map { try ends.seal("old \($0)", by: \.saro) }
        try ends.open(ends.seal("turn", by: \.raya), by: \.saro)
        let new = try (0..<12).map { try ends.seal("new \($0)", by: \.saro) }
        #expect(ends.refusal(of: new[11], by: \.raya)?.cause.code == "too_many_skipped")
        let opened = try ends.open(new[10], by: \.raya)
        #expect(opened.missing.count == 20)
        for (index, message) in (old + new.prefix(10)).enumerated() {
            let late = try ends.open(message, by: \.raya)
            #expect(late.value == Bytes(index < 10 ? "old \(index)" : "new \(index - 10)"))
        }
        #expect(ends.raya.skippedKeyCount == 0)
    }

    @Test(arguments: [1_001, 5_000, 100_000])
    func `any honest gap opens, and the keys of its last thousand payloads are kept (DR-7)`(gap: Int) throws {
        var ends = try Ends(.reference)
        try ends.open(ends.seal("begin", by: \.saro), by: \.raya)
        let messages = try (0..<gap + 1).map { try ends.seal("\($0)", by: \.saro) }
        let opened = try ends.open(messages[gap], by: \.raya)
        #expect(opened.value == Bytes("\(gap)") && opened.missing.count == 1_000 && opened.lost.count == 1)
        #expect(ends.raya.skippedKeyCount == 1_000 && opened.lost[0].hasSuffix("/1-\(gap - 1_000)"))
        let (lost, late) = (messages[gap - 1_001], messages[gap - 1_000])
        #expect(ends.refusal(of: lost, by: \.raya)?.cause.code == "replay")
        #expect(try ends.open(late, by: \.raya).reference == opened.missing[0])
        try ends.goRound()
    }

    @Test(arguments: [1_001, 100_000, 1 << 30])
    func `a chain that has ended may end in a gap of any length (DR-2, DR-7)`(gap: Int) throws {
        var ends = try Ends(.reference)
        try ends.open(ends.seal("begin", by: \.saro), by: \.raya)
        let turn = try ends.seal("turn", by: \.raya)
        ends.saro.sent += gap
        try ends.open(turn, by: \.saro)
        let opened = try ends.open(ends.seal("new", by: \.saro), by: \.raya)
        #expect(opened.value == "new" && opened.lost.count == 1)
        #expect(opened.missing.count == (gap > 1 << 18 ? 0 : 1_000))
        try ends.goRound()
    }

    @Test func `a gap longer than honest use makes is early, and forged ones cost a bounded work (DR-7, DR-13)`() throws
    {
        var ends = try Ends(.reference)
        try ends.goRound()
        let honest = try (0..<3_001).map { try ends.seal("\($0)", by: \.saro) }.last ?? ends.seal("", by: \.saro)
        var forged = honest
        forged.number = (1 << 18) + 1
        #expect(ends.refusal(of: forged, by: \.raya)?.cause.code == "too_many_skipped")
        func code(_ ends: inout Ends, _ number: UInt32, at seconds: Int) -> String? {
            forged.number = number
            let refusal = #expect(throws: Refusal.self) {
                try ends.raya.open(forged, at: now + .seconds(seconds)) { $0 }
            }
            return refusal?.cause.code
        }
        #expect(code(&ends, 1 << 18, at: 0) == "authentication_failed")
        // Nothing is left: longer gaps wait, shorter ones do not.
        #expect(code(&ends, 2_000, at: 0) == "too_many_skipped")
        #expect(code(&ends, 1_000, at: 0) == "authentication_failed")
        #expect(code(&ends, 4_000, at: 3) == "too_many_skipped")
        #expect(try ends.raya.open(honest, at: now + .seconds(4)) { $0 }.value == "3000")
    }

    @Test func `of keys of missing payloads the oldest go first (DR-8, PV1-17)`() throws {
        let parameters = DoubleRatchet.Parameters(
            rootInfo: "DoubleRatchetRootKey", messageKeyInfo: nil, maximumSkip: 10, maximumSkippedKeys: 12)
        var ends = try Ends(parameters)
        let messages = try (0..<19).map { try ends.seal("\($0)", by: \.saro) }
        try ends.open(messages[8], by: \.raya)
        try ends.open(messages[0], by: \.raya)
        try ends.open(messages[18], by: \.raya)
        #expect(ends.raya.skippedKeyCount == 12)
        for number in 1...4 {
            #expect(ends.refusal(of: messages[number], by: \.raya)?.cause.code == "replay")
        }
        #expect(try ends.open(messages[5], by: \.raya).value == "5")
        // What came and went between two batches leaves nothing to store.
        let serials = Set(ends.raya.takeSkippedChanges(RecordCodec(machine: "test")).map(\.key))
        #expect(serials.count == 11)
    }

    @Test func `a message that was received is a replay, in its chain and after turns (DR-9)`() throws {
        var ends = try Ends()
        let first = try ends.seal("hello", by: \.saro)
        try ends.open(first, by: \.raya)
        #expect(ends.refusal(of: first, by: \.raya) == Refusal(.invalid, ConversationCause.replay(number: 0)))
        try ends.open(ends.seal("turn", by: \.raya), by: \.saro)
        for _ in 0..<DoubleRatchet.maximumEarlierKeys {
            try ends.goRound()
            #expect(ends.refusal(of: first, by: \.raya)?.cause.code == "replay")
        }
        // Keys are remembered for so many turns; later a repeat is taken for a turn, and is not authentic.
        try ends.goRound()
        #expect(ends.refusal(of: first, by: \.raya)?.cause.code == "authentication_failed")
        #expect(ends.raya.earlierKeys.count == DoubleRatchet.maximumEarlierKeys)
    }

    @Test func `an own message that comes back is refused (DR-9)`() throws {
        var ends = try Ends()
        let message = try ends.seal("hello", by: \.saro)
        #expect(ends.refusal(of: message, by: \.saro)?.outcome == .invalid)
        try ends.open(message, by: \.raya)
        let answer = try ends.seal("hi", by: \.raya)
        #expect(ends.refusal(of: answer, by: \.raya)?.cause.code == "authentication_failed")
    }

    @Test func `every bit of header and ciphertext is authenticated (DR-3)`() throws {
        var ends = try Ends()
        try ends.goRound()
        let message = try ends.seal("hello", by: \.saro)
        for bit in 0..<(32 + 4 + 4 + message.ciphertext.count) * 8 {
            var altered = message
            let mask = UInt8(1) << UInt8(bit % 8)
            switch bit / 8 {
            case 0..<32: altered.dh.withMutableSpan { $0[bit / 8] ^= mask }
            case 32..<36: altered.number ^= 1 << UInt32(bit - 32 * 8)
            case 36..<40: altered.previousChainLength ^= 1 << UInt32(bit - 36 * 8)
            case let byte: altered.ciphertext.withMutableSpan { $0[byte - 40] ^= mask }
            }
            _ = ends.refusal(of: altered, by: \.raya)
        }
        #expect(try ends.open(message, by: \.raya).value == "hello")
    }

    @Test func `a frame that the caller refuses leaves its key for another try (PV1-19)`() throws {
        var ends = try Ends()
        let messages = [try ends.seal("0", by: \.saro), try ends.seal("1", by: \.saro)]
        for message in messages.reversed() {
            let before = ends.raya
            #expect(throws: Refusal.self) {
                try ends.raya.open(message) { _ throws(Refusal) in throw .invalid(.invalidHeader("no")) }
            }
            #expect(ends.raya == before)
            try ends.open(message, by: \.raya)
        }
    }

    @Test func `a responder sends nothing before it received something (DR-10)`() throws {
        var ends = try Ends()
        let before = ends.raya
        let refusal = #expect(throws: Refusal.self) { try ends.seal("hello", by: \.raya) }
        #expect(refusal == Refusal(.unable, ConversationCause.nothingReceived) && ends.raya == before)
    }

    @Test func `a chain ends before its numbers do (DR-6)`() throws {
        var ends = try Ends()
        ends.saro.sent = Int(UInt32.max) - 1
        let last = try ends.seal("last", by: \.saro)
        #expect(last.number == UInt32.max - 1)
        let refusal = #expect(throws: Refusal.self) { try ends.seal("one more", by: \.saro) }
        #expect(refusal?.cause.code == "invalid_state" && refusal?.outcome == .unable)
    }

    @Test func `a copy goes its own way (MODEL-1)`() throws {
        var ends = try Ends()
        try ends.open(ends.seal("begin the chain", by: \.saro), by: \.raya)
        let messages = try (0..<3).map { try ends.seal("\($0)", by: \.saro) }
        let copy = ends.raya
        for message in messages { try ends.open(message, by: \.raya) }
        ends.raya = copy
        for message in messages { try ends.open(message, by: \.raya) }
        let untouched = ends.saro
        var twin = ends.saro
        _ = try ends.seal("more", by: \.saro)
        #expect(twin == untouched && twin != ends.saro)
        var random: any RandomSource = SeededRandom(9)
        _ = try twin.seal(0, random: &random) { _ in }
        #expect(twin == ends.saro)
    }

    @Test func `a secret of another size is no beginning (PV1-03)`() {
        let short = Secret(count: 31) { _ in }
        #expect(throws: Refusal.self) {
            try DoubleRatchet(responderWith: short, own: KeyPair(secret: short, publicKey: PublicKey([])), .libchat)
        }
    }

    @Test func `a ratchet prints no key`() throws {
        var ends = try Ends()
        try ends.goRound()
        var text = ""
        dump(ends.saro, to: &text)
        text += "\(ends.saro)"
        let secrets =
            [ends.saro.root, ends.saro.own.secret] + [ends.saro.receiving, ends.saro.sending].compactMap { $0?.key }
        for secret in secrets {
            let bytes = secret.lend { Bytes(copying: $0).array }
            #expect(!text.contains(bytes.hex) && !text.contains("\(bytes[0]), \(bytes[1]), \(bytes[2])"))
        }
    }

    @Test func `a reference ratchet has other keys and the same behaviour (PV1-14)`() throws {
        var (reference, libchat) = (try Ends(.reference), try Ends(.libchat))
        let (first, second) = (try reference.seal("hello", by: \.saro), try libchat.seal("hello", by: \.saro))
        #expect(first.dh == second.dh && first.ciphertext != second.ciphertext)
        #expect(libchat.refusal(of: first, by: \.raya)?.cause.code == "authentication_failed")
        #expect(try reference.open(first, by: \.raya).value == "hello")
    }
}
