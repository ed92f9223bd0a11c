public import ChatModel
internal import Synchronization

/// A delivery service that counts what another one is given: the bytes that a stranger on the wire sees.
public final class Counting: DeliveryService {
    private let inner: any DeliveryService
    private let count = Mutex((payloads: 0, bytes: 0))

    /// Counts in front of a service.
    public init(_ inner: any DeliveryService) {
        self.inner = inner
    }

    /// Payloads and bytes so far.
    public var sent: (payloads: Int, bytes: Int) { count.withLock { $0 } }

    /// Those of the service within.
    public var facts: Facts { inner.facts }
    /// Those of the service within.
    public var limits: DeliveryLimits { inner.limits }

    /// Counts what the service takes.
    public func publish(_ payloads: [Addressed]) async -> [Result<Receipt, DeliveryError>] {
        let results = await inner.publish(payloads)
        for (payload, result) in zip(payloads, results) {
            guard case .success = result else { continue }
            count.withLock { $0 = ($0.payloads + 1, $0.bytes + payload.payload.count) }
        }
        return results
    }

    /// Goes on to the service within.
    public func subscribe(_ addresses: [DeliveryAddress: Since], into mailbox: Mailbox) async throws(DeliveryError) {
        try await inner.subscribe(addresses, into: mailbox)
    }

    /// Goes on to the service within.
    public func unsubscribe(_ addresses: [DeliveryAddress], from mailbox: Mailbox) async {
        await inner.unsubscribe(addresses, from: mailbox)
    }
}
