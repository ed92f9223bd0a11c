import ChatSimulator
import ChatVariants
import SixthVariant

/// `sixth-sim`: `chat-sim` with the components of this package beside the built-in ones.
@main
enum Main {
    static func main() async throws {
        let components = try SixthComponents()
        await SimulatorProgram.main { registry, variants in
            registry.addSixthVariant(components, identity: variants.identity)
        }
    }
}
