import ChatCodec
import ChatEngine

// Streams, in pieces of several sizes.
extension EngineVectors {
    private static let pieces = [1, 7, 64, 4_096]
    private static let sample = "gts.hyperspot.chat_engine.entities.message.v1~33333333-3333-4333-8333-333333333333"

    /// Where the pieces of some bytes end.
    private static func cut(_ bytes: [UInt8], _ size: Int) -> [ArraySlice<UInt8>] {
        stride(from: 0, to: bytes.count, by: size).map { bytes[$0..<min($0 + size, bytes.count)] }
    }

    private static func lines(of one: EngineCase) throws -> [UInt8] {
        try one.texts("lines").reduce(into: []) { bytes, line in
            bytes += Array(line.utf8)
            bytes.append(0x0a)
        }
    }

    static func stream(_ one: EngineCase) throws {
        let bytes = try lines(of: one)
        for size in pieces {
            var lines = ReplyLines()
            let refusal = EngineCase.refusal {
                for piece in cut(bytes, size) { _ = try lines.receive(Array(piece).span) }
                _ = try lines.end()
            }
            let outcome = refusal != nil ? "invalid" : lines.reader.state == .truncated ? "truncated" : "valid"
            try EngineCase.expect("the stream in pieces of \(size)", outcome, try one.text("expect"))
        }
    }

    static func backendStream(_ one: EngineCase) throws {
        var bytes = try lines(of: one)
        if one.json["last_newline"]?.bool == false, !bytes.isEmpty { bytes.removeLast() }
        if let tail = one.json["tail_base64"]?.text { bytes += try base64(tail) }
        for size in pieces {
            let run = try reply(.messageNew, 200, "application/x-ndjson", cut(bytes, size))
            let outcome = run.outcome
            try EngineCase.expect("the answer in pieces of \(size)", outcome, try one.text("expect"))
            try EngineCase.expect("the client's text", run.text, try one.text("text"))
        }
    }

    /// What becomes of the lines of a backend, and what the client has read.
    static func outcome(ofLines lines: [String]) throws -> (outcome: String, text: String) {
        let bytes = lines.reduce(into: [UInt8]()) { bytes, line in bytes += Array(line.utf8) + [0x0a] }
        let run = try reply(.messageNew, 200, "application/x-ndjson", [bytes[...]])
        return (run.outcome, run.text)
    }

    static func lineLimit(_ one: EngineCase) throws {
        let frame = #"{"type":"chunk","chunk":{"type":"text","content":""}}"#
        let padding = try one.int("line_bytes") - frame.utf8.count
        guard padding >= 0, padding <= 64 << 20 else { throw Problem.unreadable("line_bytes is out of range") }
        var bytes = Array(frame.utf8)
        bytes.insert(contentsOf: repeatElement(UInt8(ascii: "x"), count: padding), at: frame.utf8.count - 3)
        bytes += Array("\n{\"type\":\"complete\"}\n".utf8)
        let run = try reply(.messageNew, 200, "application/x-ndjson", cut(bytes, 65_536))
        var outcome = "invalid"
        if case .complete = run.last { outcome = "valid" }
        try EngineCase.expect("the line", outcome, try one.text("expect"))
    }

    static func webhookReply(_ one: EngineCase) throws {
        guard let kind = WebhookKind(rawValue: try one.text("event")) else { throw Problem.notApplicable("event") }
        let whole = #"{"message_id":"\#(sample)","role":"assistant","content":[{"type":"text","text":"a"}]}"#
        let data = try one.text("data") == "REPLY" ? whole : try one.text("data")
        let type = try one.text("content_type")
        let run = try reply(kind, try one.int("status"), type.isEmpty ? nil : type, [Array(data.utf8)[...]])
        var outcome = "invalid"
        if case .complete = run.last { outcome = "valid" }
        try EngineCase.expect("the answer", outcome, try one.text("expect"))
        guard outcome == "valid", let text = one.json["text"]?.text else { return }
        try EngineCase.expect("the client's text", run.text, text)
    }

    private struct Run {
        var last: BackendReply.Step?
        var text = ""
        /// Whether something came after the end.
        var isLate = false

        var outcome: String {
            switch last {
            case .complete?: isLate ? "late" : "valid"
            case .failed(let failure)? where failure.violation == nil: isLate ? "late-error" : "error"
            default: "invalid"
            }
        }
    }

    private static func reply(
        _ kind: WebhookKind, _ status: Int, _ type: String?, _ pieces: [ArraySlice<UInt8>]
    ) throws -> Run {
        guard let id = MessageID(sample) else { throw Problem.unreadable("the sample id is no id") }
        var reply = BackendReply(to: kind, message: id)
        var run = Run()
        func take(_ steps: [BackendReply.Step]) {
            for step in steps {
                if case .chunk(let chunk) = step { run.text += chunk.content }
                run.last = step
            }
        }
        take(reply.receive(status: status, contentType: type))
        // What comes after the end is read apart, to see that there is something.
        var all: [UInt8] = []
        for piece in pieces {
            all += piece
            take(reply.receive(Array(piece).span))
        }
        take(reply.end())
        let lines = all.split(separator: 0x0a).filter { !$0.allSatisfy { $0 == 0x20 } }
        let terminal = lines.firstIndex { line in
            guard let event = try? EngineJSON(.lenient).decode(BackendEvent.self, from: Array(line).span) else {
                return false
            }
            if case .chunk = event { return false }
            return true
        }
        run.isLate = terminal.map { $0 + 1 < lines.count } ?? false
        return run
    }
}
