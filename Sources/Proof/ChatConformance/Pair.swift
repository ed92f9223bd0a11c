internal import ChatCrypto
internal import ChatModel

/// Two participants of one conversation, driven by hand.
struct Pair {
    static let hello = Bytes("hello")

    var saro: any Conversation
    var raya: any Conversation
    /// The contents that Saro's opening delivered to Raya.
    let opened: [Content]
    /// The seed from which Raya's side began.
    let invited: ConversationSeed
    /// The payloads of each: Saro, then Raya; replies once they are handed over.
    private(set) var sent: [[Routed]] = [[], []]
    /// The records of each: Saro, then Raya.
    private var stored = [Stored(), Stored()]
    private var nextContent: UInt64 = 1
    private var now: UInt64 = 1_700_000_000_000
    /// Payloads sent in answer to payloads, and who sent them; under way until time passes.
    private var replies: [(routed: Routed, isSaros: Bool)] = []

    /// - Parameter isRestarted: whether Saro is made again from her records before she says anything.
    init(_ type: any ConversationProtocol, isRestarted: Bool = false, _ dice: inout Dice) throws(Stop) {
        var random: any RandomSource = Dice(seed: dice.next())
        let secret = random.secret(32, for: .secret)
        let ephemeral = X25519.generate(using: &random, for: .introEphemeralPrivate)
        let identities = (0..<2).map { _ in PublicKey(random.bytes(32, for: .identifier)) }
        var turn = dice.step()
        let invites = ConversationSeed(
            type: type.name, side: .inviting(), secret: secret, remoteKeys: [ephemeral.publicKey],
            ownIdentity: identities[0], peers: [identities[1]])
        var saro: any Conversation = try succeed("a seed for the initiator") { () throws(Refusal) in
            try type.begin(invites, in: &turn)
        }
        if isRestarted {
            stored[0].take(saro.takeChanges())
            saro = try Self.restored(type, from: stored[0].records)
        }
        try succeed("the first content") { () throws(Refusal) in
            try saro.perform(.send(Self.hello), as: ContentID(1), in: &turn)
        }
        guard let opening = turn.openings.first else {
            throw .failed("the initiator put nothing into the invite")
        }
        var other = dice.step()
        invited = ConversationSeed(
            type: type.name, side: .invited(opening: opening.payload), secret: secret, ownKeys: [ephemeral],
            ownIdentity: identities[1], peers: [identities[0]])
        let invited = invited
        raya = try succeed("the opening") { () throws(Refusal) in try type.begin(invited, in: &other) }
        self.saro = saro
        opened = Self.contents(of: other)
    }

    /// Where each side listens.
    var addresses: [Set<DeliveryAddress>] { [saro, raya].map { Set($0.listening.map(\.address)) } }

    mutating func send(_ content: Content, fromSaro: Bool, _ dice: inout Dice) throws(Stop) -> [Routed] {
        nextContent += 1
        let (action, id) = (Action.send(content), ContentID(nextContent))
        var turn = dice.step(now: now)
        if fromSaro {
            try succeed("content from Saro") { () throws(Refusal) in try saro.perform(action, as: id, in: &turn) }
        } else {
            try succeed("content from Raya") { () throws(Refusal) in try raya.perform(action, as: id, in: &turn) }
        }
        sent[fromSaro ? 0 : 1] += turn.sends.map(\.routed)
        return turn.sends.map(\.routed)
    }

    mutating func receive(_ routed: Routed, bySaro: Bool, _ dice: inout Dice) throws(Stop) -> [Content] {
        var turn = dice.step(now: now)
        if bySaro {
            try succeed("a payload for Saro") { () throws(Refusal) in try saro.receive(routed, in: &turn) }
        } else {
            try succeed("a payload for Raya") { () throws(Refusal) in try raya.receive(routed, in: &turn) }
        }
        replies += turn.sends.map { ($0.routed, bySaro) }
        return Self.contents(of: turn)
    }

    /// Hands payloads to Raya; gives what came of them.
    mutating func hear(_ payloads: [Routed], _ dice: inout Dice) throws(Stop) -> [ReceivedContent] {
        var step = dice.step(now: now)
        for payload in payloads {
            try succeed("a payload for Raya") { () throws(Refusal) in try raya.receive(payload, in: &step) }
        }
        return step.events.compactMap { if case .content(let received) = $0 { received } else { nil } }
    }

    mutating func receive(_ payloads: [Routed], bySaro: Bool, _ dice: inout Dice) throws(Stop) -> [Content] {
        var received: [Content] = []
        for payload in payloads { received += try receive(payload, bySaro: bySaro, &dice) }
        return received
    }

    /// Sends content and hands over its payloads; gives what was delivered.
    mutating func pass(_ content: Content, fromSaro: Bool, _ dice: inout Dice) throws(Stop) -> [Content] {
        let payloads = try send(content, fromSaro: fromSaro, &dice)
        return try receive(payloads, bySaro: !fromSaro, &dice)
    }

    /// Offers payloads to Raya as a client does: what is refused as early is offered again after the others.
    mutating func offer(_ payloads: [Routed], _ dice: inout Dice) -> [Content] {
        var (waiting, received) = (payloads, [Content]())
        for _ in 0...payloads.count where !waiting.isEmpty {
            let offered = waiting
            waiting = []
            for payload in offered {
                var turn = dice.step(now: now)
                do throws(Refusal) { try raya.receive(payload, in: &turn) } catch {
                    if error.outcome == .early { waiting.append(payload) }
                    continue
                }
                replies += turn.sends.map { ($0.routed, false) }
                received += Self.contents(of: turn)
            }
            guard waiting.count < offered.count else { break }
        }
        return received
    }

    /// Lets time pass: wakes both sides when they asked for it and hands over what they send; gives what Raya got.
    mutating func settle(_ dice: inout Dice) -> [Content] {
        var received = carry(&dice)
        for _ in 0..<100 {
            guard let next = Timestamp.earliest(saro.nextWake, raya.nextWake) else { break }
            now = max(now, next.milliseconds)
            for isSaro in [true, false] where (isSaro ? saro : raya).nextWake == next {
                var turn = dice.step(now: now)
                if isSaro { saro.handle(.due, in: &turn) } else { raya.handle(.due, in: &turn) }
                replies += turn.sends.map { ($0.routed, isSaro) }
            }
            received += carry(&dice)
        }
        return received
    }

    /// Wakes Saro's side whenever it wants, and loses what it sends; it must never want what is past.
    mutating func wakeAlone(_ dice: inout Dice) throws(Stop) {
        for _ in 0..<200 {
            guard let next = saro.nextWake else { return }
            now = max(now, next.milliseconds)
            var step = dice.step(now: now)
            saro.handle(.due, in: &step)
            guard let again = saro.nextWake else { return }
            try expect(again > step.now, "woken at \(step.now), it wants to be woken at \(again)")
        }
    }

    /// Hands over what is on its way, and what comes of that; gives what Raya got.
    private mutating func carry(_ dice: inout Dice) -> [Content] {
        var received: [Content] = []
        for _ in 0..<1_000 where !replies.isEmpty {
            let (routed, isSaros) = replies.removeFirst()
            sent[isSaros ? 0 : 1].append(routed)
            let contents = (try? receive(routed, bySaro: !isSaros, &dice)) ?? []
            if isSaros { received += contents }
        }
        return received
    }

    /// Raya's records.
    var records: [Record] {
        mutating get {
            stored[1].take(raya.takeChanges())
            return stored[1].records
        }
    }

    /// The size of the larger side's records.
    var storedSize: Int { max(stored[0].size, stored[1].size) }

    /// Takes what both sides want stored.
    mutating func store() {
        stored[0].take(saro.takeChanges())
        stored[1].take(raya.takeChanges())
    }

    /// Makes one side again from its records.
    mutating func restart(_ type: any ConversationProtocol, saro isSaro: Bool) throws(Stop) {
        store()
        let (before, records) = (isSaro ? saro.id : raya.id, stored[isSaro ? 0 : 1].records)
        let again = try Self.restored(type, from: records)
        try expect(before == again.id, "id \(before) became \(again.id) over a restart")
        if isSaro { saro = again } else { raya = again }
    }

    private static func restored(
        _ type: any ConversationProtocol, from records: [Record]
    ) throws(Stop) -> any Conversation {
        try succeed("its own records") { () throws(Refusal) in try type.restore(records) }
    }

    private static func contents(of turn: Step) -> [Content] {
        turn.events.compactMap { if case .content(let received) = $0 { received.content } else { nil } }
    }
}
