import ChatCodec
import ChatConformance
import ChatFraming
import ChatModel
import Testing

// Each check of each suite, and an implementation with the one defect that it is there to find.

extension Report {
    /// Whether a check failed, and said why.
    fileprivate func found(_ id: String) -> Bool {
        results.contains { if case .failed(let reason) = $0.outcome { $0.id == id && !reason.isEmpty } else { false } }
    }

    fileprivate var ids: [String] { results.map(\.id) }
}

@Test(arguments: BrokenFraming.Defect.allCases)
func `each check of framings finds the framing that breaks it`(defect: BrokenFraming.Defect) {
    let report = Conformance.check(framing: { BrokenFraming(defect) }, only: [defect.check])
    #expect(report.found(defect.check), "\(report)")
}

@Test(arguments: BrokenConversation.Defect.allCases)
func `each check of conversations finds the type that breaks it`(defect: BrokenConversation.Defect) {
    let report = BrokenConversation.$defect.withValue(defect) {
        Conformance.check(conversation: BrokenConversation.type, idBits: 144, only: [defect.check])
    }
    #expect(report.found(defect.check), "\(report)")
}

@Test(arguments: BrokenGroup.Defect.allCases)
func `each check of groups finds the type that breaks it`(defect: BrokenGroup.Defect) {
    let report = BrokenGroup.$defect.withValue(defect) {
        Conformance.check(group: BrokenGroup.type, only: [defect.check])
    }
    #expect(report.found(defect.check), "\(report)")
}

@Test(arguments: [3, 4, 7])
func `a group of three, four or seven passes its suite (GROUP-4 to GROUP-7)`(participants: Int) {
    let report = Conformance.check(group: BrokenGroup.type, participants: participants)
    #expect(report.isPassed && Set(report.ids) == Set(BrokenGroup.Defect.allCases.map(\.check)), "\(report)")
}

@Test(arguments: BrokenInitialization.Defect.allCases)
func `each check of initializations finds the one that breaks it`(defect: BrokenInitialization.Defect) throws {
    let clients = try (0..<2).map { try BrokenInitialization(defect, $0) }
    let report = Conformance.check(initialization: { clients[$0] }, only: [defect.check])
    #expect(report.found(defect.check), "\(report)")
}

@Test(.timeLimit(.minutes(30)), arguments: BrokenService.Defect.allCases)
func `each check of delivery services finds the service that breaks it`(defect: BrokenService.Defect) async {
    let service = BrokenService(defect)
    let report = await Conformance.check(
        delivery: { _ in service }, patience: .milliseconds(300), only: [defect.check])
    #expect(report.found(defect.check), "\(report)")
}

@Test(.timeLimit(.minutes(30)), arguments: BrokenDiscovery.Defect.allCases)
func `each check of discoveries finds the discovery that breaks it`(defect: BrokenDiscovery.Defect) async {
    let discovery = BrokenDiscovery(defect)
    let report = await Conformance.check(
        discovery: { _ in discovery }, patience: .milliseconds(300), only: [defect.check])
    #expect(report.found(defect.check), "\(report)")
}

@Test(.timeLimit(.minutes(30))) func `no check is without an implementation that breaks it`() async throws {
    // The ids of a run in which nothing is tried out: every check is asked, none is a surprise.
    let framing = Conformance.check(framing: { PlainFraming() })
    #expect(Set(framing.ids) == Set(BrokenFraming.Defect.allCases.map(\.check)))
    let conversation = BrokenConversation.$defect.withValue(.claimsNothing) {
        Conformance.check(conversation: BrokenConversation.type, idBits: 144)
    }
    #expect(Set(conversation.ids) == Set(BrokenConversation.Defect.allCases.map(\.check)))
    let clients = try (0..<2).map { try BrokenInitialization(.badName, $0) }
    let initialization = Conformance.check(initialization: { clients[$0] })
    #expect(Set(initialization.ids) == Set(BrokenInitialization.Defect.allCases.map(\.check)))
    let (service, discovery) = (BrokenService(.badName), BrokenDiscovery(.badName))
    // Suites that do not wait may keep every thread busy for long on a slow machine.
    let delivery = await Conformance.check(delivery: { _ in service }, patience: .seconds(120))
    #expect(Set(delivery.ids) == Set(BrokenService.Defect.allCases.map(\.check)))
    let finding = await Conformance.check(discovery: { _ in discovery }, patience: .seconds(120))
    #expect(Set(finding.ids) == Set(BrokenDiscovery.Defect.allCases.map(\.check)))

    // With only the defect of a bad name, nothing else fails: the suites find that and no more.
    for report in [initialization, delivery, finding] {
        #expect(report.failures.map(\.id) == ["FW-01"], "\(report)")
        #expect(Set(report.ids).count == report.ids.count, "an id is there twice")
    }
}

@Test(.timeLimit(.minutes(30))) func `bytes that make a component trap end the run with a failure (MODEL-4)`() async {
    await #expect(processExitsWith: .failure) {
        _ = Conformance.check(framing: { TrappingFraming() }, only: ["MODEL-4"])
    }
}

/// Reads a byte that need not be there.
private struct TrappingFraming: FramingStrategy {
    private var inner = PlainFraming()
    var facts: Facts { inner.facts }
    var headRoom: Int { inner.headRoom }
    mutating func listen(_ listening: [Listening], for owner: Owner) { inner.listen(listening, for: owner) }
    mutating func wrap(
        _ routed: consuming Routed, of owner: Owner, random: inout any RandomSource
    ) throws(Refusal) -> Addressed {
        try inner.wrap(routed, of: owner, random: &random)
    }
    func unwrap(_ addressed: Addressed) throws(Refusal) -> Unwrapped {
        _ = addressed.payload.array[1]
        return try inner.unwrap(addressed)
    }
}

@Test func `a report prints as a table, as TAP and as JSON`() {
    let report = Conformance.check(framing: { BrokenFraming(.cuts) }, seed: 3, only: ["FR-01", "FR-02"])
    #expect(
        report.description == """
            framing plain
              FAIL  FR-01  a payload of any size comes back as it was
                    16384 bytes came back as 1000 (seed 3)
              ok    FR-02  the route decides which machine gets a payload
            1 passed, 1 failed, 0 not applicable
            """)
    #expect(
        report.tap == """
            TAP version 13
            1..2
            not ok 1 - FR-01 a payload of any size comes back as it was
            # 16384 bytes came back as 1000 (seed 3)
            ok 2 - FR-02 the route decides which machine gets a payload
            """)
    #expect(report.json["passed"] == false)
    #expect(report.json["checks"]?.printed().contains("16384 bytes") == true)
}
