import ChatClient
public import ChatModel

/// No peer holds more than the scenario's bounds.
public struct BoundedMemory: Invariant {
    /// "memory within bounds".
    public let name = "memory within bounds"
    private let bounds: Scenario.Bounds

    /// Checks after each step.
    public init(_ bounds: Scenario.Bounds) {
        self.bounds = bounds
    }

    /// Names what there is too much of.
    public mutating func stepped(_ load: PeerLoad, peer: Int) -> Finding? {
        let core = load.core
        let stored = bounds.storedBytes * max(1, core.conversations)
        if core.outboxPayloads > bounds.outbox {
            return Self.found("payloads in the outbox", core.outboxPayloads, bounds.outbox, peer)
        }
        if core.deferredPayloads > bounds.deferred {
            return Self.found("payloads kept to be offered again", core.deferredPayloads, bounds.deferred, peer)
        }
        if core.waitingEvents > bounds.events {
            return Self.found("events that wait for the application", core.waitingEvents, bounds.events, peer)
        }
        guard load.storedBytes > stored else { return nil }
        return Self.found("bytes of records", load.storedBytes, stored, peer)
    }

    private static func found(_ what: String, _ count: Int, _ limit: Int, _ peer: Int) -> Finding {
        "\(ParticipantNames.name(peer)) holds \(count) \(what); at most \(limit) are expected"
    }
}

/// When nobody says anything, hardly anything is published.
public struct QuietWhenIdle: Invariant {
    /// "quiet when idle".
    public let name = "quiet when idle"
    private let bound, vainBound: Int

    /// Checks at the end, over the second half of the time in which nobody spoke.
    ///
    /// - Parameters:
    ///   - bound: payloads in an hour, for one participant of one conversation.
    ///   - vainBound: the same where somebody was told that keys fit no longer, or lies.
    public init(_ bound: Int, inVain vainBound: Int) {
        (self.bound, self.vainBound) = (bound, vainBound)
    }

    /// States what was published.
    public mutating func concluded(_ ledger: Ledger, _ tally: Tally) -> Finding? {
        guard tally.idleTime.microseconds > 0 else { return nil }
        let hourly = ledger.threads.reduce(0) { sum, thread in
            let honest = thread.participants.count { !ledger.liars.contains($0) }
            let isVain = thread.isBroken || honest < thread.participants.count
            return sum + honest * (isVain ? vainBound : bound)
        }
        let hours = tally.idleTime.seconds / 3_600
        let allowed = max(1, (Double(hourly) * hours).rounded(.up))
        guard Double(tally.idlePayloads) > allowed else { return nil }
        return Finding(
            "\(tally.idlePayloads) payloads in \(tally.idleTime.seconds) s in which nobody spoke; "
                + "\(Int(allowed)) are allowed for \(ledger.threads.count) conversations")
    }
}

/// No key seals two different things.
public struct KeysUsedOnce: Invariant {
    /// "no key twice".
    public let name = "no key twice"
    private let uses: @Sendable (Addressed) -> [KeyUse]
    /// What each key sealed, as a hash: whole ciphertexts would fill the memory.
    private var sealed: [Bytes: Int] = [:]

    /// Checks each payload that is published.
    ///
    /// - Parameter uses: the keys that sealed a payload, as far as a stranger can tell them apart.
    public init(_ uses: @escaping @Sendable (Addressed) -> [KeyUse]) {
        self.uses = uses
    }

    /// Names the key.
    public mutating func published(_ addressed: Addressed, by peer: Int) -> Finding? {
        for use in uses(addressed) {
            let hash = use.sealed.hashValue
            guard let before = sealed.updateValue(hash, forKey: use.key), before != hash else { continue }
            return "\(ParticipantNames.name(peer)) sealed two different payloads with one key"
        }
        return nil
    }
}
