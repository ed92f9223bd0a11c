public import ChatModel

/// A delivery service that behaves as badly as services may (DS-04, DS-05, DS-06), around one that behaves.
///
/// Faults strike on the way to the service and are the same for all subscribers, except for ``Faults/lossInbound``.
/// They are drawn from a seed, one draw for each payload, so the same payloads meet the same fate in every run.
public final class FaultyDeliveryService: DeliveryService {
    /// How often what goes wrong, each from 0 to 1.
    public struct Faults: Sendable, Hashable {
        /// The service says that it has a payload, and no subscriber gets it.
        public var loss: Double
        /// A payload that the service delivers does not reach the mailbox; drawn for each mailbox that was
        /// subscribed while this was not 0.
        public var lossInbound: Double
        /// A payload is published twice, the second time under another id.
        public var duplication: Double
        /// A payload is held back until after the next one that is not.
        public var reordering: Double
        /// A payload is refused, to be tried again after ``retryAfter``.
        public var rejection: Double
        /// The error of a refusal.
        public var retryAfter: Duration

        /// No faults but those given.
        public init(
            loss: Double = 0, lossInbound: Double = 0, duplication: Double = 0, reordering: Double = 0,
            rejection: Double = 0, retryAfter: Duration = .milliseconds(100)
        ) {
            (self.loss, self.lossInbound) = (loss, lossInbound)
            (self.duplication, self.reordering) = (duplication, reordering)
            (self.rejection, self.retryAfter) = (rejection, retryAfter)
        }
    }

    fileprivate struct State: Sendable {
        var dice: Dice
        /// For what comes in, so that it does not change the fate of what goes out.
        var inboundDice: Dice
        var faults: Faults
        var isDown = false
        var held: [Addressed] = []
        var inlets: [ObjectIdentifier: LossyInlet] = [:]
    }

    private let service: any DeliveryService
    private let state: Lock<State>

    /// Spoils a service with the faults that belong to a seed.
    public init(_ service: any DeliveryService, faults: Faults, seed: UInt64) {
        self.service = service
        state = Lock(State(dice: Dice(seed: seed), inboundDice: Dice(seed: ~seed), faults: faults))
    }

    /// Those of the service within.
    public var facts: Facts { service.facts }

    /// Those of the service within, but without order.
    public var limits: DeliveryLimits {
        let inner = service.limits
        return DeliveryLimits(
            maximumPayload: inner.maximumPayload, rate: inner.rate, retention: inner.retention,
            offers: inner.offers.subtracting([.ordering, .acknowledgement]))
    }

    /// The faults from now on.
    public var faults: Faults {
        get { state.withLock { $0.faults } }
        set { state.withLock { $0.faults = newValue } }
    }

    /// Whether the service cannot be reached at all.
    public var isDown: Bool {
        get { state.withLock { $0.isDown } }
        set { state.withLock { $0.isDown = newValue } }
    }

    /// Publishes what is left of the payloads after the faults.
    public func publish(_ payloads: [Addressed]) async -> [Result<Receipt, DeliveryError>] {
        let (passed, results) = state.withLock { state in
            var passed: [(Addressed, result: Int?)] = []
            let results = payloads.enumerated().map { index, addressed in
                state.fate(of: addressed, index, &passed)
            }
            return (passed, results)
        }
        var final = results
        for ((_, index), result) in zip(passed, await service.publish(passed.map(\.0))) {
            if let index { final[index] = result }
        }
        return final
    }

    /// Publishes what is still held back.
    public func flush() async {
        let held = state.withLock { state in
            defer { state.held = [] }
            return state.held
        }
        _ = await service.publish(held)
    }

    /// Subscribes at the service within, unless it is down.
    public func subscribe(_ addresses: [DeliveryAddress: Since], into mailbox: Mailbox) async throws(DeliveryError) {
        guard !isDown else { throw .unreachable(facts.name, after: .zero) }
        try await service.subscribe(addresses, into: inlet(before: mailbox, isNew: faults.lossInbound > 0) ?? mailbox)
    }

    /// Unsubscribes at the service within.
    public func unsubscribe(_ addresses: [DeliveryAddress], from mailbox: Mailbox) async {
        await service.unsubscribe(addresses, from: inlet(before: mailbox, isNew: false) ?? mailbox)
    }

    /// The inlet that the service delivers to instead of a mailbox.
    private func inlet(before mailbox: Mailbox, isNew: Bool) -> Mailbox? {
        state.withLock { state in
            if let inlet = state.inlets[ObjectIdentifier(mailbox)] { return inlet.mailbox }
            guard isNew else { return nil }
            let inlet = LossyInlet(before: mailbox) { [weak self] in
                self?.state.withLock { $0.inboundDice.unit() < $0.faults.lossInbound } ?? false
            }
            state.inlets[ObjectIdentifier(mailbox)] = inlet
            return inlet.mailbox
        }
    }
}

extension FaultyDeliveryService.State {
    /// Decides about one payload: appends what passes, and returns the result unless the service gives it.
    fileprivate mutating func fate(
        of addressed: Addressed, _ index: Int, _ passed: inout [(Addressed, result: Int?)]
    ) -> Result<Receipt, DeliveryError> {
        guard !isDown else { return .failure(.unreachable("the service", after: .zero)) }
        let draws = (dice.unit(), dice.unit(), dice.unit(), dice.unit())
        if draws.0 < faults.rejection {
            return .failure(.overloaded("refused at random", retryAfter: faults.retryAfter))
        }
        if draws.1 < faults.loss { return .success(Receipt()) }
        if draws.2 < faults.reordering {
            held.append(addressed)
            return .success(Receipt())
        }
        passed.append((addressed, index))
        if draws.3 < faults.duplication {
            var again = addressed
            // Another id, and the draws of the next payloads are the same without it.
            var other = dice
            again.id = PayloadID(high: addressed.id.high ^ other.next(), low: addressed.id.low)
            passed.append((again, nil))
        }
        passed += held.map { ($0, nil) }
        held = []
        return .success(Receipt())
    }
}
