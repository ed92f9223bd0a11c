import ChatCodec
import ChatEngine
import ChatEngineServer
import ChatModel
import Foundation
import NIOHTTP1
import Testing

@Suite(.serialized) struct OperationTests {
    @Test func `every operation does what it says, and answers as the schemas want`() async throws {
        try await Bench.run { bench in
            let types = try await bench.call("GET", "/session-types").read(SessionTypeList.self)
            #expect(types.sessionTypes.map(\.id.text) == [Bench.type, Bench.other])
            let session = try await bench.session()
            let sent = try await bench.send(session, "What races?")
            #expect(sent.isComplete && sent.text == "hello" && sent.chunks == 2)
            let again = try await bench.stream("/messages/\(sent.id)/recreate")
            #expect(again.isComplete)
            let variants = try await bench.call("GET", "/messages/\(again.id)/variants").read(MessageVariants.self)
            #expect(variants.variants.map(\.id.text) == [sent.id, again.id] && variants.current == 1)
            let branch = try await bench.send(session, "And then?", parent: sent.id)
            let one = try await bench.call("GET", "/messages/\(branch.id)").read(Message.self)
            #expect(one.place == .init(index: 0, isActive: true, isComplete: true))
            let children = try await bench.call("GET", "/sessions/\(session)/messages?parent_message_id=\(sent.id)")
            #expect(try children.read(MessageList.self).messages.count == 1)
            let reaction = try await bench.call("POST", "/messages/\(sent.id)/reaction", #"{"reaction_type":"like"}"#)
            #expect(try reaction.read(ReactionApplied.self).isApplied)
            let told = try await bench.backend.first(.messageReaction)
            #expect(told != nil)
            let summary = try await bench.stream("/sessions/\(session)/summarize", "{}")
            #expect(summary.isComplete && summary.text == "in short")
            let state = try await bench.call("GET", "/sessions/\(session)").read(Session.self)
            #expect(state.metadata?["summary"] == "in short" && state.updatedAt != state.createdAt)
            let switched = try await bench.call(
                "PATCH", "/sessions/\(session)/type", #"{"new_session_type_id":"\#(Bench.other)"}"#)
            #expect(try switched.read(SessionTypeSwitched.self).sessionType.text == Bench.other)
            #expect(try await bench.messages(session).count == 5)
            let deleted = try await bench.call("DELETE", "/sessions/\(session)")
            #expect(deleted.status == 200)
            _ = try deleted.read(SessionDeleted.self)
            for path in ["/sessions/\(session)", "/messages/\(sent.id)", "/sessions/\(session)/messages"] {
                #expect(try await bench.call("GET", path).status == 404)
            }
            #expect(try await bench.backend.first(.sessionDeleted) != nil)
        }
    }

    @Test func `a search finds stems, ranks, pages and takes nothing for syntax (CE-13)`() async throws {
        try await Bench.run { bench in
            let session = try await bench.session()
            for text in ["the race is on", "races, races and more racing", "nothing \\\" OR * NEAR(", "a tortoise"] {
                _ = try await bench.send(session, text)
            }
            let found = try await bench.call("GET", "/sessions/\(session)/search?query=RACING").read(SearchResults.self)
            #expect(found.total == 2 && found.results.first?.content == "races, races and more racing")
            let page = try await bench.call("GET", "/sessions/\(session)/search?query=race&limit=1&offset=1")
            let second = try page.read(SearchResults.self)
            #expect(second.total == 2 && second.results.map(\.content) == ["the race is on"])
            for query in ["%22", "%2A", "race%20AND%20(", "%22race%20OR", "NEAR(", "-", "%00race%00%22"] {
                #expect(try await bench.call("GET", "/search?query=\(query)").status == 200, "\(query)")
            }
            let all = try await bench.call("GET", "/search?query=tortoise").read(SessionSearchResults.self)
            #expect(all.total == 1 && all.results.first?.session.text == session)
            for query in [
                "", "query=", "query=a&limit=0", "query=a&limit=101", "query=a&offset=-1", "query=a&limit=1.0",
                "query=a&offset=9007199254740992", "query=%FF",
            ] {
                let refused = try await bench.call("GET", "/search?\(query)")
                #expect(
                    refused.status == 400 && refused.code == "INVALID_REQUEST" && !refused.fields.isEmpty, "\(query)")
            }
            let stranger = try await bench.client("raya")
            let none = try await bench.call("GET", "/search?query=race", token: stranger)
            #expect(try none.read(SessionSearchResults.self).total == 0)
        }
    }

    @Test func `exports and shares are links that work, until they are revoked or expire (CE-35)`() async throws {
        try await Bench.run { bench in
            let session = try await bench.session()
            let sent = try await bench.send(session, "hi")
            for (format, type) in [("json", "application/json"), ("markdown", "text/markdown"), ("txt", "text/plain")] {
                let answer = try await bench.call(
                    "POST", "/sessions/\(session)/export", #"{"format":"\#(format)","scope":"all"}"#)
                let export = try answer.read(SessionExported.self)
                #expect(
                    export.expiresAt.timestamp.milliseconds > UInt64(Date().timeIntervalSince1970 * 1_000) + 86_400_000)
                let file = try await bench.call("GET", export.url, token: "")
                #expect(file.status == 200 && file.headers.first(name: "content-type")?.hasPrefix(type) == true)
                #expect(String(decoding: file.bytes, as: UTF8.self).contains("hello"))
            }
            let shared = try await bench.call("POST", "/sessions/\(session)/share").read(SessionShared.self)
            let view = try await bench.call("GET", shared.url, token: "").read(SharedSession.self)
            #expect(view.messages.map(\.role) == [.user, .assistant])
            let guest = try await bench.client("raya")
            let body = #"{"session_id":"\#(session)","content":"me too"}"#
            let stranger = try await bench.call("POST", "/messages/send", body, token: guest)
            #expect(stranger.status == 404)
            let late = #"{"session_id":"\#(session)","content":"x","parent_message_id":"\#(sent.id)"}"#
            let written = try await bench.call("POST", "/messages/send", body, token: guest, share: shared.token.text)
            #expect(try Stream(written).isComplete)
            #expect(
                try await bench.call("POST", "/messages/send", late, token: guest, share: shared.token.text).status
                    == 200)
            #expect(try await bench.call("GET", shared.url, token: "").read(SharedSession.self).messages.count == 2)
            let path = "/sessions/\(session)/share/\(shared.token.text)"
            #expect(try await bench.call("DELETE", path).read(ShareRevoked.self) == ShareRevoked())
            #expect(try await bench.call("DELETE", path).status == 404)
            #expect(try await bench.call("GET", shared.url, token: "").code == "SESSION_NOT_FOUND")
            for moment in ["2020-01-01T00:00:00Z", "2999-01-01T00:00:00"] {
                let answer = try await bench.call(
                    "POST", "/sessions/\(session)/share", #"{"expires_at":"\#(moment)"}"#)
                #expect(answer.status == 400 && answer.fields == ["expires_at"])
            }
            #expect(
                try await bench.call("GET", "/exports/\(String(repeating: "a", count: 43))", token: "").status == 404)
        }
    }

    @Test func `what is wrong is refused with status, code and field, and changes nothing`() async throws {
        try await Bench.run { bench in
            let session = try await bench.session()
            let ghost = "gts.hyperspot.chat_engine.entities.message.v1~99999999-9999-4999-8999-999999999999"
            let deep = String(repeating: "[", count: 5_000)
            let cases: [(String, String, String?, Int, String)] = [
                ("POST", "/sessions", "", 400, ""), ("POST", "/sessions", "[]", 400, ""),
                ("POST", "/sessions", #"{"session_type_id":"x","client_id":"saro"}"#, 400, "session_type_id"),
                ("POST", "/sessions", #"{"session_type_id":"\#(Bench.type)","client_id":"raya"}"#, 400, "client_id"),
                ("POST", "/sessions", #"{"session_type_id":"\#(Bench.type)","client_id":"saro","x":1}"#, 400, "x"),
                ("POST", "/messages/send", #"{"session_id":"\#(session)","content":""}"#, 400, "content"),
                ("POST", "/messages/send", #"{"session_id":"\#(session)","content":\#(deep)}"#, 400, ""),
                (
                    "POST", "/messages/send", #"{"session_id":"\#(session)","session_id":"\#(session)","content":"x"}"#,
                    400, ""
                ),
                (
                    "POST", "/messages/send",
                    #"{"session_id":"\#(session)","content":"x","enabled_capabilities":["web","none"]}"#, 400,
                    "enabled_capabilities[1]"
                ),
                ("GET", "/sessions/\(session)/messages?parent_message_id=x", nil, 400, "parent_message_id"),
                ("POST", "/sessions/\(session)/export", #"{"format":"pdf","scope":"all"}"#, 400, "format"),
            ]
            for (method, path, body, status, field) in cases {
                let answer = try await bench.call(method, path, body)
                #expect(
                    answer.status == status && answer.code == "INVALID_REQUEST" && answer.fields == [field],
                    "\(path) \(body ?? "")")
                _ = try answer.read(ErrorBody.self)
            }
            #expect(try await bench.call("GET", "/sessions/x").code == "SESSION_NOT_FOUND")
            #expect(try await bench.call("GET", "/messages/x/variants").code == "MESSAGE_NOT_FOUND")
            #expect(
                try await bench.call("GET", "/messages/\(ghost)").json["details"]?["resource_id"]?.text
                    == String(ghost.suffix(36)))
            #expect(
                try await bench.call("GET", "/sessions/\(session.replacingOccurrences(of: "~", with: "%7E"))").status
                    == 200)
            let large = #"{"session_id":"\#(session)","content":"\#(String(repeating: "x", count: 1 << 20))"}"#
            #expect(try await bench.call("POST", "/messages/send", large).status == 413)
            #expect(try await bench.call("POST", "/messages/send", "x", type: "text/plain").status == 415)
            #expect(try await bench.call("GET", "/nowhere").status == 404)
            let other = try await bench.call("PUT", "/sessions/\(session)")
            #expect(other.status == 405 && other.headers.first(name: "allow") == "DELETE, GET")
            #expect(try await bench.messages(session).isEmpty)
        }
    }

    @Test func `only a good token opens anything, and what is another's does not exist (CE-23)`() async throws {
        try await Bench.run { bench in
            let session = try await bench.session()
            let sent = try await bench.send(session, "hi")
            let pieces = bench.token.split(separator: ".").map(String.init)
            func token(_ header: String, _ claims: String) -> String {
                "\(Base64URL.encode(Array(header.utf8))).\(Base64URL.encode(Array(claims.utf8))).\(pieces[2])"
            }
            let wrong = [
                "", "x", bench.token + "x", pieces[0] + "." + pieces[1], pieces[0] + "." + pieces[1] + ".",
                token(#"{"alg":"none"}"#, #"{"sub":"saro","client_id":"saro","exp":9999999999}"#),
                token(#"{"alg":"HS256"}"#, #"{"sub":"raya","client_id":"raya","exp":9999999999}"#),
                try await Tokens.forged(),
                try await Tokens.expired(),
            ]
            for token in wrong {
                let answer = try await bench.call("GET", "/sessions/\(session)", token: token)
                #expect(answer.status == 401 && answer.code == "AUTH_REQUIRED", "\(token)")
                #expect(token.isEmpty || answer.headers.first(name: "www-authenticate") == "Bearer")
            }
            let raya = try await bench.client("raya")
            for path in [
                "/sessions/\(session)", "/sessions/\(session)/messages", "/sessions/\(session)/search?query=a",
            ] {
                let foreign = try await bench.call("GET", path, token: raya)
                #expect(foreign.status == 404 && foreign.code == "SESSION_NOT_FOUND")
            }
            #expect(try await bench.call("GET", "/messages/\(sent.id)", token: raya).code == "MESSAGE_NOT_FOUND")
            #expect(try await bench.call("DELETE", "/sessions/\(session)", token: raya).status == 404)
            #expect(try await bench.call("POST", "/messages/\(sent.id)/recreate", token: raya).status == 404)
        }
    }
}
