package import ChatModel

/// An event of a client's core for the shell around it.
package enum ClientEvent: Sendable {
    /// The outcome of a publish.
    case published(token: UInt64, Result<Receipt, DeliveryError>)
    /// The outcome of a subscription; one that failed is forgotten.
    case subscribed(key: Int, Result<Void, DeliveryError>)
    /// A payload arrived; if it finds no room, the subscription is to be stalled at the place before it.
    case delivered(key: Int, Delivery, before: HistoryPosition)
    /// Payloads of a subscription are gone.
    case gone(key: Int)
    /// The relay did not take a subscription again; it is forgotten.
    case ended(key: Int)
    /// The relay let us in, and said its limits.
    case joined(Welcome)
    /// The relay does not let us in.
    case turnedAway(DeliveryError)
    /// The relay is lost; it is sought.
    case interrupted(String)
    /// The relay is back.
    case resumed
}

/// Counters of a client since its start.
package struct ClientStatistics: Sendable, Hashable {
    /// Datagrams received.
    package var datagramsIn: UInt64 = 0
    /// Datagrams that do not decode or contradict others.
    package var malformed: UInt64 = 0
    /// Sealed packets that came again.
    package var repeated: UInt64 = 0
    /// Datagrams from others, or of other sessions.
    package var foreign: UInt64 = 0
    /// Well-formed, but about nothing that was asked for.
    package var unexpected: UInt64 = 0
    /// Sessions that began.
    package var joined: UInt64 = 0
    /// Packets declared lost.
    package var lostPackets: UInt64 = 0
}
