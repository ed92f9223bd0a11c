import ChatBench
import ChatVariants
import SixthVariant

/// `sixth-bench`: `chat-bench` with the components of this package beside the built-in ones.
@main
enum Main {
    static func main() async throws {
        let components = try SixthComponents()
        try await BenchProgram.main { registry, variants in
            registry.addSixthVariant(components, identity: variants.identity)
        }
    }
}
