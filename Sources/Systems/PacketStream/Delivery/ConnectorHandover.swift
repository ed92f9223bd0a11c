/// Which connector of a step counts, when one replaces another: draining, cutover, ready (section 7).
///
/// Generations are numbered by whoever opens streams. Packets of the newest one that was cut over to are taken; while it
/// is not ready yet, so are those that the one before it still had on the way. Those of superseded ones are refused.
public struct ConnectorHandover: Hashable, Sendable {
    /// How far a replacement is.
    public enum Phase: Hashable, Sendable {
        /// One connector, and no other in sight.
        case steady
        /// The present one takes no new packets; it finishes those it has.
        case draining
        /// The next one takes packets; the present one may still deliver.
        case cutover
    }

    /// The connector that counts.
    public private(set) var generation: UInt64
    /// How far its replacement is.
    public private(set) var phase = Phase.steady

    /// The first connector.
    public init(generation: UInt64 = 1) {
        self.generation = generation
    }

    /// The connector to which new packets go; nil while there is none.
    public var target: UInt64? {
        switch phase {
        case .steady: generation
        case .draining: nil
        case .cutover: generation &+ 1
        }
    }

    /// A directive of a connector; one of a generation that does not count, or out of its turn, changes nothing.
    ///
    /// - Returns: whether it belonged to a replacement and was taken.
    public mutating func receive(_ message: ControlMessage, from sender: UInt64) -> Bool {
        switch (ControlAction(name: message.name), phase) {
        case (.draining, .steady) where sender == generation: phase = .draining
        case (.cutover, .draining) where sender == generation || sender == generation &+ 1: phase = .cutover
        case (.handedOver, .cutover) where sender == generation &+ 1:
            generation &+= 1
            phase = .steady
        default: return false
        }
        return true
    }

    /// The present connector is gone: whoever comes next counts.
    public mutating func lost() {
        generation &+= 1
        phase = .steady
    }

    /// Refuses a packet of a connector that is superseded, or that has no turn yet (SA-61).
    public func check(_ sender: UInt64) throws(PacketViolation) {
        let isNext = phase == .cutover && sender == generation &+ 1
        guard sender == generation || isNext else {
            throw PacketViolation(.tooEarly, "is \(sender), \(generation) counts", at: "connector generation")
        }
    }
}
