public import ChatCodec

/// The answer to `session.created`: the consent of the backend (CE-19).
public struct SessionCreatedReply: EngineObject {
    /// What the session can do; perhaps nothing.
    public var capabilities: [EngineCapability]

    /// Makes it.
    public init(capabilities: [EngineCapability]) {
        self.capabilities = capabilities
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("available_capabilities")
        capabilities = try fields.list("available_capabilities")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("available_capabilities", capabilities)
    }
}

/// The whole answer to `session.summary`.
public struct SummaryReply: EngineObject {
    /// The summary.
    public var summary: String
    /// What is said besides.
    public var metadata: JSON?

    /// Makes it.
    public init(summary: String, metadata: JSON? = nil) {
        (self.summary, self.metadata) = (summary, metadata)
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("summary", "metadata")
        summary = try fields.fullText("summary")
        metadata = try fields.optionalObject("metadata")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("summary", summary)
        writer.optional("metadata", metadata)
    }
}

/// The answer to `session_type.health_check`.
public struct HealthReply: EngineObject {
    /// How the backend is.
    public var status: HealthStatus
    /// Its version.
    public var version: String
    /// What its sessions can do now.
    public var capabilities: [EngineCapability]

    /// Makes it.
    public init(status: HealthStatus, version: String, capabilities: [EngineCapability]) {
        (self.status, self.version, self.capabilities) = (status, version, capabilities)
    }

    /// Reads the fields.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("status", "version", "capabilities")
        status = try fields.get("status")
        version = try fields.fullText("version")
        capabilities = try fields.list("capabilities")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("status", status)
        writer.field("version", version)
        writer.field("capabilities", capabilities)
    }
}
