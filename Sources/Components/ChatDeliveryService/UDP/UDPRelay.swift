public import ChatCrypto
public import ChatModel

/// A relay on a UDP socket: what `chat-relay` runs.
public final class UDPRelay: Sendable {
    private let endpoint: Endpoint<RelayCore>

    /// Its name: where it listens, with the port that the system chose if 0 was asked for, and the key of a sealed hop.
    public let address: String
    /// Where it listens: `HOST:PORT`.
    public let place: String

    /// Begins to listen, on a thread of its own. Blocks while a name is looked up.
    ///
    /// - Parameters:
    ///   - listen: `HOST:PORT`; port 0 lets the system choose.
    ///   - limits: what the relay takes, keeps and spends.
    ///   - key: its static X25519 key, which seals every hop; nil for hops in plain (UDP-20).
    ///   - keyLog: where the keys of sealed sessions are written down, for who inspects the traffic; nil as a rule.
    ///   - random: the source of the relay's epoch and of the key for its cookies.
    /// - Throws: `startup` with the system's words.
    public convenience init(
        listen: String, limits: RelayLimits = RelayLimits(), key: KeyPair? = nil, keyLog: HopKeyLog? = nil,
        random: any RandomSource = SystemRandom()
    ) throws(DeliveryError) {
        try self.init(listen: listen, limits: limits, key: key, keyLog: keyLog, random: random, tap: nil)
    }

    /// The same, with somebody who looks at all datagrams.
    package init(
        listen: String, limits: RelayLimits = RelayLimits(), key: KeyPair? = nil, keyLog: HopKeyLog? = nil,
        random: any RandomSource = SystemRandom(), tap: DatagramTap?
    ) throws(DeliveryError) {
        let addresses = try HostPort(listen).resolve()
        let socket = try DatagramSocket(listeningOn: addresses[0])
        place = (socket.localAddress ?? addresses[0]).description
        address = RelayName(place: place, key: key?.publicKey).description
        endpoint = try Endpoint(RelayCore(limits, key: key, keyLog: keyLog, random: random), on: socket, tap: tap)
    }

    /// Whether a text has the form `HOST:PORT`.
    package static func isAddress(_ text: String) -> Bool { (try? HostPort(text)) != nil }

    deinit { close() }

    /// Its counters.
    public var statistics: RelayStatistics { endpoint.perform { core, _ in core.statistics } }

    /// Tells every client and ends; the port is free when this returns.
    public func close() {
        endpoint.close(waits: true) { core, _ in core.close() }
    }
}

extension RelayCore: DatagramMachine {}
