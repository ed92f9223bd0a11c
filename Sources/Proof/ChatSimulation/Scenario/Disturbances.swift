/// What goes wrong with peers, beside what the network does to payloads.
///
/// All of it has ended before a run settles. Crashes, absences, partitions and pauses end with the traffic at the
/// latest; outages, devices that are off, intrusions and old copies put back take their time, and nothing settles before.
public struct Disturbances: Sendable, Hashable {
    /// Something that happens now and then, and takes a while.
    public struct Episodes: Sendable, Hashable {
        /// How often, over the time of the traffic.
        public var count: Int
        /// How long each.
        public var time: ClosedRange<Duration>

        /// Some episodes.
        public init(_ count: Int, _ time: ClosedRange<Duration>) {
            (self.count, self.time) = (count, time)
        }

        /// None.
        public static let none = Episodes(0, .zero ... .zero)
    }

    /// A process ends without warning at some point of its next step, and starts again after a while.
    public var crashes = Episodes.none
    /// A peer has no link.
    public var absences = Episodes.none
    /// Some of the peers cannot reach the others; with retention, they cannot reach the service.
    public var partitions = Episodes.none
    /// An application does not read its events.
    public var pauses = Episodes.none
    /// Nothing that one peer sends another arrives, while the other direction works.
    public var outages = Episodes.none
    /// A device is off: its process ends, and starts again only after that time.
    public var offs = Episodes.none
    /// A clock jumps by that time, forward or back, while the process runs.
    public var jumps = Episodes.none
    /// A copy is made of what a peer has stored, and put back after that time in place of what it stored since.
    public var rollbacks = Episodes.none
    /// The relay is replaced by one that remembers nothing, takes less at once and has a quota. It stays.
    public var replacements = Episodes.none
    /// Somebody on the wire repeats, changes and misdirects what is published, for that time.
    public var intrusions = Episodes.none

    /// Nothing goes wrong.
    public init() {}

    /// Some things go wrong.
    public init(
        crashes: Episodes = .none, absences: Episodes = .none, partitions: Episodes = .none, pauses: Episodes = .none
    ) {
        (self.crashes, self.absences) = (crashes, absences)
        (self.partitions, self.pauses) = (partitions, pauses)
    }
}

extension Disturbances {
    /// The longest time of what takes its time, in which a run cannot settle.
    var longest: Duration {
        get { [outages, offs, jumps, rollbacks].map(\.time.upperBound).max() ?? .zero }
        set {
            for path in [\Self.outages, \.offs, \.jumps, \.rollbacks] as [WritableKeyPath<Self, Episodes> & Sendable] {
                self[keyPath: path].time = min(self[keyPath: path].time.lowerBound, newValue)...newValue
            }
        }
    }
}

/// Where in a step a process can end.
public enum CrashPoint: String, Sendable, Hashable, CaseIterable {
    /// The step's records are not stored: it did not happen.
    case beforeStoring = "before storing"
    /// The records are stored, and nothing has left the process.
    case beforePublishing = "between storing and publishing"
    /// Some of the payloads have left the process.
    case whilePublishing = "while publishing"
    /// All payloads have left the process, and the results are not known.
    case beforeResults = "before results"
    /// The application has dealt with the events, and that is not stored.
    case beforeConfirming = "before confirming events"
}
