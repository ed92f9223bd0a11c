/// One step of a machine: what it may use, and where it leaves what it wants.
///
/// A machine speaks through its step alone; it does no I/O, reads no clock and draws no randomness
/// elsewhere. Several machines may share a step, one after the other: a refused step is rolled back
/// to its ``mark``, so nothing of it is left.
public struct Step: Sendable {
    /// The current time, which never goes back.
    public let now: Timestamp
    /// The largest payload in bytes that the framing and the delivery service take.
    public let maximumPayload: Int
    /// Bytes that the framing writes in front of a payload; reserving them saves a copy.
    public let headRoom: Int
    /// Bytes that wait for the delivery service already, of all machines: who sends something again need not add to
    /// them, since what is sent first is still on its way.
    public var waitingBytes = 0
    /// The source of randomness; labelled draws make steps reproducible in vectors.
    public var random: any RandomSource

    /// Payloads to send, oldest first.
    public private(set) var sends: [Send] = []
    /// What a conversation wants to say in invites.
    public private(set) var openings: [Opening] = []
    /// Conversations to begin.
    public private(set) var seeds: [ConversationSeed] = []
    /// What happened.
    public private(set) var events: [Event] = []

    /// Begins a step.
    public init(now: Timestamp, maximumPayload: Int = .max, headRoom: Int = 0, random: any RandomSource) {
        (self.now, self.maximumPayload, self.headRoom, self.random) = (now, maximumPayload, headRoom, random)
    }

    /// Sends a payload, perhaps on behalf of a content.
    ///
    /// The client reports a content as sent when the service took every payload that names it, and as
    /// failed when it refused one for good, unless the type reports more itself.
    public mutating func send(_ routed: consuming Routed, for content: ContentID? = nil) {
        sends.append(Send(routed: routed, content: content))
    }

    /// Says something in the invite of a new conversation instead of sending it.
    ///
    /// - Parameter member: which of the seeds handed to ``Action/add(_:)``; 0 for two participants.
    public mutating func open(_ payload: consuming Payload, member: Int = 0, for content: ContentID? = nil) {
        openings.append(Opening(payload: payload, member: member, content: content))
    }

    /// Begins a conversation from a seed.
    public mutating func start(_ seed: ConversationSeed) {
        seeds.append(seed)
    }

    /// Tells the application something.
    public mutating func report(_ event: consuming Event) {
        events.append(event)
    }

    /// A payload to send.
    public struct Send: Sendable, Hashable {
        /// The payload.
        public var routed: Routed
        /// The content on whose behalf it is sent.
        public var content: ContentID?

        /// A payload, perhaps for a content.
        public init(routed: Routed, content: ContentID? = nil) {
            (self.routed, self.content) = (routed, content)
        }
    }

    /// What a conversation says in an invite.
    public struct Opening: Sendable, Hashable {
        /// The encoded frame.
        public var payload: Payload
        /// Which new member it is for.
        public var member: Int
        /// The content that it carries.
        public var content: ContentID?
    }
}

extension Step {
    /// A place in a step to come back to.
    public struct Mark: Sendable {
        fileprivate let sends, openings, seeds, events: Int

        /// The beginning of the step.
        public static let start = Mark(sends: 0, openings: 0, seeds: 0, events: 0)
    }

    /// The place reached so far.
    public var mark: Mark {
        Mark(sends: sends.count, openings: openings.count, seeds: seeds.count, events: events.count)
    }

    /// Forgets everything since a mark, except that randomness was drawn.
    public mutating func rollBack(to mark: Mark) {
        sends.removeLast(sends.count - mark.sends)
        openings.removeLast(openings.count - mark.openings)
        seeds.removeLast(seeds.count - mark.seeds)
        events.removeLast(events.count - mark.events)
    }

    /// Takes back the payloads sent since a mark: for a stage that wraps what its inner machine sent.
    public mutating func takeSends(since mark: Mark = .start) -> [Send] {
        if mark.sends == 0 {
            defer { sends = [] }
            return sends
        }
        defer { sends.removeLast(sends.count - mark.sends) }
        return Array(sends[mark.sends...])
    }

    /// Takes back the openings since a mark.
    public mutating func takeOpenings(since mark: Mark = .start) -> [Opening] {
        defer { openings.removeLast(openings.count - mark.openings) }
        return Array(openings[mark.openings...])
    }

    /// Takes back the seeds since a mark.
    public mutating func takeSeeds(since mark: Mark = .start) -> [ConversationSeed] {
        defer { seeds.removeLast(seeds.count - mark.seeds) }
        return Array(seeds[mark.seeds...])
    }

    /// Takes back the events since a mark.
    public mutating func takeEvents(since mark: Mark = .start) -> [Event] {
        defer { events.removeLast(events.count - mark.events) }
        return Array(events[mark.events...])
    }

    /// Empties the step and keeps its memory for the next step.
    public mutating func clear() {
        sends.removeAll(keepingCapacity: true)
        openings.removeAll(keepingCapacity: true)
        seeds.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
    }
}
