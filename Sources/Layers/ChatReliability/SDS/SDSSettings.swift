/// The constants of a channel; a conversation type fixes them, because the other side sees most of them.
///
/// The defaults are those of the suite's documents, for a group of unknown size.
public struct SDSSettings: Hashable, Sendable {
    /// Ids of the log's end that every message names (SDS-04).
    public var historyLength = 2
    /// How many more ids of its log a message names, which no message has named yet, or which came again.
    ///
    /// A message that comes late is not at the log's end, so without this no message ever names it: its sender does
    /// not learn that it came, and others not that it exists. 0 is what the text of the document says.
    public var frontierLength = 8
    /// The filter that every message carries; nil for none.
    public var filter: BloomFilter.Parameters? = .standard
    /// Filters of others that contain a message before it is presumed to have arrived (SDS-09); nil for never.
    public var hitsToPresume: Int? = 2
    /// Whether who names a message in its history is taken to have all that came causally before it.
    ///
    /// That is so because delivery is causal, except where the other side gave something up as lost.
    public var acknowledgesAncestors = false
    /// When own messages are sent again.
    public var resend = Resend()
    /// When sync messages are sent.
    public var sync = Sync()
    /// How long a message waits for one that is missing before that one is given up (SDS-10); nil for ever.
    public var lostAfter: Duration? = .seconds(86_400)
    /// How missing messages are asked for (SDS-R); nil for not at all.
    public var repair: Repair? = Repair()
    /// The bounds on kept state.
    public var limits = Limits()

    /// Messages that one message tells to be gone, at most (SDS-R11): as many as it may ask for, ten at least.
    var maximumGone: Int { max(10, repair?.requests ?? 0) }

    /// The defaults.
    public init() {}

    /// When own messages are sent again (SDS-11).
    public struct Resend: Hashable, Sendable {
        /// After this long for the first time, doubled each time.
        public var first = Duration.seconds(5)
        /// The longest time between two.
        public var longest = Duration.seconds(600)
        /// Whether the time is doubled although a participant was heard since the last time. Where one other participant
        /// is all there is, that one is there and lacks it.
        public var doublesWhileHeard = true
        /// How many of the oldest are sent again at once after a restart or a lost link; the others after the first
        /// time, since what was accepted before is on its way all the same.
        public var atOnce = 16
        /// How many times as long where the message is in a participant's filter.
        public var possibleFactor = 4
        /// How many of the oldest are sent again: what lies behind them waits until they have arrived.
        public var window = 16
        /// After how much time in which something could be sent a message is given up (SDS-R10); nil for never.
        public var giveUpAfter: Duration? = .seconds(7 * 86_400)
        /// How often a message is sent again before it is given up, in one run; nil for as often as its time allows.
        /// Only those times count after which a participant was heard, so ``doublesWhileHeard`` must be false.
        public var most: Int?

        /// The defaults.
        public init() {}
    }

    /// When sync messages are sent (SDS-12, SDS-13).
    public struct Sync: Hashable, Sendable {
        /// At the latest after this long once there is something to acknowledge; four times as long in a group.
        public var acknowledgeWithin = Duration.seconds(1)
        /// After this long without a broadcast, doubled each time nothing new happens.
        public var interval = Duration.seconds(30)
        /// The longest time between two: the bound on idle traffic.
        public var longest = Duration.seconds(3_600)

        /// The defaults.
        public init() {}
    }

    /// How missing messages are asked for, and who answers (SDSR-04).
    public struct Repair: Hashable, Sendable {
        /// The shortest time between noticing a gap and asking.
        public var shortest = Duration.seconds(30)
        /// The longest.
        public var longest = Duration.seconds(300)
        /// Requests in one message (SDSR-05).
        public var requests = 3
        /// Whether messages of others are kept and sent again for them; of no use where the stage below
        /// authenticates who sent a payload, since it would not be believed.
        public var answersForOthers = true
        /// Whether histories name the senders of messages (SDSR-02); two participants need not.
        public var namesSenders = true

        /// The defaults.
        public init() {}
    }

    /// The bounds on kept state, each with its reason.
    public struct Limits: Hashable, Sendable {
        /// Ids in the log. What is older is forgotten; a message from before that time is refused, because it may
        /// be a repetition.
        public var log = 16_384
        /// Own messages that are not acknowledged; beyond it, sending is refused.
        public var outgoing = 4_096
        /// Bytes of them.
        public var outgoingBytes = 64 << 20
        /// Messages that wait for others, in all; one sender may have a quarter.
        public var waiting = 4_096
        /// Bytes of them; one sender may have a quarter.
        public var waitingBytes = 64 << 20
        /// Messages that are known to be missing, in all; messages of one sender may name a quarter.
        public var missing = 8_192
        /// Messages kept whole to be sent again on request, beside those not acknowledged.
        public var kept = 1_024
        /// Bytes of them.
        public var keptBytes = 16 << 20
        /// Messages sent again in one step.
        public var burst = 32

        /// The defaults.
        public init() {}
    }
}
