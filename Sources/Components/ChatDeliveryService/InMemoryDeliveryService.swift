public import ChatModel

/// A delivery service for clients in one process, which share it.
///
/// It loses nothing that its limits allow: every subscriber of an address gets a copy (DS-02), also of what it
/// published itself, in the order of publishing. With retention, a full mailbox gets the rest when it has stored
/// what it holds, and payloads from before a subscription can be had (DS-11); what retention has dropped by then is
/// reported with `Notice.gone`. All subscribers of an address see one order (DS-16). A reply ends for who asked
/// behind its last payload, and for who serves when the last listener has gone (DS-17). Without retention,
/// what a full mailbox refuses is gone at once. A payload that is published again on its address is taken
/// and not delivered again; a payload whose id is all zeros has no id.
public final class InMemoryDeliveryService: DeliveryService {
    private let broker: Broker
    private let quota: Lock<Quota?>

    /// Its limits and the capabilities it offers.
    public let limits: DeliveryLimits

    /// A service of its own.
    ///
    /// - Parameters:
    ///   - limits: size, quota and retention (DS-09, DS-10, DS-11); the default retention is small.
    ///   - rememberedIDs: how many payload ids are remembered to recognize repeats.
    ///   - clock: the time that quota and retention go by; the system's monotonic clock if there is none.
    public convenience init(
        limits: DeliveryLimits = .inMemory, rememberedIDs: Int = 65_536, clock: (@Sendable () -> Timestamp)? = nil
    ) {
        let now: @Sendable () -> MonotonicInstant
        if let clock { now = { MonotonicInstant(clock()) } } else { now = { .now } }
        self.init(Broker(limits, rememberedIDs: rememberedIDs, now: now), limits)
    }

    private init(_ broker: Broker, _ limits: DeliveryLimits) {
        self.broker = broker
        self.limits = limits.offering([.ordering, .acknowledgement, .totalOrder, .replies, .headers])
        quota = Lock(limits.rate.map { Quota($0) })
    }

    /// The same service for another publisher, which has a quota of its own.
    public func publisher() -> InMemoryDeliveryService {
        InMemoryDeliveryService(broker, limits)
    }

    /// Name and claims.
    public var facts: Facts {
        Facts(
            name: "memory", summary: "delivery within one process",
            claims: [
                Claim(.lossDetection, "DS-11", "a subscriber that missed payloads is told"),
                Claim(.replayProtection, "DS-12", "repeated ids are dropped; \(broker.rememberedIDs) are remembered"),
                Claim(.recipientPrivacy, "DS-08", holds: false, "the service sees who subscribes to what"),
            ])
    }

    /// Delivers at once, before it returns.
    public func publish(_ payloads: [Addressed]) async -> [Result<Receipt, DeliveryError>] {
        quota.withLock { quota in broker.publish(payloads, &quota) }
    }

    /// Never fails; what was published before comes into the mailbox before this returns, as far as it has room.
    public func subscribe(_ addresses: [DeliveryAddress: Since], into mailbox: Mailbox) async throws(DeliveryError) {
        mailbox.whenStored(for: broker) { [weak broker, weak mailbox] _ in
            if let mailbox { broker?.catchUp(mailbox) }
        }
        broker.subscribe(addresses, mailbox)
    }

    /// Ends deliveries at once.
    public func unsubscribe(_ addresses: [DeliveryAddress], from mailbox: Mailbox) async {
        broker.unsubscribe(addresses, mailbox)
    }
}

extension DeliveryLimits {
    /// Payloads up to 1 MiB; 1,024 of them, 4 MiB or an hour kept for each address; no quota.
    public static let inMemory = DeliveryLimits(
        maximumPayload: 1 << 20,
        retention: Retention(payloads: 1_024, bytes: 4 << 20, age: .seconds(3_600)))

    func offering(_ capabilities: Set<Capability>) -> DeliveryLimits {
        DeliveryLimits(
            maximumPayload: maximumPayload, rate: rate, retention: retention, offers: offers.union(capabilities))
    }
}
