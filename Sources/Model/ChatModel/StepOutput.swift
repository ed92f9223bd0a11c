extension Step {
    /// The output that machines left in a step.
    public struct Output: Sendable {
        /// Payloads to send, oldest first.
        public var sends: [Send] = []
        /// Openings, which go into invites.
        public var openings: [Opening] = []
        /// Conversations to begin.
        public var seeds: [ConversationSeed] = []
        /// Contacts that have ended.
        public var endings: [ContactEnding] = []
        /// Contents whose payloads are dropped where they have not left.
        public var withdrawals: [ContentID] = []
        /// Events for the application, in order.
        public var events: [Event] = []

        /// Nothing.
        public init() {}

        /// Whether nothing was left.
        public var isEmpty: Bool {
            sends.isEmpty && openings.isEmpty && seeds.isEmpty && endings.isEmpty && withdrawals.isEmpty
                && events.isEmpty
        }

        /// Adds what comes later; where nothing was before, without a copy.
        mutating func add(_ other: consuming Output) {
            if sends.isEmpty { sends = other.sends } else { sends += other.sends }
            if events.isEmpty { events = other.events } else { events += other.events }
            if !other.openings.isEmpty { openings += other.openings }
            if !other.seeds.isEmpty { seeds += other.seeds }
            if !other.endings.isEmpty { endings += other.endings }
            if !other.withdrawals.isEmpty { withdrawals += other.withdrawals }
        }

        mutating func clear() {
            sends.removeAll(keepingCapacity: true)
            openings.removeAll(keepingCapacity: true)
            seeds.removeAll(keepingCapacity: true)
            endings.removeAll(keepingCapacity: true)
            withdrawals.removeAll(keepingCapacity: true)
            events.removeAll(keepingCapacity: true)
        }
    }

    /// A payload to send.
    public struct Send: Sendable, Hashable {
        /// The payload.
        public var routed: Routed
        /// The content on whose behalf it is sent.
        public var content: ContentID?
        /// The contact until whose end it is sent again.
        public var contact: ContactID?
        /// The lane it waits in; nil for that of its address.
        public var lane: DeliveryAddress?
        /// Whether it may be lost if the process ends.
        public var isTransient: Bool

        /// A payload, perhaps for a content, perhaps to be sent again.
        public init(
            routed: Routed, content: ContentID? = nil, contact: ContactID? = nil, lane: DeliveryAddress? = nil,
            isTransient: Bool = false
        ) {
            (self.routed, self.content, self.contact) = (routed, content, contact)
            (self.lane, self.isTransient) = (lane, isTransient)
        }
    }

    /// A frame of a conversation that travels in an invite.
    public struct Opening: Sendable, Hashable {
        /// The encoded frame.
        public var payload: Payload
        /// In whose invite; nil for the contact with which the conversation began.
        public var contact: ContactID?
        /// The content that it carries.
        public var content: ContentID?
    }

    /// The end of a contact.
    public struct ContactEnding: Sendable, Hashable {
        /// The contact.
        public var contact: ContactID
        /// Why it failed; nil where it did not.
        public var refusal: Refusal?
    }
}
