import AgentChat
import ChatCodec
import ChatModel
import NIOCore
import NIOHTTP1
import NIOWebSocket
import Testing

@testable import AgentChatServer

struct AssemblyTests {
    private func frame(_ opcode: WebSocketOpcode, _ text: String, fin: Bool = true, isMasked: Bool = true)
        -> WebSocketFrame
    {
        let key: WebSocketMaskingKey? = isMasked ? [1, 2, 3, 4] : nil
        var data = ByteBuffer(string: text)
        if let key { data.webSocketMask(key) }
        return WebSocketFrame(fin: fin, opcode: opcode, maskKey: key, data: data)
    }

    @Test func `a text in pieces is put together, with a ping between them`() {
        var assembly = Assembly(limit: 10)
        #expect(assembly.take(frame(.text, "ab", fin: false)) == .nothing)
        #expect(assembly.take(frame(.ping, "?")) == .ping(ByteBuffer(string: "?")))
        #expect(assembly.take(frame(.continuation, "cd")) == .text(Array("abcd".utf8)))
    }

    @Test func `what breaks RFC 6455 has a code, and nothing comes behind it`() {
        let cases: [(WebSocketFrame, WebSocketErrorCode)] = [
            (frame(.text, "a", isMasked: false), .protocolError), (frame(.continuation, "a"), .protocolError),
            (frame(.binary, "a"), .unacceptableData),
        ]
        for (bad, code) in cases {
            var assembly = Assembly(limit: 10)
            #expect(assembly.take(bad) == .over(code))
            #expect(assembly.take(frame(.text, "a")) == .nothing)
        }
        var assembly = Assembly(limit: 3)
        #expect(assembly.take(frame(.text, "ab", fin: false)) == .nothing)
        #expect(assembly.take(frame(.continuation, "cd")) == .over(.messageTooLarge))
    }
}

struct GateTests {
    private func head(_ host: String, _ fields: [(String, String)] = []) -> HTTPRequestHead {
        HTTPRequestHead(version: .http1_1, method: .GET, uri: "/", headers: HTTPHeaders([("Host", host)] + fields))
    }

    @Test func `without a token only names of the loopback and own pages come in`() {
        let gate = Gate(token: nil)
        for host in ["localhost:1", "127.0.0.1", "[::1]:80"] { #expect(gate.isOwn(head(host))) }
        for host in ["saro.example", "127.0.0.1.example:80", ""] { #expect(!gate.isOwn(head(host))) }
        #expect(gate.isOwn(head("localhost:1", [("Origin", "http://localhost:1")])))
        #expect(!gate.isOwn(head("localhost:1", [("Origin", "http://localhost:2")])))
    }

    @Test func `a ticket is good once, for its chat`() throws {
        let gate = Gate(token: Secret(copying: Array("0123456789abcdef".utf8).span))
        #expect(gate.admits(head("a", [("Authorization", "bearer 0123456789abcdef")])))
        #expect(!gate.admits(head("a", [("Authorization", "Bearer 0123456789abcdeF")])))
        let ticket = try #require(gate.ticket(for: "c1"))
        #expect(gate.redeem(ticket, for: "c1"))
        #expect(!gate.redeem(ticket, for: "c1"))
        let other = try #require(gate.ticket(for: "c1"))
        #expect(!gate.redeem(other, for: "c2"))
    }

    @Test func `a ticket runs out, and there are so many at once`() throws {
        let gate = Gate(token: nil, ticketTime: .zero)
        let ticket = try #require(gate.ticket(for: "c1"))
        #expect(!gate.redeem(ticket, for: "c1"))
        let full = Gate(token: nil)
        for _ in 0..<1_000 { #expect(full.ticket(for: "c1") != nil) }
        #expect(full.ticket(for: "c1") == nil)
    }
}

struct RequestTests {
    @Test func `the chat stands in the path, decoded`() {
        func chat(_ uri: String) -> Identifier? {
            Request(HTTPRequestHead(version: .http1_1, method: .GET, uri: uri)).chat
        }
        #expect(chat("/api/v2/chat/a%20b?ticket=%41&x") == "a b")
        for uri in ["/api/v2/chat/", "/api/v2/chat/%00", "/api/v1/chat/a", "/api/v2/chat/a/b", "%", ""] {
            #expect(chat(uri) == nil)
        }
    }
}

struct OutboxTests {
    @Test func `a socket that reads too slowly is closed, and what waited is dropped`() async throws {
        let outbox = Outbox(limit: 10)
        outbox.push(ByteBuffer(string: "12345678"))
        outbox.push(ByteBuffer(string: "123"))
        outbox.push(ByteBuffer(string: "1"))
        let items = try #require(await outbox.next())
        #expect(items.count == 1)
        guard case .close(.unknown(1013)) = items[0] else { return #expect(Bool(false), "\(items)") }
        #expect(await outbox.next() == nil)
    }
}

struct ScriptTests {
    @Test func `a script that is none says where`() throws {
        let cases = [
            ("{}", "turns"), (#"{"turns":[{}]}"#, "turns[0].steps"),
            (#"{"turns":[{"steps":[{"text":"a"},{"txt":"b"}]}]}"#, "turns[0].steps[1]"),
            (#"{"turns":[{"steps":[{"tool":{}}]}]}"#, "turns[0].steps[0].tool"),
            (#"{"turns":[{"steps":[{"ask":[{"id":""}]}]}]}"#, "turns[0].steps[0].ask"),
        ]
        for (text, place) in cases {
            let json = try JSON(parsing: text)
            let failure = #expect(throws: AgentFailure.self) { try Script(json) }
            #expect(failure?.description.contains(place) == true, "\(text): \(failure?.description ?? "")")
        }
    }
}
