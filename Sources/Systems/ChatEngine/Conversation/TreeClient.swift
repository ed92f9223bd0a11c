import ChatCodec
import ChatModel

/// The client's machine: requests that have no end yet, and the session that they are about.
struct TreeClient: Sendable {
    /// A request that has no end.
    struct Pending: Sendable {
        let frame: ClientFrame
        let content: ContentID?
        var reader = ReplyReader()
        /// The number of the next event.
        var next = 0
        /// Whether the answer was begun anew, so that the application gets all of it so far and not what is new.
        var isAnew = false
        /// When it is sent again, and after how long.
        var due: Timestamp
        var pause = TreeClient.firstPause
    }

    /// After how long without an answer a request is sent again; the time doubles up to the longest.
    static let firstPause = Duration.seconds(15), longestPause = Duration.seconds(300)
    /// The most requests without an end.
    static let maximumPending = 256

    let sessionType: SessionTypeID
    let name: String
    var session: SessionID?
    var count = 0
    var pending: [Int: Pending] = [:]
    var isChanged = true

    init(sessionType: SessionTypeID, name: String) {
        (self.sessionType, self.name) = (sessionType, name)
    }

    var nextWake: Timestamp? { pending.values.map(\.due).min() }

    /// The first words: a session is to be.
    mutating func begin(at now: Timestamp) -> TreeOutput {
        var output = TreeOutput()
        let body = EngineJSON().json(CreateSession(sessionType: sessionType, client: name))
        ask(.createSession, nil, body, for: nil, at: now, &output)
        return output
    }

    /// Does what the application asks.
    mutating func perform(_ action: Action, as id: ContentID, at now: Timestamp) throws(Violation) -> TreeOutput {
        var output = TreeOutput()
        switch action {
        case .send(let content, part: .whole, let about):
            guard let text = String(validating: content.array, as: UTF8.self), !text.isEmpty else {
                throw Violation(.content, "is no text, or says nothing")
            }
            let session = try existing()
            var parent: MessageID?
            if let about {
                guard case .received(let name) = about, let message = MessageID(name) else {
                    throw Violation(.parent, "is no message", at: "parent_message_id")
                }
                parent = message
            }
            try makeRoom()
            let body = SendMessage(session: session, content: text, parent: parent)
            ask(.sendMessage, nil, EngineJSON().json(body), for: id, at: now, &output)
        case .cancel(let target): try cancel(target, &output)
        case .frame(EngineTreeAction.kind, let bytes):
            let frame = try EngineJSON().decode(ClientFrame.self, from: bytes.span)
            guard case .operation(let operation, let path, let body) = frame.saying, operation != .createSession else {
                throw Violation(.event, "is nothing that a client says")
            }
            try makeRoom()
            let filled = operation == .sendMessage ? try withSession(body) : body
            ask(operation, path, filled, for: nil, at: now, &output)
        default: throw Violation(.event, "unsupported")
        }
        return output
    }

    private func withSession(_ body: JSON?) throws(Violation) -> JSON {
        var object = JSON.Object()
        if case .object(let given)? = body { object = given }
        object["session_id"] = .string(try existing().text)
        return .object(object)
    }

    private func existing() throws(Violation) -> SessionID {
        guard let session else { throw Violation(.existence, "there is no session yet") }
        return session
    }

    private func makeRoom() throws(Violation) {
        guard pending.count < Self.maximumPending else {
            throw Violation(.event, "there are \(pending.count) requests without an answer")
        }
    }

    private mutating func ask(
        _ operation: Operation, _ path: String?, _ body: JSON?, for content: ContentID?, at now: Timestamp,
        _ output: inout TreeOutput
    ) {
        count += 1
        let frame = ClientFrame(count, .operation(operation, id: path, body: body))
        pending[count] = Pending(frame: frame, content: content, due: now + Self.firstPause)
        isChanged = true
        output.send(frame, for: content)
    }

    /// Closes a request: by its own content, or by the message that answers it.
    private mutating func cancel(_ target: Target, _ output: inout TreeOutput) throws(Violation) {
        let found = pending.first { entry in
            switch target {
            case .own(let content): entry.value.content == content
            case .received(let name): entry.value.reader.message?.text == name
            }
        }
        guard let found else { throw Violation(.existence, "is no answer that is under way") }
        pending[found.key] = nil
        isChanged = true
        output.send(ClientFrame(found.key, .close))
        guard let message = found.value.reader.message else {
            if let content = found.value.content { output.events.append(.status(content, .cancelled)) }
            return
        }
        output.events.append(.content(content(of: found.value, message, .cut(.cancelled))))
    }

    private func content(of pending: Pending, _ message: MessageID, _ part: Part) -> ReceivedContent {
        ReceivedContent(
            Bytes(pending.reader.content.words), part: part, reference: message.text,
            about: pending.content.map { .own($0) })
    }

    /// Sends again what has no end: all of it, or what is due.
    mutating func repeatRequests(at now: Timestamp, isAll: Bool) -> TreeOutput {
        var output = TreeOutput()
        for (request, one) in pending.sorted(by: { $0.key < $1.key }) where isAll || one.due <= now {
            pending[request]?.pause = min(Self.longestPause, one.pause * 2)
            pending[request]?.due = now + one.pause * 2
            output.send(one.frame)
        }
        return output
    }
}

// What comes.
extension TreeClient {
    /// Takes a line of the engine; one about a request that has ended, or out of its turn, is not for anybody.
    mutating func receive(_ line: Span<UInt8>, at now: Timestamp) throws(Violation) -> TreeOutput {
        let frame = try EngineJSON().decode(EngineFrame.self, from: line, maximumBytes: EngineJSON.maximumLine)
        var output = TreeOutput()
        guard var one = pending[frame.request] else { return output }
        switch frame.saying {
        case .answer(let status, let body): try take(frame, status, body, one, &output)
        case .event(let number, let event):
            if case .start = event, number == 0, one.next > 0 {
                (one.reader, one.next, one.isAnew) = (ReplyReader(), 0, true)
            }
            guard number == one.next else {
                // Something is missing: the engine says all of it again.
                if number > one.next, one.due > now {
                    one.due = now
                    pending[frame.request] = one
                }
                return output
            }
            try one.reader.receive(event)
            one.next += 1
            (one.pause, one.due) = (Self.firstPause, now + Self.firstPause)
            pending[frame.request] = one
            tell(event, of: one, frame, &output)
        }
        return output
    }

    private mutating func take(
        _ frame: EngineFrame, _ status: Int, _ body: JSON, _ one: Pending, _ output: inout TreeOutput
    ) throws(Violation) {
        if case .operation(.createSession, _, _) = one.frame.saying {
            guard status == 201 else {
                output.events.append(.ended("the engine refuses a session"))
                return end(frame, &output)
            }
            session = try EngineJSON().decode(SessionCreated.self, from: body).session
        }
        if let content = one.content {
            let error = try? EngineJSON().decode(ErrorBody.self, from: body)
            output.events.append(.status(content, .failed(error?.message ?? "status \(status)")))
        }
        end(frame, &output)
    }

    private mutating func tell(
        _ event: ReplyEvent, of one: Pending, _ frame: EngineFrame, _ output: inout TreeOutput
    ) {
        let message = event.message
        switch event {
        case .start:
            if !one.isAnew, let content = one.content { output.events.append(.status(content, .delivered)) }
            isChanged = true
        case .chunk(_, let chunk):
            guard chunk.kind.isWords else { return output.tell(frame) }
            guard !one.isAnew else {
                return output.events.append(.content(content(of: one, message, .snapshot)))
            }
            let delta = ReceivedContent(
                Bytes(chunk.content), part: .delta, reference: message.text,
                about: one.content.map { .own($0) })
            output.events.append(.content(delta))
        case .complete:
            output.events.append(.content(content(of: one, message, .whole)))
            end(frame, &output)
        case .error(_, let error):
            output.events.append(.content(content(of: one, message, .cut(.failed(error.message)))))
            end(frame, &output)
        }
    }

    private mutating func end(_ frame: EngineFrame, _ output: inout TreeOutput) {
        pending[frame.request] = nil
        isChanged = true
        output.tell(frame)
    }
}

// What is stored: one record.
extension TreeClient {
    static let record = "client"

    mutating func takeChanges() -> [Record] {
        guard isChanged else { return [] }
        isChanged = false
        var writer = JSONWriter()
        writer.object { writer in
            writer.optional("session", session)
            writer.field("count", count)
            writer.key("pending")
            writer.array { writer in
                for (_, one) in pending.sorted(by: { $0.key < $1.key }) {
                    writer.object { writer in
                        writer.field("frame", one.frame)
                        if let content = one.content { writer.field("content", JSON(content.number)) }
                        writer.field("begun", one.next > 0)
                    }
                }
            }
        }
        return [Record(Self.record, Bytes([1] + writer.bytes))]
    }

    mutating func restore(_ records: [Record]) throws(Refusal) {
        let unreadable = Refusal(.invalid, CommonCause.unreadableRecord(Self.record, machine: EngineTree.name))
        guard records.count == 1, let bytes = records[0].bytes?.array, bytes.first == 1,
            let json = try? JSON(parsing: Array(bytes.dropFirst()), maximumBytes: .max),
            let count = json["count"]?.int, count >= 0, let list = json["pending"]?.list
        else { throw unreadable }
        var trial = self
        trial.count = count
        if let text = json["session"]?.text {
            guard let session = SessionID(text) else { throw unreadable }
            trial.session = session
        }
        for one in list {
            guard let json = one["frame"], let frame = try? ClientFrame(json, .strict), frame.request <= count else {
                throw unreadable
            }
            let content = one["content"]?.uint64.map { ContentID($0) }
            var pending = Pending(frame: frame, content: content, due: .zero)
            // What came before the restart is not stored, and comes again.
            pending.isAnew = one["begun"]?.bool == true
            trial.pending[frame.request] = pending
        }
        trial.isChanged = false
        self = trial
    }
}
