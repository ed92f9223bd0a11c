public import ChatModel

// Conversations of more than two: founded by one, who adds the others (`Specs/contracts.md`, GROUP).
extension Conformance {
    /// Checks a conversation type among several participants (GROUP-4 to GROUP-7).
    ///
    /// One founds the conversation and adds the others; then all of them speak.
    ///
    /// - Parameters:
    ///   - type: the conversation type.
    ///   - participants: how many there are, the founder included; at least 3.
    ///   - seed: makes the run repeatable.
    ///   - only: the ids of the checks to run; all where nil.
    public static func check(
        group type: any ConversationProtocol, participants: Int = 4, seed: UInt64 = 1, only: Set<String>? = nil
    ) -> Report {
        let count = max(3, participants)
        var checker = Checker("group", type.facts, seed: seed, only: only)
        checker.check("GROUP-4", "a founder adds others, and each gets an opening of its own") { dice throws(Stop) in
            _ = try Group(type, count, &dice)
        }
        checker.check("GROUP-5", "what one of \(count) says, every other hears once") { dice throws(Stop) in
            var group = try Group(type, count, &dice)
            for round in 0..<3 { try group.speak(round, &dice) }
        }
        checker.check("GROUP-6", "\(count) participants go on over restarts") { dice throws(Stop) in
            var group = try Group(type, count, &dice)
            for round in 0..<count {
                try group.speak(round, &dice)
                // One at a time: those that forget the same would agree again.
                try group.restart(round, type, &dice)
            }
            try group.speak(count, &dice)
        }
        checker.check("GROUP-7", "one that misses payloads gets their contents later, and no other hears twice") {
            dice throws(Stop) in
            try applies(type.facts.claims(.lossRecovery), "claims no loss recovery")
            var group = try Group(type, count, &dice)
            group.deaf = count - 1
            try group.speak(0, &dice)
            group.deaf = nil
            try group.speak(1, &dice)
            try group.expectHeard(by: count - 1)
        }
        return checker.report
    }
}

/// Several participants of one conversation on a network that carries everything, except to one who is deaf.
struct Group {
    private var members: [any Conversation] = []
    private var stored: [Stored] = []
    /// The contents that each has heard, and all that were said, with their senders.
    private var heard: [[Content: Int]] = []
    private var said: [(content: Content, sender: Int)] = []
    private var onAir: [(routed: Routed, sender: Int)] = []
    private var now: UInt64 = 1_700_000_000_000
    private var nextContent: UInt64 = 0
    /// The one to whom nothing comes through.
    var deaf: Int?

    init(_ type: any ConversationProtocol, _ count: Int, _ dice: inout Dice) throws(Stop) {
        var random: any RandomSource = Dice(seed: dice.next())
        let secret = random.secret(32, for: .secret)
        let keys = (0..<count).map { _ in PublicKey(random.bytes(32, for: .identifier)) }
        var step = dice.step(now: now)
        let founding = ConversationSeed(type: type.name, side: .founding, secret: secret, ownIdentity: keys[0])
        var founder: any Conversation = try succeed("a founder's seed") { () throws(Refusal) in
            try type.begin(founding, in: &step)
        }
        let seeds = (1..<count).map { number in
            ConversationSeed(
                type: type.name, side: .inviting(), contact: ContactID(UInt64(number)), secret: secret,
                ownIdentity: keys[0], peers: [keys[number]])
        }
        try succeed("\(seeds.count) members") { () throws(Refusal) in
            try founder.perform(.add(seeds), as: ContentID(1), in: &step)
        }
        nextContent = 1
        members = [founder]
        for (number, seed) in zip(1..., seeds) {
            let openings = step.openings.filter { $0.contact == seed.contact }
            try expect(openings.count == 1, "member \(number) has \(openings.count) openings")
            var other = dice.step(now: now)
            let invited = ConversationSeed(
                type: type.name, side: .invited(opening: openings[0].payload), secret: secret,
                ownIdentity: keys[number], peers: [keys[0]])
            members.append(
                try succeed("an opening") { () throws(Refusal) in try type.begin(invited, in: &other) })
            onAir += other.sends.map { ($0.routed, number) }
        }
        onAir += step.sends.map { ($0.routed, 0) }
        stored = members.map { _ in Stored() }
        heard = members.map { _ in [:] }
    }

    /// Everybody says something, one after the other, and everybody else must hear it.
    mutating func speak(_ round: Int, _ dice: inout Dice) throws(Stop) {
        for sender in members.indices {
            let content = Bytes([UInt8(truncatingIfNeeded: round), UInt8(truncatingIfNeeded: sender)])
            nextContent += 1
            var step = dice.step(now: now)
            let id = ContentID(nextContent)
            try succeed("content of member \(sender)") { () throws(Refusal) in
                try members[sender].perform(.send(content), as: id, in: &step)
            }
            said.append((content, sender))
            take(step, from: sender)
        }
        settle(&dice)
        for member in members.indices where member != deaf { try expectHeard(by: member) }
    }

    /// Fails unless a member has heard what all others said, once.
    func expectHeard(by member: Int) throws(Stop) {
        for (content, sender) in said where sender != member {
            let count = heard[member][content] ?? 0
            try expect(count == 1, "member \(member) heard a content of member \(sender) \(count) times")
        }
    }

    mutating func restart(
        _ member: Int, _ type: any ConversationProtocol, _ dice: inout Dice
    ) throws(Stop) {
        stored[member].take(members[member].takeChanges())
        let records = stored[member].records
        members[member] = try succeed("its own records") { () throws(Refusal) in try type.restore(records) }
        var step = dice.step(now: now)
        members[member].handle(.restored, in: &step)
        take(step, from: member)
    }

    /// Lets time pass, an hour at most, until all is said.
    private mutating func settle(_ dice: inout Dice) {
        let end = now + 3_600_000
        for _ in 0..<2_000 {
            carry(&dice)
            guard let next = members.compactMap(\.nextWake).min()?.milliseconds, next <= end else { return }
            now = max(now + 1, next)
            for member in members.indices where members[member].nextWake.map({ $0.milliseconds <= now }) == true {
                var step = dice.step(now: now)
                members[member].handle(.due, in: &step)
                take(step, from: member)
            }
        }
    }

    private mutating func carry(_ dice: inout Dice) {
        for _ in 0..<10_000 where !onAir.isEmpty {
            let (routed, sender) = onAir.removeFirst()
            for member in members.indices where member != sender && member != deaf {
                let isHeard = members[member].listening.contains {
                    $0.address == routed.address && $0.route.id == routed.route.id
                }
                guard isHeard else { continue }
                var step = dice.step(now: now)
                do throws(Refusal) { try members[member].receive(routed, in: &step) } catch { continue }
                take(step, from: member)
            }
        }
    }

    private mutating func take(_ step: Step, from member: Int) {
        onAir += step.sends.map { ($0.routed, member) }
        for case .content(let received) in step.events { heard[member][received.content, default: 0] += 1 }
    }
}
