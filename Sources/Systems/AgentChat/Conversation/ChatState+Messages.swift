// What the service sends.
extension ChatState {
    /// Applies a message: the service before it sends it, the client when it comes.
    public mutating func apply(_ message: ServerMessage) throws(Violation) -> Effect {
        // Deltas are what there is most of, and change the least.
        if case .stream(let stream) = message { return try apply(stream) }
        try connection.check(message)
        let effect = try applyChecked(message)
        connection.note(message)
        return effect
    }

    private mutating func apply(_ stream: ServerMessage.Stream) throws(Violation) -> Effect {
        guard connection.phase == .ready else {
            throw Violation(.ready, "only ready and error may come before ready")
        }
        guard connection.hasStream else {
            throw Violation(.stream, "neither run nor stream_resume was seen on this connection")
        }
        guard try job.accepts(stream) else { return .none }
        try current.apply(stream.delta, consolidated: stream.consolidated == true)
        job.note(stream)
        return .updated(stream.message)
    }

    private mutating func applyChecked(_ message: ServerMessage) throws(Violation) -> Effect {
        switch message {
        case .ready, .stream: return .ready
        case .run(let id, let message): return try start(id, message)
        case .streamResume(let resume): return try apply(resume)
        case .chatHistory(let history): return try apply(history)
        case .done(let id, _): return try end(.completed, id)
        case .cancel(let id): return try end(.cancelled, id)
        case .error(let failure): return try apply(failure)
        case .clarifyRequest(let request):
            let isNew = job.phase == .running
            try job.ask(request)
            return isNew ? .asked(request) : .none
        case .injectAck(let id, let inject):
            try job.acknowledge(id, inject)
            return .acknowledged(inject)
        case .injectSplit(let split): return try apply(split)
        }
    }

    private mutating func start(_ id: Identifier, _ message: Identifier) throws(Violation) -> Effect {
        var next = job
        try next.start(id, message: message)
        turn(to: next)
        submission = nil
        return .opened(message)
    }

    /// A snapshot replaces all parts of its message; it may come again.
    private mutating func apply(_ resume: ServerMessage.StreamResume) throws(Violation) -> Effect {
        var next = job
        var active: Identifier?
        if case .job(let id, _)? = connection.activeJob, !connection.hasStream { active = id }
        try next.resume(resume, job: active)
        turn(to: next, parts: resume.parts)
        submission = nil
        return .updated(resume.message)
    }

    private mutating func end(_ outcome: Job.Outcome, _ id: Identifier?) throws(Violation) -> Effect {
        try job.end(outcome, job: id)
        current.close()
        settle()
        return .ended(outcome, nil)
    }

    private mutating func apply(_ failure: ServerMessage.Failure) throws(Violation) -> Effect {
        let (wasLive, wasSubmitted, submitted) = (job.isLive, job.phase == .submitted, submission)
        // Before `ready` it tells whoever comes that the last job failed; who does not know it to live goes on.
        let isOwn = wasLive && (job.id == nil || job.id == failure.job)
        if connection.phase == .open, failure.job != nil, !isOwn { return .none }
        try job.fail(job: failure.job)
        if wasSubmitted {
            if let submitted, messages[submitted]?.role == .user { failed.insert(submitted) }
            submission = nil
            return .refused(submitted, failure)
        }
        guard wasLive, !job.isLive else { return .none }
        // What was written stays as it is, so that one sees where it broke off.
        settle()
        return .ended(.failed, failure)
    }

    private mutating func apply(_ split: ServerMessage.InjectSplit) throws(Violation) -> Effect {
        guard messages[split.new] == nil, messages[split.user] == nil, split.new != split.user else {
            throw Violation(.order, "a split makes two new messages")
        }
        var next = job
        let text = try next.split(split)
        current.close()
        settle()
        if let text {
            put(Message(id: split.user, role: .user, parts: [.text(TextPart(text))]))
            show(split.user)
        }
        turn(to: next)
        return .split(split, text: text)
    }
}

// Histories.
extension ChatState {
    private mutating func apply(_ history: ServerMessage.ChatHistory) throws(Violation) -> Effect {
        try history.checkPath()
        if let id = history.chat, id != chat {
            throw Violation(.busy, "the history is that of another chat")
        }
        // Before a snapshot came the history may know more of the message than was seen of it.
        let isCurrentKnown = connection.hasStream && job.isLive
        for message in (history.messages ?? []) + history.initialPath
        where !(isCurrentKnown && message.id == job.message) {
            put(message)
        }
        path = history.initialPath.map(\.id)
        if isCurrentKnown, let id = job.message { show(id) }
        settleAbsence(path)
        return .history
    }

    /// `ready` said that no job lives; so what was known to live is over, and the history shows what became of it.
    private mutating func settleAbsence(_ path: [Identifier]) {
        guard connection.activeJob == ServerMessage.ActiveJob.none, !connection.hasStream else { return }
        if job.isLive {
            // An end that is no failure closes every text.
            let isWhole = job.message.map { path.contains($0) && !current.hasOpenText } == true
            job.vanish(isWhole ? .completed : .failed)
            settle()
        } else if job.phase == .submitted, let id = submission {
            submission = nil
            guard !path.contains(id) else { return job.vanish(.completed) }
            job.vanish(nil)
            failed.insert(id)
        }
    }
}

extension ServerMessage.ChatHistory {
    /// Refuses a path with an id twice, or with a parent that is not the predecessor (AC-34).
    func checkPath() throws(Violation) {
        var seen: Set<Identifier> = []
        var previous: Identifier?
        for message in initialPath {
            guard seen.insert(message.id).inserted else { throw Violation(.path, "the path has an id twice") }
            switch message.parent {
            case nil: break
            case .root?:
                guard previous == nil else { throw Violation(.path, "a message behind the first has no parent") }
            case .message(let parent)?:
                guard parent == previous else { throw Violation(.path, "a parent is not the message before") }
            }
            previous = message.id
        }
    }
}
