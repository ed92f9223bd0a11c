import AgentChat
import ChatClient
import ChatCodec
import ChatModel

// What the two want.
extension AgentChatWorld {
    mutating func mint() -> Int {
        minted += 1
        return minted
    }

    mutating func say() throws {
        guard let id = processes[0].conversation, said.count < 40 else { return }
        let text = "say \(mint())"
        guard let content = try? processes[0].core.send(Bytes(text), in: id, now: clock) else { return }
        draft = (text, content)
        try finish(.person)
    }

    /// What a machine refuses did not happen.
    mutating func perform(_ action: AgentChatAction, by peer: Peer) throws {
        guard let id = processes[peer.rawValue].conversation else { return }
        let isDone = (try? processes[peer.rawValue].core.perform(action.action, in: id, now: clock)) != nil
        if isDone, case .approve = action { note("approved") }
        if isDone, case .split = action { note("split") }
        try finish(peer)
    }

    mutating func answerQuestions() throws {
        guard let request = chat(of: .person)?.job.request else { return }
        try perform(.answer(request.questions.map { .init(question: $0.id, text: "yes") }), by: .person)
    }

    mutating func approve() throws {
        let parts = chat(of: .person)?.shown.flatMap(\.parts) ?? []
        for case .tool(let tool) in parts {
            guard case .approvalRequested(_, let id) = tool.state else { continue }
            return try perform(.approve(id, random.below(2) == 0, reason: nil), by: .person)
        }
    }

    mutating func work() throws {
        guard let chat = chat(of: .agent), chat.job.isLive, let writes = chat.job.message else { return }
        if let tool = answeredTool(chat[writes]) {
            return try perform(.write(.tool(tool), consolidated: false), by: .agent)
        }
        switch random.below(16) {
        case 0: try perform(.finish, by: .agent)
        case 1: try perform(.fail("broke"), by: .agent)
        case 2: try perform(.ask([.init(id: "q", text: "?")]), by: .agent)
        case 3: try askApproval()
        case 4 where !injections.isEmpty: try perform(.split(injections.removeFirst()), by: .agent)
        case _ where chat.job.phase == .cancelling: try perform(.acknowledgeCancel, by: .agent)
        case 5...9: try speak(as: writes)
        default:
            let part = MessagePart.text(TextPart("word \(mint()) ", state: .streaming))
            try perform(.write(part, consolidated: false), by: .agent)
        }
    }

    /// The agent's words as parts of a content, the way of an application that knows no more than contents.
    private mutating func speak(as message: Identifier) throws {
        guard let id = processes[1].conversation else { return }
        let earlier = answer.flatMap { $0.message == message ? $0.content : nil }
        let isSnapshot = earlier != nil && random.below(8) == 0
        let piece = Bytes("word \(mint()) ")
        let content = try? processes[1].core.perform(
            .send(piece, part: isSnapshot ? .snapshot : .delta), in: id, as: earlier, now: clock)
        if let content { answer = (message, content) }
        note(isSnapshot ? "snapshots" : "deltas")
        try finish(.agent)
    }

    private mutating func askApproval() throws {
        guard let call = Identifier(checking: "call\(mint())"), let id = Identifier(checking: "approval\(mint())")
        else {
            return
        }
        var tool = ToolPart(name: .fixed("book"), callID: call, state: .inputAvailable(input: 7))
        try perform(.write(.tool(tool), consolidated: false), by: .agent)
        tool.state = .approvalRequested(input: 7, id: id)
        try perform(.write(.tool(tool), consolidated: false), by: .agent)
        try perform(.finish, by: .agent)
    }

    /// A tool whose approval was answered, at its end.
    private func answeredTool(_ message: Message?) -> ToolPart? {
        for case .tool(var tool) in message?.parts ?? [] {
            guard case .approvalResponded(let input, let approval) = tool.state else { continue }
            tool.state =
                approval.approved
                ? .outputAvailable(input: input, output: 1, approval, preliminary: nil)
                : .outputDenied(input: input, approval)
            return tool
        }
        return nil
    }
}

// The applications.
extension AgentChatWorld {
    /// The person's: folds what it hears.
    mutating func show(_ event: ClientEvent) {
        guard case .conversation(_, let event) = event else { return }
        switch event {
        case .status(let content, .delivered): delivered.insert(content)
        case .status(let content, .failed(let reason)): refused[content] = reason
        case .content(let received):
            guard let id = received.reference else { return }
            let text = String(decoding: received.content.array, as: UTF8.self)
            texts[id] = received.part == .delta ? texts[id, default: ""] + text : text
        default:
            switch AgentChatEvent(event) {
            case .history(let messages)?: for message in messages { texts[message.id.text] = message.text }
            case .asked?: note("asked")
            case .ended(let outcome, _, _)?: note(outcome.rawValue)
            default: break
            }
        }
    }

    /// The agent's: notes what it is to do.
    mutating func tell(_ event: ClientEvent) {
        switch event {
        case .began(let id, _, _, _): processes[1].conversation = id
        case .conversation(_, let event):
            switch AgentChatEvent(event) {
            case .submitted(let message, _, _)?:
                injections = []
                if message.role == .user { submitted.append(message.text) }
            case .injected(let id, _)?:
                injections.append(id)
                note("injected")
            default: break
            }
        default: break
        }
    }
}
