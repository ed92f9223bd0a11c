public import ChatCrypto
public import ChatModel

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Delivery through a relay over UDP datagrams; see Specs/udp.md.
///
/// A publish that succeeds means that the relay has the payload and keeps it for subscribers that are away. Payloads
/// of one sender on one address arrive in order (DS-05 does not apply while the relay lives); a payload may arrive
/// again when the relay restarts. When the relay is lost, mailboxes are told (DS-14), the service seeks it, and
/// subscriptions go on from the last payload that found room. A full mailbox makes the relay wait.
public final class UDPDeliveryService: DeliveryService {
    /// The relay as it was named.
    public let relay: String
    /// Whether the hop to the relay is sealed.
    private let isSealed: Bool
    private let endpoint: Endpoint<ClientShell>
    private let told: Told
    private let lookups: Task<Void, Never>
    private let sending: SendTrouble
    private let lookupTrouble: Lookup

    /// The limits that the relay stated last.
    private final class Told: Sendable {
        let limits = Lock(DeliveryLimits(maximumPayload: 64 << 10, offers: UDPDeliveryService.offers))
    }

    /// What the last looking up of the relay's name said.
    private final class Lookup: Sendable {
        let error = Lock<DeliveryError?>(nil)
    }

    /// Why the relay cannot be reached, as far as the system says: what looking up its name said, or why nothing leaves
    /// this machine; nil where nobody knows more than that no answer comes.
    public var trouble: String? { lookupTrouble.error.withLock { $0?.description } ?? sending.words }

    private static let offers: Set<Capability> = [.acknowledgement, .ordering, .offlineRetrieval]

    /// Connects to a relay.
    ///
    /// - Parameters:
    ///   - relay: `relay://HOST:PORT/#KEY` of a relay that has this key, or `HOST:PORT` of one in plain; of a host with
    ///     several addresses each is tried, and a name is looked up again as long as the relay is sought.
    ///   - configuration: times and sizes.
    ///   - keyLog: where the keys of sealed sessions are written down, for who inspects the traffic; nil as a rule.
    ///   - random: names sessions and payloads that have no id.
    /// - Throws: `startup` if the name means nothing or there is no socket; `unreachable`, `overloaded` or `rejected`
    ///   if the relay does not let us in, unless the configuration says that the service starts offline.
    public convenience init(
        relay: String, configuration: UDPConfiguration = UDPConfiguration(), keyLog: HopKeyLog? = nil,
        random: any RandomSource = SystemRandom()
    ) async throws(DeliveryError) {
        try await self.init(relay: relay, configuration: configuration, keyLog: keyLog, random: random, tap: nil)
    }

    /// The same, with somebody who looks at all datagrams.
    package init(
        relay: String, configuration: UDPConfiguration = UDPConfiguration(), keyLog: HopKeyLog? = nil,
        random: any RandomSource = SystemRandom(), tap: DatagramTap?
    ) async throws(DeliveryError) {
        let (name, place) = try RelayName.read(relay)
        var addresses: [NetworkAddress] = []
        let lookup = Lookup()
        do throws(DeliveryError) { addresses = try await place.resolved() } catch {
            // A name that means nothing yet is sought like a relay that is not there yet.
            guard configuration.startsOffline else { throw error }
            lookup.error.withLock { $0 = error }
        }
        let loss = DatagramLoss(configuration.datagramLoss, seed: configuration.lossSeed)
        let socket = try DatagramSocket(listeningOn: nil, loss: loss)
        let words = "relay \(name.place)"
        let told = Told()
        let core = ClientCore(
            name: words, relays: addresses, key: name.key, keyLog: keyLog, configuration, random: random, now: .now)
        let shell = ClientShell(core, name: words) { welcome in
            let limits = welcome.limits.offering(Self.offers)
            told.limits.withLock { $0 = limits }
        }
        (self.relay, self.told, isSealed) = (relay, told, name.key != nil)
        endpoint = try Endpoint(shell, on: socket, tap: tap)
        let endpoint = endpoint
        lookups = Task { [weak endpoint] in
            while (try? await Task.sleep(for: Self.lookupInterval)) != nil {
                guard let isSeeking = endpoint?.perform({ shell, _ in shell.isSeeking }) else { return }
                guard isSeeking else { continue }
                do throws(DeliveryError) {
                    let found = try await place.resolved()
                    lookup.error.withLock { $0 = nil }
                    endpoint?.perform { shell, _ in shell.reach(at: found) }
                } catch {
                    lookup.error.withLock { $0 = error }
                }
            }
        }
        (sending, lookupTrouble) = (socket.trouble, lookup)
        let error = await withCheckedContinuation { (continuation: CheckedContinuation<DeliveryError?, Never>) in
            endpoint.perform { shell, now in shell.join(continuation, now) }
        }
        guard let error, !configuration.startsOffline else { return }
        close()
        throw error
    }

    /// How often a name is looked up while the relay is sought.
    private static let lookupInterval = Duration.seconds(5)

    deinit { close() }

    /// Says goodbye to the relay; whoever still waits gets the error `closed`.
    public func close() {
        lookups.cancel()
        endpoint.close { shell, _ in shell.close() }
    }

    /// Name and claims.
    public var facts: Facts {
        Facts(
            name: "udp", summary: "delivery through a relay over UDP",
            claims: [
                Claim(.lossDetection, "DS-11", "a subscriber that missed payloads is told"),
                Claim(.lossRecovery, "UDP-10", "between client and relay, in both directions"),
                Claim(.replayProtection, "UDP-14", "repeated ids are dropped while the relay lives and remembers"),
                confidentiality, authentication,
                Claim(.recipientPrivacy, "DS-08", holds: false, "the relay sees who subscribes to what"),
            ])
    }

    private var confidentiality: Claim {
        guard isSealed else {
            return Claim(
                .confidentiality, "UDP-20", holds: false, "in plain: the relay and the path see addresses and sizes")
        }
        return Claim(
            .confidentiality, "UDP2-8", holds: false, "the relay sees addresses and sizes; the path sizes and times")
    }

    private var authentication: Claim {
        guard isSealed else {
            return Claim(.authentication, "UDP-20", holds: false, "the relay is whoever answers at its address")
        }
        return Claim(
            .authentication, "UDP2-3", holds: false, "the relay proves the key of its name; who publishes is not known")
    }

    /// The limits that the relay stated last; before that, the least that clients may count on.
    public var limits: DeliveryLimits { told.limits.withLock { $0 } }

    /// Returns when the relay has answered for each payload, or when the deadline is over.
    public func publish(_ payloads: [Addressed]) async -> [Result<Receipt, DeliveryError>] {
        let limit = limits.maximumPayload
        var results: [Result<Receipt, DeliveryError>] = []
        var good: [Addressed] = []
        var names = FreshNames()
        for addressed in payloads {
            guard let error = Self.problem(addressed, limit) else {
                good.append(names.named(addressed))
                results.append(.success(Receipt()))
                continue
            }
            results.append(.failure(error))
        }
        guard !good.isEmpty else { return results }
        var answers: [Result<Receipt, DeliveryError>] = []
        for start in stride(from: 0, to: good.count, by: Self.callSize) {
            answers += await send(Array(good[start..<min(good.count, start + Self.callSize)]))
        }
        answers.reverse()
        for index in results.indices {
            if case .success = results[index], let answer = answers.popLast() { results[index] = answer }
        }
        return results
    }

    /// Payloads under way for one call at once: a quarter of what one client may have under way.
    private static let callSize = ClientShell.maximumPending / 4

    private func send(_ payloads: [Addressed]) async -> [Result<Receipt, DeliveryError>] {
        let endpoint = endpoint
        return await withCheckedContinuation { continuation in
            endpoint.perform { shell, now in shell.publish(payloads, continuation, now) }
        }
    }

    private static func problem(_ addressed: Addressed, _ limit: Int) -> DeliveryError? {
        if addressed.payload.count > limit { return .tooLarge(bytes: addressed.payload.count, limit: limit) }
        return problem(addressed.address) ?? addressed.replyAddress.flatMap(problem)
    }

    private static func problem(_ address: DeliveryAddress) -> DeliveryError? {
        let count = address.text.utf8.count
        guard count > 0 else { return .badAddress("", reason: "empty") }
        guard count <= UDPFormat.maximumAddress else {
            return .badAddress(address.text, reason: "\(count) bytes; at most \(UDPFormat.maximumAddress) allowed")
        }
        return nil
    }

    /// Returns when the relay has answered for each address; throws the first error, whose addresses are not
    /// subscribed to, while the others are.
    public func subscribe(_ addresses: [DeliveryAddress: Since], into mailbox: Mailbox) async throws(DeliveryError) {
        for address in addresses.keys { if let error = Self.problem(address) { throw error } }
        let endpoint = endpoint
        mailbox.whenStored(for: endpoint) { [weak endpoint, weak mailbox] _ in
            if let mailbox { endpoint?.perform { shell, _ in shell.resume(mailbox) } }
        }
        let error = await withCheckedContinuation { continuation in
            endpoint.perform { shell, now in shell.subscribe(addresses, mailbox, continuation, now) }
        }
        if let error { throw error }
    }

    /// Ends deliveries at once; the relay learns of it a moment later.
    public func unsubscribe(_ addresses: [DeliveryAddress], from mailbox: Mailbox) async {
        endpoint.perform { shell, _ in shell.unsubscribe(addresses, mailbox) }
    }

    /// Counters since the client's start.
    package var statistics: ClientStatistics { endpoint.perform { shell, _ in shell.statistics } }
}

/// Ids for payloads that have none: unpredictable, or a stranger could publish under the next one first. A payload
/// without an id gets one, so that sending it again to another session is known as such.
private struct FreshNames {
    /// What the system gives at once: sixteen ids.
    private var words: [UInt64] = []
    private static let words = 32

    mutating func named(_ addressed: Addressed) -> Addressed {
        guard addressed.id.high | addressed.id.low == 0 else { return addressed }
        if words.count < 2 { draw() }
        guard let high = words.popLast(), let low = words.popLast() else { return addressed }
        var named = addressed
        named.id = PayloadID(high: max(1, high), low: low)
        return named
    }

    private mutating func draw() {
        words = [UInt64](repeating: 0, count: Self.words)
        let isDrawn = unsafe words.withUnsafeMutableBytes { bytes in
            unsafe getentropy(bytes.baseAddress, bytes.count) == 0
        }
        if !isDrawn { for index in words.indices { words[index] = .random(in: .min ... .max) } }
    }
}
