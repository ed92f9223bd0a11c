import ChatCodec
import ChatEngine
import ChatModel
import TestSupport
import Testing

private let uuid = "11111111-1111-4111-8111-111111111111"
private let session = "gts.hyperspot.chat_engine.entities.session.v1~\(uuid)"
private let message = "gts.hyperspot.chat_engine.entities.message.v1~\(uuid)"

private func violation(_ body: () throws(Violation) -> Void) -> Violation? {
    do {
        try body()
        return nil
    } catch { return error }
}

struct CodecTests {
    @Test(arguments: [
        (#"{"session_id":"\#(session)","content":""}"#, "CE-09: content is empty"),
        (#"{"session_id":"\#(message)","content":"x"}"#, "CE-06: session_id is no id of a session"),
        (
            #"{"session_id":"\#(session)","content":"x","file_ids":["a"]}"#,
            "CE-10: file_ids[0] is no UUID in lower case"
        ),
        (#"{"session_id":"\#(session)","content":"x","file_ids":{}}"#, "CE-04: file_ids is no list"),
        (#"{"session_id":"\#(session)","content":"x","role":"user"}"#, "CE-05: role is not known here"),
        (#"{"content":"x"}"#, "CE-04: session_id is missing"), ("[]", "CE-01: is no object"),
    ])
    func `a violation names rule, place and reason`(body: String, line: String) {
        let bytes = Array(body.utf8)
        let found = violation { () throws(Violation) in _ = try EngineJSON().decode(SendMessage.self, from: bytes.span)
        }
        #expect(found?.description == line)
        let error = found.map { ErrorBody($0) }
        #expect(error?.code == .invalidRequest && error?.details?.validationErrors?.first?.field == found?.place)
    }

    @Test func `a bare UUID is an id only where it is let pass (CE-06, CE-G03)`() throws {
        let body = Array(#"{"session_id":"\#(uuid)","content":"hi"}"#.utf8)
        #expect(throws: Violation.self) { try EngineJSON().decode(SendMessage.self, from: body.span) }
        let read = try EngineJSON(.uuidIds).decode(SendMessage.self, from: body.span)
        #expect(read.session.text == uuid && EngineJSON().encode(read) == body)
    }

    @Test func `a chunk in the form of a part is read in interop alone, and written as it came (CE-12, CE-G01)`() throws
    {
        let line = Array(
            #"{"type":"chunk","message_id":"\#(message)","chunk":{"type":"code","code":"let a = 1","language":"swift"}}"#
                .utf8)
        for tolerance in [Tolerance.strict, .lenient] {
            #expect(throws: Violation.self) { try EngineJSON(tolerance).decode(ReplyEvent.self, from: line.span) }
        }
        let event = try EngineJSON(.interop).decode(ReplyEvent.self, from: line.span)
        #expect(event == .chunk(try #require(MessageID(message)), .part(.code("let a = 1", language: "swift"))))
        #expect(EngineJSON().encode(event) == line)
    }

    @Test(arguments: [(128, true), (129, false)])
    func `a body nests 128 levels deep and no deeper (CE-01)`(depth: Int, isGood: Bool) {
        let inner = String(repeating: "[", count: depth - 2) + String(repeating: "]", count: depth - 2)
        let line = Array(#"{"type":"complete","message_id":"\#(message)","metadata":{"a":\#(inner)}}"#.utf8)
        let isRead = (try? EngineJSON().decode(ReplyEvent.self, from: line.span)) != nil
        #expect(isRead == isGood)
    }

    @Test func `every digit and the order of keys of what is open survive`() throws {
        let metadata = #"{"z":1e400,"a":[9007199254740993,0.1],"usage":null}"#
        let line = Array(#"{"type":"complete","message_id":"\#(message)","metadata":\#(metadata)}"#.utf8)
        let event = try EngineJSON().decode(ReplyEvent.self, from: line.span)
        #expect(EngineJSON().encode(event) == line)
    }

    @Test func `counts without a total get one before anybody sees them (CE-15)`() throws {
        var reply = BackendReply(to: .messageNew, message: try #require(MessageID(message)))
        _ = reply.receive(status: 200, contentType: "Application/X-NDJSON ; charset=utf-8")
        let line = Array(
            "{\"type\":\"complete\",\"metadata\":{\"usage\":{\"input_tokens\":1,\"output_tokens\":2}}}\n".utf8)
        let steps = reply.receive(line.span)
        guard case .complete(let metadata)? = steps.first else {
            Issue.record("\(steps)")
            return
        }
        let text = metadata.map { String(decoding: EngineJSON().encode($0), as: UTF8.self) }
        #expect(text == #"{"usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3}}"#)
    }

    @Test(arguments: [
        (9_007_199_254_740_991, 0), (9_007_199_254_740_991, 1), (4_503_599_627_370_496, 4_503_599_627_370_496),
    ])
    func `counts whose sum is no count are refused, and what is computed is read again (CE-15)`(
        input: Int, output: Int
    ) throws {
        var reply = BackendReply(to: .messageNew, message: try #require(MessageID(message)))
        _ = reply.receive(status: 200, contentType: "application/x-ndjson")
        let usage = #"{"input_tokens":\#(input),"output_tokens":\#(output)}"#
        let line = Array((#"{"type":"complete","metadata":{"usage":\#(usage)}}"# + "\n").utf8)
        if case .complete(let metadata?)? = reply.receive(line.span).first {
            let bytes = EngineJSON().encode(metadata)
            #expect((try? Metadata(JSON(parsing: bytes), .strict)) != nil, "nobody can read it")
            #expect(output == 0)
        } else {
            #expect(output > 0)
        }
        let counted = Usage(input: input, output: output)
        #expect((try? Usage(JSON(parsing: EngineJSON().encode(counted)), .strict)) != nil)
    }

    @Test(arguments: [
        ("http://127.0.0.1:65535/hook", true), ("https://[::1]:8080", true), ("http://host", true),
        ("http://host:", true),
        ("http://user:word@host:1/?q", true), ("http://127.0.0.1:65536/hook", false), ("http://", false),
        ("http://:80/", false), ("http://host:+80/", false), ("http://host:99999999999999999999", false),
        ("https:///hook", false), ("ftp://host", false),
    ])
    func `a webhook's URL has a host, and a port that there is`(url: String, isGood: Bool) {
        let text =
            #"{"session_types":[{"session_type_id":"gts.hyperspot.chat_engine.session_types.assistant.v1~","#
            + #""name":"Assistant","webhook_url":"\#(url)","capabilities":[]}]}"#
        #expect(((try? SessionTypes(parsing: Array(text.utf8).span)) != nil) == isGood)
    }

    @Test func `no token and no client contains U+0000, at which storage may end a text (CE-23)`() throws {
        #expect(ShareToken(String(repeating: "a", count: 43)) != nil)
        #expect(ShareToken(String(repeating: "a", count: 43) + "\0") == nil)
        let header = try JSON(parsing: Array(#"{"alg":"HS256"}"#.utf8))
        for (client, isGood) in [("saro", true), (#"saro\u0000evil"#, false)] {
            let claims = try JSON(parsing: Array(#"{"sub":"s","client_id":"\#(client)","exp":2}"#.utf8))
            let bearer = try? Bearer(header: header, claims: claims, at: Timestamp(milliseconds: 1_000))
            #expect((bearer != nil) == isGood)
        }
    }

    @Test func `an answer without end is malformed once it is too long, and what came is there`() throws {
        let id = try #require(MessageID(message))
        var reply = BackendReply(to: .messageNew, message: id)
        _ = reply.receive(status: 200, contentType: "application/x-ndjson")
        let line = EngineJSON().line(
            BackendEvent.chunk(nil, .piece(.text, String(repeating: "x", count: 8 << 20))))
        for _ in 0..<8 { #expect(reply.receive(line.span).count == 1) }
        guard case .failed(let failure)? = reply.receive(line.span).last else {
            Issue.record("a ninth chunk of 8 MiB is taken")
            return
        }
        #expect(failure.violation?.rule == .line && failure.outcome == .failure)
        #expect(reply.isOver && reply.content.bytes == ContentBuilder.maximumBytes)
    }

    @Test func `a token with a critical extension is refused, whatever it is (CE-23, RFC 7515 4.1.11)`() throws {
        let claims = try JSON(parsing: Array(#"{"sub":"saro","client_id":"saro","exp":2}"#.utf8))
        func bearer(_ header: String) throws -> Bearer {
            let header = try JSON(parsing: Array(header.utf8))
            return try Bearer(header: header, claims: claims, at: Timestamp(milliseconds: 1_000))
        }
        #expect(try bearer(#"{"alg":"HS256","typ":"JWT","b64":true}"#).client == "saro")
        for critical in [#"["b64"]"#, #"["exp"]"#, "[]", "null", #""b64""#] {
            #expect(throws: Violation.self) { try bearer(#"{"alg":"HS256","b64":true,"crit":\#(critical)}"#) }
        }
    }

    @Test func `a token is never printed`() throws {
        let token = try #require(ShareToken(String(repeating: "s", count: 32)))
        let shared = SessionShared(token: token, url: "http://h/")
        #expect(!"\(token) \(shared)".contains("ssss"))
        #expect(ShareToken(String(repeating: "s", count: 31)) == nil)
    }
}
