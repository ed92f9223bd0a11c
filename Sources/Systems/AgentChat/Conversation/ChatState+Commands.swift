import ChatCodec

// What the client sends.
extension ChatState {
    /// Applies a command: the client before it sends it, the service when it comes.
    public mutating func apply(_ command: Command) throws(Violation) -> Effect {
        try connection.checkSending()
        switch command {
        case .run(let run): return try apply(run)
        case .getChat(let id):
            try check(id)
            return .none
        case .cancel(let id, let chat):
            if let chat { try check(chat) }
            let isRepeated = job.phase == .cancelling
            try job.cancel(id)
            return isRepeated ? .none : .commanded
        case .clarifyResponse(let response):
            try job.answer(response)
            return .commanded
        case .injectMessage(let injection):
            return try job.inject(injection) ? .commanded : .none
        }
    }

    private func check(_ id: Identifier) throws(Violation) {
        guard id == chat else { throw Violation(.busy, "the connection belongs to another chat") }
    }

    private mutating func apply(_ run: Command.Run) throws(Violation) -> Effect {
        try check(run.chat)
        guard !job.isBusy else { throw Violation(.busy, "a job is there already") }
        let message = run.message.role == .assistant ? try continued(run.message) : run.message
        try message.checkSize()
        let kept = try branch(run)
        var next = job
        try next.submit()
        turn(to: next)
        path.removeSubrange(kept...)
        put(message)
        show(message.id)
        failed.remove(message.id)
        submission = message.id
        return .submitted(message.id)
    }

    /// How many messages of the path stay in front of a message: all, or those up to its branch point (AC-34). What
    /// leaves the path is kept, but not shown.
    private func branch(_ run: Command.Run) throws(Violation) -> Int {
        guard run.message.role == .user, let parent = run.parent else { return path.count }
        guard let place = path.firstIndex(of: parent), parent != run.message.id else {
            throw Violation(.path, "the branch point is not on the path")
        }
        return place + 1
    }

    /// The message as it is kept, with the answers that a continuation brings and with nothing else of it (AC-31).
    private func continued(_ continuation: Message) throws(Violation) -> Message {
        guard var message = self[continuation.id], message.role == .assistant else {
            throw Violation(.continuation, "there is no such message of the assistant")
        }
        var places: [Identifier: Int] = [:]
        for (place, part) in message.parts.enumerated() {
            if case .tool(let tool) = part, tool.state.approvalID != nil { places[tool.callID] = place }
        }
        var isAnswered = false
        for part in continuation.parts {
            guard case .tool(let answer) = part, case .approvalResponded(_, let approval) = answer.state else {
                continue
            }
            guard let place = places[answer.callID], case .tool(var tool) = message.parts[place],
                tool.state.approvalID == approval.id
            else { throw Violation(.continuation, "there is no such approval") }
            guard case .approvalRequested(let input, _) = tool.state else { continue }
            tool.state = .approvalResponded(input: input, approval)
            message.parts[place] = .tool(tool)
            isAnswered = true
        }
        guard isAnswered else { throw Violation(.continuation, "no approval waits for an answer") }
        return message
    }
}

extension Message {
    /// Refuses a message that would not fit into a history, a snapshot or a record (AC-01): the size is that of what
    /// our encoder writes, whatever it was when it came.
    func checkSize() throws(Violation) {
        let codec = AgentJSON()
        var size = parts.reduce(createdAt?.utf8.count ?? 0) { $0 + codec.encode($1).count + 1 }
        if let metadata { size += metadata.description.utf8.count }
        guard size <= PartAccumulator.maximumSize else {
            throw Violation(.frame, "the message would have more than \(PartAccumulator.maximumSize) bytes")
        }
    }
}
