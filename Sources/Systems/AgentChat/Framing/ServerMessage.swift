/// What the agent's service sends to a client; flat on the wire.
public enum ServerMessage: Hashable, Sendable {
    /// The connection may be used.
    case ready(Ready)
    /// A job has started.
    case run(job: Identifier, message: Identifier)
    /// A piece of the message that is written.
    case stream(Stream)
    /// All parts of a message so far, after a reconnect.
    case streamResume(StreamResume)
    /// The messages of the chat.
    case chatHistory(ChatHistory)
    /// The job has ended by itself.
    case done(job: Identifier?, message: Identifier?)
    /// The job has ended because the client asked.
    case cancel(job: Identifier?)
    /// Something failed: a job, a run, or a command.
    case error(Failure)
    /// The job asks the person.
    case clarifyRequest(ClarifyRequest)
    /// An injected text was accepted.
    case injectAck(job: Identifier, inject: Identifier)
    /// An injected text was read: the message is closed, and another goes on.
    case injectSplit(InjectSplit)

    /// What `ready` says.
    public struct Ready: Hashable, Sendable {
        /// The version of the protocol that this package speaks.
        public static let version = "0.1"

        /// The chat.
        public var chat: Identifier?
        /// The version, for example `0.1`.
        public var version: String?
        /// The job that lives; absent where the service does not say.
        public var activeJob: ActiveJob?

        /// A greeting.
        public init(chat: Identifier? = nil, version: String? = nil, activeJob: ActiveJob? = nil) {
            (self.chat, self.version, self.activeJob) = (chat, version, activeJob)
        }
    }

    /// What a service says about the job of a chat.
    public enum ActiveJob: Hashable, Sendable {
        /// None lives (`null`).
        case none
        /// One lives, and writes a message.
        case job(Identifier, message: Identifier)
    }

    /// A delta.
    public struct Stream: Hashable, Sendable {
        /// The message that it belongs to.
        public var message: Identifier
        /// The piece.
        public var delta: MessagePart
        /// Whether the piece replaces the last part; absent means no.
        public var consolidated: Bool?
        /// The job.
        public var job: Identifier?
        /// Its number in the job, from which repetitions are known.
        public var sequence: UInt64?

        /// A delta.
        public init(
            message: Identifier, delta: MessagePart, consolidated: Bool? = nil, job: Identifier? = nil,
            sequence: UInt64? = nil
        ) {
            (self.message, self.delta, self.consolidated) = (message, delta, consolidated)
            (self.job, self.sequence) = (job, sequence)
        }
    }

    /// A snapshot.
    public struct StreamResume: Hashable, Sendable {
        /// The message.
        public var message: Identifier
        /// All its parts so far.
        public var parts: [MessagePart]
        /// The job.
        public var job: Identifier?
        /// The number of the last delta in it.
        public var sequence: UInt64?

        /// A snapshot.
        public init(message: Identifier, parts: [MessagePart], job: Identifier? = nil, sequence: UInt64? = nil) {
            (self.message, self.parts, self.job, self.sequence) = (message, parts, job, sequence)
        }
    }

    /// The messages of a chat.
    public struct ChatHistory: Hashable, Sendable {
        /// The path that is shown, from the first message on.
        public var initialPath: [Message]
        /// The chat.
        public var chat: Identifier?
        /// The whole tree.
        public var messages: [Message]?

        /// A history.
        public init(initialPath: [Message], chat: Identifier? = nil, messages: [Message]? = nil) {
            (self.initialPath, self.chat, self.messages) = (initialPath, chat, messages)
        }
    }

    /// An error; at least one of the two texts is there (AC-32).
    public struct Failure: Hashable, Sendable {
        /// The text under `message`, which is preferred.
        public var message: String?
        /// The text under `error`.
        public var error: String?
        /// A word for programs: `busy`, `no_such_job`, `bad_frame`, `unauthorized`, `internal`.
        public var code: String?
        /// The job that it ends.
        public var job: Identifier?

        /// An error with a text.
        public init(_ message: String, code: String? = nil, job: Identifier? = nil) {
            self.init(message: message, error: nil, code: code, job: job)
        }

        init(message: String?, error: String?, code: String?, job: Identifier?) {
            (self.message, self.error, self.code, self.job) = (message, error, code, job)
        }

        /// What a person is shown.
        public var text: String { message ?? error ?? "" }
    }

    /// Questions to the person.
    public struct ClarifyRequest: Hashable, Sendable {
        /// The job that asks.
        public var job: Identifier
        /// The request.
        public var request: Identifier
        /// The questions, at least one.
        public var questions: [Question]

        /// A request.
        public init(job: Identifier, request: Identifier, questions: [Question]) {
            (self.job, self.request, self.questions) = (job, request, questions)
        }
    }

    /// One question.
    public struct Question: Hashable, Sendable {
        /// One answer to choose.
        public struct Option: Hashable, Sendable {
            /// Its id.
            public var id: Identifier
            /// What the person reads.
            public var label: String

            /// An option.
            public init(id: Identifier, label: String) {
                (self.id, self.label) = (id, label)
            }
        }

        /// Its id.
        public var id: Identifier
        /// What is asked.
        public var text: String
        /// The answers to choose from; absent for an answer in words.
        public var options: [Option]?
        /// Whether several options may be chosen; absent means no.
        public var multiple: Bool?

        /// A question.
        public init(id: Identifier, text: String, options: [Option]? = nil, multiple: Bool? = nil) {
            (self.id, self.text, self.options, self.multiple) = (id, text, options, multiple)
        }
    }

    /// A split of the message that is written.
    public struct InjectSplit: Hashable, Sendable {
        /// The job.
        public var job: Identifier
        /// The injected text.
        public var inject: Identifier
        /// The message that is closed.
        public var closed: Identifier
        /// The message of the user with the injected text.
        public var user: Identifier
        /// The message that goes on.
        public var new: Identifier

        /// A split.
        public init(
            job: Identifier, inject: Identifier, closed: Identifier, user: Identifier, new: Identifier
        ) {
            (self.job, self.inject, self.closed, self.user, self.new) = (job, inject, closed, user, new)
        }
    }
}
