import ChatClient
import ChatConformance
import ChatVariants
import Foundation
import SixthVariant
import Testing

/// The programs of the framework with these components: each is found by its name beside the built-in ones.
struct ProgramsTests {
    @Test func `a component from outside is named and checked like ours`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sixth-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let components = try SixthComponents(environment: ["SIXTH_FOLDER": folder])
        for (component, name) in [(Component.framing, "lines"), (.framing, "plain"), (.initialization, "noise-xk")] {
            let report = try await Variants.conformance(
                of: component, name,
                adding: { registry, variants in
                    registry.addSixthVariant(components, identity: variants.identity)
                })
            #expect(report.isPassed && report.name == name, "\(report)")
        }
        await #expect(throws: SuiteError.self) { try await Variants.conformance(of: .framing, "lines") }
    }
}
