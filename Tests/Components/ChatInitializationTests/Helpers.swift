import ChatCrypto
import ChatInitialization
import ChatModel
import TestSupport
import Testing

extension Secret {
    convenience init(_ bytes: [UInt8]) { self.init(copying: bytes.span) }

    /// What a test may see and nobody else.
    var revealed: [UInt8] {
        lend { bytes in bytes.indices.map { bytes[$0] } }
    }
}

/// When the tests begin.
let start = Timestamp(milliseconds: 1_700_000_000_000)

/// One client's initialization, driven step by step, with what it would have stored.
struct Peer<Machine: InitializationProtocol> {
    var machine: Machine
    var now = start
    var random: any RandomSource
    var stored: [String: Bytes] = [:]
    var sent: [Routed] = []
    private var nextContact: UInt64 = 0
    var alarm: Timestamp? { machine.nextWake }

    init(_ machine: Machine, random: any RandomSource) {
        (self.machine, self.random) = (machine, random)
    }

    /// Does something in a turn of its own, as the core does: what refuses leaves nothing.
    @discardableResult
    mutating func step<R>(
        maximumPayload: Int = 150 << 10, _ body: (inout Machine, inout Step) throws(Refusal) -> R
    ) throws(Refusal) -> (R, Step) {
        var turn = Step(now: now, maximumPayload: maximumPayload, headRoom: 16, random: random)
        var trial = machine
        let result = try body(&trial, &turn)
        machine = trial
        random = turn.random
        for record in machine.takeChanges() { stored[record.key] = record.bytes }
        sent += turn.sends.map(\.routed)
        return (result, turn)
    }

    mutating func introduce(_ count: Int = 1) throws(Refusal) -> [IntroductionBundle] {
        try step { machine, turn throws(Refusal) in try machine.introduce(count, in: &turn) }.0
    }

    mutating func seed(
        _ type: ConversationType = "any-type", for bundle: IntroductionBundle?
    ) throws(Refusal) -> ConversationSeed {
        nextContact += 1
        let contact = ContactID(nextContact)
        return try step { machine, turn throws(Refusal) -> ConversationSeed in
            guard let bundle else { return try machine.found(type, in: &turn) }
            guard let seed = try machine.begin(type, with: bundle, as: contact, in: &turn) else {
                throw Refusal(.unable, CommonCause.incompleteSeed("an end", type: type.name))
            }
            return seed
        }.0
    }

    /// Seeds and invites; gives the invite.
    mutating func invite(
        _ type: ConversationType = "any-type", with bundle: IntroductionBundle,
        saying opening: Bytes = Bytes("hello")
    ) throws(Refusal) -> Routed {
        guard let contact = try seed(type, for: bundle).contact else {
            throw Refusal(.foreign, CommonCause.malformed("seed", at: 0))
        }
        let (_, turn) = try step { machine, turn throws(Refusal) in
            try machine.invite(contact, opening: opening, for: ContentID(1), in: &turn)
        }
        return turn.sends[0].routed
    }

    mutating func receive(_ routed: Routed) throws(Refusal) -> ConversationSeed {
        let (_, turn) = try step { machine, turn throws(Refusal) in try machine.receive(routed, in: &turn) }
        return turn.seeds[0]
    }

    /// What a receive is refused with; nil where it is taken. Checks that a refused one changes nothing.
    mutating func refusal(of routed: Routed) -> Refusal? {
        let before = stored
        do throws(Refusal) {
            _ = try receive(routed)
            return nil
        } catch {
            var turn = Step(now: now, random: random)
            var copy = machine
            do throws(Refusal) { try copy.receive(routed, in: &turn) } catch {}
            #expect(copy.takeChanges().isEmpty && turn.seeds.isEmpty && turn.sends.isEmpty && stored == before)
            return error
        }
    }

    mutating func wake(_ signal: Signal) throws(Refusal) {
        try step { machine, turn throws(Refusal) in machine.handle(signal, in: &turn) }
    }

    /// Drops everything and comes back from what was stored.
    mutating func restart(_ fresh: Machine) throws(Refusal) {
        var machine = fresh
        try machine.restore(stored.sorted { $0.key < $1.key }.map { Record($0.key, $0.value) })
        self.machine = machine
        try wake(.restored)
    }
}

/// An inbox whose identity is one byte repeated.
func inbox(_ byte: UInt8, _ profile: InboxV1.Profile = .reference) throws -> InboxV1 {
    try InboxV1(identity: X25519.keyPair(Secret([UInt8](repeating: byte, count: 32))), profile: profile)
}

/// Saro and Raya, who have not met.
func pair(_ profile: InboxV1.Profile, seed: UInt64 = 1) throws -> (saro: Peer<InboxV1>, raya: Peer<InboxV1>) {
    (
        try Peer(inbox(0x11, profile), random: SeededRandom(seed)),
        try Peer(inbox(0x22, profile), random: SeededRandom(seed + 1_000))
    )
}
