public import ChatCodec
public import ChatModel

/// What broke a rule of the packet contract: which rule, where, and how. What refused it is unchanged.
public struct PacketViolation: Error, RefusalCause, Hashable {
    /// The rule.
    public let rule: PacketRule
    /// The place in the packet, for example `.envelope.chunk_index`; empty for the packet as a whole.
    public let place: String
    /// What was expected, or what came.
    public let reason: String

    /// A violation.
    public init(_ rule: PacketRule, _ reason: String, at place: String = "") {
        (self.rule, self.reason, self.place) = (rule, reason, place)
    }

    /// Bytes that are no encoding of a protobuf message (SA-00), have more of something than there may be (SA-04), or
    /// a number that JSON has not (SA-11).
    public init(_ error: WireError, in message: String) {
        let rule: PacketRule =
            switch error {
            case .tooLong: .bounds
            case .badNumber: .exactNumber
            default: .wire
            }
        self.init(rule, error.description, at: message)
    }

    /// The id of the rule.
    public var code: String { rule.rawValue }

    /// One line: the rule, the place and the reason.
    public var description: String {
        place.isEmpty ? "\(rule.rawValue): \(reason)" : "\(rule.rawValue): \(place) \(reason)"
    }
}
