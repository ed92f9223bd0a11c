internal import ChatModel

/// Ids of payloads that need no second look: our own, which a service may echo (DS-12), and those that
/// a machine accepted, which a service may repeat (DS-04).
///
/// Only what was authentic, or ours, gets in, so nobody can make a good payload be ignored. Kept in
/// memory alone: after a restart a repeat is refused by its machine instead.
struct RecentPayloads: Sendable {
    /// Enough for everything that is on the way at once.
    static let capacity = 8_192
    private static let unset = PayloadID(high: 0, low: 0)
    private var known: Set<PayloadID> = []
    private var order: [PayloadID] = []
    private var oldest = 0

    mutating func insert(_ id: PayloadID) {
        guard id != Self.unset, known.insert(id).inserted else { return }
        guard order.count == Self.capacity else { return order.append(id) }
        known.remove(order[oldest])
        order[oldest] = id
        oldest = (oldest + 1) % Self.capacity
    }

    func contains(_ id: PayloadID) -> Bool { known.contains(id) }
}
