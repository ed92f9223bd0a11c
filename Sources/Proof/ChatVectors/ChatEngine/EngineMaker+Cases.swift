import ChatCodec
import ChatEngine
import ChatModel

// Values as they are written, and with a mistake in them.
extension EngineMaker {
    private static let rounds = 6

    mutating func values() throws -> [JSON] {
        var cases: [JSON] = []
        for _ in 0..<Self.rounds {
            for (schema, value) in written() {
                let input = try JSON(parsing: value)
                cases.append([
                    "id": id("CE-05"), "rule": "CE-05", "kind": "value", "expect": "valid", "schema": .string(schema),
                    "input": input, "note": "as it is written",
                ])
                let wrong = spoiled(input)
                let isGood = EngineVectors.isRead(wrong, as: schema)
                cases.append([
                    "id": id("CE-04"), "rule": "CE-04", "kind": "value", "expect": isGood ? "valid" : "invalid",
                    "schema": .string(schema), "input": wrong, "note": "with a change",
                ])
            }
        }
        return cases
    }

    /// What only the OpenAPI document says: messages in their places, chunks, errors.
    mutating func bodies() throws -> [JSON] {
        let codec = EngineJSON()
        return try (0..<Self.rounds).flatMap { _ throws -> [JSON] in
            var placed = stored()
            placed.place = Message.Place(index: below(3), isActive: below(2) == 0, isComplete: below(2) == 0)
            if below(2) == 0 { placed.content = [] }
            let kind: ContentKind = one(of: ContentKind.allCases)
            let chunk = Chunk.piece(kind, kind.isWords ? words() : uuid().description)
            let code = one(of: ErrorCode.allCases)
            let details = ErrorDetails(timeout: code == .backendTimeout ? 120_000 : nil)
            let made: [(String, String, [UInt8])] = [
                ("value", "Message", codec.encode(placed)),
                ("event", "StreamingChunkEvent", codec.encode(ReplyEvent.chunk(message(), chunk))),
                ("error-body", "Error", codec.encode(ErrorBody(code, words(), details: maybe(details)))),
            ]
            return try made.map { kind, component, bytes in
                [
                    "id": id("CE-12"), "rule": "CE-12", "kind": .string(kind), "expect": "valid",
                    "schema": kind == "value" ? "common/Message" : "", "input": try JSON(parsing: bytes),
                    "judge": "openapi", "component": .string(component),
                ]
            }
        }
    }

    /// A value of every type, by the name of its schema.
    private mutating func written() -> [(String, [UInt8])] {
        let codec = EngineJSON()
        var list: [(String, [UInt8])] = []
        func add(_ schema: String, _ value: some EngineValue) { list.append((schema, codec.encode(value))) }
        add("common/Capability", capability())
        add("common/ContentPart", part())
        add("common/Message", stored())
        add("common/Usage", Usage(input: below(100), output: below(100)))
        add("common/VariantInfo", VariantInfo(index: below(4), total: 4, parent: maybe(uuid())))
        add("common/ErrorDetails", ErrorDetails(trace: maybe("t-1"), retryAfter: maybe(3), resource: maybe(uuid())))
        add(
            "http/MessageSendRequest",
            SendMessage(
                session: session(), content: words(), files: maybe([uuid()]), parent: maybe(message()),
                capabilities: maybe(["web_search"])))
        add("http/MessageRecreateRequest", EnableCapabilities(capabilities: maybe([words()])))
        add("session/SessionCreateRequest", CreateSession(sessionType: type(), client: words()))
        add(
            "session/SessionCreateResponse",
            SessionCreated(session: session(), capabilities: several(2) { $0.capability() }))
        add("session/SessionDeleteResponse", SessionDeleted())
        add("session/SessionShareResponse", share())
        add("session/SessionExportResponse", SessionExported(url: "https://h/exports/x", expiresAt: time()))
        add("session/SessionSwitchTypeResponse", SessionTypeSwitched(session: session(), sessionType: type()))
        add(
            "session/SessionAccessSharedResponse",
            SharedSession(session: session(), messages: several(2) { $0.stored() }))
        add("common/Session", session(withUpdate: true))
        add("session/SessionGetResponse", session(withUpdate: false))
        add("message/MessageListResponse", MessageList(messages: several(2) { $0.stored() }))
        add("message/MessageGetVariantsResponse", MessageVariants(variants: [stored()], current: 0))
        add("message/MessageReactionRequest", ReactToMessage(reaction: one(of: ReactionType.allCases)))
        add(
            "message/MessageReactionResponse",
            ReactionApplied(message: message(), reaction: one(of: ReactionType.allCases), isApplied: below(2) == 0))
        add("streaming/StreamingStartEvent", ReplyEvent.start(message()))
        add("streaming/StreamingCompleteEvent", ReplyEvent.complete(message(), maybe(metadata())))
        add(
            "streaming/StreamingErrorEvent",
            ReplyEvent.error(message(), ErrorBody(one(of: ErrorCode.allCases), words())))
        for (schema, event) in events() { add(schema, Webhook(event, at: time())) }
        add("webhook/SessionCreatedResponse", SessionCreatedReply(capabilities: several(2) { $0.capability() }))
        add(
            "webhook/MessageNewResponse",
            MessageReply(id: message(), content: [part()] + several(2) { $0.part() }, metadata: maybe(metadata())))
        add("webhook/SessionSummaryResponse", SummaryReply(summary: words()))
        add(
            "webhook/SessionTypeHealthCheckResponse",
            HealthReply(
                status: one(of: HealthStatus.allCases), version: "1.0", capabilities: several(1) { $0.capability() }))
        return list
    }

    private mutating func share() -> SessionShared {
        SessionShared(
            token: ShareToken(bits: (0..<32).map { _ in UInt8(below(256)) }), url: "https://h/share/x")
    }

    private mutating func session(withUpdate: Bool) -> Session {
        Session(
            id: session(), client: words(), sessionType: type(), capabilities: several(2) { $0.capability() },
            metadata: maybe(["title": .string(words())]), createdAt: time(), updatedAt: withUpdate ? time() : nil)
    }

    private mutating func events() -> [(String, Webhook.Event)] {
        [
            (
                "webhook/SessionCreatedEvent",
                .sessionCreated(SessionCreatedEvent(session: session(), sessionType: type(), client: words()))
            ),
            (
                "webhook/MessageNewEvent",
                .messageNew(
                    MessageNewEvent(
                        session: session(), message: message(), sessionMetadata: .object(JSON.Object()),
                        capabilities: several(2) { $0.capability() },
                        draft: MessageDraft(content: [.text(words())], files: maybe([uuid()])),
                        history: several(2) { $0.stored() }))
            ),
            (
                "webhook/MessageRecreateEvent",
                .messageRecreate(
                    MessageRecreateEvent(
                        session: session(), message: message(), capabilities: several(1) { $0.capability() },
                        history: several(2) { $0.stored() }))
            ),
            (
                "webhook/MessageAbortedEvent",
                .messageAborted(
                    MessageAbortedEvent(session: session(), message: message(), content: several(2) { $0.part() }))
            ),
            ("webhook/SessionDeletedEvent", .sessionDeleted(SessionDeletedEvent(session: session()))),
            (
                "webhook/SessionSummaryEvent",
                .sessionSummary(
                    SessionSummaryEvent(
                        session: session(), capabilities: several(1) { $0.capability() },
                        history: several(1) { $0.stored() },
                        settings: maybe(["max_length": 50, "focus": "decisions"]).flatMap {
                            try? SummarizationSettings($0, .strict)
                        }))
            ),
            ("webhook/SessionTypeHealthCheckEvent", .healthCheck(HealthCheckEvent(sessionType: type()))),
            (
                "webhook/MessageReactionEvent",
                .messageReaction(
                    MessageReactionEvent(
                        session: session(), message: message(), user: words(),
                        reaction: one(of: ReactionType.allCases), previous: maybe(.like)))
            ),
        ]
    }

    /// A value with one change somewhere: a member less or more, or another value in the place of one.
    private mutating func spoiled(_ value: JSON) -> JSON {
        let others: [JSON] = [
            .null, 0, -1, 0.5, "", "x", [], .object(JSON.Object()), true, "none", "2026-02-13T10:00:00Z",
        ]
        switch value {
        case .object(var object):
            guard !object.members.isEmpty, below(8) > 0 else {
                object["surprise"] = one(of: others)
                return .object(object)
            }
            let member = one(of: object.members)
            switch below(4) {
            case 0: object[member.key] = nil
            case 1: object[member.key] = one(of: others)
            default: object[member.key] = spoiled(member.value)
            }
            return .object(object)
        case .array(var list):
            guard !list.isEmpty, below(4) > 0 else { return .array(list + [one(of: others)]) }
            let place = below(list.count)
            list[place] = spoiled(list[place])
            return .array(list)
        case .string(let text): return below(2) == 0 ? one(of: others) : .string(text.uppercased() + "~")
        default: return one(of: others)
        }
    }
}

// Streams and trees.
extension EngineMaker {
    mutating func streams() throws -> [JSON] {
        try (0..<60).map { _ in
            var lines = several(5) { $0.line() } + (below(4) > 0 ? [terminal()] : [])
            if below(4) == 0 { lines.append(line()) }
            var one: JSON = [
                "id": id("CE-21"), "rule": "CE-21", "kind": "backend-ndjson", "lines": .array(lines.map(JSON.string)),
            ]
            let run = try EngineVectors.outcome(ofLines: lines)
            if case .object(var object) = one {
                object["expect"] = .string(run.outcome)
                object["text"] = .string(run.text)
                one = .object(object)
            }
            return one
        }
    }

    private mutating func line() -> String {
        switch below(12) {
        case 0: return one(of: ["", "  ", "{", "[]", "{}", #"{"type":"start"}"#, #"{"type":"ping"}"#, "\u{feff}{}"])
        case 1: return terminal()
        case 2: return #"{"type":"chunk","chunk":{"type":"text","text":"x"}}"#
        case 3: return #"{"type":"chunk","chunk":{"type":"image","content":"\#(uuid())"},"more":1}"#
        default:
            let chunk = Chunk.piece(one(of: [.text, .code]), words())
            return String(decoding: EngineJSON().encode(BackendEvent.chunk(nil, chunk)), as: UTF8.self)
        }
    }

    private mutating func terminal() -> String {
        one(of: [
            #"{"type":"complete"}"#, #"{"type":"complete","metadata":{"usage":{"input_tokens":1,"output_tokens":2}}}"#,
            #"{"type":"error","error_code":"BACKEND_ERROR","message":"m"}"#,
            #"{"type":"error","error_code":"NO_IDEA","message":"m","more":[]}"#,
            #"{"type":"complete","metadata":{"usage":{"input_tokens":1}}}"#, #"{"type":"error","error_code":"X"}"#,
        ])
    }

    mutating func trees() throws -> [JSON] {
        try (0..<60).map { number in
            var (ops, labels): ([JSON], [String]) = ([], [])
            for step in 0..<(2 + below(8)) { ops.append(op(step, &labels)) }
            var hidden = JSON.Object()
            for label in labels where label.hasPrefix("a") && below(6) == 0 {
                hidden[label] = .string(one(of: ["user", "llm", "both"]))
            }
            return try EngineVectors.complete(
                ["id": id("CE-29"), "rule": "CE-29", "kind": "tree", "expect": "ok", "hidden": .object(hidden)],
                ops: ops)
        }
    }

    /// An operation that may be refused; the case says so then.
    private mutating func op(_ step: Int, _ labels: inout [String]) -> JSON {
        let (user, reply) = ("u\(step)", "a\(step)")
        let other: JSON = labels.isEmpty || below(3) == 0 ? .null : .string(one(of: labels))
        defer { labels += [user, reply] }
        switch below(8) {
        case 0...3: return ["send", other, .string(user), .string(reply)]
        case 4: return ["partial", other, .string(user), .string(reply)]
        case 5: return ["fail", other, .string(user)]
        case 6: return other == .null ? ["fail", .null, .string(user)] : ["recreate", other, .string(reply)]
        default: return other == .null ? ["fail", .null, .string(user)] : ["partialrecreate", other, .string(reply)]
        }
    }
}
