internal import ChatCrypto
internal import ChatModel

/// Two participants of one conversation, driven by hand.
struct Pair {
    static let hello = Bytes("hello")

    var saro: any ConversationProtocol
    var raya: any ConversationProtocol
    /// What Saro's opening delivered to Raya.
    let opened: [Content]
    /// What each has stored: Saro's records, then Raya's.
    var stored: [[String: Bytes]] = [[:], [:]]
    private var nextContent: UInt64 = 1

    init(_ type: any ConversationProtocol.Type, _ dice: inout Dice) throws(Stop) {
        var random: any RandomSource = Dice(seed: dice.next())
        let secret = random.secret(32, for: .secret)
        let ephemeral = X25519.generate(using: &random, for: .introEphemeralPrivate)
        let identities = (0..<2).map { _ in PublicKey(random.bytes(32, for: .identifier)) }
        var turn = dice.turn()
        let invites = ConversationSeed(
            type: type.type, role: .initiator, secret: secret, remoteKeys: [ephemeral.publicKey],
            ownIdentity: identities[0], peers: [identities[1]])
        var saro: any ConversationProtocol = try succeed("a seed for the initiator") { () throws(Refusal) in
            try type.init(invites, in: &turn)
        }
        try succeed("the first content") { () throws(Refusal) in
            try saro.perform(.send(Self.hello, ContentID(1)), in: &turn)
        }
        guard let opening = turn.takeOpenings().first else {
            throw .failed("the initiator put nothing into the invite")
        }
        var other = dice.turn()
        let invited = ConversationSeed(
            type: type.type, role: .responder, secret: secret, ownKeys: [ephemeral], ownIdentity: identities[1],
            peers: [identities[0]], opening: opening.payload)
        raya = try succeed("the opening") { () throws(Refusal) in try type.init(invited, in: &other) }
        self.saro = saro
        opened = Self.contents(of: other)
    }

    mutating func send(_ content: Content, fromSaro: Bool, _ dice: inout Dice) throws(Stop) -> [Routed] {
        nextContent += 1
        let action = Action.send(content, ContentID(nextContent))
        var turn = dice.turn()
        if fromSaro {
            try succeed("content from Saro") { () throws(Refusal) in try saro.perform(action, in: &turn) }
        } else {
            try succeed("content from Raya") { () throws(Refusal) in try raya.perform(action, in: &turn) }
        }
        return turn.sends.map(\.routed)
    }

    mutating func receive(_ routed: Routed, bySaro: Bool, _ dice: inout Dice) throws(Stop) -> [Content] {
        var turn = dice.turn()
        if bySaro {
            try succeed("a payload for Saro") { () throws(Refusal) in try saro.receive(routed, in: &turn) }
        } else {
            try succeed("a payload for Raya") { () throws(Refusal) in try raya.receive(routed, in: &turn) }
        }
        return Self.contents(of: turn)
    }

    /// Sends content and hands over its payloads; gives what was delivered.
    mutating func pass(_ content: Content, fromSaro: Bool, _ dice: inout Dice) throws(Stop) -> [Content] {
        var received: [Content] = []
        for routed in try send(content, fromSaro: fromSaro, &dice) {
            received += try receive(routed, bySaro: !fromSaro, &dice)
        }
        return received
    }

    /// Stores both sides and makes them again from their records.
    mutating func restart(_ type: any ConversationProtocol.Type) throws(Stop) {
        for record in saro.takeChanges() { stored[0][record.key] = record.bytes }
        for record in raya.takeChanges() { stored[1][record.key] = record.bytes }
        let records = stored.map { table in table.sorted { $0.key < $1.key }.map { Record($0.key, $0.value) } }
        let before = [saro.id, raya.id]
        saro = try succeed("Saro's records") { () throws(Refusal) in try type.init(restoring: records[0]) }
        raya = try succeed("Raya's records") { () throws(Refusal) in try type.init(restoring: records[1]) }
        try expect(before == [saro.id, raya.id], "an id changed over a restart")
    }

    private static func contents(of turn: Turn) -> [Content] {
        turn.events.compactMap { if case .content(let received) = $0 { received.content } else { nil } }
    }
}
