public import ChatCodec

/// A call of a tool, from its input to its output.
public struct ToolPart: Hashable, Sendable {
    /// How the part names its tool.
    public enum Name: Hashable, Sendable {
        /// In its type, behind `tool-`.
        case fixed(String)
        /// In a field, behind the type `dynamic-tool`.
        case dynamic(String)
    }

    /// The answer to a request for approval.
    public struct Approval: Hashable, Sendable {
        /// The id of the request.
        public var id: Identifier
        /// What was answered.
        public var approved: Bool
        /// Why.
        public var reason: String?

        /// An answer.
        public init(id: Identifier, approved: Bool, reason: String? = nil) {
            (self.id, self.approved, self.reason) = (id, approved, reason)
        }
    }

    /// Where the call is, with what belongs to that state and nothing else, so that what AC-16 and AC-17 forbid
    /// cannot be written.
    public enum State: Hashable, Sendable {
        /// The input is still written; what there is of it.
        case inputStreaming(input: JSON?)
        /// The input is complete.
        case inputAvailable(input: JSON)
        /// A person is asked.
        case approvalRequested(input: JSON, id: Identifier)
        /// A person has answered.
        case approvalResponded(input: JSON, Approval)
        /// There is an output; a preliminary one may be replaced. An approval here was given.
        case outputAvailable(input: JSON, output: JSON, Approval?, preliminary: Bool?)
        /// It failed. Without input it was the input that could not be read. An approval here was given.
        case outputError(input: JSON?, rawInput: JSON?, errorText: String, Approval?)
        /// It was refused, so it did not run.
        case outputDenied(input: JSON, Approval)
    }

    /// How it names its tool.
    public var name: Name
    /// The id of the call, in one message.
    public var callID: Identifier
    /// Where it is.
    public var state: State
    /// What a person is shown.
    public var title: String?
    /// Whether the provider of the model runs the tool.
    public var providerExecuted: Bool?
    /// What providers add.
    public var callProviderMetadata: JSON?

    /// A call.
    public init(
        name: Name, callID: Identifier, state: State, title: String? = nil, providerExecuted: Bool? = nil,
        callProviderMetadata: JSON? = nil
    ) {
        (self.name, self.callID, self.state, self.title) = (name, callID, state, title)
        (self.providerExecuted, self.callProviderMetadata) = (providerExecuted, callProviderMetadata)
    }
}

extension ToolPart.State {
    /// The word on the wire.
    public var word: StaticString {
        switch self {
        case .inputStreaming: "input-streaming"
        case .inputAvailable: "input-available"
        case .approvalRequested: "approval-requested"
        case .approvalResponded: "approval-responded"
        case .outputAvailable: "output-available"
        case .outputError: "output-error"
        case .outputDenied: "output-denied"
        }
    }

    /// The input, as far as there is one.
    public var input: JSON? {
        switch self {
        case .inputStreaming(let input), .outputError(let input, _, _, _): input
        case .inputAvailable(let input), .approvalRequested(let input, _), .approvalResponded(let input, _),
            .outputAvailable(let input, _, _, _), .outputDenied(let input, _):
            input
        }
    }

    /// The id of the approval, asked or answered.
    public var approvalID: Identifier? {
        if case .approvalRequested(_, let id) = self { id } else { approval?.id }
    }

    /// The answer, where there is one.
    public var approval: ToolPart.Approval? {
        switch self {
        case .inputStreaming, .inputAvailable, .approvalRequested: nil
        case .approvalResponded(_, let approval), .outputDenied(_, let approval): approval
        case .outputAvailable(_, _, let approval, _), .outputError(_, _, _, let approval): approval
        }
    }

    /// Whether nothing follows any more.
    public var isFinal: Bool {
        switch self {
        case .outputAvailable(_, _, _, let preliminary): preliminary != true
        case .outputError, .outputDenied: true
        default: false
        }
    }
}
