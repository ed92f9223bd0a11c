public import ChatCodec

/// What a client sends to the agent's service; on the wire `{type, data}`.
public enum Command: Hashable, Sendable {
    /// Submits a message, or the answer to an approval.
    case run(Run)
    /// Asks for the history of a chat.
    case getChat(Identifier)
    /// Asks to end a job.
    case cancel(job: Identifier, chat: Identifier?)
    /// Answers questions.
    case clarifyResponse(ClarifyResponse)
    /// Puts text into a job that runs.
    case injectMessage(InjectMessage)

    /// A message that starts a job.
    public struct Run: Hashable, Sendable {
        /// The chat.
        public var chat: Identifier
        /// The user's message; or the assistant's, with answers to its approvals (AC-31).
        public var message: Message
        /// Files of the person, raw; to be written as objects of `id` and `type` `vault_file`.
        public var vaultItems: [JSON]
        /// The IANA name of the person's time zone.
        public var timezone: String
        /// The message after which this one branches off.
        public var parent: Identifier?

        /// A run.
        public init(
            chat: Identifier, message: Message, vaultItems: [JSON] = [], timezone: String = "UTC",
            parent: Identifier? = nil
        ) {
            (self.chat, self.message, self.vaultItems) = (chat, message, vaultItems)
            (self.timezone, self.parent) = (timezone, parent)
        }
    }

    /// Answers to a request.
    public struct ClarifyResponse: Hashable, Sendable {
        /// The job that asked.
        public var job: Identifier
        /// The request.
        public var request: Identifier
        /// An answer for each question.
        public var answers: [Answer]

        /// Answers.
        public init(job: Identifier, request: Identifier, answers: [Answer]) {
            (self.job, self.request, self.answers) = (job, request, answers)
        }
    }

    /// The answer to one question.
    public struct Answer: Hashable, Sendable {
        /// The question.
        public var question: Identifier
        /// The answer in words.
        public var text: String?
        /// The options chosen.
        public var options: [Identifier]?

        /// An answer.
        public init(question: Identifier, text: String? = nil, options: [Identifier]? = nil) {
            (self.question, self.text, self.options) = (question, text, options)
        }
    }

    /// Text for a job that runs.
    public struct InjectMessage: Hashable, Sendable {
        /// The job.
        public var job: Identifier
        /// The client's id for the text.
        public var inject: Identifier
        /// The text; one that is blank is refused by the state machine (AC-26).
        public var text: String

        /// A text.
        public init(job: Identifier, inject: Identifier, text: String) {
            (self.job, self.inject, self.text) = (job, inject, text)
        }
    }
}
