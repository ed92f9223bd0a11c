public import ChatCodec

/// A kind of counterpart, and where its backend is; what an operator writes down.
public struct SessionType: EngineObject {
    /// The id.
    public var id: SessionTypeID
    /// The name for people.
    public var name: String
    /// What it is.
    public var summary: String?
    /// Where its webhooks go.
    public var webhookURL: String
    /// What it is said to do; a session has what its backend answers.
    public var capabilities: [EngineCapability]
    /// How long a webhook may take, in seconds, 1 to 300 (CE-34).
    public var timeout: Int?
    /// How its sessions are summarized; absent where they are not (CE-39).
    public var summarization: SummarizationSettings?

    /// A session type.
    public init(
        id: SessionTypeID, name: String, summary: String? = nil, webhookURL: String,
        capabilities: [EngineCapability] = [], timeout: Int? = nil, summarization: SummarizationSettings? = nil
    ) {
        (self.id, self.name, self.summary, self.webhookURL) = (id, name, summary, webhookURL)
        (self.capabilities, self.timeout, self.summarization) = (capabilities, timeout, summarization)
    }

    /// Whether its sessions can be summarized.
    public var canSummarize: Bool { summarization?.isEnabled == true }

    /// What clients learn of it.
    public var forClients: SessionTypeSummary { SessionTypeSummary(id: id, name: name, summary: summary) }

    /// Reads the fields; the published schema still has a bare UUID for an id (CE-G03).
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow(
            "session_type_id", "name", "description", "webhook_url", "capabilities", "timeout_seconds",
            "summarization_settings")
        id = try fields.get("session_type_id", fields.tolerance.union(.uuidIds))
        name = try fields.fullText("name")
        summary = try fields.optionalText("description")
        webhookURL = try fields.url("webhook_url")
        capabilities = try fields.list("capabilities")
        timeout = try fields.optionalCount("timeout_seconds", 1...300, .timeout)
        summarization = try fields.optional("summarization_settings")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("session_type_id", id)
        writer.field("name", name)
        writer.optional("description", summary)
        writer.field("webhook_url", webhookURL)
        writer.field("capabilities", capabilities)
        writer.optional("timeout_seconds", timeout)
        writer.optional("summarization_settings", summarization)
    }
}

/// How a summary is to be (CE-G25): an open object.
public struct SummarizationSettings: EngineValue {
    /// All of it.
    public private(set) var json: JSON.Object
    /// The most words, 50 to 1000.
    public let maximumLength: Int?
    /// What it is to be about.
    public let focus: SummaryFocus?
    /// Whether times are to be in it.
    public let includesTimestamps: Bool?
    /// Whether sessions of the type are summarized; said by the operator, not to the backend.
    public let isEnabled: Bool?
    /// Who summarizes in place of the backend; said by the operator, not to the backend.
    public let serviceURL: String?

    /// Reads the settings.
    public init(_ json: JSON, _ tolerance: Tolerance) throws(Violation) {
        guard case .object(let object) = json else { throw Violation(.field, "is no object") }
        let fields = try Fields(json, tolerance)
        self.json = object
        maximumLength = try fields.optionalCount("max_length", 50...1000)
        focus = try fields.optional("focus")
        includesTimestamps = try fields.optionalBool("include_timestamps")
        isEnabled = try fields.optionalBool("enabled")
        serviceURL = fields.value("service_url") == nil ? nil : try fields.url("service_url")
    }

    /// What the webhook carries: without what is the operator's.
    public var forWebhook: SummarizationSettings {
        var settings = self
        settings.json["enabled"] = nil
        settings.json["service_url"] = nil
        return settings
    }

    /// Writes them as they were.
    public func write(to writer: inout JSONWriter) { writer.value(.object(json)) }
}
