import ChatClient
import ChatConformance
import ChatCrypto
import ChatDeliveryService
import ChatModel
import ChatVariants
import Testing
import XCTest

/// Every component of the package by its name, so that a new one is checked as soon as it is registered.
private let ours: [(Component, String)] = {
    var random: any RandomSource = SystemRandom()
    let registry = Variants(identity: X25519.generate(using: &random, for: .secret)).registry
    return Component.allCases.flatMap { component in registry.names(of: component).map { (component, $0) } }
        + [(.conversation, "private-v1;filter=0;segment=2000")]
}()

@Test(.timeLimit(.minutes(30)), arguments: ours)
func `every component of the package passes its suite`(component: Component, name: String) async throws {
    // Other suites keep the processors busy at the same time.
    let report = try await Variants.conformance(of: component, name, patience: .seconds(120))
    #expect(report.isPassed, "\(report)")
    #expect(report.name == name)
}

@Test(.timeLimit(.minutes(30))) func `a service with a quota names the time to wait (DS-10)`() async {
    let rate = DeliveryLimits.Rate(payloads: 200, epoch: .seconds(60))
    let limits = DeliveryLimits(maximumPayload: 1_000, rate: rate)
    // Each end that is asked for is another publisher, whose quota is its own.
    let service = InMemoryDeliveryService(limits: limits)
    let report = await Conformance.check(delivery: { _ in service.publisher() }, only: ["DS-09", "DS-10"])
    #expect(report.results.map(\.outcome) == [.passed, .passed], "\(report)")
}

/// The suites under XCTest: a report is a value, so any harness can look at it.
final class ConformanceUnderXCTest: XCTestCase {
    func testPlainFramingPassesItsSuite() async throws {
        let report = try await Variants.conformance(of: .framing, "plain")
        XCTAssertTrue(report.isPassed, "\(report)")
        XCTAssertEqual(report.results.count, 19)
    }

    func testABrokenFramingFailsWithReasonAndSeed() throws {
        let report = Conformance.check(framing: { BrokenFraming(.cuts) }, seed: 7, only: ["FR-01"])
        XCTAssertFalse(report.isPassed)
        XCTAssertTrue(report.description.contains("(seed 7)"), "\(report)")
    }
}
