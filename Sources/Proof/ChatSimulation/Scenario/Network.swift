public import ChatModel

/// What lies between peers: how long payloads take, and what happens to them on the way.
public struct Network: Sendable, Hashable {
    /// One way between two peers.
    public struct Link: Sendable, Hashable {
        /// How long a payload takes.
        public var latency = Latency.uniform(.milliseconds(10) ... .milliseconds(60))
        /// The probability that a copy never arrives.
        public var loss = 0.0
        /// The probability that a copy arrives twice.
        public var duplication = 0.0
        /// The probability that a copy is held back and others overtake it; without it copies keep their order.
        public var reordering = 0.0
        /// How long a copy is held back at most.
        public var holdBack = Duration.milliseconds(500)
        /// The probability that a copy arrives changed: bits flipped, cut short, or made longer.
        public var corruption = 0.0

        /// A link without faults.
        public init() {}

        /// A link with faults.
        public init(loss: Double, duplication: Double = 0, reordering: Double = 0, corruption: Double = 0) {
            (self.loss, self.duplication) = (loss, duplication)
            (self.reordering, self.corruption) = (reordering, corruption)
        }
    }

    /// Links of some peers that are unlike the others.
    public struct Exception: Sendable, Hashable {
        /// The publishers.
        public var from: Range<Int>
        /// The receivers.
        public var to: Range<Int>
        /// What their links are like.
        public var link: Link

        /// Makes an exception.
        public init(from: Range<Int>, to: Range<Int>, _ link: Link) {
            (self.from, self.to, self.link) = (from, to, link)
        }
    }

    /// What links are like.
    public var link = Link()
    /// Links that are unlike the others; the first that fits counts.
    public var exceptions: [Exception] = []
    /// Bytes in a second that a peer can send, and as many that it can receive; nil for no bound.
    public var bandwidth: Int?

    /// A network in which all links are alike.
    public init(_ link: Link = Link(), bandwidth: Int? = nil) {
        (self.link, self.bandwidth) = (link, bandwidth)
    }
}

/// How long payloads take on a link.
public enum Latency: Sendable, Hashable {
    /// Always the same time.
    case constant(Duration)
    /// Any time of a range.
    case uniform(ClosedRange<Duration>)
    /// At least the first time, and beyond it an exponential distribution with the second as its mean.
    case longTail(Duration, mean: Duration)
}

/// What the delivery service in the network's place takes and offers.
public struct Service: Sendable, Hashable {
    /// Payload size, quota, retention: what clients are told.
    public var limits: DeliveryLimits
    /// The probability that it refuses a payload for now.
    public var rejection = 0.0
    /// Whether a peer gets its own payloads as well (DS-12).
    public var echoes = false
    /// Whether a payload published again under its id is delivered only once.
    public var dropsRepeats = false
    /// Payloads that it holds for one client that does not read them.
    public var mailbox = 4_096

    /// A service by its limits.
    public init(_ limits: DeliveryLimits) {
        self.limits = limits
    }

    /// Payloads go to who is there, and nothing is kept.
    public static let plain = Service(DeliveryLimits(maximumPayload: 150 << 10))

    /// Everything is kept for a week, and repeats are known.
    public static let retaining: Service = {
        let week = DeliveryLimits.Retention(payloads: 1 << 20, bytes: 1 << 30, age: .seconds(7 * 86_400))
        var service = Service(
            DeliveryLimits(maximumPayload: 150 << 10, retention: week, offers: [.acknowledgement, .ordering]))
        service.dropsRepeats = true
        return service
    }()
}
