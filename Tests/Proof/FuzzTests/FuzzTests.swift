import ChatModel
import Foundation
import FuzzTargets
import TestSupport
import Testing

/// The fuzzers' targets, run on their seeds, on what once broke them, and on a fixed number of inputs more.
///
/// `FUZZ=steps-requests swift test --filter FuzzTests` runs one target and leaves the input at hand in `.build/fuzz-last`.
@Test(arguments: try FuzzTarget.all().filter { only == nil || only == $0.name })
func `every fuzz target accepts its seeds and survives hostile inputs`(target: FuzzTarget) async throws {
    #expect(!target.seeds.isEmpty)
    for seed in target.seeds { #expect(try await run(target, seed), "seed \(seed.hex)") }
    let found = Vectors.packageRoot.appendingPathComponent("Tests/Fuzz/Found/\(target.name)")
    for file in (try? FileManager.default.contentsOfDirectory(at: found, includingPropertiesForKeys: nil)) ?? [] {
        try await run(target, [UInt8](try Data(contentsOf: file)))
    }
    for seed in Seeds.all(1) {
        print("fuzz: \(target.name): \(target.inputs) inputs of seed \(seed)")
        guard !target.isGenerated else {
            for number in 0..<target.inputs { try await run(target, decisions(seed, number)) }
            continue
        }
        var inputs = HostileInputs(seed: 41 &+ seed, valid: target.seeds)
        for _ in 0..<target.inputs { try await run(target, inputs.next()) }
    }
}

/// The one target that the environment asks for.
private let only = ProcessInfo.processInfo.environment["FUZZ"]

@discardableResult
private func run(_ target: FuzzTarget, _ input: [UInt8]) async throws -> Bool {
    if only != nil { try Data(input).write(to: Vectors.packageRoot.appendingPathComponent(".build/fuzz-last")) }
    return try await target.run(input)
}

/// The decisions of one run: some hundred bytes that no other run has.
private func decisions(_ seed: UInt64, _ number: Int) -> [UInt8] {
    var random = RepeatableRandom(seed: seed, stream: UInt64(number))
    let count = 64 + random.below(960)
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next() >> 32) }
}

@Test func `every fuzz target has a name of its own`() throws {
    let names = try FuzzTarget.all().map(\.name)
    #expect(Set(names).count == names.count)
}
