public import ChatModel

/// The limits of a relay, each with the reason for its default.
public struct RelayLimits: Sendable, Hashable {
    /// The largest payload in bytes, up to 16 MiB; clients are told. Default 1 MiB.
    public var maximumPayload = 1 << 20
    /// The retention of each address. Default: 4,096 payloads, 16 MiB, a week; a client that is away for longer
    /// finds a gap.
    public var retention = DeliveryLimits.Retention(payloads: 4_096, bytes: 16 << 20, age: .seconds(7 * 86_400))
    /// Bytes kept over all addresses. Default 256 MiB; beyond it, busy addresses lose their oldest payloads.
    public var totalBytes = 256 << 20
    /// Addresses known at once. Default 65,536; beyond it, those idle longest are forgotten.
    public var addresses = 65_536
    /// Clients at once. Default 4,096.
    public var sessions = 4_096
    /// Clients at once behind one IPv4 address or IPv6 /64. Default 512, so that one household cannot take all.
    public var sessionsPerHost = 512
    /// Subscriptions of one client. Default 4,096: a few for each of its conversations.
    public var subscriptionsPerSession = 4_096
    /// Subscriptions over all clients. Default 262,144, at about 200 bytes each.
    public var subscriptions = 262_144
    /// The quota of one host (DS-10); none by default.
    public var rate: DeliveryLimits.Rate?
    /// Payload ids remembered to recognize repeats. Default 262,144.
    public var rememberedIDs = 262_144
    /// Bytes of messages that one client may have under way to the relay. Default 2 MiB.
    public var window = 2 << 20
    /// Bytes of incomplete messages over all clients. Default 64 MiB.
    public var heldBytes = 64 << 20
    /// Bytes of answers that clients have not acknowledged, over all of them. Default 64 MiB; beyond it the client that
    /// is owed most is sent away.
    public var owedAnswers = 64 << 20
    /// After this time without a datagram a client is gone. Default 30 s, three of its keep-alive pings.
    public var idle: Duration = .seconds(30)
    /// After this time without an answer to what the relay sends, a client is gone. Default 15 s.
    public var patience: Duration = .seconds(15)

    /// The defaults.
    public init() {}

    /// As every delivery service states its limits.
    public var delivery: DeliveryLimits {
        DeliveryLimits(
            maximumPayload: min(max(1, maximumPayload), UDPFormat.maximumPayload), rate: rate, retention: retention,
            offers: [.acknowledgement, .ordering])
    }
}
