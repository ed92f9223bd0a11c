/// A run as a plan: who is there, what they say, and what goes wrong. With a seed it is one run exactly.
public struct Scenario: Sendable, Hashable {
    /// Its name.
    public var name: String
    /// What it is about, in one sentence.
    public var summary: String
    /// How many peers there are.
    public var peers = 2
    /// Who talks to whom.
    public var topology = Topology.pairs
    /// What is said.
    public var traffic: Traffic
    /// What lies between peers.
    public var network = Network()
    /// The delivery service.
    public var service = Service.plain
    /// What goes wrong with peers.
    public var disturbances = Disturbances()
    /// How far a peer's clock may be off, either way; drawn anew when it restarts.
    public var clockError = Duration.zero
    /// How many conversations beside the others somebody tries to begin with a bundle that another one is begun with.
    public var reusedLinks = 0
    /// How many of the peers lie, the last ones: they hold the keys of their conversations and say what nobody honest
    /// would (SIM-8). Nothing that they say or hear is judged; what honest ones say to each other is.
    public var liars = 0
    /// Whether payloads meet no faults until the conversations have begun, whatever the initialization claims.
    public var calmStart = false
    /// Whether a content may fail as long as both sides are told: for worlds that last longer than any timer.
    public var mayFail = false
    /// The time within which conversations begin.
    public var meeting = Duration.seconds(5)
    /// The time after the traffic in which everything must have arrived.
    public var settling = Duration.seconds(4 * 3_600)
    /// The time after that in which nobody says anything; its second half is measured.
    public var idling = Duration.seconds(3_600)
    /// How long a peer is busy with other things before it deals with what waits for it.
    public var stepPause = Duration.milliseconds(1)
    /// The largest payload that a relay takes which replaces another.
    public var strictPayload = 8_192
    /// Bounds that are checked while it runs.
    public var bounds = Bounds()

    /// What a peer may hold at most, and how much may be said when nobody has anything to say.
    public struct Bounds: Sendable, Hashable {
        /// Payloads in an outbox.
        public var outbox = 4_096
        /// Payloads kept to be offered again.
        public var deferred = 256
        /// Events that wait for the application.
        public var events = 16_384
        /// Bytes of all records of a peer, for each of its conversations.
        public var storedBytes = 8 << 20
        /// Payloads that one conversation publishes in an hour in which nobody says anything.
        public var idlePayloads = 6
        /// The same where keys fit no longer, or somebody lies: eight tries in ten minutes (SDS-R9), and two sync
        /// messages an hour.
        public var vainPayloads = 50
        /// Within what time something is heard, from when it was said, everything was mended, or all participants knew
        /// of the conversation, whichever was latest: 18 tries of ten minutes each, the longest time between two
        /// (SDS-11), of which all get lost once in fifteen million times where two payloads in five do.
        public var healing = Duration.seconds(3 * 3_600)
        /// Within what time after everything was mended all participants know of a conversation, if they ever do: an
        /// invite that is not answered is sent once a day in the end.
        public var firstContact = Duration.seconds(8 * 86_400)
        /// Occurrences of a run; more is a run that does not end.
        public var occurrences = 200_000_000

        /// The usual bounds.
        public init() {}
    }

    /// A plan with a name.
    public init(_ name: String, _ summary: String, peers: Int = 2, _ traffic: Traffic) {
        (self.name, self.summary, self.peers, self.traffic) = (name, summary, peers, traffic)
    }
}
