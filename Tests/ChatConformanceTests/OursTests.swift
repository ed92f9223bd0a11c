import ChatConformance
import ChatConversation
import ChatCrypto
import ChatDeliveryService
import ChatDiscovery
import ChatFraming
import ChatInitialization
import ChatModel
import ChatReliability
import Testing

// Ours pass their suites first.

@Test(arguments: [EnvelopeV1(.reference), EnvelopeV1(.libchat), PlainFraming()] as [any FramingStrategy])
func `every framing of the package passes its suite (FR-01 to FR-03)`(framing: any FramingStrategy) {
    let report = Conformance.check(framing: { framing })
    #expect(report.isPassed, "\(report)")
}

@Test(arguments: InboxV1.Profile.allCases)
func `InboxV1 passes the suite of initializations (INIT-01 to INIT-04, INBOX-04)`(profile: InboxV1.Profile) throws {
    let inboxes = try (0..<2).map { number in
        let secret = Secret(count: 32) { $0[0] = UInt8(number + 1) }
        return try InboxV1(identity: X25519.keyPair(secret), profile: profile)
    }
    let report = Conformance.check(initialization: { inboxes[$0] })
    #expect(report.isPassed, "\(report)")
}

@Test func `OpenInvite passes the suite of initializations (INIT-01 to INIT-04)`() {
    let report = Conformance.check(initialization: { _ in OpenInvite() })
    #expect(report.isPassed, "\(report)")
}

@Test func `PrivateV1 in profile libchat passes the suite of conversations (CT-01 to CT-16)`() {
    let report = Conformance.check(conversation: PrivateV1.Libchat.self, idBits: 144)
    #expect(report.isPassed, "\(report)")
}

@Test(
    arguments: [
        PrivateV1.self, PrivateV1.Compact.self, PrivateV1.Ratchet.self, Reliable<PlainConversation>.self,
    ] as [any ConversationProtocol.Type])
func `every conversation type of the reference profile passes the suite of conversations (CT-01 to CT-16)`(
    type: any ConversationProtocol.Type
) {
    let report = Conformance.check(conversation: type)
    #expect(report.isPassed, "\(report)")
}

@Test func `a plain conversation passes the suite of conversations (CT-01 to CT-16)`() {
    let report = Conformance.check(conversation: PlainConversation.self)
    #expect(report.isPassed, "\(report)")
}

@Test(.timeLimit(.minutes(5)))
func `the service in memory passes the suite of delivery services (DS-01 to DS-13)`() async {
    let retention = DeliveryLimits.Retention(payloads: 1_000, bytes: 1 << 20, age: .seconds(60))
    let service = InMemoryDeliveryService(limits: DeliveryLimits(maximumPayload: 64 << 10, retention: retention))
    let report = await Conformance.check(delivery: { _ in service })
    #expect(report.isPassed, "\(report)")
}

@Test(.timeLimit(.minutes(5)))
func `introduction links pass the suite of discoveries (DISC-01, INTRO-01)`() async {
    let report = await Conformance.check(discovery: { _ in IntroLinks() })
    #expect(report.isPassed, "\(report)")
}

@Test(.timeLimit(.minutes(5)))
func `the directory passes the suite of discoveries (DISC-01, DISC-05)`() async {
    let service = InMemoryDeliveryService()
    let report = await Conformance.check(discovery: { number in
        let seed = Secret(copying: [UInt8](repeating: UInt8(number + 1), count: 32).span)
        return try DirectoryDiscovery(
            over: service, signingWith: seed, settling: .milliseconds(20), timeout: .milliseconds(60))
    })
    #expect(report.isPassed, "\(report)")
}
