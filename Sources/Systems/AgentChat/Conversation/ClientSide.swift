/// The client of one chat without network, storage and clock: it submits, shows what comes, and finds its way back
/// after losses.
///
/// What was accepted is kept until the service has it. One way back serves every loss: say that somebody is there,
/// get `ready`, ask for the chat, and submit again what the history lacks.
public struct ClientSide: Hashable, Sendable {
    /// The most messages that wait for their turn.
    public static let maximumWaiting = 100

    /// The chat.
    public internal(set) var chat: ChatState
    /// Runs that wait, oldest first; the first may be under way.
    var waiting: [Command.Run] = []
    /// The first of them was sent on this connection.
    private var isUnderWay = false
    /// The first of them was sent at some time.
    private var wasSent = false
    /// For the first of them the client began anew because a job failed that it had not seen.
    private var wasDoubted = false
    /// The run that a `run` of the service seemed to answer. It may have answered another client's, until the history has
    /// its message or the job is over.
    private var claimed: Command.Run?
    /// The history was asked for and has not come.
    private var awaitsHistory = false
    /// The end of the job that lived, which came before anything of its message on this connection. It waits for the
    /// history, which has the whole message.
    private var unseenEnd: ServerMessage?
    /// Hellos so far, two at most: after the second, what comes may be meant for the one before.
    private var hellos = 0
    /// Hellos that no `ready` has answered.
    private var unanswered = 0
    private var backoff = Backoff()
    /// When to begin anew, in milliseconds, if nothing came until then.
    public private(set) var deadline: UInt64?
    private let codec = AgentJSON()

    /// A client of a chat.
    public init(chat: Identifier) {
        self.chat = ChatState(chat: chat)
    }

    /// The ids of messages that are no longer kept, since the last call.
    mutating func takeForgotten() -> [Identifier] { chat.takeForgotten() }

    /// What is to be stored, oldest first: an answer that was another client's must lose nothing.
    var unsettled: [Command.Run] { [claimed].compactMap(\.self) + waiting }

    init(chat: ChatState, waiting: [Command.Run]) {
        (self.chat, self.waiting) = (chat, waiting)
        // Before the restart there was one.
        hellos = 1
    }
}

// The connection.
extension ClientSide {
    /// Says that somebody is there: at the start, after a restart, and when the link is back.
    public mutating func begin(now: UInt64, random: UInt64) -> SideOutput {
        (isUnderWay, awaitsHistory, unseenEnd) = (false, false, nil)
        (hellos, unanswered) = (min(hellos + 1, 2), min(unanswered + 1, Self.maximumWaiting))
        chat.open()
        deadline = now &+ UInt64(backoff.next(random: random))
        var output = SideOutput()
        output.frames.append(SideOutput.hello)
        return output
    }

    /// The link is lost. The job lives on.
    public mutating func lose() {
        chat.drop()
        deadline = nil
    }

    /// Begins anew if the deadline has passed.
    public mutating func wake(now: UInt64, random: UInt64) -> SideOutput {
        guard let deadline, deadline <= now else { return SideOutput() }
        return begin(now: now, random: random)
    }

    private mutating func ask(into output: inout SideOutput) {
        guard chat.connection.phase == .ready, !awaitsHistory else { return }
        awaitsHistory = true
        output.frames.append(codec.encode(.getChat(chat.chat)))
    }

    /// Sends the first run that waits, if no job is there.
    private mutating func submit(into output: inout SideOutput) {
        guard chat.connection.phase == .ready, !awaitsHistory, !awaitsResume, !isUnderWay, let run = waiting.first,
            !chat.job.isBusy
        else { return }
        do throws(Violation) {
            _ = try chat.apply(.run(run))
            (isUnderWay, wasSent) = (true, true)
            output.frames.append(codec.encode(.run(run)))
        } catch {
            // A continuation whose approval was answered meanwhile: by this one, if it went out before a loss.
            output.events.append(wasSent ? .taken(run.message.id) : .refused(run.message.id, error.description))
            removeFirst()
            submit(into: &output)
        }
    }

    /// A job lives of which nothing was heard on this connection.
    private var awaitsResume: Bool {
        guard case .job? = chat.connection.activeJob else { return false }
        return !chat.connection.hasStream
    }

    private mutating func removeFirst() {
        waiting.removeFirst()
        (isUnderWay, wasSent, wasDoubted) = (false, false, false)
    }

    private mutating func settleDeadline(now: UInt64, random: @autoclosure () -> UInt64) {
        let isSettled =
            chat.connection.phase == .ready && !awaitsHistory && !awaitsResume && chat.job.phase != .submitted
            && chat.job.phase != .cancelling
        if isSettled {
            deadline = nil
            backoff.reset()
        } else if deadline == nil {
            deadline = now &+ UInt64(backoff.next(random: random()))
        }
    }
}

// What the application asks.
extension ClientSide {
    /// Submits a message, at once or when the job before it is over.
    public mutating func send(
        _ message: Message, timezone: String = "UTC", now: UInt64, random: UInt64
    ) throws(Violation) -> SideOutput {
        guard waiting.count < Self.maximumWaiting else { throw Violation(.busy, "too many messages wait") }
        let run = Command.Run(chat: chat.chat, message: message, timezone: timezone)
        // What is written is read by the same rules as what comes.
        let bytes = codec.encode(.run(run))
        _ = try codec.command(bytes.span)
        waiting.append(run)
        var output = SideOutput()
        submit(into: &output)
        settleDeadline(now: now, random: random)
        return output
    }

    /// Asks to end the job that lives.
    public mutating func cancel(now: UInt64, random: UInt64) throws(Violation) -> SideOutput {
        try perform(.cancel(job: try liveJob(), chat: nil), now: now, random: random)
    }

    /// Answers the questions that are open.
    public mutating func answer(
        _ answers: [Command.Answer], now: UInt64, random: UInt64
    ) throws(Violation) -> SideOutput {
        guard let request = chat.job.request else { throw Violation(.clarification, "no request is open") }
        let response = Command.ClarifyResponse(job: request.job, request: request.request, answers: answers)
        return try perform(.clarifyResponse(response), now: now, random: random)
    }

    /// Puts a text into the job that lives.
    public mutating func inject(
        _ text: String, as id: Identifier, now: UInt64, random: UInt64
    ) throws(Violation) -> SideOutput {
        let injection = Command.InjectMessage(job: try liveJob(), inject: id, text: text)
        return try perform(.injectMessage(injection), now: now, random: random)
    }

    /// Answers an approval: sends the message again with the answer in it (AC-31).
    public mutating func approve(
        _ approval: Identifier, _ approved: Bool, reason: String? = nil, now: UInt64, random: UInt64
    ) throws(Violation) -> SideOutput {
        for var message in chat.shown.reversed() where message.role == .assistant {
            for (place, part) in message.parts.enumerated() {
                guard case .tool(var tool) = part, case .approvalRequested(let input, approval) = tool.state else {
                    continue
                }
                tool.state = .approvalResponded(input: input, .init(id: approval, approved: approved, reason: reason))
                message.parts[place] = .tool(tool)
                // What the history says of it is the service's.
                (message.metadata, message.parent, message.createdAt) = (nil, nil, nil)
                return try send(message, now: now, random: random)
            }
        }
        throw Violation(.continuation, "there is no such approval")
    }

    private func liveJob() throws(Violation) -> Identifier {
        guard chat.job.isLive, let job = chat.job.id else { throw Violation(.noSuchJob, "no job lives") }
        return job
    }

    private mutating func perform(
        _ command: Command, now: UInt64, random: UInt64
    ) throws(Violation) -> SideOutput {
        let bytes = codec.encode(command)
        _ = try codec.command(bytes.span)
        _ = try chat.apply(command)
        var output = SideOutput()
        output.frames.append(bytes)
        settleDeadline(now: now, random: random)
        return output
    }
}

// What the service says.
extension ClientSide {
    /// Takes a frame; one that breaks a rule of decoding changes nothing. One that does not fit what is known is told
    /// to the application, and the chat is asked for anew.
    ///
    /// - Parameters:
    ///   - bytes: one frame of the service.
    ///   - now: milliseconds of the clock that all calls share.
    ///   - random: any number; drawn where a pause is chosen.
    public mutating func receive(
        _ bytes: Span<UInt8>, now: UInt64, random: @autoclosure () -> UInt64
    ) throws(Violation) -> SideOutput {
        let message = try codec.serverMessage(bytes)
        var output = SideOutput()
        guard !isLate(message) else { return output }
        guard !doubts(message) else { return begin(now: now, random: random()) }
        if case .stream(let stream) = message, chat.job.misses(before: stream) {
            ask(into: &output)
        } else if endsUnseen(message) {
            unseenEnd = message
            ask(into: &output)
        } else {
            let wasLive = chat.job.isLive
            do throws(Violation) {
                let effect = try chat.apply(message)
                tell(effect, of: message, into: &output)
                // A job that ended while nobody listened: the history has what became of it.
                if effect == .history {
                    if wasLive, case .ended(let outcome) = chat.job.phase { tellEnd(outcome, nil, into: &output) }
                    tellUnseenEnd(into: &output)
                    submit(into: &output)
                }
            } catch {
                output.events.append(.violation(error))
                ask(into: &output)
            }
        }
        settleDeadline(now: now, random: random())
        return output
    }

    /// Whether a message was for a connection that was given up because its `ready` took too long: it breaks no rule,
    /// and the history has what it said.
    private mutating func isLate(_ message: ServerMessage) -> Bool {
        switch message {
        case .ready:
            defer { unanswered = max(0, unanswered - 1) }
            return chat.connection.phase == .ready && unanswered > 0
        case .error: return false
        default: return chat.connection.phase == .open && hellos > 1
        }
    }

    /// Whether a message ends the job that lives, of whose message nothing was seen on this connection: what is known of
    /// it may lack what was written meanwhile.
    private func endsUnseen(_ message: ServerMessage) -> Bool {
        let connection = chat.connection
        guard connection.phase == .ready, !connection.hasStream else { return false }
        var live = chat.job.id
        if !chat.job.isLive {
            guard case .job(let id, _)? = connection.activeJob else { return false }
            live = id
        }
        switch message {
        case .done(let ended, _), .cancel(let ended): return ended == nil || live == nil || ended == live
        case .error(let failure): return failure.job != nil && (live == nil || failure.job == live)
        default: return false
        }
    }

    /// The history has come, and with it all of the message. The end of a job that was not known shows there alone.
    private mutating func tellUnseenEnd(into output: inout SideOutput) {
        guard let message = unseenEnd else { return }
        unseenEnd = nil
        guard let effect = try? chat.apply(message) else { return chat.connection.note(message) }
        tell(effect, of: message, into: &output)
    }

    /// Whether a job failed that was not seen to begin, while a message is submitted: its `run` may be lost, and then the
    /// message was taken. The history knows; a second such error is believed.
    private mutating func doubts(_ message: ServerMessage) -> Bool {
        guard chat.connection.phase == .ready, case .error(let failure) = message, let job = failure.job,
            job != chat.job.previous, chat.job.phase == .submitted, !wasDoubted
        else { return false }
        wasDoubted = true
        return true
    }

    private mutating func tell(
        _ effect: ChatState.Effect, of message: ServerMessage, into output: inout SideOutput
    ) {
        switch effect {
        case .none:
            guard case .error(let failure) = message else { return }
            reclaim(failure, into: &output)
            // Before `ready`: a job has failed of which this client did not know.
            guard chat.connection.phase == .open, let job = failure.job, job != chat.job.id else { return }
            output.events.append(.ended(.failed, failure.text, unread: []))
        case .submitted, .commanded: break
        case .ready: ask(into: &output)
        case .refused(let id, let failure):
            if isUnderWay, !waiting.isEmpty { removeFirst() }
            output.events.append(.refused(id, failure?.text ?? "it is not there"))
            submit(into: &output)
        case .opened: taken(into: &output)
        case .updated(let id):
            taken(into: &output)
            if case .stream(let stream) = message {
                output.events.append(.delta(id, stream.delta, consolidated: stream.consolidated == true))
            } else if let snapshot = chat[id] {
                output.events.append(.snapshot(snapshot))
            }
        case .history:
            awaitsHistory = false
            output.events.append(.history(chat.shown))
            settleSubmission(into: &output)
        case .asked(let request): output.events.append(.asked(request))
        case .acknowledged(let inject): output.events.append(.acknowledged(inject))
        case .split(let split, let text):
            if let closed = chat[split.closed] { output.events.append(.whole(closed)) }
            if text == nil { ask(into: &output) }
        case .ended(let outcome, let failure):
            claimed = nil
            tellEnd(outcome, failure?.text, into: &output)
            submit(into: &output)
        }
    }

    private func tellEnd(_ outcome: Job.Outcome, _ reason: String?, into output: inout SideOutput) {
        if let id = chat.job.message, let whole = chat[id] { output.events.append(.whole(whole)) }
        output.events.append(.ended(outcome, reason, unread: chat.job.unreadInjections.map(\.text)))
    }

    /// The service has what was under way.
    private mutating func taken(into output: inout SideOutput) {
        guard isUnderWay, let run = waiting.first else { return }
        removeFirst()
        claimed = run.message.role == .user ? run : nil
        output.events.append(.taken(run.message.id))
    }

    /// The job that lives is another client's: what was taken for its message is submitted again when it is over.
    private mutating func reclaim(_ failure: ServerMessage.Failure, into output: inout SideOutput) {
        guard failure.code == "busy", failure.job == nil, chat.job.isLive, let run = claimed else { return }
        claimed = nil
        waiting.insert(run, at: 0)
        ask(into: &output)
    }

    /// After a loss the history says whether a run had come; if not, it is sent again.
    private mutating func settleSubmission(into output: inout SideOutput) {
        if let run = claimed, chat.path.contains(run.message.id) { claimed = nil }
        guard let run = waiting.first, run.message.role == .user, !isUnderWay, chat.path.contains(run.message.id) else {
            return
        }
        removeFirst()
        output.events.append(.taken(run.message.id))
    }
}

extension Job {
    /// Whether deltas before this one are missing: it is not the next one of those that are numbered.
    func misses(before stream: ServerMessage.Stream) -> Bool {
        guard isLive, stream.message == message, let number = stream.sequence, let last = lastSequence else {
            return false
        }
        return number > last && number - last > 1
    }
}
