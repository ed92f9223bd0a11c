/// A rule of the protocol, by its id in `Specs/chat-engine.md`.
public enum Rule: String, Hashable, Sendable, CaseIterable {
    /// A body or line is one JSON object in UTF-8, without a byte order mark and without a key twice.
    case json = "CE-01"
    /// A line keeps the limit, and the last one is terminated or a whole terminal event.
    case line = "CE-02"
    /// The type of an event, and the event of a webhook, is known.
    case event = "CE-03"
    /// Required fields are there, every field has its JSON type, and only some may be null.
    case field = "CE-04"
    /// No unknown fields.
    case unknownField = "CE-05"
    /// The grammar of ids.
    case identifier = "CE-06"
    /// The values of enumerations.
    case name = "CE-07"
    /// Timestamps.
    case timestamp = "CE-08"
    /// Content is not empty, and a text where only a text may be.
    case content = "CE-09"
    /// At most ten files, each once.
    case files = "CE-10"
    /// Content parts have the fields of their type.
    case part = "CE-11"
    /// A chunk is a type and a content.
    case chunk = "CE-12"
    /// Parameters of a search.
    case query = "CE-13"
    /// What a response has to say and cannot say otherwise.
    case fixed = "CE-14"
    /// Counts of tokens.
    case usage = "CE-15"
    /// Details of an error belong to its code.
    case details = "CE-16"
    /// Variants.
    case variant = "CE-17"
    /// A backend's whole reply is an assistant's and has content.
    case reply = "CE-18"
    /// A backend says what a new session can do.
    case capabilities = "CE-19"
    /// The content types of a backend's reply.
    case contentType = "CE-20"
    /// A backend's stream has no start and one end.
    case backendStream = "CE-21"
    /// The order of a stream to a client.
    case stream = "CE-22"
    /// Who may.
    case authentication = "CE-23"
    /// Sessions and messages exist.
    case existence = "CE-24"
    /// A parent is a finished message of the same session.
    case parent = "CE-25"
    /// Only an assistant's message is made again.
    case recreate = "CE-26"
    /// Capabilities are those of the session.
    case enabled = "CE-27"
    /// Messages do not change.
    case immutable = "CE-28"
    /// Indexes of variants differ, and one sibling is active.
    case siblings = "CE-29"
    /// Reactions.
    case reaction = "CE-30"
    /// The history that a backend gets.
    case history = "CE-31"
    /// The circuit breaker.
    case breaker = "CE-32"
    /// Retries.
    case retry = "CE-33"
    /// Timeouts.
    case timeout = "CE-34"
    /// Share tokens, and what their holders may.
    case share = "CE-35"
    /// What is told without an answer changes nothing.
    case fireAndForget = "CE-36"
    /// What is acknowledged is stored.
    case commit = "CE-37"
    /// Only a client's closing aborts, and only before the end.
    case abort = "CE-38"
    /// Summaries are made where they are supported.
    case summary = "CE-39"
    /// HTTP statuses.
    case status = "CE-40"
}
