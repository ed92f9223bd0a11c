import ChatCodec
import ChatEngine

// Values, bodies, events: what stands alone.
extension EngineVectors {
    /// How a value of each published schema is read and written again.
    private static let schemas: [String: @Sendable (JSON, Tolerance) throws -> [UInt8]] = [
        "common/Capability": again(EngineCapability.self), "common/ContentPart": again(ContentPart.self),
        "common/TextContent": again(ContentPart.self), "common/CodeContent": again(ContentPart.self),
        "common/ImageContent": again(ContentPart.self), "common/AudioContent": again(ContentPart.self),
        "common/VideoContent": again(ContentPart.self), "common/DocumentContent": again(ContentPart.self),
        "common/ErrorCode": again(ErrorCode.self), "common/ErrorDetails": again(ErrorDetails.self),
        "common/ExportFormat": again(ExportFormat.self), "common/ExportScope": again(ExportScope.self),
        "common/GtsMessageId": again(MessageID.self), "common/GtsSessionId": again(SessionID.self),
        "common/GtsSessionTypeId": again(SessionTypeID.self), "common/Message": again(Message.self),
        "common/ReactionType": again(ReactionType.self), "common/Role": again(MessageRole.self),
        "common/Session": again(Session.self), "common/SessionType": again(SessionType.self),
        "common/SummarizationSettings": again(SummarizationSettings.self), "common/Usage": again(Usage.self),
        "common/VariantInfo": again(VariantInfo.self),
        "http/MessageSendRequest": again(SendMessage.self),
        "http/MessageRecreateRequest": again(EnableCapabilities.self),
        "http/SessionSummarizeRequest": again(EnableCapabilities.self),
        "message/MessageReactionRequest": again(ReactToMessage.self),
        "message/MessageReactionResponse": again(ReactionApplied.self),
        "message/MessageListResponse": again(MessageList.self),
        "message/MessageGetVariantsResponse": again(MessageVariants.self),
        "session/SessionCreateRequest": again(CreateSession.self),
        "session/SessionCreateResponse": again(SessionCreated.self),
        "session/SessionDeleteResponse": again(SessionDeleted.self),
        "session/SessionShareResponse": again(SessionShared.self),
        "session/SessionAccessSharedResponse": again(SharedSession.self),
        "session/SessionExportResponse": again(SessionExported.self),
        "session/SessionSwitchTypeResponse": again(SessionTypeSwitched.self),
        "session/SessionGetResponse": again(Session.self),
        "streaming/StreamingStartEvent": again(ReplyEvent.self),
        "streaming/StreamingChunkEvent": again(ReplyEvent.self),
        "streaming/StreamingCompleteEvent": again(ReplyEvent.self),
        "streaming/StreamingErrorEvent": again(ReplyEvent.self),
        "webhook/SessionCreatedEvent": again(Webhook.self), "webhook/MessageNewEvent": again(Webhook.self),
        "webhook/MessageRecreateEvent": again(Webhook.self), "webhook/MessageAbortedEvent": again(Webhook.self),
        "webhook/SessionDeletedEvent": again(Webhook.self), "webhook/SessionSummaryEvent": again(Webhook.self),
        "webhook/SessionTypeHealthCheckEvent": again(Webhook.self), "webhook/MessageReactionEvent": again(Webhook.self),
        "webhook/SessionCreatedResponse": again(SessionCreatedReply.self),
        "webhook/MessageNewResponse": again(MessageReply.self),
        "webhook/MessageRecreateResponse": again(MessageReply.self),
        "webhook/SessionSummaryResponse": again(SummaryReply.self),
        "webhook/SessionTypeHealthCheckResponse": again(HealthReply.self),
    ]

    /// The bodies of requests by their operations.
    private static let bodies: [String: @Sendable (JSON, Tolerance) throws -> [UInt8]] = [
        "createSession": again(CreateSession.self), "switchSessionType": again(SwitchSessionType.self),
        "exportSession": again(ExportSession.self), "shareSession": again(ShareSession.self),
        "sendMessage": again(SendMessage.self), "recreateMessage": again(EnableCapabilities.self),
        "summarizeSession": again(EnableCapabilities.self), "reactToMessage": again(ReactToMessage.self),
    ]

    /// Reads a value, writes it, and reads it once more: nothing is lost.
    private static func again<Value: EngineValue>(
        _ type: Value.Type
    ) -> @Sendable (JSON, Tolerance) throws -> [UInt8] {
        { json, tolerance in
            let codec = EngineJSON(tolerance)
            let value = try codec.decode(Value.self, from: json)
            let bytes = codec.encode(value)
            let again = try codec.decode(Value.self, from: try JSON(parsing: bytes))
            guard again == value else { throw Problem.differs("written and read again it is another value") }
            return bytes
        }
    }

    private static func tolerance(_ one: EngineCase) throws -> Tolerance {
        switch one.json["mode"]?.text {
        case nil, "strict": .strict
        case "lenient": .lenient
        case "interop": .interop
        case "uuidIds": .uuidIds
        case let mode?: throw Problem.notApplicable("mode \(mode)")
        }
    }

    /// Whether a value is read, strictly, as one of a schema.
    static func isRead(_ value: JSON, as schema: String) -> Bool {
        guard let read = schemas[schema] else { return false }
        return (try? read(value, .strict)) != nil
    }

    static func value(_ one: EngineCase) throws {
        let name = try one.text("schema")
        guard let read = schemas[name] else { throw Problem.notApplicable("schema \(name)") }
        try readAndCompare(one, read)
    }

    static func body(_ one: EngineCase) throws {
        let name = try one.text("operation")
        guard let read = bodies[name] else { throw Problem.notApplicable("operation \(name)") }
        try readAndCompare(one, read)
    }

    static func event(_ one: EngineCase) throws { try readAndCompare(one, again(ReplyEvent.self)) }

    static func webhook(_ one: EngineCase) throws { try readAndCompare(one, again(Webhook.self)) }

    static func errorBody(_ one: EngineCase) throws { try readAndCompare(one, again(ErrorBody.self)) }

    private static func readAndCompare(
        _ one: EngineCase, _ read: (JSON, Tolerance) throws -> [UInt8]
    ) throws {
        let (input, tolerance) = (try one.value("input"), try tolerance(one))
        var bytes: [UInt8]?
        let refusal = EngineCase.refusal { bytes = try read(input, tolerance) }
        try one.expect(refusal)
        guard let bytes, let result = one.json["result"] else { return }
        let written = try JSON(parsing: bytes)
        guard covers(written, result) else { throw Problem.differs("the value is \(written), in the file \(result)") }
    }

    /// Whether a value has all that another has; what may be null is written as null where it was absent.
    private static func covers(_ value: JSON, _ other: JSON) -> Bool {
        guard let members = value.members, let others = other.members else { return value.isSameValue(as: other) }
        return others.allSatisfy { member in value[member.key].map { covers($0, member.value) } ?? false }
            && members.allSatisfy { $0.value == .null || other[$0.key] != nil }
    }

    static func rawBody(_ one: EngineCase) throws {
        let bytes = try base64(try one.text("base64"))
        try one.expect(EngineCase.refusal { _ = try EngineJSON().decode(SendMessage.self, from: bytes.span) })
    }

    /// The usual alphabet and padding, where the protocols of this package use the other.
    static func base64(_ text: String) throws -> [UInt8] {
        let plain = String(text.map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 }.prefix { $0 != "=" })
        do { return try Base64URL.decode(plain) } catch { throw Problem.unreadable("no base64: \(error)") }
    }

    static func id(_ one: EngineCase) throws {
        let input = try one.text("input")
        let isGood =
            switch try one.text("id_kind") {
            case "session": SessionID(input) != nil
            case "message": MessageID(input) != nil
            case "session_type": SessionTypeID(input) != nil
            case let kind: throw Problem.notApplicable("id of a \(kind)")
            }
        try EngineCase.expect("the id", isGood ? "valid" : "invalid", try one.text("expect"))
    }

    static func query(_ one: EngineCase) throws {
        let members = try one.value("query").members ?? []
        let parameters = try members.map { ($0.key, try EngineCase.text($0.value)) }
        try one.expect(EngineCase.refusal { _ = try SearchQuery(parameters) })
    }

    static func status(_ one: EngineCase) throws {
        guard let code = ErrorCode(rawValue: try one.text("error_code")) else {
            throw Problem.unreadable("no such error code")
        }
        try EngineCase.expect("the status", code.status, try one.int("status"))
    }

    static func clientStatus(_ one: EngineCase) throws {
        let isGood = (200..<300).contains(try one.int("status"))
        try EngineCase.expect("the outcome", isGood ? "ok" : "failed", try one.text("expect"))
    }
}
