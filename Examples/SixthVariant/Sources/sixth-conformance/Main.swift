import ChatConformanceRunner
import SixthVariant

/// `sixth-conformance`: `chat-conformance` with the components of this package beside the built-in ones.
@main
enum Main {
    static func main() async throws {
        let components = try SixthComponents()
        await ConformanceProgram.main { registry, _ in registry.addSixthVariant(components) }
    }
}
