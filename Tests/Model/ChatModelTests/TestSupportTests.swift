import ChatModel
import TestSupport
import Testing

@Test func `a seed names one sequence of random values`() {
    let (left, right) = (SeededRandom(7), SeededRandom(7))
    var (first, second): (any RandomSource, any RandomSource) = (left, right)
    let value = first.bytes(33, for: .nonce)
    #expect(value == second.bytes(33, for: .identifier))
    #expect(value != first.bytes(33, for: .nonce))
    #expect(Set(value).count > 16)
}

@Test func `a script gives the values of a label in order`() {
    let script = ScriptedRandom([(.nonce, [1, 2]), (.salt, [9]), (.nonce, [3])])
    var random: any RandomSource = script
    #expect(random.bytes(2, for: .nonce) == [1, 2])
    #expect(random.bytes(1, for: .salt) == [9])
    #expect(script.undrawn == [.nonce])
    #expect(random.bytes(1, for: .nonce) == [3])
    #expect(script.undrawn.isEmpty)
    withKnownIssue("a draw that the script does not know is an issue") {
        #expect(random.bytes(1, for: .nonce) == [0])
    }
}

@Test func `hostile inputs repeat with their seed and cover what they should`() {
    var (lengths, exact, seen) = (Set<Int>(), 0, 0)
    let valid: [[UInt8]] = [[1, 2, 3, 4, 5, 6, 7, 8], [9, 9]]
    var inputs = HostileInputs(seed: 1, valid: valid, longest: 20)
    var again = HostileInputs(seed: 1, valid: valid, longest: 20)
    var (first, second): ([[UInt8]], [[UInt8]]) = ([], [])
    inputs.forEach(2_000) { bytes in
        seen += 1
        lengths.insert(bytes.count)
        if bytes.starts(with: [1, 2, 3]) { exact += 1 }
        first.append(bytes)
    }
    again.forEach(2_000) { second.append($0) }
    #expect(seen == 2_000 && lengths.isSuperset(of: 0...20) && exact > 200)
    #expect(first == second)
}

@Test func `vectors are found, counted and skipped where they are not`() throws {
    try Vectors.run("no/such/file.json") { _ in Issue.record("there is no such file") }
    var cases = 0
    try Vectors.run("logos/kdf.json", only: { try $0.text("function") == "kdf_chain" }) { vector in
        let key = try vector.at("input").bytes("chain_key")
        #expect(key.count == 32, "\(vector)")
        cases += 1
    }
    let file = try Vectors.load("logos/kdf.json")
    #expect(cases > 0 || file == nil)
    #expect([UInt8](hex: "00 fF") == [0, 255] && [UInt8]([0, 255]).hex == "00ff")
}
