public import ChatModel

/// One step of a channel: the time it happens at, and what came of it.
public struct SDSStep: Sendable {
    /// The time, which never goes back.
    public let now: Timestamp
    /// Messages to send to all participants, in order.
    public internal(set) var broadcasts: [Broadcast] = []
    /// The events, in order.
    public internal(set) var events: [SDSEvent] = []

    /// Bytes that may be sent again in this step; what is not waits a little.
    var room: Int
    /// Whether messages may be sent again without a request.
    let repeats: Bool

    /// Begins a step.
    ///
    /// - Parameters:
    ///   - now: the current time.
    ///   - room: bytes that may be sent again.
    ///   - repeats: whether messages may be sent again without a request.
    public init(now: Timestamp, room: Int = .max, repeats: Bool = true) {
        (self.now, self.room, self.repeats) = (now, room, repeats)
    }

    /// A message to send.
    public struct Broadcast: Hashable, Sendable {
        /// Why it is sent.
        public enum Reason: Hashable, Sendable {
            /// It is new.
            case new
            /// A message that was not acknowledged, or was requested; same bytes as before.
            case again
            /// A sync message.
            case sync
        }

        /// Why it is sent.
        public let reason: Reason
        /// Its id; sync messages share one.
        public let id: Identifier
        /// The encoded message.
        public let bytes: Bytes
    }
}

/// An event of the channel for the stage above.
public enum SDSEvent: Hashable, Sendable {
    /// A message, after all that causally came before it (SDS-07).
    case delivered(Delivery)
    /// A message outside the log (SDS-14).
    case ephemeral(Bytes, sender: Identifier)
    /// Another participant has an own message (SDS-09).
    case acknowledged(Identifier)
    /// An own message is in a participant's filter: they have it, but for an error of the filter.
    case possiblyAcknowledged(Identifier)
    /// An own message was not acknowledged for too long; it is not sent again.
    case gaveUp(Identifier)
    /// A message of another participant is missing (SDS-10), with what may help to find it.
    case missing(SDSMessage.HistoryEntry)
    /// A missing message is given up; what waited for it is delivered. It may still come.
    case lost(Identifier, sender: Identifier?)

    /// A delivered message.
    public struct Delivery: Hashable, Sendable {
        /// Where a message is in the log.
        public enum Place: Hashable, Sendable {
            /// At its end.
            case end
            /// Right behind another one, because it came late; nil where it is the first.
            case after(Identifier?)
        }

        /// Its id.
        public let id: Identifier
        /// Who sent it first.
        public let sender: Identifier
        /// Its Lamport clock.
        public let lamport: UInt64
        /// Where it belongs.
        public let place: Place
        /// The message that was sent.
        public let content: Bytes
    }
}
