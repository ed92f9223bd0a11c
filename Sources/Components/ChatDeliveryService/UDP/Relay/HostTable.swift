import ChatModel

/// Who is behind the sessions: how many one host has and what they listen to, hold and are owed, and what is left of
/// its quota.
///
/// A quota belongs to the host and not to the session, or a new session would be a new quota.
struct HostTable: Sendable {
    private struct Host: Sendable {
        var sessions = 0
        var subscriptions = 0
        var heldBytes = 0
        var owedAnswers = 0
        var quota: Quota?
    }

    private let limits: RelayLimits
    private var hosts: [UInt64: Host] = [:]
    private var mostSessions = Most()
    private var mostSubscriptions = Most()

    /// The host that has most of something, counted anew only after it lost some.
    private struct Most: Sendable {
        private(set) var host: UInt64 = 0
        private(set) var count = 0
        private(set) var isKnown = true

        mutating func changed(_ host: UInt64, to count: Int) {
            if host == self.host, count < self.count { isKnown = false }
            if isKnown, count > self.count { (self.host, self.count) = (host, count) }
        }

        mutating func recount(_ counts: some Sequence<(host: UInt64, count: Int)>) {
            self = Most()
            for one in counts { changed(one.host, to: one.count) }
        }
    }

    init(_ limits: RelayLimits) {
        self.limits = limits
    }

    /// A session begins, if the host may have another one.
    mutating func enter(_ host: UInt64) -> Bool {
        guard hosts[host, default: Host()].sessions < limits.sessionsPerHost else { return false }
        hosts[host, default: Host(quota: limits.rate.map { Quota($0) })].sessions += 1
        mostSessions.changed(host, to: hosts[host]?.sessions ?? 0)
        return true
    }

    /// A session ends; its host is remembered while its quota is not full again.
    mutating func leave(_ host: UInt64) {
        hosts[host]?.sessions -= 1
        mostSessions.changed(host, to: hosts[host]?.sessions ?? 0)
        if limits.rate == nil, hosts[host]?.sessions == 0 { hosts[host] = nil }
    }

    /// Whether a host may have another session.
    func mayEnter(_ host: UInt64) -> Bool { (hosts[host]?.sessions ?? 0) < limits.sessionsPerHost }

    /// A session goes on behind another host, with all that it costs, if that host may have another one.
    mutating func move(_ old: UInt64, _ new: UInt64, _ session: RelaySession) -> Bool {
        guard enter(new) else { return false }
        for (host, sign) in [(old, -1), (new, 1)] {
            subscribe(host, sign * session.subscriptions.count)
            hold(host, sign * session.link.heldBytes)
            owe(host, sign * session.countedAnswers)
        }
        leave(old)
        return true
    }

    /// Notes a change of the number of subscriptions of all its sessions.
    mutating func subscribe(_ host: UInt64, _ change: Int) {
        hosts[host]?.subscriptions += change
        mostSubscriptions.changed(host, to: hosts[host]?.subscriptions ?? 0)
    }

    /// The host that must give a session up for another one: the one with most, if it has twice as many as the other
    /// would have.
    mutating func withTooManySessions(for host: UInt64) -> UInt64? {
        if !mostSessions.isKnown { mostSessions.recount(hosts.lazy.map { ($0.key, $0.value.sessions) }) }
        return mostSessions.count >= 2 * ((hosts[host]?.sessions ?? 0) + 1) ? mostSessions.host : nil
    }

    /// The same for subscriptions.
    mutating func withTooManySubscriptions(for host: UInt64) -> UInt64? {
        if !mostSubscriptions.isKnown { mostSubscriptions.recount(hosts.lazy.map { ($0.key, $0.value.subscriptions) }) }
        return mostSubscriptions.count >= 2 * ((hosts[host]?.subscriptions ?? 0) + 1) ? mostSubscriptions.host : nil
    }

    /// The bytes held for incomplete messages of a host, over all its sessions.
    func heldBytes(_ host: UInt64) -> Int { hosts[host]?.heldBytes ?? 0 }

    /// Notes a change of the bytes held for its incomplete messages.
    mutating func hold(_ host: UInt64, _ change: Int) { hosts[host]?.heldBytes += change }

    /// The bytes of answers owed to all sessions of a host.
    func owedAnswers(_ host: UInt64) -> Int { hosts[host]?.owedAnswers ?? 0 }

    /// Notes a change of the bytes of answers owed to its sessions.
    mutating func owe(_ host: UInt64, _ change: Int) { hosts[host]?.owedAnswers += change }

    /// Takes a payload off a host's quota.
    mutating func take(_ host: UInt64, _ now: MonotonicInstant) throws(DeliveryError) {
        guard limits.rate != nil else { return }
        if hosts.count > 2 * limits.sessions { forgetIdle(now) }
        try hosts[host]?.quota?.take(now)
    }

    private mutating func forgetIdle(_ now: MonotonicInstant) {
        hosts = hosts.filter { $0.value.sessions > 0 || $0.value.quota?.isFresh(now) == false }
        guard hosts.count > 2 * limits.sessions else { return }
        // Too many strangers within one epoch: rather give them their quota back than remember them all.
        hosts = hosts.filter { $0.value.sessions > 0 }
    }
}
