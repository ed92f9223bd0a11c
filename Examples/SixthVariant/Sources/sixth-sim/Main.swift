import ChatSimulator
import SixthVariant

/// `sixth-sim`: `chat-sim` with the components of this package beside the built-in ones.
@main
enum Main {
    static func main() async throws {
        let components = try SixthComponents()
        await SimulatorProgram.main { registry, _ in registry.addSixthVariant(components) }
    }
}
