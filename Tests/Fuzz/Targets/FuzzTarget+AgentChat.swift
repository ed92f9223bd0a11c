import AgentChat
import ChatCodec

extension FuzzTarget {
    /// Frames of agent chat, and its state machines.
    static func agentChat() -> [FuzzTarget] {
        [agentChatFrames, agentChatStates]
    }

    private static let frames = [
        #"{"type":"run","data":{"id":"c","message":{"id":"m","role":"user","parts":[{"type":"text","text":"hi"}]},"vaultItems":[1e400],"timezone":"UTC"}}"#,
        #"{"type":"clarify_response","data":{"job_id":"j","request_id":"r","answers":[{"question_id":"q","option_ids":["a"]}]}}"#,
        #"{"type":"stream","message_id":"a","delta":{"type":"tool-pay","toolCallId":"c","state":"output-available","input":{"n":1},"output":null,"approval":{"id":"p","approved":true}},"seq":7}"#,
        #"{"type":"stream_resume","message_id":"a","parts":[{"type":"dynamic-tool","toolName":"pay","toolCallId":"c","state":"output-error","errorText":"x","rawInput":"{"},{"type":"data-x","id":"","data":[9007199254740993]}]}"#,
        #"{"type":"chat_history","initialPath":[{"id":"m","role":"user","parts":[{"type":"file","mediaType":"image/png","url":"data:,"}],"parent_id":null,"created_at":"2026-05-01T10:00:00Z"}]}"#,
        #"{"type":"clarify_request","job_id":"j","request_id":"r","questions":[{"id":"q","text":"?","options":[{"id":"a","label":"A"}],"multiple":true}]}"#,
        #"{"type":"error","error":"busy","code":"busy"}"#,
    ]

    /// What is read is written, and read and written as the same; what the strict mode takes the other takes alike.
    private static var agentChatFrames: FuzzTarget {
        FuzzTarget("agent-chat-frames", seeds: frames.map { Array($0.utf8) }) { bytes in
            let strict = try written(bytes, AgentJSON(.strict))
            let conformant = try written(bytes, AgentJSON(.conformant))
            if let strict { try demand(strict == conformant, "the conformant mode reads something else") }
            return strict != nil
        }
    }

    private static func written(_ bytes: [UInt8], _ codec: AgentJSON) throws -> [UInt8]? {
        if let command = try? codec.command(bytes.span) {
            let once = codec.encode(command)
            let twice = (try? codec.command(once.span)).map { codec.encode($0) }
            try demand(twice == once, "a command is not read as it was written")
            return once
        }
        guard let message = try? codec.serverMessage(bytes.span) else { return nil }
        let once = codec.encode(message)
        let twice = (try? codec.serverMessage(once.span)).map { codec.encode($0) }
        try demand(twice == once, "a server message is not read as it was written")
        return once
    }

    /// An input is a sequence of choices: what client, service and connection do, mostly in an order that makes
    /// sense, with ids that mostly fit. A refused step changes nothing, and a job that ended stays ended.
    private static var agentChatStates: FuzzTarget {
        let good: [UInt8] = [0, 2, 4, 0, 12, 0, 20, 0, 21, 1, 22, 2, 24, 0, 28, 0]
        return FuzzTarget(
            "agent-chat-states", seeds: [good, (0..<120).map { UInt8(truncatingIfNeeded: $0 * 7) }, Array(0..<64)]
        ) {
            bytes in
            var walk = AgentChatWalk(bytes)
            return try walk.run()
        }
    }
}

/// A walk through one chat that bytes decide.
private struct AgentChatWalk {
    private var bytes: ArraySlice<UInt8>
    private var chat = ChatState(chat: "c")

    init(_ bytes: [UInt8]) { self.bytes = bytes[...].prefix(512) }

    private mutating func choose(_ count: Int) -> Int { Int(bytes.popFirst() ?? 0) % count }

    private mutating func id(_ prefix: String) -> Identifier {
        Identifier(checking: "\(prefix)\(choose(8) < 6 ? 0 : choose(3))") ?? "x"
    }

    /// Whether any step was taken in.
    mutating func run() throws -> Bool {
        var isTaken = false
        while !bytes.isEmpty {
            let before = chat
            let violation = step()
            if violation == nil { isTaken = true }
            try demand(violation == nil || chat == before, "\(violation.map { "\($0)" } ?? "") changed the chat")
            if case .ended = before.job.phase, before.job.id == chat.job.id, before.job.id != nil {
                try demand(chat.job.phase == before.job.phase, "a job that ended goes on")
            }
            try checkParts()
        }
        return isTaken
    }

    private mutating func step() -> Violation? {
        do throws(Violation) {
            switch choose(32) {
            case 0, 1: chat.open()
            case 2, 3: _ = try chat.apply(.ready(.init(activeJob: [nil, ServerMessage.ActiveJob.none][choose(2)])))
            case 4...7: _ = try chat.apply(.run(run()))
            case 8: _ = try chat.apply(.cancel(job: id("j"), chat: nil))
            case 9:
                _ = try chat.apply(.injectMessage(.init(job: id("j"), inject: id("i"), text: ["", "more"][choose(2)])))
            case 10: _ = try chat.apply(.clarifyResponse(.init(job: id("j"), request: "r0", answers: answers())))
            case 11: chat.drop()
            case 12...14: _ = try chat.apply(.run(job: id("j"), message: id("a")))
            case 15: _ = try chat.apply(.streamResume(.init(message: id("a"), parts: [part()], job: id("j"))))
            case 16: _ = try chat.apply(.chatHistory(.init(initialPath: [message("m"), message("a")])))
            case 17: _ = try chat.apply(.clarifyRequest(.init(job: id("j"), request: "r0", questions: [question])))
            case 18: _ = try chat.apply(.injectAck(job: id("j"), inject: id("i")))
            case 19: _ = try chat.apply(.injectSplit(split()))
            case 20...27: _ = try chat.apply(.stream(stream()))
            case 28, 29: _ = try chat.apply(.done(job: id("j"), message: nil))
            case 30: _ = try chat.apply(.cancel(job: id("j")))
            default: _ = try chat.apply(.error(.init("x", job: choose(2) == 0 ? nil : id("j"))))
            }
            return nil
        } catch { return error }
    }

    /// The message that is written folds to what a snapshot of it says, and its size is what it is.
    private func checkParts() throws {
        guard let id = chat.job.message, let message = chat[id] else { return }
        let folded = PartAccumulator(message.parts)
        try demand(folded.parts == message.parts, "a snapshot has other parts")
        let size = message.parts.reduce(0) { $0 + AgentJSON().encode($1).count + 1 }
        try demand(folded.size == size, "the size is \(folded.size), not \(size)")
    }

    private var question: ServerMessage.Question {
        .init(id: "q0", text: "?", options: [.init(id: "o0", label: "A"), .init(id: "o1", label: "B")])
    }

    private mutating func answers() -> [Command.Answer] {
        (0..<choose(3)).map { _ in .init(question: id("q"), options: [id("o")]) }
    }

    private mutating func run() -> Command.Run {
        let isContinuation = choose(3) == 0
        let text = Message(id: id("m"), role: .user, parts: [.text(TextPart("hi"))])
        return .init(chat: "c", message: isContinuation ? message("a", parts: [part(), part()]) : text)
    }

    private mutating func message(_ prefix: String, parts: [MessagePart]? = nil) -> Message {
        let role: Message.Role = prefix == "a" ? .assistant : .user
        return Message(id: id(prefix), role: role, parts: parts ?? [.text(TextPart("hi", state: .streaming))])
    }

    private mutating func stream() -> ServerMessage.Stream {
        .init(
            message: id("a"), delta: part(), consolidated: [nil, nil, false, true][choose(4)],
            job: choose(3) == 0 ? id("j") : nil, sequence: choose(4) == 0 ? UInt64(choose(256)) : nil)
    }

    private mutating func split() -> ServerMessage.InjectSplit {
        .init(job: id("j"), inject: id("i"), closed: id("a"), user: id("u"), new: id("b"))
    }

    private mutating func part() -> MessagePart {
        switch choose(6) {
        case 0, 1: .text(TextPart(["", "a\"\n", "é\u{1}"][choose(3)], state: [nil, .streaming, .done][choose(3)]))
        case 2: .reasoning(TextPart("r", state: [nil, .streaming][choose(2)], providerMetadata: ["p": [:]]))
        case 3: .data(DataPart(name: "d", id: [nil, "", "1"][choose(3)], data: JSON(choose(256))))
        default: .tool(tool())
        }
    }

    private mutating func tool() -> ToolPart {
        let input: JSON = ["n": JSON(choose(2))]
        let approval = ToolPart.Approval(id: id("p"), approved: choose(2) == 0)
        let state: ToolPart.State =
            switch choose(7) {
            case 0: .inputStreaming(input: nil)
            case 1: .inputAvailable(input: input)
            case 2: .approvalRequested(input: input, id: approval.id)
            case 3: .approvalResponded(input: input, approval)
            case 4: .outputAvailable(input: input, output: nil, nil, preliminary: choose(2) == 0)
            case 5: .outputError(input: nil, rawInput: "{", errorText: "x", nil)
            default: .outputDenied(input: input, .init(id: approval.id, approved: false))
            }
        return ToolPart(name: .fixed("t"), callID: id("k"), state: state)
    }
}
