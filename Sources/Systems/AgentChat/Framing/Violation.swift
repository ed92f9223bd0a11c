public import ChatModel

/// What broke a rule: which rule, where in the frame, and how. What refused it is unchanged.
public struct Violation: Error, RefusalCause, Hashable {
    /// The rule.
    public let rule: Rule
    /// The place in the frame, for example `.delta.approval.id`; empty for the frame as a whole and for state machines.
    public let place: String
    /// What was expected, or what came.
    public let reason: String
    /// The code with which a WebSocket closes, where the frame itself broke the transport's rules.
    public let closeCode: UInt16?

    /// A violation.
    public init(_ rule: Rule, _ reason: String, at place: String = "", closeCode: UInt16? = nil) {
        (self.rule, self.reason, self.place, self.closeCode) = (rule, reason, place, closeCode)
    }

    /// The code of the `error` message that answers it.
    public var code: String {
        switch rule {
        case .busy: "busy"
        case .noSuchJob: "no_such_job"
        default: "bad_frame"
        }
    }

    /// One line: the rule, the place and the reason.
    public var description: String {
        place.isEmpty ? "\(rule.rawValue): \(reason)" : "\(rule.rawValue): \(place) \(reason)"
    }

    /// The same, seen from one level further out.
    func within(_ place: String) -> Violation {
        Violation(rule, reason, at: place + self.place, closeCode: closeCode)
    }
}

/// Runs a body, and says of what it refuses where that stands.
func within<Value>(_ key: String, _ body: () throws(Violation) -> Value) throws(Violation) -> Value {
    do { return try body() } catch { throw error.within(".\(key)") }
}
