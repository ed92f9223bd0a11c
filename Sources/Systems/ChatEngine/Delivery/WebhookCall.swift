public import ChatModel

/// One webhook and its attempts: breaker, deadline, retries (CE-32 to CE-34, section 7 of `Specs/chat-engine.md`).
///
/// A machine that reads no clock: `next` says what to do, the caller does it and says how it went.
public struct WebhookCall: Sendable {
    /// The most attempts of a webhook that is called again.
    public static let maximumAttempts = 3
    /// The delay before the second attempt; each further one is twice as long.
    public static let firstDelay = Duration.milliseconds(100)
    /// The longest delay.
    public static let maximumDelay = Duration.seconds(5)

    /// How an attempt went.
    public enum Result: Hashable, Sendable {
        /// A good answer.
        case ok
        /// No connection, or one that broke before a byte of an answer came.
        case connectionFailed
        /// No answer in time.
        case timedOut
        /// A status other than 2xx.
        case status(Int)
        /// An answer that cannot be read.
        case malformed
        /// The backend's own error line, with its code.
        case errorLine(ErrorCode)
        /// The client closed.
        case abandoned
    }

    /// What to do.
    public enum Next: Hashable, Sendable {
        /// Call the backend, until then at the latest.
        case attempt(deadline: Timestamp)
        /// Wait until then, and ask again.
        case wait(until: Timestamp)
        /// A good answer has come.
        case done
        /// There will be none: what the client learns.
        case failed(ErrorCode)
    }

    /// The webhook.
    public let kind: WebhookKind
    /// The time for one attempt in seconds, before scaling: `timeout_ms` is a thousand times that.
    public let timeout: Int
    /// Attempts so far.
    public private(set) var attempts = 0
    private let scale: Double
    private var pass: CircuitBreaker.Pass?
    private var next: Next?

    /// A call that has not been made yet; the scale is that of every duration.
    public init(_ kind: WebhookKind, configuredTimeout: Int?, scale: Double = 1) {
        (self.kind, self.scale) = (kind, scale)
        timeout = kind.timeout(configured: configuredTimeout)
    }

    /// Says what to do next. A refusal by the breaker is a failure without a call.
    public mutating func next(_ breaker: inout CircuitBreaker, at now: Timestamp) -> Next {
        switch next {
        case .wait(let time) where now < time: return .wait(until: time)
        case .done: return .done
        case .failed(let code): return .failed(code)
        case .attempt(let deadline): return .attempt(deadline: deadline)
        case .wait, nil: break
        }
        if kind.usesBreaker {
            pass = breaker.pass(at: now)
            guard pass != nil else { return settle(.failed(.backendError)) }
        }
        attempts += 1
        return settle(.attempt(deadline: now + scaled(.seconds(timeout))))
    }

    /// Takes how an attempt went. A retry waits between nothing and its delay, as the jitter from 0 to 1 says.
    public mutating func finish(
        _ result: Result, jitter: Double, _ breaker: inout CircuitBreaker, at now: Timestamp
    ) {
        guard case .attempt = next else { return }
        if let pass { breaker.record(Self.outcome(of: result), of: pass, at: now) }
        pass = nil
        switch result {
        case .ok: next = .done
        case .errorLine(let code): next = .failed(code)
        default:
            guard kind.isRetried, Self.isWorthRetrying(result), attempts < Self.maximumAttempts else {
                next = .failed(result == .timedOut ? .backendTimeout : .backendError)
                return
            }
            next = .wait(until: now + scaled(Self.delay(after: attempts) * min(1, max(0, jitter))))
        }
    }

    /// The delay before the attempt after some, without jitter: 100 ms, 200 ms, and so on to 5 s.
    public static func delay(after attempts: Int) -> Duration {
        min(maximumDelay, firstDelay * (1 << min(max(0, attempts - 1), 16)))
    }

    /// What the breaker makes of a result.
    public static func outcome(of result: Result) -> CircuitBreaker.Outcome {
        switch result {
        case .ok: .success
        case .connectionFailed, .timedOut, .malformed: .failure
        case .status(let status): status >= 500 ? .failure : .neutral
        case .errorLine, .abandoned: .neutral
        }
    }

    private static func isWorthRetrying(_ result: Result) -> Bool {
        switch result {
        case .connectionFailed, .timedOut: true
        case .status(let status): status >= 500
        default: false
        }
    }

    private mutating func settle(_ decision: Next) -> Next {
        next = decision
        return decision
    }

    private func scaled(_ duration: Duration) -> Duration { duration * scale }
}
