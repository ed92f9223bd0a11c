public import ChatCodec

/// The body of an answer of 400 or more (CE-16, CE-40).
public struct ErrorBody: EngineObject, Error {
    /// Why, for programs.
    public var code: ErrorCode
    /// Why, for people; nothing of the implementation.
    public var message: String
    /// More, as far as the code allows it.
    public var details: ErrorDetails?

    /// An error.
    public init(_ code: ErrorCode, _ message: String, details: ErrorDetails? = nil) {
        (self.code, self.message, self.details) = (code, message, details)
    }

    /// The error that a violation of a rule by a request is.
    public init(_ violation: Violation) {
        self.init(
            .invalidRequest, violation.description, details: ErrorDetails(validationErrors: [violation.fieldError]))
    }

    /// No such session, or not one of this client.
    public static func noSession(_ id: SessionID?) -> ErrorBody {
        ErrorBody(.sessionNotFound, "no such session", details: ErrorDetails(resource: id?.uuid))
    }

    /// No such message, or not one of this client.
    public static func noMessage(_ id: MessageID?) -> ErrorBody {
        ErrorBody(.messageNotFound, "no such message", details: ErrorDetails(resource: id?.uuid))
    }

    /// Reads the fields; details are those of the code.
    public init(_ fields: Fields) throws(Violation) {
        try fields.allow("error_code", "message", "details")
        code = try fields.get("error_code")
        message = try fields.fullText("message")
        details = try fields.optional("details")
        guard let key = details?.key(notFor: code) else { return }
        throw Violation(.details, "is not for \(code.rawValue)", at: "details.\(key)")
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("error_code", code)
        writer.field("message", message)
        writer.optional("details", details)
    }
}

/// What a client may know of an error besides its code.
public struct ErrorDetails: EngineObject {
    /// What names the error in the engine's own records.
    public var trace: String?
    /// What was wrong with the request, field by field.
    public var validationErrors: [FieldError]?
    /// When to try again, in seconds from now.
    public var retryAfter: Int?
    /// Which limit was met.
    public var limit: LimitType?
    /// When the limit is lifted.
    public var quotaResetAt: DateTime?
    /// The time that was allowed, in milliseconds.
    public var timeout: Int?
    /// The UUID of what is missing (CE-G03).
    public var resource: UUIDText?

    /// Details.
    public init(
        trace: String? = nil, validationErrors: [FieldError]? = nil, retryAfter: Int? = nil, limit: LimitType? = nil,
        quotaResetAt: DateTime? = nil, timeout: Int? = nil, resource: UUIDText? = nil
    ) {
        (self.trace, self.validationErrors, self.retryAfter) = (trace, validationErrors, retryAfter)
        (self.limit, self.quotaResetAt, self.timeout, self.resource) = (limit, quotaResetAt, timeout, resource)
    }

    /// Reads the fields (CE-16).
    public init(_ fields: Fields) throws(Violation) {
        do throws(Violation) {
            try fields.allow(
                "trace_id", "validation_errors", "retry_after_seconds", "limit_type", "quota_reset_at", "timeout_ms",
                "resource_id")
            trace = try fields.optionalText("trace_id")
            if let trace, trace.isEmpty || !trace.utf8.allSatisfy(Self.isTraceByte) {
                throw Violation(.details, "has other characters than letters, digits, - and _", at: "trace_id")
            }
            validationErrors = try fields.optionalList("validation_errors")
            retryAfter = try fields.optionalCount("retry_after_seconds", Fields.counts)
            limit = try fields.optional("limit_type")
            quotaResetAt = try fields.optional("quota_reset_at")
            timeout = try fields.optionalCount("timeout_ms", Fields.counts)
            resource = try fields.optional("resource_id")
        } catch { throw [.name, .timestamp].contains(error.rule) ? error : error.under(.details) }
    }

    /// Writes the members.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.optional("trace_id", trace)
        writer.optional("validation_errors", validationErrors)
        writer.optional("retry_after_seconds", retryAfter)
        writer.optional("limit_type", limit)
        writer.optional("quota_reset_at", quotaResetAt)
        writer.optional("timeout_ms", timeout)
        writer.optional("resource_id", resource)
    }

    private static func isTraceByte(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "_") || byte < 0x80 && (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    /// The first key that an error of a code does not have; a trace goes with every code.
    func key(notFor code: ErrorCode) -> String? {
        let owners: [(String, Bool, [ErrorCode])] = [
            ("validation_errors", validationErrors != nil, [.invalidRequest]),
            ("retry_after_seconds", retryAfter != nil, [.rateLimitExceeded]),
            ("limit_type", limit != nil, [.rateLimitExceeded]),
            ("quota_reset_at", quotaResetAt != nil, [.rateLimitExceeded]),
            ("timeout_ms", timeout != nil, [.backendTimeout]),
            ("resource_id", resource != nil, [.sessionNotFound, .messageNotFound]),
        ]
        return owners.first { $0.1 && !$0.2.contains(code) }?.0
    }
}
