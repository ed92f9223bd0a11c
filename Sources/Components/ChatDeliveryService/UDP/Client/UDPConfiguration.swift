/// How a client of a relay behaves.
public struct UDPConfiguration: Sendable, Hashable {
    /// How long a publish or a subscription is tried before it fails with `unreachable`. Default 10 s.
    public var deadline: Duration = .seconds(10)
    /// How long the first contact may take. Default 5 s.
    public var handshakeDeadline: Duration = .seconds(5)
    /// Whether the service starts when the relay does not answer within that time, and goes on seeking it.
    public var startsOffline = false
    /// After this time without sending a ping is sent. Default 10 s; less if the relay forgets sooner.
    public var keepAlive: Duration = .seconds(10)
    /// After this time without an answer the relay counts as lost. Default 5 s.
    public var patience: Duration = .seconds(5)
    /// How long to wait before the relay is sought again, at first and at most; doubled in between.
    public var seekingInterval: ClosedRange<Duration> = .milliseconds(250) ... .seconds(4)
    /// Bytes of deliveries taken ahead of the oldest unfinished one. Default 2 MiB.
    public var window = 2 << 20
    /// The share of datagrams, from 0 to 1, that is lost on purpose in each direction, for tests. Default 0.
    public var datagramLoss = 0.0
    /// Which datagrams these are.
    public var lossSeed: UInt64 = 0

    /// The defaults.
    public init() {}
}
