extension PacketHub {
    /// Which stream of a session a connector opens.
    public enum Opening: Hashable, Sendable {
        /// One of packets, with flow control beside them or not.
        case packets(carriesFlow: Bool)
        /// The control stream.
        case control
    }

    /// One connection of a step: a stream of packets and a control stream, which end together.
    public struct Session: Hashable, Sendable {
        /// The step, and the connector that opened it.
        public let step, connector: String
        /// Counts the connectors of the step.
        public let generation: UInt64
        /// Never the same for two sessions of a run, and never 0.
        public let id: UInt64

        init(step: String, connector: String, generation: UInt64, id: UInt64) {
            (self.step, self.connector, self.generation, self.id) = (step, connector, generation, id)
        }

        /// A session as a step knows it, which no hub has counted.
        public init(step: String, connector: String) {
            self.init(step: step, connector: connector, generation: 0, id: 0)
        }

        /// Compares ids.
        public static func == (left: Self, right: Self) -> Bool { left.id == right.id }

        /// Hashes the id.
        public func hash(into hasher: inout Hasher) { hasher.combine(id) }
    }

    /// What there is for a session.
    public enum Signal: Hashable, Sendable {
        /// Something to send on its stream of packets, or on its control stream.
        case packets, directives
        /// Room for more packets, or for more directives.
        case packetRoom, directiveRoom
    }

    /// What is to be done outside.
    public enum Effect: Hashable, Sendable {
        /// Look again at what leaves, or whether there is room.
        case wake(Session, Signal)
        /// End both streams of a session, for a reason.
        case end(Session, Refusal)
        /// A step of a hand-over was done, which is worth a line.
        case handOver(Session, String)
        /// A step reported an error, which is worth a line.
        case failed(Session, code: Int32)
    }

    /// Why something was refused, or a session ends.
    public struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
        /// What kind of reason it is.
        public enum Reason: Hashable, Sendable {
            /// A rule of the contract is broken.
            case rule(PacketViolation)
            /// Not now, perhaps later.
            case unavailable
            /// Not here: by a route, or by who numbers a stream.
            case notAllowed
            /// There are too many already.
            case full
            /// The session has to begin anew.
            case aborted
        }

        /// What kind of reason it is.
        public let reason: Reason
        /// The reason in words.
        public let description: String

        init(_ reason: Reason, _ description: String) {
            (self.reason, self.description) = (reason, description)
        }

        init(_ violation: PacketViolation) {
            self.init(.rule(violation), violation.description)
        }

        /// The rule that is broken, if one is.
        public var violation: PacketViolation? { if case .rule(let violation) = reason { violation } else { nil } }
    }
}
