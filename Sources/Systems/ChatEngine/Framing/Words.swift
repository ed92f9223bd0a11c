/// Who a message is from.
public enum MessageRole: String, EngineWord {
    /// A person.
    case user
    /// A backend.
    case assistant
    /// Neither.
    case system
}

/// What a piece of content is.
public enum ContentKind: String, EngineWord {
    /// Words.
    case text
    /// Words of a programming language.
    case code
    /// A picture.
    case image
    /// A sound.
    case audio
    /// A film.
    case video
    /// Any other file.
    case document

    /// Whether it is words; otherwise it is a file, named by its UUID.
    public var isWords: Bool { self == .text || self == .code }
}

/// Why a request failed, as far as a client may know.
public enum ErrorCode: String, EngineWord {
    /// No token, or no good one.
    case authRequired = "AUTH_REQUIRED"
    /// No such session, or not one of this client.
    case sessionNotFound = "SESSION_NOT_FOUND"
    /// No such message, or not one of this client.
    case messageNotFound = "MESSAGE_NOT_FOUND"
    /// The request breaks a rule.
    case invalidRequest = "INVALID_REQUEST"
    /// The backend took too long.
    case backendTimeout = "BACKEND_TIMEOUT"
    /// The backend failed.
    case backendError = "BACKEND_ERROR"
    /// Too many requests.
    case rateLimitExceeded = "RATE_LIMIT_EXCEEDED"
    /// The engine failed.
    case internalError = "INTERNAL_ERROR"

    /// The HTTP status that carries it (CE-40).
    public var status: Int {
        switch self {
        case .authRequired: 401
        case .sessionNotFound, .messageNotFound: 404
        case .invalidRequest: 400
        case .backendTimeout: 504
        case .backendError: 502
        case .rateLimitExceeded: 429
        case .internalError: 500
        }
    }
}

/// What a person thinks of a message.
public enum ReactionType: String, EngineWord {
    /// Well done.
    case like
    /// Badly done.
    case dislike
    /// No opinion any more.
    case none
}

/// The form of an exported session.
public enum ExportFormat: String, EngineWord {
    /// All fields.
    case json
    /// Roles and texts, with marks.
    case markdown
    /// Roles and texts.
    case txt
}

/// Which messages of a session are exported.
public enum ExportScope: String, EngineWord {
    /// The active path.
    case active
    /// The whole tree.
    case all
}

/// What a limit counts.
public enum LimitType: String, EngineWord {
    /// Requests in a second.
    case perSecond = "per_second"
    /// Requests in a minute.
    case perMinute = "per_minute"
    /// Requests in an hour.
    case perHour = "per_hour"
    /// Requests in a day.
    case perDay = "per_day"
    /// Requests at once.
    case concurrent
}

/// How a backend says it is.
public enum HealthStatus: String, EngineWord {
    /// Well.
    case healthy
    /// Not quite.
    case degraded
    /// Not at all.
    case unhealthy
}

/// What a summary is to be about.
public enum SummaryFocus: String, EngineWord {
    /// Everything.
    case general
    /// Technical matters.
    case technical
    /// What was decided.
    case decisions
    /// What is to be done.
    case actionItems = "action_items"
}
