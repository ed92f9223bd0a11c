import ChatCodec
import ChatModel
import ChatVectors
import Foundation
import TestSupport
import Testing

/// Cases of the checked-in files in which one or two members say something else, as a careless or hostile file would.
@Test func `whatever the members of a case say, it gets a verdict and the next one is checked`() async throws {
    let directory = Vectors.packageRoot.appendingPathComponent("Specs/vectors")
    let names = try FileManager.default.contentsOfDirectory(atPath: directory.path).filter { $0.hasSuffix(".json") }
    var random = RepeatableRandom(seed: 6)
    var counts: [Verdict.Outcome: Int] = [:]
    for name in names.sorted() {
        let bytes = [UInt8](try Data(contentsOf: directory.appendingPathComponent(name)))
        let document = try JSON(parsing: bytes, maximumBytes: Verifier.maximumFile)
        let cases = (document["cases"]?.list ?? []).filter { $0.description.utf8.count < 1 << 16 }
        try #require(!cases.isEmpty)
        for _ in 0..<20 {
            var file = JSON.Object()
            for member in document.members ?? [] where member.key != "cases" { file[member.key] = member.value }
            file["cases"] = [spoiled(cases[random.below(cases.count)], &random), cases[0]]
            let verdicts = await Verifier.verify(Array(JSON.object(file).description.utf8), file: name)
            try #require(verdicts.count == 2, "\(name)")
            for verdict in verdicts { counts[verdict.outcome, default: 0] += 1 }
        }
    }
    #expect(counts[.failed, default: 0] > 50 && counts[.passed, default: 0] > 100, "\(counts)")
}

/// A value of which something inside is another one.
private func spoiled(_ json: JSON, _ random: inout RepeatableRandom) -> JSON {
    guard random.below(8) > 0 else { return another(&random) }
    switch json {
    case .object(let object):
        let place = random.below(max(1, object.members.count))
        var changed = JSON.Object()
        for (index, member) in object.members.enumerated() {
            changed[member.key] = index == place ? spoiled(member.value, &random) : member.value
        }
        return .object(changed)
    case .array(var list):
        guard !list.isEmpty else { return [another(&random)] }
        let place = random.below(list.count)
        switch random.below(4) {
        case 0: list.remove(at: place)
        case 1: list.insert(list[place], at: 0)
        default: list[place] = spoiled(list[place], &random)
        }
        return .array(list)
    case .string(let text):
        switch random.below(4) {
        case 0: return .string(String(text.dropLast(2)))
        case 1: return .string(text + "00")
        case 2: return .string("")
        default: return another(&random)
        }
    default: return another(&random)
    }
}

private func another(_ random: inout RepeatableRandom) -> JSON {
    let values: [JSON] = [
        0, 1, -1, 255, 256, 65_535, .integer(.max), .integer(.min), .unsigned(.max), .unsigned(1 << 63), .number(0.5),
        .null, true, false, "", "00", "zz", "é", [], [""], [0], [:], ["": 0],
    ]
    return values[random.below(values.count)]
}
