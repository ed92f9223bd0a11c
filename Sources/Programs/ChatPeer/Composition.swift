import ChatClient
import ChatCrypto
import ChatDeliveryService
import ChatModel
import ChatSimulation
import ChatTool
import ChatVariants

/// What the peer can be composed of.
enum Composition {
    /// The variants by name, made for one identity and one relay, which perhaps loses something.
    static func registry(
        identity: KeyPair, relay: String, losses: Losses = Losses(), keyLog: HopKeyLog? = nil,
        tap: DatagramTap? = nil,
        adding additions: @escaping Variants.Additions
    ) -> Registry {
        var registry = Variants(identity: identity, relay: relay, adding: additions).registry
        registry.delivery("udp") {
            var configuration = UDPConfiguration()
            // A relay that is not there yet is named to the person, and sought.
            configuration.startsOffline = true
            configuration.handshakeDeadline = .seconds(1)
            (configuration.datagramLoss, configuration.lossSeed) = (losses.datagrams, losses.seed)
            let service = try await UDPDeliveryService(
                relay: relay, configuration: configuration, keyLog: keyLog, random: SystemRandom(), tap: tap)
            guard losses.payloads > 0 else { return service }
            return FaultyDeliveryService(
                service, faults: .init(loss: losses.payloads, lossInbound: losses.payloads), seed: losses.seed)
        }
        return registry
    }
}

/// A named set of five choices.
enum Profile: String, CaseIterable, OptionValue {
    /// What the documents say, strictly.
    case reference
    /// Byte for byte what the existing libchat does.
    case libchat

    /// The five choices.
    var suite: SuiteName {
        switch self {
        case .reference:
            SuiteName(
                discovery: "links", initialization: "inbox-v1", conversations: ["private-v1"],
                delivery: "udp", framing: "envelope-v1")
        case .libchat:
            SuiteName(
                discovery: "links", initialization: "inbox-v1-libchat", conversations: ["private-v1-libchat"],
                delivery: "udp", framing: "envelope-v1-libchat")
        }
    }
}
