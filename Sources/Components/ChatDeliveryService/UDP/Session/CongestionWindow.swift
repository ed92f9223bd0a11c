/// How many bytes may be under way (NewReno, RFC 9002 section 7), so that neither a socket's buffer nor a path drowns.
struct CongestionWindow: Hashable, Sendable {
    static let packet = UDPFormat.maximumDatagram
    static let initial = 16 * packet
    static let least = 4 * packet
    /// A receiver's socket buffer of a usual size holds about this much.
    static let most = 256 * packet

    private(set) var bytes = initial
    private var threshold = Int.max
    private var recoveryBegan: MonotonicInstant?

    /// A packet arrived.
    ///
    /// - Parameter isFull: whether the window was what held more back.
    mutating func acknowledged(_ size: Int, sentAt: MonotonicInstant, isFull: Bool) {
        guard isFull, recoveryBegan.map({ sentAt > $0 }) ?? true else { return }
        bytes = min(Self.most, bytes + (bytes < threshold ? size : Self.packet * size / bytes))
    }

    /// A packet was lost; those sent before we reacted to another loss do not count again.
    mutating func lost(sentAt: MonotonicInstant, now: MonotonicInstant) {
        guard recoveryBegan.map({ sentAt > $0 }) ?? true else { return }
        recoveryBegan = now
        bytes = max(Self.least, bytes / 2)
        threshold = bytes
    }

    /// Nothing came back for a long time.
    mutating func collapse(_ now: MonotonicInstant) {
        (bytes, recoveryBegan) = (Self.least, now)
    }
}
