/// A rule of the protocol, by its id in `Specs/agent-chat.md`.
public enum Rule: String, Hashable, Sendable, CaseIterable {
    /// A frame is one JSON object in a text frame, within the limits.
    case frame = "AC-01"
    /// The type is known for the direction.
    case type = "AC-02"
    /// A command has its fields under `data`, a server message has no such key.
    case envelope = "AC-03"
    /// Required fields are there, and every field has its JSON type.
    case field = "AC-04"
    /// No unknown keys.
    case unknownKey = "AC-05"
    /// The form of ids.
    case identifier = "AC-06"
    /// The roles, and who may send which.
    case role = "AC-07"
    /// A message has parts.
    case parts = "AC-08"
    /// The nine forms of parts.
    case partType = "AC-09"
    /// Tools and data have names.
    case emptyName = "AC-10"
    /// Text and reasoning parts.
    case text = "AC-11"
    /// Sources.
    case source = "AC-12"
    /// Files.
    case file = "AC-13"
    /// Data parts.
    case data = "AC-14"
    /// Tool parts have an id, a name and one of seven states.
    case tool = "AC-15"
    /// What a tool part must not have in its state.
    case forbiddenField = "AC-16"
    /// What a tool part must have in its state.
    case missingField = "AC-17"
    /// Approvals.
    case approval = "AC-18"
    /// Only an output may be preliminary.
    case preliminary = "AC-19"
    /// The life cycle of a tool.
    case transition = "AC-20"
    /// What never changes in the life of a tool.
    case identity = "AC-21"
    /// A run names a time zone and lists its vault items.
    case zone = "AC-22"
    /// One chat for a connection, one job for a chat.
    case busy = "AC-23"
    /// Commands name the job that lives.
    case noSuchJob = "AC-24"
    /// Questions are answered once, in full.
    case clarification = "AC-25"
    /// Injected texts.
    case injection = "AC-26"
    /// A delta belongs to the message that is open on this connection.
    case stream = "AC-27"
    /// A consolidated delta replaces the last part.
    case consolidation = "AC-28"
    /// `ready` comes first, once.
    case ready = "AC-29"
    /// One end for a job, and the order of injections.
    case order = "AC-30"
    /// A continuation answers an approval and changes nothing else.
    case continuation = "AC-31"
    /// An error says something.
    case error = "AC-32"
    /// Snapshots are lists.
    case snapshot = "AC-33"
    /// A history is one path.
    case path = "AC-34"
}
