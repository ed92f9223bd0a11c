import ChatConformance
import ChatFraming
import Testing

@Test func `a program ends with 1 where a check failed, and with 2 where nothing was checked`() throws {
    let defect = try #require(BrokenFraming.Defect.allCases.first)
    let broken = Conformance.check(framing: { BrokenFraming(defect) }, only: [defect.check])
    let sound = Conformance.check(framing: { PlainFraming() })
    let empty = Conformance.check(framing: { PlainFraming() }, only: ["no such check"])
    #expect(broken.failures.count == 1 && sound.isPassed && empty.results.isEmpty)
    #expect([broken].exitCode == 1)
    #expect([sound, broken, sound].exitCode == 1 && [broken, empty].exitCode == 1)
    #expect([sound].exitCode == 0 && [sound, empty].exitCode == 0)
    #expect([empty].exitCode == 2 && [Report]().exitCode == 2)
}
