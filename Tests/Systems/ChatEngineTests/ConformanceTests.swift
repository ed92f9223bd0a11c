import ChatConformance
import ChatEngine
import ChatModel
import Testing

/// What any initialization and any discovery must pass.
struct ConformanceTests {
    @Test(.timeLimit(.minutes(30))) func `engine-session keeps the rules of initializations`() {
        let report = Conformance.check(initialization: { _ in EngineSession() })
        #expect(report.failures.isEmpty, "\(report)")
    }

    @Test(.timeLimit(.minutes(30))) func `engine-types keeps the rules of discoveries`() async {
        let catalog = EngineCatalog()
        let bundles = [EngineSession.bundle(for: "engine_1"), EngineSession.bundle(for: "engine_2")]
        let report = await Conformance.check(discovery: { _ in EngineTypes(catalog) }, carrying: bundles)
        #expect(report.failures.isEmpty, "\(report)")
    }
}
