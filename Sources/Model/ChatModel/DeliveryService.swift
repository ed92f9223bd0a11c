/// How are payloads routed and delivered?
///
/// A publish and subscribe transport with delivery addresses as broadcast domains (DS-08). It may
/// lose, repeat, reorder and reject (DS-04, DS-05, DS-06), never looks into a payload (DS-07), and
/// says what it offers. For implementers: everything is in batches, `publish` answers for each
/// payload in order, and a full ``Mailbox`` refuses, so retain what you promised to retain.
public protocol DeliveryService: Sendable {
    /// Name, claims and needs.
    var facts: Facts { get }

    /// Its limits and the capabilities it offers.
    var limits: DeliveryLimits { get }

    /// Hands payloads to the service; a result for each, in order.
    func publish(_ payloads: [Addressed]) async -> [Result<Receipt, DeliveryError>]

    /// Delivers what is published on addresses into a mailbox (DS-01); a repeated call changes nothing (DS-12).
    func subscribe(_ addresses: [DeliveryAddress: Since], into mailbox: Mailbox) async throws(DeliveryError)

    /// Ends deliveries of addresses to a mailbox (DS-13).
    func unsubscribe(_ addresses: [DeliveryAddress], from mailbox: Mailbox) async
}

/// The position from which payloads of an address are wanted.
public enum Since: Sendable, Hashable {
    /// Only what is published from now on.
    case now
    /// Everything that is still retained.
    case earliest
    /// Everything after a cursor that came with a delivery; from the earliest retained if it is no longer known.
    case after(Cursor)
}

/// A place in the history of one address, which only the service reads; at most 64 bytes.
public struct Cursor: Sendable, Hashable {
    /// The service's own encoding.
    public let bytes: Bytes

    /// Wraps an encoding.
    public init(_ bytes: Bytes) {
        self.bytes = bytes
    }
}

/// The service has a payload.
public struct Receipt: Sendable, Hashable {
    /// Where it stands in the address's history, if the service keeps one.
    public let cursor: Cursor?

    /// Makes a receipt.
    public init(cursor: Cursor? = nil) {
        self.cursor = cursor
    }
}

/// Limits and capabilities of a delivery service (DS-09, DS-10, DS-11).
public struct DeliveryLimits: Sendable, Hashable {
    /// A quota: payloads in an epoch.
    public struct Rate: Sendable, Hashable {
        /// Payloads in each epoch.
        public let payloads: Int
        /// How long an epoch is.
        public let epoch: Duration

        /// A quota.
        public init(payloads: Int, epoch: Duration) {
            (self.payloads, self.epoch) = (payloads, epoch)
        }
    }

    /// Bounds on the payloads that are retained for an address.
    public struct Retention: Sendable, Hashable {
        /// The most payloads.
        public let payloads: Int
        /// The most bytes.
        public let bytes: Int
        /// The longest time.
        public let age: Duration

        /// A bound on the past.
        public init(payloads: Int, bytes: Int, age: Duration) {
            (self.payloads, self.bytes, self.age) = (payloads, bytes, age)
        }
    }

    /// The largest payload in bytes.
    public let maximumPayload: Int
    /// The quota for one publisher, if there is one.
    public let rate: Rate?
    /// How much is retained for clients that are offline; nil for nothing.
    public let retention: Retention?
    /// The capabilities that the service offers.
    public let offers: Set<Capability>

    /// States limits; retention implies offline retrieval.
    public init(maximumPayload: Int, rate: Rate? = nil, retention: Retention? = nil, offers: Set<Capability> = []) {
        (self.maximumPayload, self.rate, self.retention) = (maximumPayload, rate, retention)
        self.offers = retention == nil ? offers : offers.union([.offlineRetrieval])
    }
}

/// Why a delivery service did not do something.
public enum DeliveryError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The payload is larger than the service takes.
    case tooLarge(bytes: Int, limit: Int)
    /// The quota is used up; try again after a time.
    case rateLimited(limit: Int, retryAfter: Duration)
    /// No answer came: who was asked, and for how long.
    case unreachable(String, after: Duration)
    /// The address is not one that the service takes.
    case badAddress(String, reason: String)
    /// The service has no room; try again after a time.
    case overloaded(String, retryAfter: Duration)
    /// It could not start: the operation and the system's words.
    case startup(String, reason: String)
    /// It was closed.
    case closed
    /// It refused for a reason of its own.
    case rejected(String)
    /// A capability that the service does not offer.
    case lacks(Capability)

    /// Whether the same payload may be taken later.
    public var isTemporary: Bool { retryAfter != nil }

    /// When to try again, where that makes sense.
    public var retryAfter: Duration? {
        switch self {
        case .rateLimited(_, let time), .overloaded(_, let time): time
        case .unreachable: .zero
        case .tooLarge, .badAddress, .startup, .closed, .rejected, .lacks: nil
        }
    }

    /// One line that a person can act on.
    public var description: String {
        switch self {
        case .tooLarge(let bytes, let limit): "payload has \(bytes) bytes; the service takes \(limit)"
        case .rateLimited(let limit, let time): "more than \(limit) payloads in an epoch; try again after \(time)"
        case .unreachable(let whom, let time): "no answer from \(whom) within \(time)"
        case .badAddress(let address, let reason): "delivery address \(address): \(reason)"
        case .overloaded(let what, let time): "\(what); try again after \(time)"
        case .startup(let operation, let reason): "\(operation): \(reason)"
        case .closed: "the delivery service is closed"
        case .rejected(let reason): "the delivery service refused: \(reason)"
        case .lacks(let capability): "the delivery service offers no \(capability.rawValue)"
        }
    }
}
