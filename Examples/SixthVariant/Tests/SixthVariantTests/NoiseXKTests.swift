import ChatClient
import ChatCrypto
import ChatModel
import ChatSimulation
import ChatVariants
import SixthVariant
import Testing

/// Keys that are the same in every run.
private func identity(_ number: UInt64) -> KeyPair {
    var random: any RandomSource = RepeatableRandom(seed: number)
    return X25519.generate(using: &random, for: .secret)
}

/// A composition with `noise-xk`, for one of the peers.
private func suite(_ name: String, of peer: UInt64) async throws -> ChatSuite {
    let key = identity(peer)
    var registry = Variants(identity: key).registry
    registry.initialization("noise-xk") { NoiseXK(identity: key) }
    registry.framing("lines") { LineFraming() }
    return try await registry.suite(SuiteName(parsing: name))
}

@Test(.timeLimit(.minutes(10)), arguments: ["lossy", "restarts", "storm", "offline"])
func `a first contact of two round trips begins under loss, forgery and restarts (CONTACT-6)`(name: String)
    async throws
{
    let scenario = try #require(Scenario.named(name))
    for composition in ["links/noise-xk/plain-reliable/memory/lines", "links/noise-xk/private-v1/memory/envelope-v1"] {
        var suites: [ChatSuite] = []
        for peer in 0..<UInt64(scenario.peers) { suites.append(try await suite(composition, of: peer)) }
        for seed in UInt64(0)..<3 {
            var run = Simulation(scenario, Composition(suites), seed: seed)
            run.run()
            #expect(run.violation == nil, "\(composition), \(name), seed \(seed)")
            #expect(run.tally.heard > 0)
        }
    }
}

@Test func `a description shows how many messages and round trips a first contact takes (CONTACT-10)`() async throws {
    let name = "links/noise-xk/private-v1/memory/envelope-v1"
    let (saro, raya) = (try await suite(name, of: 1), try await suite(name, of: 2))
    #expect(saro.description.contains("a first contact takes 3 messages"))
    let trial = try SuiteTrial(saro, raya)
    #expect(trial.roundTrips == 1)
    #expect(!trial.seen.contains(.inviter) && !trial.seen.contains(.content))
}

/// What a step of one machine left: payloads, and seeds.
private func run(
    _ machine: inout NoiseXK, _ random: inout any RandomSource, _ body: (inout NoiseXK, inout Step) throws -> Void
) throws -> Step {
    var step = Step(now: Timestamp(milliseconds: 1), random: random)
    try body(&machine, &step)
    random = step.random
    return step
}

/// The machine made again from its records.
private func restarted(_ machine: inout NoiseXK, _ stored: inout [String: Record], _ number: UInt64) throws {
    for record in machine.takeChanges() { stored[record.key] = record.bytes == nil ? nil : record }
    machine = NoiseXK(identity: identity(number))
    try machine.restore(Array(stored.values))
}

@Test func `who is invited keeps nothing of a knock, and answers the same knock the same (NOISE-4)`() throws {
    var random: any RandomSource = RepeatableRandom(seed: 3)
    var (saro, raya) = (NoiseXK(identity: identity(1)), NoiseXK(identity: identity(2)))
    var (saros, rayas): ([String: Record], [String: Record]) = ([:], [:])
    var bundles: [IntroductionBundle] = []
    _ = try run(&raya, &random) { bundles = try $0.introduce(1, in: &$1) }
    let bundle = try #require(bundles.first)
    let knock = try run(&saro, &random) { machine, step in
        let seed = try machine.begin("plain", with: bundle, as: ContactID(1), in: &step)
        #expect(seed == nil)
    }.sends[0]
    #expect(knock.contact == ContactID(1) && saro.listening.count == 2)
    try restarted(&raya, &rayas, 2)
    let answer = try run(&raya, &random) { try $0.receive(knock.routed, in: &$1) }.sends[0]
    #expect(raya.takeChanges().isEmpty)
    try restarted(&raya, &rayas, 2)
    let again = try run(&raya, &random) { try $0.receive(knock.routed, in: &$1) }.sends[0]
    #expect(answer.routed == again.routed)
    try restarted(&saro, &saros, 1)
    let seed = try #require(try run(&saro, &random) { try $0.receive(answer.routed, in: &$1) }.seeds.first)
    try restarted(&saro, &saros, 1)
    let refusal = #expect(throws: Refusal.self) {
        _ = try run(&saro, &random) { try $0.receive(answer.routed, in: &$1) }
    }
    #expect(refusal?.cause.code == "replay")
    let invite = try run(&saro, &random) { machine, step in
        try machine.invite(ContactID(1), opening: Bytes("hello"), for: nil, in: &step)
    }.sends[0]
    try restarted(&raya, &rayas, 2)
    let rayasSeed = try #require(try run(&raya, &random) { try $0.receive(invite.routed, in: &$1) }.seeds.first)
    #expect(rayasSeed.secret == seed.secret && rayasSeed.opening == Bytes("hello"))
    #expect(rayasSeed.peers == [identity(1).publicKey] && seed.peers == [identity(2).publicKey])
    #expect(rayasSeed.ownKeys.map(\.publicKey) == seed.remoteKeys)
    try restarted(&saro, &saros, 1)
    #expect(saros.isEmpty && saro.listening.count == 1)
}

@Test func `a contact with a bundle that was used ends with that reason, and a forged refusal ends none (NOISE-2)`()
    throws
{
    var random: any RandomSource = RepeatableRandom(seed: 4)
    var (saro, raya) = (NoiseXK(identity: identity(1)), NoiseXK(identity: identity(2)))
    // A bundle of Raya's that she has given up: she made as many as she keeps after it.
    var bundles: [IntroductionBundle] = []
    _ = try run(&raya, &random) { machine, step in
        bundles = try machine.introduce(1, in: &step)
        _ = try machine.introduce(NoiseXK.maximumTickets, in: &step)
    }
    let knock = try run(&saro, &random) { machine, step in
        _ = try machine.begin("plain", with: bundles[0], as: ContactID(1), in: &step)
    }.sends[0]
    let answer = try run(&raya, &random) { try $0.receive(knock.routed, in: &$1) }.sends[0]
    for index in 1..<answer.routed.payload.count {
        var bad = answer.routed
        var bytes = bad.payload.array
        bytes[index] ^= 1
        bad.payload = Bytes(bytes)
        #expect(throws: Refusal.self) { _ = try run(&saro, &random) { try $0.receive(bad, in: &$1) } }
    }
    let step = try run(&saro, &random) { try $0.receive(answer.routed, in: &$1) }
    #expect(step.seeds.isEmpty && step.endings.map(\.contact) == [ContactID(1)])
    #expect(step.endings.first?.refusal?.cause.code == "refused")
}
