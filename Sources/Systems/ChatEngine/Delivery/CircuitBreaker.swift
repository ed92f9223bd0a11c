public import ChatModel

/// Keeps calls from a backend that fails: one for each session type, in memory (CE-32, section 7.2 of
/// `Specs/chat-engine.md`).
///
/// Closed until failures follow one another, then open for a while, then half-open, when a few calls are let through
/// to see. It reads no clock.
public struct CircuitBreaker: Hashable, Sendable {
    /// How a call ended.
    public enum Outcome: Hashable, Sendable {
        /// A good answer.
        case success
        /// No connection, no answer in time, a status of 500 or more, or a malformed answer.
        case failure
        /// Neither: the client closed, 3xx, 4xx, an error line of the backend.
        case neutral
    }

    /// The three states.
    public enum State: String, Hashable, Sendable {
        /// Calls pass.
        case closed
        /// Calls are refused.
        case open
        /// A few calls pass.
        case halfOpen = "half-open"
    }

    /// A call that was let through; its outcome counts only while the breaker is in the state that let it through.
    public struct Pass: Hashable, Sendable {
        fileprivate let era: UInt64
    }

    /// How many failures in a row open it.
    public let threshold: Int
    /// How long it stays open.
    public let openFor: Duration
    /// How many calls are let through at once while it is half-open.
    public let testCalls: Int

    private var failures = 0
    private var openedAt: Timestamp?
    private var isHalfOpen = false
    private var testing = 0
    private var era: UInt64 = 0

    /// A closed breaker.
    public init(threshold: Int = 5, openFor: Duration = .seconds(60), testCalls: Int = 3) {
        (self.threshold, self.openFor, self.testCalls) = (max(1, threshold), openFor, max(1, testCalls))
    }

    /// The state; an open breaker becomes half-open by the first call after its time.
    public var state: State {
        if isHalfOpen { return .halfOpen }
        return openedAt == nil ? .closed : .open
    }

    /// Asks whether a call may be made; nil says no, and nothing went out.
    public mutating func pass(at now: Timestamp) -> Pass? {
        if let openedAt {
            guard now >= openedAt + openFor else { return nil }
            (self.openedAt, isHalfOpen, testing) = (nil, true, 0)
            era &+= 1
        }
        guard isHalfOpen else { return Pass(era: era) }
        guard testing < testCalls else { return nil }
        testing += 1
        return Pass(era: era)
    }

    /// Takes the outcome of a call that was let through; of an earlier state's calls nothing is taken.
    public mutating func record(_ outcome: Outcome, of pass: Pass, at now: Timestamp) {
        guard pass.era == era, openedAt == nil else { return }
        switch outcome {
        case .success:
            failures = 0
            guard isHalfOpen else { return }
            (isHalfOpen, testing) = (false, 0)
            era &+= 1
        case .failure:
            guard !isHalfOpen else { return open(at: now) }
            failures += 1
            if failures >= threshold { open(at: now) }
        case .neutral:
            if isHalfOpen { testing = max(0, testing - 1) }
        }
    }

    /// Opens it, whatever happened before.
    public mutating func open(at now: Timestamp) {
        (openedAt, isHalfOpen, testing, failures) = (now, false, 0, 0)
        era &+= 1
    }
}
