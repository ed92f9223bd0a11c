import ChatCodec

/// The life of one tool call: from its input, perhaps over an approval, to one of three ends.
///
/// In a stream each part of a call must follow from the one before it; in a snapshot any state may come first.
public enum ToolLifeCycle {
    /// Refuses a part that does not follow from the one before it: what may never change did (AC-21), or the state
    /// cannot come next (AC-20). Both parts have the same call id.
    public static func check(_ next: ToolPart, after previous: ToolPart?) throws(Violation) {
        guard let previous else {
            guard mayBegin(next.state) else {
                throw Violation(.transition, "a call does not begin with \(next.state.word)")
            }
            return
        }
        try checkIdentity(next, previous)
        guard follows(next, previous) else {
            throw Violation(.transition, "\(next.state.word) does not follow \(previous.state.word)")
        }
    }

    /// A call begins with its input, whole or in pieces, or with an input that cannot be read. A dynamic tool puts
    /// the unreadable text into `input` itself, so an input is no reason to refuse that.
    private static func mayBegin(_ state: ToolPart.State) -> Bool {
        switch state {
        case .inputStreaming, .inputAvailable, .outputError: true
        default: false
        }
    }

    private static func checkIdentity(_ next: ToolPart, _ previous: ToolPart) throws(Violation) {
        guard next.name.isSame(as: previous.name) else {
            throw Violation(.identity, "the call belongs to another tool")
        }
        if let asked = previous.state.approvalID, let answered = next.state.approvalID, asked != answered {
            throw Violation(.identity, "the approval's id changed")
        }
        // While it is written the input is free.
        if case .inputStreaming = previous.state { return }
        if let before = previous.state.input, let after = next.state.input, !before.isSameValue(as: after) {
            throw Violation(.identity, "the input changed after it was complete")
        }
    }

    private static func follows(_ next: ToolPart, _ previous: ToolPart) -> Bool {
        switch (previous.state, next.state) {
        case (.inputStreaming, .inputStreaming), (.inputStreaming, .inputAvailable), (.inputStreaming, .outputError):
            true
        case (.inputAvailable, .approvalRequested), (.inputAvailable, .outputAvailable),
            (.inputAvailable, .outputError):
            true
        case (.approvalRequested, .approvalResponded): true
        // Refused by the service itself, without a person.
        case (.approvalRequested, .outputDenied): true
        case (.approvalResponded(_, let answer), .outputAvailable), (.approvalResponded(_, let answer), .outputError):
            answer.approved
        case (.approvalResponded(_, let answer), .outputDenied): !answer.approved
        case (.outputAvailable, .outputAvailable), (.outputAvailable, .outputError):
            !previous.state.isFinal || next.isSame(as: previous)
        default: next.isSame(as: previous)
        }
    }
}

extension ToolPart.Name {
    /// Whether both name the same tool in the same way, byte for byte.
    func isSame(as other: Self) -> Bool {
        switch (self, other) {
        case (.fixed(let left), .fixed(let right)), (.dynamic(let left), .dynamic(let right)):
            ExactText.isSame(left, right)
        default: false
        }
    }
}

extension ToolPart {
    /// Whether both parts mean the same, whatever the order of keys and the spelling of numbers in their JSON.
    public func isSame(as other: ToolPart) -> Bool {
        let isHeadSame =
            name.isSame(as: other.name) && callID == other.callID && title == other.title
            && providerExecuted == other.providerExecuted
        return isHeadSame && areSame(callProviderMetadata, other.callProviderMetadata) && state.isSame(as: other.state)
    }
}

extension ToolPart.State {
    fileprivate func isSame(as other: Self) -> Bool {
        guard areSame(input, other.input), approval == other.approval, approvalID == other.approvalID else {
            return false
        }
        switch (self, other) {
        case (.inputStreaming, .inputStreaming), (.inputAvailable, .inputAvailable),
            (.approvalRequested, .approvalRequested), (.approvalResponded, .approvalResponded),
            (.outputDenied, .outputDenied):
            return true
        case (.outputAvailable(_, let left, _, let isLeft), .outputAvailable(_, let right, _, let isRight)):
            return left.isSameValue(as: right) && isLeft == isRight
        case (.outputError(_, let left, let text, _), .outputError(_, let right, let other, _)):
            return areSame(left, right) && ExactText.isSame(text, other)
        default: return false
        }
    }
}

private func areSame(_ left: JSON?, _ right: JSON?) -> Bool {
    switch (left, right) {
    case (nil, nil): true
    case (let left?, let right?): left.isSameValue(as: right)
    default: false
    }
}
