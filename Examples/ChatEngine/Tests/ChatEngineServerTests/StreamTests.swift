import AsyncHTTPClient
import ChatCodec
import ChatEngine
import Foundation
import NIOCore
import Synchronization
import Testing

/// Answers message.new with a script, and everything else as usual.
private func backend(_ script: @escaping @Sendable (Webhook) async -> FakeBackend.Script) -> FakeBackend {
    FakeBackend { $0.kind == .messageNew || $0.kind == .messageRecreate ? await script($0) : nil }
}

@Suite(.serialized) struct StreamTests {
    @Test func `where pieces of a backend's connection end means nothing (CE-02)`() async throws {
        let text = FakeBackend.chunk("Gänse ") + "\n  \r\n" + FakeBackend.chunk("füßchen") + FakeBackend.complete
        let script = FakeBackend.Script(pieces: Array(text.utf8).map { .bytes([$0]) })
        try await Bench.run(backend { _ in script }) { bench in
            let sent = try await bench.send(try await bench.session(), "hi")
            #expect(sent.isComplete && sent.text == "Gänse füßchen")
        }
    }

    struct Vice: Sendable, CustomTestStringConvertible {
        let name: String
        let script: FakeBackend.Script
        let status: Int
        var error: ErrorCode?
        var stored: String?
        var testDescription: String { name }
        var isSlow: Bool { status == 504 || error == .backendTimeout }
    }

    static let vices = [
        Vice(name: "503", script: .init(status: 503), status: 502),
        Vice(name: "404", script: .init(status: 404), status: 502),
        Vice(name: "redirect", script: .init(status: 307, location: "http://127.0.0.1:1/"), status: 502),
        Vice(name: "HTML", script: .init(type: "text/html", pieces: [.text("<p>")]), status: 502),
        Vice(name: "no type", script: .init(type: nil, pieces: [.text("{}")]), status: 502),
        Vice(name: "event stream", script: .init(type: "text/event-stream"), status: 502),
        Vice(name: "malformed JSON", script: .json("{"), status: 502),
        Vice(
            name: "another message's JSON",
            script: .json(
                #"{"message_id":"gts.hyperspot.chat_engine.entities.message.v1~11111111-1111-4111-8111-111111111111","role":"assistant","content":[{"type":"text","text":"x"}]}"#
            ), status: 502),
        Vice(name: "silence", script: .init(delay: .seconds(60)), status: 504),
        Vice(
            name: "silence after the head", script: .init(pieces: [.wait(.seconds(60))]), status: 200,
            error: .backendTimeout),
        Vice(name: "nothing", script: .init(), status: 200, error: .backendError),
        Vice(
            name: "cut in the middle",
            script: .init(pieces: [.text(FakeBackend.chunk("ab")), .text(#"{"type":"#), .cut]),
            status: 200, error: .backendError, stored: "ab"),
        Vice(
            name: "garbage", script: .init(pieces: [.text(FakeBackend.chunk("ab")), .bytes([0xff, 0xfe, 0x0a])]),
            status: 200, error: .backendError, stored: "ab"),
        Vice(name: "start", script: .lines(#"{"type":"start"}"#), status: 200, error: .backendError),
        Vice(
            name: "its own error", script: .lines(#"{"type":"error","error_code":"MODEL_BUSY","message":"busy"}"#),
            status: 200, error: .backendError),
        Vice(
            name: "trickle",
            script: .init(
                pieces: [.text(FakeBackend.chunk("ab"))]
                    + Array(repeating: FakeBackend.Piece.wait(.milliseconds(50)), count: 100).flatMap {
                        [$0, .text(" ")]
                    }),
            status: 200, error: .backendTimeout, stored: "ab"),
        Vice(
            name: "events after the end",
            script: .init(pieces: [
                .text(
                    FakeBackend.chunk("ab") + FakeBackend.complete
                        + FakeBackend.chunk("cd") + FakeBackend.complete), .wait(.seconds(60)),
            ]), status: 200, stored: "ab"),
    ]

    @Test(arguments: vices)
    func `whatever a backend does, its client learns how the answer ended, and what came is stored`(_ vice: Vice)
        async throws
    {
        // Ten seconds for an answer, scaled to three where they have to pass.
        try await Bench.run(backend { _ in vice.script }, scale: vice.isSlow ? 0.3 : 1) { bench in
            let session = try await bench.session()
            let sent = try await bench.send(session, "hi")
            #expect(sent.answer.status == vice.status)
            if vice.status == 200 { #expect(sent.error == vice.error && sent.isComplete == (vice.error == nil)) }
            if vice.status == 502 { #expect(sent.answer.code == "BACKEND_ERROR") }
            if vice.status == 504 { #expect(sent.answer.json["details"]?["timeout_ms"]?.int == 10_000) }
            let messages = try await bench.messages(session)
            #expect(messages.count == (vice.stored == nil ? 1 : 2))
            if let stored = vice.stored {
                #expect(messages[1].content.map(\.content) == [stored])
                #expect(messages[1].place?.isComplete == (vice.error == nil))
            }
            // Another stream is as good as ever, and the failed question's next is its sibling.
            let page = try await bench.call("GET", "/sessions/\(session)")
            #expect(page.status == 200)
        }
    }

    @Test func `503 then 200: a session is asked for again, a message is not (CE-33)`() async throws {
        let calls = Mutex<[WebhookKind: Int]>([:])
        let backend = FakeBackend { webhook in
            let count = calls.withLock { calls in
                calls[webhook.kind, default: 0] += 1
                return calls[webhook.kind, default: 0]
            }
            return count == 1 && webhook.kind != .healthCheck ? .init(status: 503) : nil
        }
        try await Bench.run(backend) { bench in
            let session = try await bench.session()
            #expect(bench.backend.webhooks(.sessionCreated).count == 2)
            #expect(try await bench.send(session, "hi").answer.status == 502)
            #expect(try await bench.send(session, "hi").isComplete)
            #expect(bench.backend.webhooks(.messageNew).count == 2)
        }
    }

    @Test func `five failures open the breaker, and a minute later it lets calls pass (CE-32)`() async throws {
        let isWell = Mutex(false)
        try await Bench.run(backend { _ in isWell.withLock { $0 } ? .words("well") : .init(status: 500) }, scale: 0.2) {
            bench in
            // The health checks count too; they are over.
            while bench.backend.webhooks(.healthCheck).count < 2 { try await Task.sleep(for: .milliseconds(10)) }
            let session = try await bench.session()
            for _ in 0..<5 { #expect(try await bench.send(session, "hi").answer.status == 502) }
            isWell.withLock { $0 = true }
            #expect(try await bench.send(session, "hi").answer.status == 502)
            #expect(bench.backend.webhooks(.messageNew).count == 5)
            try await Task.sleep(for: .seconds(12.2))
            #expect(try await bench.send(session, "hi").isComplete)
        }
    }

    @Test func `100,000 chunks come through, byte for byte and in order`() async throws {
        let count = 100_000
        // A hundred lines at a time, cut anywhere.
        let lines = Array(((0..<count).map { FakeBackend.chunk("\($0) ") } + [FakeBackend.complete]).joined().utf8)
        let pieces = stride(from: 0, to: lines.count, by: 6_007).map {
            FakeBackend.Piece.bytes(Array(lines[$0..<min($0 + 6_007, lines.count)]))
        }
        let script = FakeBackend.Script(pieces: pieces)
        try await Bench.run(backend { _ in script }, scale: 30, timeLimit: .seconds(300)) { bench in
            let session = try await bench.session()
            let sent = try await bench.send(session, "hi")
            let text = (0..<count).map { "\($0) " }.joined()
            #expect(sent.isComplete && sent.chunks == count && sent.text == text)
            #expect(try await bench.messages(session)[1].content == [.text(text)])
        }
    }

    @Test func `a client that closes aborts its answer, whether or not anything flows (CE-38)`() async throws {
        let isSilent = Mutex(false)
        let script = FakeBackend.Script(pieces: [.text(FakeBackend.chunk("half")), .wait(.seconds(60))])
        let backend = backend { _ in
            if isSilent.withLock({ $0 }) { try? await Task.sleep(for: .seconds(60)) }
            return script
        }
        try await Bench.run(backend, scale: 10) { bench in
            let session = try await bench.session()
            let body = #"{"session_id":"\#(session)","content":"hi"}"#
            // Reads the first chunk, and closes.
            let response = try await bench.http.execute(
                bench.request("POST", "/messages/send", body), timeout: .seconds(30))
            for try await piece in response.body where String(buffer: piece).contains("half") { break }
            guard case .messageAborted(let event)? = try await bench.backend.first(.messageAborted)?.event else {
                Issue.record("the backend was not told")
                return
            }
            #expect(event.content == [.text("half")])
            let messages = try await bench.messages(session)
            #expect(
                messages.count == 2 && messages[1].place?.isComplete == false && messages[1].place?.isActive == true)
            // Closes before the backend has said anything.
            isSilent.withLock { $0 = true }
            let waiting = Task {
                try await bench.http.execute(bench.request("POST", "/messages/send", body), timeout: .seconds(30))
            }
            while bench.backend.webhooks(.messageNew).count < 2 { try await Task.sleep(for: .milliseconds(10)) }
            waiting.cancel()
            while bench.backend.webhooks(.messageAborted).count < 2 { try await Task.sleep(for: .milliseconds(10)) }
            #expect(try await bench.messages(session).count == 3)
        }
    }

    @Test func `a parent that is still being generated, or a user's, is refused (CE-25, CE-26)`() async throws {
        let script = FakeBackend.Script(pieces: [
            .text(FakeBackend.chunk("a")), .wait(.seconds(2)), .text(FakeBackend.complete),
        ])
        try await Bench.run(backend { _ in script }) { bench in
            let session = try await bench.session()
            async let sent = bench.send(session, "hi")
            while bench.backend.webhooks(.messageNew).isEmpty { try await Task.sleep(for: .milliseconds(10)) }
            guard case .messageNew(let event)? = bench.backend.webhooks(.messageNew).first?.event else { return }
            let early = try await bench.send(session, "x", parent: event.message.text)
            #expect(early.answer.status == 400 && early.answer.fields == ["parent_message_id"])
            #expect(try await bench.call("POST", "/messages/\(event.message)/recreate").status == 400)
            #expect(try await bench.call("GET", "/messages/\(event.message)").status == 404)
            let user = try await bench.messages(session)[0].id
            #expect(try await bench.send(session, "x", parent: user.text).answer.status == 400)
            #expect(try await bench.call("POST", "/messages/\(user)/recreate").status == 400)
            #expect(try await sent.isComplete)
            #expect(try await bench.messages(session).count == 2)
        }
    }
}
