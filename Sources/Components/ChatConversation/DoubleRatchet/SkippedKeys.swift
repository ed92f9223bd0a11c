import ChatModel

/// Message keys of payloads that have not arrived, bounded in number; the oldest go first.
///
/// Each key has a serial number, which names its record and says how old it is.
struct SkippedKeys: Sendable {
    /// Which payload a key is for.
    struct Place: Hashable {
        let key: RatchetKey
        let number: UInt32

        /// The name shown to applications: the first bytes of the ratchet key, and the number in its chain.
        var name: String { "\(hex(Array(key.publicKey.bytes.prefix(4))))/\(number)" }
    }

    /// One key.
    struct Entry: Equatable {
        let serial: UInt64
        let secret: Secret
        /// Of its payload on the route; 0 where it was stored without.
        let sequence: UInt64
    }

    private var entries: [Place: Entry] = [:]
    /// Oldest first; places whose key was taken stay in it until half of it is such.
    private var order: [Place] = []
    /// Where in the order the first key is that is still here.
    private var oldest = 0
    private(set) var nextSerial: UInt64 = 0
    /// Serials that came or went since the changes were last taken, and their places.
    private var touched: [UInt64: Place] = [:]

    init() {}

    /// Takes up stored keys; serials must differ and lie below the next one.
    init?(_ stored: [(place: Place, entry: Entry)], nextSerial: UInt64) {
        for one in stored.sorted(by: { $0.entry.serial < $1.entry.serial }) {
            guard one.entry.serial < nextSerial, entries.updateValue(one.entry, forKey: one.place) == nil else {
                return nil
            }
            order.append(one.place)
        }
        guard Set(entries.values.map(\.serial)).count == entries.count else { return nil }
        self.nextSerial = nextSerial
    }

    var count: Int { entries.count }

    /// Every key with its place, in no order.
    var all: [(place: Place, secret: Secret)] { entries.map { ($0.key, $0.value.secret) } }

    /// The lowest sequence of a payload whose key is here; nil where there is none.
    var lowestSequence: UInt64? { oldest < order.count ? entries[order[oldest]]?.sequence : nil }

    /// The key for a payload, which stays.
    subscript(place: Place) -> Secret? { entries[place]?.secret }

    /// Keeps keys of payloads whose sequences begin with a number, oldest first, and of all keys at most so many.
    mutating func insert(_ keys: some Sequence<(Place, Secret)>, sequence: UInt64, limit: Int) {
        let offset = sequence &- nextSerial
        for (place, secret) in keys {
            entries[place] = Entry(serial: nextSerial, secret: secret, sequence: nextSerial &+ offset)
            order.append(place)
            touched[nextSerial] = place
            nextSerial += 1
        }
        guard entries.count > limit else { return }
        while entries.count > limit, oldest < order.count { remove(order[oldest]) }
    }

    /// Forgets a key: it was used, or is too old.
    mutating func remove(_ place: Place) {
        guard let entry = entries.removeValue(forKey: place) else { return }
        // A key that came and went between two batches was never stored.
        if touched.removeValue(forKey: entry.serial) == nil { touched[entry.serial] = place }
        while oldest < order.count, entries[order[oldest]] == nil { oldest += 1 }
        guard order.count > 2 * entries.count + 64 else { return }
        order.removeAll { entries[$0] == nil }
        oldest = 0
    }

    /// Keys added (with their bytes) or removed (without) since the last call, in the order of serials.
    mutating func takeChanges() -> [(serial: UInt64, place: Place, secret: Secret?, sequence: UInt64)] {
        guard !touched.isEmpty else { return [] }
        defer { touched = [:] }
        return touched.sorted { $0.key < $1.key }.map { serial, place in
            (serial, place, entries[place]?.secret, entries[place]?.sequence ?? 0)
        }
    }
}

extension SkippedKeys: Equatable {
    /// Whether the same keys are kept, and are equally old.
    static func == (left: SkippedKeys, right: SkippedKeys) -> Bool {
        left.nextSerial == right.nextSerial && left.entries == right.entries
    }
}
