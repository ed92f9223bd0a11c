/// The agent's side of one chat without network, storage and clock: it takes commands, starts jobs, and sends what
/// the agent writes, to whoever is there.
///
/// A job goes on while nobody is there. A client that comes, or comes back, gets the history, and of a job that lives
/// all parts so far.
public struct AgentSide: Hashable, Sendable {
    /// What is known; its connection is always ready, because the agent writes whether anybody is there or not.
    public internal(set) var chat: ChatState
    /// Whether a client said that it is there.
    public private(set) var isHeard = false
    /// The number of the last delta of the job.
    private var sequence: UInt64 = 0
    /// The message of the user that began the job, from which a repeated run is known.
    var cause: Identifier?
    private let codec = AgentJSON()

    /// An agent's side without messages.
    public init(chat: Identifier) {
        self.init(restoring: ChatState(chat: chat), cause: nil)
    }

    /// A client that was there before a restart is taken to be there still; where connections are known, their loss
    /// is too.
    init(restoring chat: ChatState, cause: Identifier?, isHeard: Bool = false) {
        (self.chat, self.cause, self.isHeard) = (chat, cause, isHeard)
        self.chat.open()
        _ = try? self.chat.apply(.ready(.init()))
    }

    /// The client's connection is lost; what is written waits for its return.
    public mutating func lose() { isHeard = false }

    /// After a restart nobody works on a job any more: it failed. Nothing where none lived.
    public mutating func settleRestart() -> SideOutput {
        guard chat.job.isLive, let job = chat.job.id else { return SideOutput() }
        return (try? end(.error(.init("the service was started again", code: "internal", job: job)))) ?? SideOutput()
    }
}

// What the client says.
extension AgentSide {
    /// Takes a frame; one that breaks a rule is answered by an error, and changes nothing else.
    ///
    /// - Parameters:
    ///   - bytes: the frame.
    ///   - limit: the largest frame that can be sent.
    ///   - mint: makes an id that nobody had before.
    public mutating func receive(
        _ bytes: Span<UInt8>, limit: Int, mint: () -> Identifier
    ) -> SideOutput {
        var output = SideOutput()
        guard !SideOutput.isHello(bytes) else {
            greet(into: &output)
            return output
        }
        var job: Identifier?
        do throws(Violation) {
            let command = try codec.command(bytes)
            job = command.job
            guard isHeard else { throw Violation(.ready, "nothing may come before ready") }
            try apply(command, limit: limit, mint: mint, into: &output)
        } catch {
            // The job is named where it does not live, so that the client does not take the error for the answer to
            // a run that it has sent meanwhile; the name of a job that lives would end it.
            let named = error.rule == .noSuchJob ? job : nil
            output.events.append(.violation(error))
            output.frames.append(codec.encode(.error(.init(error.description, code: error.code, job: named))))
        }
        return output
    }

    private mutating func greet(into output: inout SideOutput) {
        isHeard = true
        var active = ServerMessage.ActiveJob.none
        if chat.job.isLive, let job = chat.job.id, let message = chat.job.message {
            active = .job(job, message: message)
        }
        let ready = ServerMessage.Ready(chat: chat.chat, version: ServerMessage.Ready.version, activeJob: active)
        output.frames.append(codec.encode(.ready(ready)))
    }

    private mutating func apply(
        _ command: Command, limit: Int, mint: () -> Identifier, into output: inout SideOutput
    ) throws(Violation) {
        if case .run(let run) = command, run.chat == chat.chat, run.message.role == .user, chat[run.message.id] != nil {
            // A repetition. One whose job is over came late; who waits for an answer begins anew, and the history has it.
            guard run.message.id == cause, chat.job.isLive, let job = chat.job.id, let message = chat.job.message else {
                return
            }
            output.frames.append(codec.encode(.run(job: job, message: message)))
            return
        }
        let effect = try chat.apply(command)
        switch command {
        case .run(let run): start(run, mint: mint, into: &output)
        case .getChat: show(limit: limit, into: &output)
        case .cancel(let job, _): if effect == .commanded { output.events.append(.cancelAsked(job: job)) }
        case .clarifyResponse(let response): output.events.append(.answered(response))
        case .injectMessage(let injection):
            if effect == .commanded { output.events.append(.injected(injection)) }
            guard chat.job.isAcknowledged(injection.inject) == true else { return }
            output.frames.append(codec.encode(.injectAck(job: injection.job, inject: injection.inject)))
        }
    }

    private mutating func start(_ run: Command.Run, mint: () -> Identifier, into output: inout SideOutput) {
        let job = mint()
        let message = run.message.role == .assistant ? run.message.id : mint()
        let started = ServerMessage.run(job: job, message: message)
        // The ids are new, and the run was accepted, so nothing refuses this.
        _ = try? chat.apply(started)
        (sequence, cause) = (0, run.message.id)
        output.frames.append(codec.encode(started))
        let submitted = chat[run.message.id] ?? run.message
        output.events.append(.submitted(submitted, job: job, writes: message))
    }

    /// History, then what lives: all parts so far, and the open questions.
    private func show(limit: Int, into output: inout SideOutput) {
        output.frames.append(history(limit: limit))
        guard let snapshot else { return }
        output.frames.append(snapshot)
        if let request = chat.job.request { output.frames.append(codec.encode(.clarifyRequest(request))) }
    }

    /// The frame with all parts so far of the message that is written; nil where none is.
    var snapshot: [UInt8]? {
        guard chat.job.isLive, let id = chat.job.message, let message = chat[id] else { return nil }
        return codec.encode(
            .streamResume(.init(message: id, parts: message.parts, job: chat.job.id, sequence: sequence)))
    }

    /// The last messages of the path that fit into a frame; the first of them names no parent.
    private func history(limit: Int) -> [UInt8] {
        var (size, messages): (Int, [Message]) = (2_048, [])
        for var message in chat.shown.reversed() {
            message.parent = nil
            size += codec.encode(message).count + 1
            guard size <= min(limit, AgentJSON.maximumFrame) else { break }
            messages.append(message)
        }
        return codec.encode(.chatHistory(.init(initialPath: messages.reversed(), chat: chat.chat)))
    }
}

extension Command {
    /// The job that it names.
    fileprivate var job: Identifier? {
        switch self {
        case .run, .getChat: nil
        case .cancel(let job, _): job
        case .clarifyResponse(let response): response.job
        case .injectMessage(let injection): injection.job
        }
    }
}

// What the agent does.
extension AgentSide {
    /// Writes a piece of the message.
    ///
    /// - Parameters:
    ///   - part: the piece.
    ///   - consolidated: whether the whole message replaces what was written.
    ///   - limit: the largest frame that can be sent; the whole message must fit into one.
    public mutating func write(
        _ part: MessagePart, consolidated: Bool = false, limit: Int = AgentJSON.maximumFrame
    ) throws(Violation) -> SideOutput {
        let draft = try draft(part, consolidated: consolidated, limit: limit)
        var output = SideOutput()
        if try write(draft.stream) { output.frames.append(draft.frame) }
        return output
    }

    /// The next delta with a piece of the message, and its frame. Nothing changes yet.
    func draft(
        _ part: MessagePart, consolidated: Bool, limit: Int
    ) throws(Violation) -> (stream: ServerMessage.Stream, frame: [UInt8]) {
        guard chat.job.isLive, let message = chat.job.message else {
            throw Violation(.stream, "no job writes a message")
        }
        let stream = ServerMessage.Stream(
            message: message, delta: part, consolidated: consolidated ? true : nil, job: chat.job.id,
            sequence: sequence &+ 1)
        let plain = DeltaFrame.frame(of: stream)
        let frame = plain ?? codec.encode(.stream(stream))
        guard frame.count <= limit, chat.currentSize + frame.count <= limit else {
            throw Violation(.frame, "the message would not fit into a frame of \(limit) bytes")
        }
        // What is written is read by the same rules as what comes.
        if plain == nil { try codec.check(serverMessage: frame.span) }
        return (stream, frame)
    }

    /// Writes a delta that was drafted; one that does not fit what is written changes nothing. Whether a client is
    /// there to hear it.
    mutating func write(_ stream: ServerMessage.Stream) throws(Violation) -> Bool {
        _ = try chat.apply(.stream(stream))
        sequence &+= 1
        return isHeard
    }

    /// The ids of messages that are no longer kept, since the last call.
    mutating func takeForgotten() -> [Identifier] { chat.takeForgotten() }

    /// Asks the person.
    public mutating func ask(
        _ questions: [ServerMessage.Question], as request: Identifier
    ) throws(Violation) -> SideOutput {
        guard let job = chat.job.id else { throw Violation(.order, "no job asks") }
        return try say(.clarifyRequest(.init(job: job, request: request, questions: questions)))
    }

    /// Closes the message at a text that was put in, and goes on in a new one. Only now the text is acknowledged: what
    /// was acknowledged stands in the history, and what was not may be sent again.
    public mutating func split(
        at inject: Identifier, user: Identifier, new: Identifier
    ) throws(Violation) -> SideOutput {
        guard let job = chat.job.id, let closed = chat.job.message else { throw Violation(.order, "no job lives") }
        var trial = self
        var output = SideOutput()
        if chat.job.isAcknowledged(inject) == false { output = try trial.say(.injectAck(job: job, inject: inject)) }
        let split = ServerMessage.InjectSplit(job: job, inject: inject, closed: closed, user: user, new: new)
        output.frames += try trial.say(.injectSplit(split)).frames
        self = trial
        if let whole = chat[closed] { output.events.append(.whole(whole)) }
        return output
    }

    /// The job is done.
    public mutating func finish() throws(Violation) -> SideOutput {
        try end(.done(job: chat.job.id, message: chat.job.message))
    }

    /// The job ends because the person wanted it.
    public mutating func acknowledgeCancel() throws(Violation) -> SideOutput {
        try end(.cancel(job: chat.job.id))
    }

    /// The job failed.
    public mutating func fail(_ reason: String, code: String = "internal") throws(Violation) -> SideOutput {
        guard let job = chat.job.id, chat.job.isLive else { throw Violation(.order, "no job lives") }
        return try end(.error(.init(reason, code: code, job: job)))
    }

    private mutating func end(_ message: ServerMessage) throws(Violation) -> SideOutput {
        var output = try say(message)
        if case .ended(let outcome) = chat.job.phase {
            if let id = chat.job.message, let whole = chat[id] { output.events.append(.whole(whole)) }
            output.events.append(.ended(outcome, nil, unread: chat.job.unreadInjections.map(\.text)))
        }
        return output
    }

    private mutating func say(_ message: ServerMessage) throws(Violation) -> SideOutput {
        let frame = codec.encode(message)
        _ = try codec.serverMessage(frame.span)
        _ = try chat.apply(message)
        return said(frame)
    }

    private func said(_ frame: [UInt8]) -> SideOutput {
        var output = SideOutput()
        if isHeard { output.frames.append(frame) }
        return output
    }
}
