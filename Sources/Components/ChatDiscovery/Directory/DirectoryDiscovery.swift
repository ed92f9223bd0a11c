internal import ChatCodec
public import ChatCrypto
public import ChatModel

/// Bundles under a name, kept by any delivery service that retains payloads.
///
/// A publisher signs an entry and publishes it on an address that everybody derives from the name. A
/// name alone proves nothing: anybody may publish under it, so ``find(_:)`` then gives everybody who
/// did, each with the key, and the application has to choose. The text that ``publish(_:as:)`` returns
/// holds the key, and with it only that publisher is found. The service is not trusted: it can
/// withhold entries, but not make or change them (DISC-05). See `Specs/directory.md`.
public final class DirectoryDiscovery: DiscoveryProtocol {
    let delivery: any DeliveryService
    let clock: @Sendable () -> Timestamp
    let settling: Duration
    let timeout: Duration
    private let lifetime: Duration
    private let checking: Duration
    private let identity: KeyPair?
    private let state = Lock(State())

    private struct State {
        var memory = DirectoryMemory()
        var statistics = DirectoryStatistics()
        var published = PublishedEntries()
        /// Looks now and then whether they are still found.
        var keeper: Task<Void, Never>?
    }

    /// Opens the directory that a delivery service keeps; every client of the service sees the same one.
    ///
    /// - Parameters:
    ///   - delivery: must offer offline retrieval, else every operation fails with `lacks`.
    ///   - seed: 32 bytes, the Ed25519 seed that signs entries; nil for clients that only look.
    ///   - settling: how long retained entries are awaited before the first answer.
    ///   - timeout: after which a search without a result fails with `notFound`.
    ///   - lifetime: how long an entry is good.
    ///   - checking: after this time, again and again, it looks whether what it published is still found.
    ///   - clock: the time of day.
    public init(
        over delivery: any DeliveryService, signingWith seed: Secret? = nil, settling: Duration = .milliseconds(300),
        timeout: Duration = .seconds(3), lifetime: Duration = .seconds(7 * 86_400), checking: Duration = .seconds(600),
        clock: @escaping @Sendable () -> Timestamp = Timestamp.wallClock
    ) throws(DiscoveryError) {
        (self.delivery, self.clock) = (delivery, clock)
        (self.settling, self.timeout, self.lifetime, self.checking) = (settling, timeout, lifetime, checking)
        do {
            identity = if let seed { try Ed25519.keyPair(seed: seed) } else { nil }
        } catch {
            throw .malformed("a signing seed has \(Ed25519.seedSize) bytes", at: 0)
        }
    }

    deinit { state.withLock { $0.keeper?.cancel() } }

    /// Name `directory`; it needs offline retrieval.
    public var facts: Facts {
        Facts(
            name: "directory", summary: "Signed entries under a name, kept by a delivery service.",
            claims: [
                Claim(.integrity, "DIR-3", "entries are signed by their publisher"),
                Claim(.authentication, "DIR-7", "of a publisher whose key is known; a name alone proves nothing"),
                Claim(.replayProtection, "DIR-6", "older entries than one seen by this value are refused"),
                Claim(
                    .confidentiality, "DIR-9", holds: false, "entries can be read, and searches seen, by the service"),
            ], needs: [.offlineRetrieval])
    }

    /// The key under which entries are published, if there is one.
    public var publisher: PublicKey? { identity?.publicKey }

    /// Counts of received entries, by outcome, over all searches.
    public var statistics: DirectoryStatistics { state.withLock { $0.statistics } }

    /// Publishes an entry that replaces our earlier one under the name; without bundles it withdraws it.
    ///
    /// The first time under a name it looks for an entry of an earlier run, so that the new one counts
    /// as newer even if the clock went back; that takes the settling time. Returns one text, `name@key`.
    /// As long as this value lives it looks now and then whether the entry is still found, and if not, publishes the
    /// bundles again (DIR-10): others may push it out of the service's retention, and its time runs out.
    public func publish(_ bundles: [IntroductionBundle], as name: String) async throws(DiscoveryError) -> [String] {
        guard let identity else { throw .unsupported("publishing without a signing seed") }
        let name = try DirectoryName(name)
        try requireRetention()
        if state.withLock({ $0.published.isNew(name) }) {
            let search = DirectorySearch(of: self, DirectoryQuery(name: name, publisher: identity.publicKey))
            try await search.settle()
        }
        let now = clock()
        let sequence = state.withLock { state in
            let seen = state.memory[name, identity.publicKey] ?? 0
            return state.published.begin(name, at: now, seen: seen)
        }
        guard let sequence else { throw .tooLarge("sequence of an entry", count: .max, limit: .max) }
        try await publish(bundles, as: name, sequence, identity)
        startKeeper()
        return [DirectoryQuery(name: name, publisher: identity.publicKey).text]
    }

    private func publish(
        _ bundles: [IntroductionBundle], as name: DirectoryName, _ sequence: UInt64, _ identity: KeyPair
    ) async throws(DiscoveryError) {
        var taken: [IntroductionBundle]?
        defer { state.withLock { $0.published.end(name, sequence, taken) } }
        // The lifetime counts from the sequence: with a clock that went back, the entry would be born expired.
        let entry = DirectoryEntry(
            name: name.text, publisher: identity.publicKey, sequence: sequence,
            expiry: Timestamp(milliseconds: sequence) + lifetime, bundles: bundles)
        let payload = try entry.signed(by: identity.secret)
        let id = PayloadID(hashing: payload)
        let results = await delivery.publish([Addressed(name.address, payload: payload, id: id)])
        guard let result = results.first else { throw .delivery(.rejected("it gave no answer")) }
        if case .failure(let error) = result { throw .delivery(error) }
        taken = bundles
    }

    /// Looks for a name, or with `name@key` for one publisher of it.
    ///
    /// The first answer comes after the settling time or with the first good entry behind it, further
    /// ones with newer entries. Bundles of one scheme are in random order, so that the first one is a fair
    /// choice among single-use bundles. The search ends when its task is cancelled or its reader is gone.
    public func find(_ text: String) async throws(DiscoveryError) -> Introductions {
        let query = try DirectoryQuery(text)
        try requireRetention()
        return Introductions {
            let search = DirectorySearch(of: self, query)
            return { () throws(DiscoveryError) in try await search.next() }
        }
    }

    private func requireRetention() throws(DiscoveryError) {
        guard delivery.limits.offers.contains(.offlineRetrieval) else {
            throw .delivery(.lacks(.offlineRetrieval))
        }
    }
}

// Published entries are checked and published again (DIR-10).
extension DirectoryDiscovery {
    private func startKeeper() {
        state.withLock { state in
            guard state.keeper == nil else { return }
            state.keeper = Task { [weak self, checking] in
                while (try? await Task.sleep(for: checking)) != nil {
                    guard let self else { return }
                    await publishAgain()
                }
            }
        }
    }

    /// Publishes again what is not found any more. What fails is tried the next time.
    private func publishAgain() async {
        guard let identity else { return }
        for (name, entry) in state.withLock({ $0.published.wanted }) {
            let search = DirectorySearch(of: self, DirectoryQuery(name: name, publisher: identity.publicKey))
            // One whose time is over by the next look counts as gone.
            let isFound = try? await search.finds(entry.sequence, until: clock() + checking + checking)
            guard isFound == false else { continue }
            let now = clock()
            // The service would take the same payload for a repeat, so it is a newer entry.
            let sequence = state.withLock { state in
                let seen = state.memory[name, identity.publicKey] ?? 0
                return state.published.beginAgain(name, after: entry, at: now, seen: seen)
            }
            guard let sequence else { continue }
            do throws(DiscoveryError) {
                try await publish(entry.bundles, as: name, sequence, identity)
                state.withLock { $0.statistics.publishedAgain += 1 }
            } catch {
                continue
            }
        }
    }
}

// For searches.
extension DirectoryDiscovery {
    /// Decides about bytes that arrived, and counts what it decided; the signature is the last and dearest check.
    ///
    /// - Parameter entries: what the search holds, one of each publisher.
    func judge(_ payload: Payload, for query: DirectoryQuery, beside entries: [DirectoryEntry]) -> DirectoryEntry? {
        do throws(DirectoryRejection) {
            let signed = try SignedDirectoryEntry(payload)
            let entry = signed.entry
            try signed.check(for: query, now: clock())
            let newest = state.withLock { $0.memory[query.name, entry.publisher] ?? 0 }
            guard entry.sequence >= newest else { throw .stale }
            if let held = entries.first(where: { $0.publisher == entry.publisher }) {
                guard entry.sequence > held.sequence else { throw .repeated }
            } else {
                guard entries.count < DirectoryLimits.publishers else { throw .tooMany }
            }
            try signed.verify()
            state.withLock { state in
                state.memory.see(entry.sequence, of: entry.publisher, under: query.name)
                state.statistics.accepted += 1
            }
            return entry
        } catch {
            state.withLock { $0.statistics.rejected[error, default: 0] += 1 }
            return nil
        }
    }
}

extension PayloadID {
    /// The same id for the same bytes, so that a service drops repeats.
    init(hashing payload: Payload) {
        let digest = BLAKE2b.hash(count: 16, payload.span)
        self.init(high: digest[..<8].bigEndian, low: digest[8...].bigEndian)
    }
}
