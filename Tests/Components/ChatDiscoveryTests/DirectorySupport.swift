import ChatCrypto
import ChatDeliveryService
import ChatDiscovery
import ChatModel
import Testing

/// A seed of one repeated byte.
func seed(_ byte: UInt8) -> Secret { Secret(copying: [UInt8](repeating: byte, count: 32).span) }

/// The key that belongs to such a seed.
func key(_ byte: UInt8) throws -> PublicKey { try Ed25519.keyPair(seed: seed(byte)).publicKey }

/// A bundle that can be told from others.
func bundle(_ byte: UInt8, scheme: String = "openinvite_1", expiry: Timestamp? = nil) -> IntroductionBundle {
    IntroductionBundle(scheme: scheme, bytes: [byte], expiry: expiry, isSingleUse: true)
}

/// A clock that a test sets, at first to the time of the worked example.
final class SetClock: Sendable {
    private let time = Lock(Timestamp(milliseconds: 1_700_000_000_000))

    var now: Timestamp {
        get { time.withLock { $0 } }
        set { time.withLock { $0 = newValue } }
    }
}

/// A delivery service that lets a test look and interfere.
final class WatchedService: DeliveryService {
    let inner: InMemoryDeliveryService
    private let state = Lock((subscribed: 0, published: [Addressed](), failure: DeliveryError?.none))
    let limits: DeliveryLimits

    init(limits: DeliveryLimits? = nil, keeping payloads: Int = 1_024) {
        let retention = DeliveryLimits.Retention(payloads: payloads, bytes: 4 << 20, age: .seconds(3_600))
        inner = InMemoryDeliveryService(limits: DeliveryLimits(maximumPayload: 1 << 20, retention: retention))
        self.limits = limits ?? inner.limits
    }

    var facts: Facts { inner.facts }
    /// Subscriptions that have not ended.
    var subscriptions: Int { state.withLock { $0.subscribed } }
    var published: [Addressed] { state.withLock { $0.published } }
    var failure: DeliveryError? {
        get { state.withLock { $0.failure } }
        set { state.withLock { $0.failure = newValue } }
    }

    func publish(_ payloads: [Addressed]) async -> [Result<Receipt, DeliveryError>] {
        if let failure { return payloads.map { _ in .failure(failure) } }
        state.withLock { $0.published += payloads }
        return await inner.publish(payloads)
    }

    func subscribe(_ addresses: [DeliveryAddress: Since], into mailbox: Mailbox) async throws(DeliveryError) {
        if let failure { throw failure }
        state.withLock { $0.subscribed += addresses.count }
        try await inner.subscribe(addresses, into: mailbox)
    }

    func unsubscribe(_ addresses: [DeliveryAddress], from mailbox: Mailbox) async {
        state.withLock { $0.subscribed -= addresses.count }
        await inner.unsubscribe(addresses, from: mailbox)
    }

    /// Publishes bytes under a name as a stranger would.
    func put(_ payload: Payload, under name: String) async throws {
        let address = try DirectoryName(name).address
        _ = await inner.publish([Addressed(address, payload: payload)])
    }
}

/// A service, a clock, and directories over them.
struct Place {
    let service: WatchedService
    let clock = SetClock()

    init(_ service: WatchedService = WatchedService()) {
        self.service = service
    }

    /// A client's directory; quick, because nothing here is far away.
    func directory(
        _ byte: UInt8? = nil, settling: Duration = .milliseconds(20), timeout: Duration = .milliseconds(60),
        checking: Duration = .seconds(600)
    ) throws -> DirectoryDiscovery {
        let clock = clock
        return try DirectoryDiscovery(
            over: service, signingWith: byte.map(seed), settling: settling, timeout: timeout, checking: checking,
            clock: { clock.now })
    }

    /// An entry as its publisher would sign it.
    func entry(
        _ byte: UInt8, _ bundles: [IntroductionBundle] = [bundle(1)], name: String = "raya",
        sequence: UInt64 = 1_700_000_000_000, expiry: UInt64 = 1_700_604_800_000
    ) throws -> Payload {
        try DirectoryEntry(
            name: name, publisher: try key(byte), sequence: sequence, expiry: Timestamp(milliseconds: expiry),
            bundles: bundles
        ).signed(by: seed(byte))
    }
}

extension [Introduction] {
    /// The first byte of each bundle of the only one found.
    var bytes: Set<UInt8> { Set(flatMap(\.bundles).map { $0.bytes[0] }) }
}
