import Foundation
import FuzzTargets
import TestSupport
import Testing

/// The fuzzers' targets, run on their seeds, on what once broke them, and on a few inputs of this run's own.
@Test(arguments: try FuzzTarget.all())
func `every fuzz target accepts its seeds and survives hostile inputs`(target: FuzzTarget) throws {
    #expect(!target.seeds.isEmpty)
    for seed in target.seeds { #expect(try target.run(seed), "seed \(seed.hex)") }
    let found = Vectors.packageRoot.appendingPathComponent("Tests/Fuzz/Found/\(target.name)")
    for file in (try? FileManager.default.contentsOfDirectory(at: found, includingPropertiesForKeys: nil)) ?? [] {
        _ = try target.run([UInt8](try Data(contentsOf: file)))
    }
    var inputs = HostileInputs(seed: 41, valid: target.seeds)
    try inputs.forEach(500) { _ = try target.run($0) }
}

@Test func `every fuzz target has a name of its own`() throws {
    let names = try FuzzTarget.all().map(\.name)
    #expect(Set(names).count == names.count)
}
