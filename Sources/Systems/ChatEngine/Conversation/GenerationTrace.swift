/// Something that happens while an answer is generated, as storage, backend and client see it.
public enum GenerationStep: String, Hashable, Sendable, CaseIterable {
    /// What the person said is on disk.
    case userCommit = "user-commit"
    /// The backend is asked.
    case webhook
    /// The client's stream begins.
    case start
    /// The client gets a piece.
    case chunk
    /// The whole answer is on disk.
    case assistantCommit = "assistant-commit"
    /// What there is of an unfinished answer is on disk.
    case partialCommit = "partial-commit"
    /// A client sees the answer in a list.
    case assistantListed = "assistant-listed"
    /// The client learns that the answer is whole.
    case complete
    /// The client learns that the answer failed.
    case error
    /// The client closes.
    case clientClose = "client-close"
    /// The time is over.
    case timeout
    /// The backend is told that the client closed.
    case aborted = "message.aborted"
}

/// The order in which an answer is generated (CE-37, CE-38): stored before it is acknowledged, aborted only by the
/// client and only before the end.
public struct GenerationTrace: Hashable, Sendable {
    private var seen: Set<GenerationStep> = []

    /// Nothing has happened.
    public init() {}

    /// Takes a step; one that may not come now is refused and changes nothing.
    public mutating func follow(_ step: GenerationStep) throws(Violation) {
        guard mayFollow(step) else {
            throw Violation(rule(of: step), "\(step.rawValue) must not come now")
        }
        seen.insert(step)
    }

    /// Ends the trace: a client that closed early has to be told on.
    public func end() throws(Violation) {
        guard !seen.contains(.clientClose) || isAcknowledged || seen.contains(.aborted) || !seen.contains(.webhook)
        else { throw Violation(.abort, "the backend is not told that the client closed") }
    }

    private var isAcknowledged: Bool { seen.contains(.complete) || seen.contains(.error) }
    private var isStored: Bool { seen.contains(.assistantCommit) || seen.contains(.partialCommit) }
    private var isCut: Bool { seen.contains(.timeout) || seen.contains(.clientClose) }

    private func mayFollow(_ step: GenerationStep) -> Bool {
        switch step {
        case .userCommit: seen.isEmpty
        case .webhook: seen == [.userCommit]
        case .start: seen.contains(.webhook) && !seen.contains(.start) && !isCut && !isAcknowledged
        case .chunk: seen.contains(.start) && !isCut && !isStored && !isAcknowledged
        case .assistantCommit: seen.contains(.start) && !isStored && !isCut && !isAcknowledged
        case .partialCommit: seen.contains(.chunk) && !isStored && !isAcknowledged
        case .assistantListed: isStored
        case .complete: seen.contains(.assistantCommit) && !isAcknowledged && !seen.contains(.clientClose)
        case .error:
            seen.contains(.webhook) && !isAcknowledged && !seen.contains(.clientClose)
                && !seen.contains(.assistantCommit) && (!seen.contains(.chunk) || isStored)
        case .clientClose: !seen.contains(.clientClose)
        case .timeout: seen.contains(.webhook) && !isCut && !isStored && !isAcknowledged
        case .aborted:
            seen.contains(.clientClose) && !isAcknowledged && !seen.contains(.timeout) && !seen.contains(.aborted)
                && seen.contains(.webhook) && (!seen.contains(.chunk) || isStored)
        }
    }

    private func rule(of step: GenerationStep) -> Rule {
        switch step {
        case .aborted, .clientClose, .timeout, .partialCommit: .abort
        default: .commit
        }
    }
}
