/// How a session of a stream ended.
public enum StreamFailure: Hashable, Sendable {
    /// The code of gRPC that its peer gave or that the loss of a connection has.
    case code(Code)
    /// The handshake was not finished in time (SA-60).
    case handshakeTimeout
    /// The peer speaks another version of the transport protocol (SA-60).
    case protocolMismatch
    /// There is no binding to connect with.
    case missingBinding

    /// Codes of gRPC, by their numbers.
    public enum Code: Int, Hashable, Sendable, CaseIterable {
        /// The operation was cancelled.
        case cancelled = 1
        /// An error of another system.
        case unknown = 2
        /// What was sent is wrong.
        case invalidArgument = 3
        /// It took too long.
        case deadlineExceeded = 4
        /// Something is not there.
        case notFound = 5
        /// Something is there already.
        case alreadyExists = 6
        /// Who asked may not.
        case permissionDenied = 7
        /// A limit was met.
        case resourceExhausted = 8
        /// The peer is in a state that does not allow it.
        case failedPrecondition = 9
        /// A conflict.
        case aborted = 10
        /// Past the end.
        case outOfRange = 11
        /// The peer does not do that.
        case unimplemented = 12
        /// Something is broken inside the peer.
        case `internal` = 13
        /// The peer cannot be reached.
        case unavailable = 14
        /// Data was lost.
        case dataLoss = 15
        /// Who asked is not known.
        case unauthenticated = 16
    }

    /// Whether another try can end differently.
    public var isRetriable: Bool {
        switch self {
        case .code(let code):
            ![.invalidArgument, .permissionDenied, .unauthenticated, .unimplemented, .failedPrecondition].contains(code)
        case .handshakeTimeout, .protocolMismatch, .missingBinding: false
        }
    }
}

/// When a lost session is tried again: after 500 ms, twice as long each time, 30 s at most, ten times.
public struct Backoff: Hashable, Sendable {
    /// The first pause, the longest one, and how many tries there are; negative for no end.
    public struct Policy: Hashable, Sendable {
        /// The first pause in milliseconds.
        public var base: Int
        /// The longest pause in milliseconds.
        public var cap: Int
        /// Tries until the first delivery; negative for no end.
        public var retries: Int
        /// A pause is drawn between this and that part of it, in thousandths.
        public var jitter: ClosedRange<Int>

        /// A policy; that of the contract unless something else is said.
        public init(base: Int = 500, cap: Int = 30_000, retries: Int = 10, jitter: ClosedRange<Int> = 800...1_200) {
            (self.base, self.cap, self.retries, self.jitter) = (base, cap, retries, jitter)
        }
    }

    private let policy: Policy
    private var failures = 0

    /// Nothing failed yet.
    public init(_ policy: Policy = Policy()) {
        self.policy = policy
    }

    /// A session failed: how many milliseconds to wait, without jitter; nil where there is no other try.
    public mutating func fail(_ failure: StreamFailure) -> Int? {
        guard failure.isRetriable, policy.retries < 0 || failures < policy.retries else { return nil }
        defer { failures += 1 }
        let base = max(1, policy.base)
        guard failures < 32 else { return policy.cap }
        let (pause, overflow) = base.multipliedReportingOverflow(by: 1 << failures)
        return overflow ? policy.cap : min(pause, policy.cap)
    }

    /// A packet was delivered, so the session was a good one: pauses and tries begin anew.
    public mutating func delivered() {
        failures = 0
    }

    /// A pause with jitter, which keeps many clients from coming back at once.
    public func jittered(_ pause: Int, using generator: inout some RandomNumberGenerator) -> Int {
        let thousandths = Int.random(in: policy.jitter, using: &generator)
        return pause / 1_000 * thousandths + pause % 1_000 * thousandths / 1_000
    }
}
