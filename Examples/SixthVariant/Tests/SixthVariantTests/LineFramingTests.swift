import ChatConformance
import ChatCrypto
import ChatModel
import SixthVariant
import Testing

@Test func `a line passes the suite of framings`() {
    let report = Conformance.check(framing: { LineFraming() })
    #expect(report.isPassed, "\(report)")
}

@Test func `a line is on the wire as the tutorial says (LINES-1)`() throws {
    var (framing, random): (LineFraming, any RandomSource) = (LineFraming(), SystemRandom())
    framing.listen([Listening("somewhere", Route("raya"))], for: .initialization)
    let wrapped = try framing.wrap(
        Routed("somewhere", Route("raya"), payload: Bytes("hello")), of: .initialization, random: &random)
    #expect(wrapped.payload == Bytes("{\"payload\":\"aGVsbG8\",\"route\":\"raya\"}\n"))
    guard case .payload(let routed, let owner) = try framing.unwrap(wrapped) else {
        Issue.record("the line found nobody")
        return
    }
    #expect(routed.payload == Bytes("hello") && owner == .initialization)
}

@Test(arguments: [
    ("", Refusal.Outcome.invalid), ("\n", .invalid), ("{}", .invalid), ("{}\n\n", .invalid), ("{}\n", .unsupported),
    ("{\"payload\":\"*\",\"route\":\"raya\"}\n", .invalid), ("{\"payload\":1,\"route\":\"raya\"}\n", .unsupported),
    ("{\"route\":\"raya\",\"route\":\"pax\",\"payload\":\"\"}\n", .invalid),
])
func `bytes that are no line of ours are told apart (FR-03)`(line: String, outcome: Refusal.Outcome) {
    let refusal = #expect(throws: Refusal.self) {
        try LineFraming().unwrap(Addressed("somewhere", payload: Bytes(line)))
    }
    #expect(refusal?.outcome == outcome)
}
