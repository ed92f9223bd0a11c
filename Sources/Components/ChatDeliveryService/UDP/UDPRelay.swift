public import ChatCrypto
public import ChatModel

/// A relay on a UDP socket: what `chat-relay` runs.
public final class UDPRelay: Sendable {
    private let endpoint: Endpoint<RelayCore>

    /// Where it listens, with the port that the system chose if 0 was asked for.
    public let address: String

    /// Begins to listen, on a thread of its own. Blocks while a name is looked up.
    ///
    /// - Parameters:
    ///   - listen: `HOST:PORT`; port 0 lets the system choose.
    ///   - limits: what the relay takes, keeps and spends.
    ///   - random: the source of the relay's epoch and of the key for its cookies.
    /// - Throws: `startup` with the system's words.
    public convenience init(
        listen: String, limits: RelayLimits = RelayLimits(), random: any RandomSource = SystemRandom()
    ) throws(DeliveryError) {
        try self.init(listen: listen, limits: limits, random: random, tap: nil)
    }

    /// The same, with somebody who looks at all datagrams.
    package init(
        listen: String, limits: RelayLimits = RelayLimits(), random: any RandomSource = SystemRandom(),
        tap: DatagramTap?
    ) throws(DeliveryError) {
        let addresses = try HostPort(listen).resolve()
        let socket = try DatagramSocket(listeningOn: addresses[0])
        address = (socket.localAddress ?? addresses[0]).description
        endpoint = try Endpoint(RelayCore(limits, random: random), on: socket, tap: tap)
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
