/// Payloads that are done with, in the order in which they were; the oldest are forgotten first.
struct FinishedPayloads: Sendable {
    private var keys: [Reassembler.Key: UInt64] = [:]
    /// A ring once it is full.
    private var order: [Reassembler.Key] = []
    private var oldest = 0
    private var nextSerial: UInt64 = 0

    init() {}

    /// Takes up stored keys, whose serials differ.
    init(_ stored: [(serial: UInt64, key: Reassembler.Key)]) {
        for (serial, key) in stored.sorted(by: { $0.serial < $1.serial }) {
            (keys[key], nextSerial) = (serial, serial + 1)
            order.append(key)
        }
    }

    func contains(_ key: Reassembler.Key) -> Bool { keys[key] != nil }

    /// Adds a key that is not in it; returns its serial, and that of the one that is forgotten for it.
    mutating func insert(_ key: Reassembler.Key, limit: Int) -> (serial: UInt64, forgotten: UInt64?) {
        let serial = nextSerial
        nextSerial += 1
        keys[key] = serial
        guard order.count >= limit else {
            order.append(key)
            return (serial, nil)
        }
        let forgotten = keys.removeValue(forKey: order[oldest])
        order[oldest] = key
        oldest = (oldest + 1) % order.count
        return (serial, forgotten)
    }
}
