import ChatCodec
import ChatEngine
import ChatModel
import TestSupport
import Testing

/// An engine whose backend answers at once.
private struct Bench {
    var engine: Engine
    var random: any RandomSource = RepeatableRandom(seed: 5)
    let now = Timestamp(milliseconds: 1_000)
    let types: [SessionTypeID]
    var session: SessionID

    init() throws {
        let ids = ["a", "b"].compactMap { SessionTypeID("gts.hyperspot.chat_engine.session_types.\($0).v1~") }
        types = ids
        let settings = try SummarizationSettings(
            ["enabled": true, "service_url": "http://sum/", "max_length": 50], .strict)
        engine = Engine(
            try SessionTypes([
                SessionType(id: ids[0], name: "A", webhookURL: "http://a/", timeout: 7, summarization: settings),
                SessionType(id: ids[1], name: "B", webhookURL: "http://b/"),
            ]))
        let ask = try engine.create(
            CreateSession(sessionType: ids[0], client: "saro"), by: "saro", at: now, random: &random)
        session = engine.created(ask, SessionCreatedReply(capabilities: []), at: now).session
    }

    mutating func send(_ text: String) throws -> Engine.Ask {
        try engine.send(SendMessage(session: session, content: text), by: "saro", at: now, random: &random)
    }

    mutating func finish(_ ask: Engine.Ask, _ text: String, _ end: Engine.End) throws -> Engine.Ask? {
        var reply = BackendReply(to: ask.webhook.kind, message: try #require(ask.reply))
        _ = reply.receive(status: 200, contentType: "application/x-ndjson")
        _ = reply.receive(EngineJSON().line(BackendEvent.chunk(nil, .piece(.text, text))).span)
        return engine.finish(ask, reply, end, at: now)
    }
}

struct EngineTests {
    @Test func `a summary goes to its service, and changes the session only when it is whole (CE-39, CE-G25)`() throws {
        var bench = try Bench()
        let asked = try bench.send("hi")
        _ = try bench.finish(asked, "hello", .complete(nil))
        for (end, summary) in [(Engine.End.failed, nil), (.closed, nil), (.complete(nil), "short")]
            as [(Engine.End, JSON?)]
        {
            let ask = try bench.engine.summarize(
                bench.session, EnableCapabilities(), by: "saro", at: bench.now, random: &bench.random)
            #expect(ask.url == "http://sum/")
            guard case .sessionSummary(let event) = ask.webhook.event else {
                Issue.record("another webhook")
                return
            }
            #expect(event.history.count == 2 && event.settings?.json.members.map(\.key) == ["max_length"])
            #expect(try bench.finish(ask, "short", end) == nil, "a summary aborts nothing")
            let metadata = try bench.engine.session(bench.session, by: "saro").metadata
            #expect(metadata?["summary"] == summary)
        }
    }

    @Test func `the type is another one after the new backend's consent, and not before (CE-G16)`() throws {
        var bench = try Bench()
        let body = SwitchSessionType(sessionType: bench.types[1])
        let ask = try bench.engine.switchType(bench.session, body, by: "saro", at: bench.now)
        #expect(ask.url == "http://b/" && ask.webhook.kind == .sessionCreated)
        #expect(try bench.engine.session(bench.session, by: "saro").sessionType == bench.types[0])
        #expect(try bench.send("hi").url == "http://a/")
        let capability = EngineCapability(id: "x", name: "X", isDefault: true)
        _ = try bench.engine.switched(ask, SessionCreatedReply(capabilities: [capability]), at: bench.now)
        #expect(try bench.engine.session(bench.session, by: "saro").capabilities == [capability])
        #expect(try bench.send("ho").url == "http://b/")
    }

    @Test func `what ends after its session was deleted leaves nothing, and a client that closed is told on`() throws {
        var bench = try Bench()
        let (one, other) = (try bench.send("hi"), try bench.send("ho"))
        let told = try bench.engine.delete(bench.session, by: "saro", at: bench.now)
        #expect(told?.webhook.kind == .sessionDeleted)
        #expect(try bench.finish(one, "late", .complete(nil)) == nil)
        #expect(try bench.finish(other, "late", .closed)?.webhook.kind == .messageAborted)
        for id in [one.reply, other.reply].compactMap({ $0 }) {
            let error = #expect(throws: ErrorBody.self) { try bench.engine.message(id, by: "saro") }
            #expect(error?.code == .messageNotFound)
        }
        #expect(throws: ErrorBody.self) { try bench.engine.session(bench.session, by: "saro") }
    }

    @Test func `another client's, a deleted and an unknown session get the same answer (CE-23, CE-24)`() throws {
        var bench = try Bench()
        let unknown = SessionID(random: &bench.random)
        /// The refusal without the id that was asked for.
        func refusal(_ id: SessionID, _ client: String) -> ErrorBody? {
            do throws(ErrorBody) {
                _ = try bench.engine.messages(of: id, by: client)
                return nil
            } catch {
                var body = error
                body.details?.resource = nil
                return body
            }
        }
        let foreign = refusal(bench.session, "raya")
        _ = try bench.engine.delete(bench.session, by: "saro", at: bench.now)
        #expect(foreign == refusal(unknown, "saro") && foreign == refusal(bench.session, "saro") && foreign != nil)
    }

    @Test(arguments: [
        #"{"session_types":[{"session_type_id":"22222222-2222-4222-8222-222222222222","name":"n","webhook_url":"http://h","capabilities":[]}]}"#,
        #"{"session_types":[{"session_type_id":"gts.hyperspot.chat_engine.session_types.a.v1~","name":"n","webhook_url":"http://h","capabilities":[],"summarization_settings":{"mood":1}}]}"#,
        #"{"session_types":[{"session_type_id":"gts.hyperspot.chat_engine.session_types.a.v1~","name":"n","webhook_url":"http://h","capabilities":[]},{"session_type_id":"gts.hyperspot.chat_engine.session_types.a.v1~","name":"m","webhook_url":"http://h","capabilities":[]}]}"#,
        #"{"session_types":{}}"#, #"{"session_types":[],"more":1}"#, #"[]"#,
    ])
    func `a list of session types that an operator got wrong is refused with its place`(text: String) {
        let bytes = Array(text.utf8)
        #expect(throws: Violation.self) { try SessionTypes(parsing: bytes.span) }
    }
}
