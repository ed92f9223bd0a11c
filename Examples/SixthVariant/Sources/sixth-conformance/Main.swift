import ChatConformanceRunner
import ChatVariants
import SixthVariant

/// `sixth-conformance`: `chat-conformance` with the components of this package beside the built-in ones.
@main
enum Main {
    static func main() async throws {
        let components = try SixthComponents()
        await ConformanceProgram.main { registry, variants in
            registry.addSixthVariant(components, identity: variants.identity)
        }
    }
}
