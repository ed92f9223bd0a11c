import ChatCodec
import ChatCrypto
import ChatModel
import ChatRecords

/// The single-use keys behind outstanding bundles, and a memory of those that are gone.
///
/// A key is live from the moment its bundle is made; an invite or its time ends it. The memory tells
/// a key that was used from one that never was, for as long as it lasts.
struct KeyRing: Sendable {
    /// Bounds on what is kept.
    struct Limits: Sendable {
        /// Keys live at once, at most.
        let keys: Int
        /// How long a key lives, and how long it is remembered afterwards; nil for ever.
        let lifetime: Duration?
        /// Keys remembered after their end, at most.
        let memory: Int
    }

    /// A key that a bundle names.
    struct Live: Sendable {
        let pair: KeyPair
        let expiry: Timestamp?
    }

    /// How a key ended.
    enum End: UInt64, Sendable {
        case used = 1
        case expired = 2
    }

    private static let prefix = "key/"
    private let limits: Limits
    private let stored: RecordCodec
    private var live: [[UInt8]: Live] = [:]
    private var gone: ReplayCache
    private var changes: [Record] = []

    init(limits: Limits, machine: String) {
        (self.limits, stored) = (limits, RecordCodec(machine: machine))
        gone = ReplayCache(prefix: "gone/", limit: limits.memory, machine: machine)
    }

    /// Whether a name is taken, by a live key or by the memory of one.
    func knows(_ name: [UInt8]) -> Bool { live[name] != nil || gone[name] != nil }

    /// When something next expires or is forgotten.
    var nextDue: Timestamp? {
        .earliest(live.values.lazy.compactMap(\.expiry).min(), gone.nextDue)
    }

    /// Refuses more keys than there is room for.
    func admit(_ count: Int) throws(Refusal) {
        guard count <= limits.keys - live.count else {
            throw Refusal(.unable, InitializationCause.tooManyKeys(live.count + count, limit: limits.keys))
        }
    }

    /// Adds a key under its name and says when it expires.
    mutating func add(_ pair: KeyPair, as name: [UInt8], now: Timestamp) -> Timestamp? {
        let expiry = limits.lifetime.map { now + $0 }
        live[name] = Live(pair: pair, expiry: expiry)
        let bytes = pair.secret.lend { Bytes(copying: $0) }
        changes.append(stored.record(Self.key(name), StoredItem(bytes: bytes, time: expiry)))
        return expiry
    }

    /// The live key of a name, or a refusal that says what became of it; changes nothing.
    func find(_ name: [UInt8], now: Timestamp) throws(Refusal) -> KeyPair {
        if let key = live[name] {
            guard let expiry = key.expiry, expiry <= now else { return key.pair }
            throw Refusal(.invalid, InitializationCause.expiredKey(hex(name)))
        }
        switch gone[name].flatMap(End.init) {
        case .used: throw Refusal(.invalid, InitializationCause.usedKey(hex(name)))
        case .expired: throw Refusal(.invalid, InitializationCause.expiredKey(hex(name)))
        case nil: throw Refusal(.invalid, InitializationCause.unknownKey(hex(name)))
        }
    }

    /// Ends a key and remembers how.
    mutating func end(_ name: [UInt8], as end: End, now: Timestamp) {
        guard live.removeValue(forKey: name) != nil else { return }
        changes.append(Record(Self.key(name), nil))
        guard let lifetime = limits.lifetime else { return }
        gone.remember(name, note: end.rawValue, until: now + lifetime)
    }

    /// Ends keys whose time is over and forgets ends that are long past.
    mutating func sweep(_ now: Timestamp) {
        gone.sweep(now)
        let over = live.filter { $0.value.expiry.map { $0 <= now } ?? false }
        for name in over.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) { end(name, as: .expired, now: now) }
    }

    /// The records that changed since the last call.
    mutating func takeChanges() -> [Record] {
        defer { changes = [] }
        return changes + gone.takeChanges()
    }

    /// Takes up a record of an earlier run; false where it is of neither kind. A key under a wrong name is refused.
    mutating func restore(_ record: Record, naming name: (PublicKey) -> [UInt8]) throws(Refusal) -> Bool {
        guard record.key.hasPrefix(Self.prefix) else { return try gone.restore(record) }
        let item: StoredItem = try stored.message(record)
        guard live.count < limits.keys, let pair = try? X25519.keyPair(Secret(copying: item.bytes.span)) else {
            throw stored.unreadable(record.key)
        }
        let name = name(pair.publicKey)
        guard Self.key(name) == record.key else { throw stored.unreadable(record.key) }
        live[name] = Live(pair: pair, expiry: item.time == 0 ? nil : Timestamp(milliseconds: item.time))
        return true
    }

    private static func key(_ name: [UInt8]) -> String { prefix + hex(name) }
}
