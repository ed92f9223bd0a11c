/// Counters of a relay since its start, and the state it holds.
public struct RelayStatistics: Sendable, Hashable {
    /// Clients now.
    public internal(set) var sessions = 0
    /// Subscriptions now.
    public internal(set) var subscriptions = 0
    /// Addresses known now.
    public internal(set) var addresses = 0
    /// Bytes kept now.
    public internal(set) var retainedBytes = 0
    /// Bytes held of messages that are not complete, or wait for others.
    public internal(set) var heldBytes = 0
    /// Bytes of answers that clients have not acknowledged, with what keeping them costs.
    public internal(set) var owedAnswers = 0
    /// Clients that were let in.
    public internal(set) var opened: UInt64 = 0
    /// Clients that were not, for want of room.
    public internal(set) var turnedAway: UInt64 = 0
    /// Clients that fell silent.
    public internal(set) var expired: UInt64 = 0
    /// Payloads taken.
    public internal(set) var published: UInt64 = 0
    /// Payloads that came again with a known id.
    public internal(set) var repeated: UInt64 = 0
    /// Payloads refused for the quota.
    public internal(set) var rateLimited: UInt64 = 0
    /// Requests refused for another reason.
    public internal(set) var refused: UInt64 = 0
    /// Payloads sent to subscribers.
    public internal(set) var delivered: UInt64 = 0
    /// Gaps that subscribers were told of.
    public internal(set) var gaps: UInt64 = 0
    /// Datagrams received.
    public internal(set) var datagramsIn: UInt64 = 0
    /// Datagrams sent.
    public internal(set) var datagramsOut: UInt64 = 0
    /// Bytes of the datagrams received, without IP and UDP headers.
    public internal(set) var bytesIn: UInt64 = 0
    /// Bytes of the datagrams sent, without IP and UDP headers.
    public internal(set) var bytesOut: UInt64 = 0
    /// Packets declared lost on the way to clients that have left.
    public internal(set) var lostPackets: UInt64 = 0
    /// Datagrams that do not decode or contradict others.
    public internal(set) var malformed: UInt64 = 0
    /// Sealed packets that did not open.
    public internal(set) var forged: UInt64 = 0
    /// Sealed packets that came again.
    public internal(set) var repeatedPackets: UInt64 = 0
    /// Clients that were asked for a cookie under load.
    public internal(set) var retries: UInt64 = 0
    /// Sealed sessions that went on from another address or port.
    public internal(set) var moved: UInt64 = 0
    /// Datagrams of other versions.
    public internal(set) var otherVersions: UInt64 = 0
    /// Datagrams of sessions that are not known.
    public internal(set) var unknownSessions: UInt64 = 0
    /// Datagrams that found no room and come again.
    public internal(set) var noRoom: UInt64 = 0

    /// Names and values in a fixed order, for logs.
    public var fields: [(name: String, value: UInt64)] {
        [
            ("sessions", UInt64(sessions)), ("subscriptions", UInt64(subscriptions)), ("addresses", UInt64(addresses)),
            ("retained_bytes", UInt64(retainedBytes)), ("held_bytes", UInt64(heldBytes)),
            ("owed_answers", UInt64(owedAnswers)), ("opened", opened), ("turned_away", turnedAway),
            ("expired", expired), ("published", published), ("repeated", repeated), ("rate_limited", rateLimited),
            ("refused", refused), ("delivered", delivered), ("gaps", gaps), ("datagrams_in", datagramsIn),
            ("datagrams_out", datagramsOut), ("bytes_in", bytesIn), ("bytes_out", bytesOut),
            ("lost_packets", lostPackets), ("malformed", malformed),
            ("other_versions", otherVersions), ("unknown_sessions", unknownSessions), ("no_room", noRoom),
            ("forged", forged), ("repeated_packets", repeatedPackets), ("retries", retries), ("moved", moved),
        ]
    }
}
