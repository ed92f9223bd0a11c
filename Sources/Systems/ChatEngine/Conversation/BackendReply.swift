/// An engine's view of a backend's answer to `message.new`, `message.recreate` or `session.summary`: what comes in as
/// bytes goes out as steps of a generation (section 5.2 of `Specs/chat-engine.md`).
///
/// It is total: whatever a backend does, the answer ends in one `complete` or one `failed`, and after that nothing is
/// read.
public struct BackendReply: Sendable {
    /// What the engine does next.
    public enum Step: Hashable, Sendable {
        /// The head was good: the client's stream begins.
        case start
        /// A piece for the client.
        case chunk(Chunk)
        /// The answer is whole. It is stored first, then acknowledged (CE-37).
        case complete(Metadata?)
        /// The answer failed.
        case failed(Failure)
    }

    /// How an answer failed, and what the breaker makes of it.
    public struct Failure: Hashable, Sendable {
        /// What the client learns.
        public let error: ErrorBody
        /// Whether the backend is at fault; its own error line and statuses below 500 count for neither side (CE-32).
        public let outcome: CircuitBreaker.Outcome
        /// What broke which rule, where the answer was malformed; for the log.
        public let violation: Violation?

        /// A failure.
        public init(_ error: ErrorBody, _ outcome: CircuitBreaker.Outcome, _ violation: Violation? = nil) {
            (self.error, self.outcome, self.violation) = (error, outcome, violation)
        }

        /// An answer that cannot be read.
        static func malformed(_ violation: Violation) -> Failure {
            Failure(ErrorBody(.backendError, "the backend's answer is malformed"), .failure, violation)
        }
    }

    private enum Phase: Hashable {
        case head
        case lines(LineSplitter)
        case whole([UInt8])
        case over
    }

    /// The message that is generated; for a summary, an id that names none.
    public let message: MessageID
    /// What has come of it.
    public private(set) var content = ContentBuilder()
    /// The parts of a whole answer, which are stored as they came.
    private var parts: [ContentPart]?
    private let isSummary: Bool
    private var phase = Phase.head
    private var hasStarted = false
    private let codec = EngineJSON(.lenient)

    /// An answer of which nothing has come.
    public init(to kind: WebhookKind, message: MessageID) {
        (isSummary, self.message) = (kind == .sessionSummary, message)
    }

    /// Whether nothing more is read; the connection is to be closed (CE-21).
    public var isOver: Bool { phase == .over }

    /// What is stored of it.
    public var stored: [ContentPart] { parts ?? content.parts }

    /// Takes status and content type: 2xx and one of two types (CE-20).
    public mutating func receive(status: Int, contentType: String?) -> [Step] {
        guard phase == .head else { return [] }
        guard (200..<300).contains(status) else {
            let outcome: CircuitBreaker.Outcome = status >= 500 ? .failure : .neutral
            return fail(Failure(ErrorBody(.backendError, "the backend refused the request"), outcome))
        }
        switch contentType.map(Self.mediaType) {
        case "application/x-ndjson":
            phase = .lines(LineSplitter())
            hasStarted = true
            return [.start]
        case "application/json":
            phase = .whole([])
            return []
        default: return fail(.malformed(Violation(.contentType, "neither JSON nor NDJSON")))
        }
    }

    /// Takes some bytes of the body.
    public mutating func receive(_ bytes: Span<UInt8>) -> [Step] {
        switch phase {
        case .head, .over: return []
        case .whole(var body):
            guard body.count + bytes.count <= EngineJSON.maximumLine else {
                return fail(
                    .malformed(Violation(.line, "a whole answer has more than \(EngineJSON.maximumLine) bytes")))
            }
            phase = .over  // so that the bytes have one owner
            for index in bytes.indices { body.append(bytes[index]) }
            phase = .whole(body)
            return []
        case .lines(var lines):
            phase = .over
            lines.append(bytes)
            var steps: [Step] = []
            do throws(Violation) {
                while let line = try lines.next() {
                    steps.append(try read(line, isCut: false))
                    if case .chunk = steps[steps.count - 1] { continue }
                    return steps
                }
            } catch { return steps + fail(.malformed(error)) }
            phase = .lines(lines)
            return steps
        }
    }

    /// Takes the end of the body.
    public mutating func end() -> [Step] {
        defer { phase = .over }
        do throws(Violation) {
            switch phase {
            case .over: return []
            case .head: throw Violation(.json, "there is no answer")
            case .whole(let body): return try whole(body)
            case .lines(var lines):
                guard let line = try lines.last() else { throw Violation(.backendStream, "there is no last event") }
                return [try read(line, isCut: true)]
            }
        } catch { return fail(.malformed(error)) }
    }

    /// Takes the end of the connection before that of the body, or that there was none: a failure of the backend.
    public mutating func breakOff() -> [Step] {
        guard phase != .over else { return [] }
        return fail(Failure(ErrorBody(.backendError, "the connection to the backend failed"), .failure))
    }

    /// Takes the end of the time, in milliseconds before it was scaled (CE-34).
    public mutating func timeOut(milliseconds: Int) -> [Step] {
        guard phase != .over else { return [] }
        let details = ErrorDetails(timeout: milliseconds)
        return fail(Failure(ErrorBody(.backendTimeout, "the backend took too long", details: details), .failure))
    }

    private mutating func fail(_ failure: Failure) -> [Step] {
        phase = .over
        return [.failed(failure)]
    }

    private mutating func read(_ line: [UInt8], isCut: Bool) throws(Violation) -> Step {
        let event = try codec.decode(BackendEvent.self, from: line.span, maximumBytes: EngineJSON.maximumLine)
        if let id = event.message, id != message {
            throw Violation(.backendStream, "is not the message of the request", at: "message_id")
        }
        switch event {
        case .chunk(_, let chunk):
            guard !isCut else { throw Violation(.line, "the last line is cut") }
            try content.append(chunk)
            return .chunk(chunk)
        case .complete(_, let metadata):
            if isSummary, content.words.isEmpty { throw Violation(.content, "the summary is empty") }
            return .complete(metadata?.normal)
        case .error(_, let code, let message):
            return .failed(Failure(ErrorBody(code, message), .neutral))
        }
    }

    /// A whole answer: start, a chunk for each part, complete.
    private mutating func whole(_ body: [UInt8]) throws(Violation) -> [Step] {
        let chunks: [Chunk]
        let metadata: Metadata?
        if isSummary {
            let reply = try codec.decode(SummaryReply.self, from: body.span, maximumBytes: EngineJSON.maximumLine)
            chunks = [.piece(.text, reply.summary)]
            metadata = try reply.metadata.map { json throws(Violation) in try Metadata(json, .lenient) }
        } else {
            let reply = try codec.decode(MessageReply.self, from: body.span, maximumBytes: EngineJSON.maximumLine)
            guard reply.id == message else {
                throw Violation(.reply, "is not the message of the request", at: "message_id")
            }
            chunks = reply.content.map { .piece($0.kind, $0.content) }
            (parts, metadata) = (reply.content, reply.metadata)
        }
        for chunk in chunks { try content.append(chunk) }
        return [.start] + chunks.map(Step.chunk) + [.complete(metadata)]
    }

    /// The type without its parameters, in lower case.
    private static func mediaType(_ text: String) -> String {
        let type = text.prefix { $0 != ";" }
        return String(type.drop { $0 == " " }.prefix { $0 != " " }).lowercased()
    }
}
