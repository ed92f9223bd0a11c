import ChatPeer
import ChatVariants
import SixthVariant

/// `sixth-peer`: `chat-peer` with the components of this package beside the built-in ones.
@main
enum Main {
    static func main() async throws {
        let components = try SixthComponents()
        await PeerProgram.main { registry, variants in
            registry.addSixthVariant(components, identity: variants.identity)
        }
    }
}
