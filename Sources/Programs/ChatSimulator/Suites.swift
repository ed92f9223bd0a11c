import ChatClient
import ChatCrypto
import ChatDeliveryService
import ChatFraming
import ChatModel
import ChatReliability
import ChatSimulation
import ChatVariants
import LogosFormats

/// The compositions of this package by name, as peers of a simulation.
struct Suites: Sendable {
    /// Components from outside.
    let additions: Variants.Additions

    /// Taken where none is named.
    static let usual = "links/inbox-v1/private-v1/memory/envelope-v1"

    /// A composition with so many peers, each with an identity of its own.
    ///
    /// The delivery service of the name is made and never used: the virtual network stands in for it.
    func composition(_ text: String, peers: Int) async throws -> Composition {
        let name = try SuiteName(parsing: text)
        let memory = InMemoryDeliveryService()
        var suites: [ChatSuite] = []
        for peer in 0..<peers {
            suites.append(
                try await Variants(identity: try Self.identity(peer), memory: memory, adding: additions).registry.suite(
                    name))
        }
        var composition = Composition(suites)
        composition.keyUses = suites.first.flatMap { Self.keyUses(framing: $0.framing) }
        composition.order = { ($0 as? any StagedConversation)?.messageOrder }
        return composition
    }

    /// The names of the components that run in peers.
    func names(_ component: Component) throws -> [String] {
        Variants(identity: try Self.identity(0), adding: additions).registry.names(of: component)
    }

    /// The same peer has the same identity in every run.
    private static func identity(_ peer: Int) throws -> KeyPair {
        let seed = BLAKE2b.hash(count: 32, Array("chat-sim peer \(peer)".utf8))
        let secret = Secret(copying: seed.span)
        return KeyPair(secret: secret, publicKey: try X25519.publicKey(of: secret))
    }

    /// What a stranger on the wire can tell of keys: a double ratchet's are named by key and number.
    private static func keyUses(
        framing: any FramingStrategy
    ) -> (@Sendable (Addressed) -> [KeyUse])? {
        guard let framing = framing as? any ReadableFraming else { return nil }
        return { addressed in
            guard let payload = framing.payload(in: addressed.payload),
                case .doubleRatchet(let message)? = try? EncryptedPayload(decoding: payload)
            else { return [] }
            var key = message.dh.array
            key.append(big: message.number)
            return [KeyUse(key: Bytes(key), sealed: message.ciphertext)]
        }
    }
}
