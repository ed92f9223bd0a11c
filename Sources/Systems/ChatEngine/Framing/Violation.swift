public import ChatModel

/// What broke a rule: which rule, where in the text, and how. What refused it is unchanged.
public struct Violation: Error, RefusalCause, Hashable {
    /// The rule.
    public let rule: Rule
    /// The place in the text, for example `file_ids[2]`; empty for the text as a whole and for state machines.
    public let place: String
    /// What was expected, or what came.
    public let reason: String

    /// A violation.
    public init(_ rule: Rule, _ reason: String, at place: String = "") {
        (self.rule, self.place, self.reason) = (rule, place, reason)
    }

    /// The class of refusal.
    public var code: String { "malformed" }

    /// One line: the rule, the place and the reason.
    public var description: String {
        place.isEmpty ? "\(rule.rawValue): \(reason)" : "\(rule.rawValue): \(place) \(reason)"
    }

    /// The same, seen from one level further out.
    func within(_ key: String) -> Violation {
        guard !place.isEmpty else { return Violation(rule, reason, at: key) }
        return Violation(rule, reason, at: place.hasPrefix("[") ? key + place : "\(key).\(place)")
    }

    /// The same under another rule, where a field has a rule of its own.
    func under(_ rule: Rule) -> Violation { Violation(rule, reason, at: place) }

    /// The field of an error's details that says it.
    public var fieldError: FieldError {
        FieldError(field: place, message: reason, code: rule.rawValue)
    }
}
