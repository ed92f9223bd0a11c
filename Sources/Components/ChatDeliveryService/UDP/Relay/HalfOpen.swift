import ChatModel

/// A handshake of which the relay has answered its half, and the client has not shown yet that it has the keys.
struct HalfOpen: Sendable {
    /// The client, by its own id.
    let client: RelayCore.Correspondent
    /// The client's ephemeral key, by which its HELLO is known again.
    let ephemeral: [UInt8]
    let seal: HopSeal
    /// Bytes of messages that the client takes ahead.
    let window: Int
    /// What the client was answered.
    let welcome: [UInt8]
    let since: MonotonicInstant
}

/// The handshakes under way, few of them and not for long (UDP2-7).
struct HalfOpenTable: Sendable {
    static let most = 1_024
    static let mostOfHost = 16
    static let lifetime = MicrosecondSpan(5_000_000)

    private var entries: [UInt64: HalfOpen] = [:]
    private var ids: [[UInt8]: UInt64] = [:]
    private var hosts: [UInt64: Int] = [:]
    /// In the order in which they began; some are gone.
    private var order = Queue<(id: UInt64, since: MonotonicInstant)>()

    var count: Int { entries.count }

    /// The handshake whose packets come under an id.
    func entry(_ id: UInt64) -> HalfOpen? { entries[id] }

    /// The handshake that a HELLO has begun already.
    func entry(ephemeral: [UInt8], of peer: NetworkAddress) -> HalfOpen? {
        ids[ephemeral].flatMap { entries[$0] }.flatMap { $0.client.peer == peer ? $0 : nil }
    }

    /// Adds a handshake; where there is no place, the oldest of the host that has most gives way.
    mutating func insert(_ entry: HalfOpen) {
        let host = entry.client.peer.host
        if hosts[host, default: 0] >= Self.mostOfHost { removeOldest(of: host) }
        if entries.count >= Self.most, let most = hosts.max(by: { $0.value < $1.value })?.key { removeOldest(of: most) }
        entries[entry.seal.ownID] = entry
        ids[entry.ephemeral] = entry.seal.ownID
        hosts[host, default: 0] += 1
        order.append((entry.seal.ownID, entry.since))
    }

    /// Takes a handshake out.
    @discardableResult mutating func remove(_ id: UInt64) -> HalfOpen? {
        guard let entry = entries.removeValue(forKey: id) else { return nil }
        if ids[entry.ephemeral] == id { ids[entry.ephemeral] = nil }
        let host = entry.client.peer.host
        hosts[host, default: 1] -= 1
        if hosts[host] == 0 { hosts[host] = nil }
        return entry
    }

    /// Forgets those whose time is over.
    mutating func expire(_ now: MonotonicInstant) {
        while let first = order.first, first.since + Self.lifetime <= now || entries[first.id] == nil {
            order.popFirst()
            remove(first.id)
        }
    }

    private mutating func removeOldest(of host: UInt64) {
        let oldest = entries.filter { $0.value.client.peer.host == host }.min { $0.value.since < $1.value.since }
        if let oldest { remove(oldest.key) }
    }
}

/// Whether a relay computes so many handshakes that it asks for cookies (UDP2-5).
struct HandshakeLoad: Sendable {
    /// So many handshakes in so short a time are a load: a tenth of a core.
    static let handshakes = 200
    static let time = MicrosecondSpan(100_000)
    private var times = Queue<MonotonicInstant>()

    /// A handshake is computed.
    mutating func note(_ now: MonotonicInstant) {
        times.append(now)
        while times.count > Self.handshakes { times.popFirst() }
    }

    /// Whether that is a load now, or so many handshakes are half open.
    func isHigh(halfOpen: Int, _ now: MonotonicInstant) -> Bool {
        guard halfOpen < HalfOpenTable.most / 4 else { return true }
        guard times.count >= Self.handshakes, let first = times.first else { return false }
        return now.since(first) < Self.time
    }
}
