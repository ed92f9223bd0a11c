/// One connection of a client to a chat, and what may be sent on it.
///
/// `ready` comes first and once; nothing else but `error` may come before it, and the client sends nothing before it
/// (AC-29). Deltas may come after `run` or `stream_resume` was seen on the same connection (AC-27). The loss of a
/// connection ends no job.
public struct Connection: Hashable, Sendable {
    /// How far the connection is.
    public enum Phase: String, Hashable, Sendable {
        /// There is none.
        case disconnected
        /// It is being made.
        case connecting
        /// It stands; `ready` has not come.
        case open
        /// It may be used.
        case ready
    }

    /// How far the connection is.
    public private(set) var phase = Phase.disconnected
    /// Whether `run` or `stream_resume` was seen on it, so that deltas may come.
    public private(set) var hasStream = false
    /// What `ready` said about a job; nil where it said nothing, and when that job has ended since.
    public private(set) var activeJob: ServerMessage.ActiveJob?

    /// No connection.
    public init() {}

    /// A connection is being made.
    public mutating func connect() { self = Connection(phase: .connecting) }

    /// It stands.
    public mutating func open() { self = Connection(phase: .open) }

    /// It is lost or closed.
    public mutating func drop() { self = Connection(phase: .disconnected) }

    /// Refuses a command before `ready`.
    public func checkSending() throws(Violation) {
        guard phase == .ready else { throw Violation(.ready, "the client sends nothing before ready") }
    }

    /// Refuses what must not come now.
    public func check(_ message: ServerMessage) throws(Violation) {
        switch message {
        case .ready:
            guard phase == .open else { throw Violation(.ready, "a connection has one ready") }
        case .error: break
        default:
            guard phase == .ready else { throw Violation(.ready, "only ready and error may come before ready") }
        }
    }

    /// Takes note of a message that was checked and applied.
    mutating func note(_ message: ServerMessage) {
        switch message {
        case .ready(let ready): (phase, activeJob) = (.ready, ready.activeJob)
        case .run, .streamResume: hasStream = true
        case .done(let job, _), .cancel(let job): noteEnd(of: job)
        case .error(let failure): if let job = failure.job { noteEnd(of: job) }
        default: break
        }
    }

    private mutating func noteEnd(of job: Identifier?) {
        guard case .job(let id, _)? = activeJob, job == nil || job == id else { return }
        activeJob = nil
    }

    private init(phase: Phase) { self.phase = phase }
}

/// How long a client waits before it connects again: half a second, twice as long each time, thirty seconds at most,
/// more or less a fifth.
public struct Backoff: Hashable, Sendable {
    /// The first pause in milliseconds.
    public static let first = 500
    /// The longest pause in milliseconds.
    public static let longest = 30_000

    private var failures = 0

    /// Nothing failed yet.
    public init() {}

    /// The next pause in milliseconds, with any random number: it moves the pause by a fifth at most.
    public mutating func next(random: UInt64) -> Int {
        let pause = min(Self.longest, Self.first << min(failures, 6))
        failures = min(failures + 1, 6)
        let spread = pause / 5
        return pause - spread + Int(random % UInt64(2 * spread + 1))
    }

    /// `ready` came.
    public mutating func reset() { failures = 0 }
}
