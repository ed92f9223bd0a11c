import ChatCodec
import ChatModel

/// One side of an agent chat as a machine keeps it: the side, what an application waits for, and what is to be stored.
///
/// The side is changed where it stands: the text of a message is then appended to in place, however long it is.
struct AgentChatParty: Sendable {
    /// Which side it is.
    let isClient: Bool
    /// The client's side; nil for an agent.
    private(set) var client: ClientSide?
    /// The agent's side; nil for a client.
    private(set) var agent: AgentSide?
    /// The contents whose messages have not been taken.
    var contents: [Identifier: ContentID] = [:]
    /// Messages that are to be stored, and those that are.
    var changed: Set<Identifier> = []
    var stored: Set<Identifier> = []
    var isHeadChanged = true
    /// Messages that were stored and could not be read.
    var unreadable: [Identifier] = []

    init(_ client: ClientSide) { (isClient, self.client) = (true, client) }

    init(_ agent: AgentSide) { (isClient, self.agent) = (false, agent) }

    init(isClient: Bool, chat: Identifier) {
        if isClient { self.init(ClientSide(chat: chat)) } else { self.init(AgentSide(chat: chat)) }
    }

    var chat: ChatState { client?.chat ?? agent?.chat ?? ChatState(chat: "chat") }

    var job: Job { client?.chat.job ?? agent?.chat.job ?? Job() }

    var nextWake: Timestamp? { client?.deadline.map { Timestamp(milliseconds: $0) } }

    /// The ids of messages that are no longer kept, since the last call.
    mutating func takeForgotten() -> [Identifier] {
        client?.takeForgotten() ?? agent?.takeForgotten() ?? []
    }

    /// Does what the application asks, and gives the frames to send.
    mutating func perform(
        _ action: Action, as id: ContentID, type: String, in step: inout Step
    ) throws(Refusal) -> [[UInt8]] {
        do throws(Violation) {
            switch action {
            case .send(let content, let part, _):
                guard let text = Self.text(of: content) else {
                    throw Violation(.text, "the content is no text of UTF-8")
                }
                return try say(text, part, as: id, in: &step)
            case .cancel where isClient: return absorb(try perform(.cancel, in: &step), in: &step)
            case .frame(AgentChatAction.kind, let bytes):
                return absorb(try perform(try AgentChatAction(bytes), in: &step), in: &step)
            default: throw Violation(.type, "unsupported")
            }
        } catch {
            guard error.rule != .type else {
                throw Refusal(.unsupported, CommonCause.unsupportedAction(action.name, type: type))
            }
            throw Refusal(.unable, error)
        }
    }

    /// Takes a frame of the other side.
    mutating func receive(_ payload: Payload, in step: inout Step) throws(Refusal) -> [[UInt8]] {
        guard isClient else {
            let limit = step.maximumPayload
            let output = agent?.receive(payload.span, limit: limit) { Self.id("s", from: &step.random) }
            return absorb(output, in: &step)
        }
        let output: SideOutput?
        do throws(Violation) {
            let now = step.now.milliseconds
            output = try client?.receive(payload.span, now: now, random: Self.number(in: &step))
        } catch { throw Refusal(.invalid, error) }
        return absorb(output, in: &step)
    }

    mutating func handle(_ signal: Signal, in step: inout Step) -> [[UInt8]] {
        guard isClient else {
            guard signal == .restored else { return [] }
            return absorb(agent?.settleRestart(), in: &step)
        }
        let (now, random) = (step.now.milliseconds, Self.number(in: &step))
        switch signal {
        case .restored, .linkBack:
            isHeadChanged = true
            // What there was of a message is shown until more comes.
            let chat = chat
            if signal == .restored, chat.job.isLive, let id = chat.job.message, let message = chat[id] {
                tell(.snapshot(message), in: &step)
            }
            return absorb(client?.begin(now: now, random: random), in: &step)
        case .linkLost: client?.lose()
        case .due: return absorb(client?.wake(now: now, random: random), in: &step)
        default: break
        }
        return []
    }

    /// The client's first words.
    mutating func begin(in step: inout Step) -> [[UInt8]] {
        guard isClient else { return [] }
        let random = Self.number(in: &step)
        return absorb(client?.begin(now: step.now.milliseconds, random: random), in: &step)
    }
}

// Pieces of the message that an agent writes.
extension AgentChatParty {
    /// The piece that an action of an agent's application writes; nil for any other action, or for none that can be read.
    func piece(of action: Action) -> (part: MessagePart, consolidated: Bool)? {
        guard !isClient else { return nil }
        switch action {
        case .send(let content, let part, _):
            guard part == .delta || part == .snapshot, let text = Self.text(of: content) else { return nil }
            return (.text(TextPart(text, state: .streaming)), part == .snapshot)
        case .frame(AgentChatAction.kind, let bytes):
            guard case .write(let part, let consolidated)? = try? AgentChatAction(bytes) else { return nil }
            return (part, consolidated)
        default: return nil
        }
    }

    /// The delta of a piece, and its frame. Nothing changes yet.
    func draft(
        _ piece: (part: MessagePart, consolidated: Bool), limit: Int
    ) throws(Violation) -> (stream: ServerMessage.Stream, frame: [UInt8])? {
        try agent?.draft(piece.part, consolidated: piece.consolidated, limit: limit)
    }

    /// Writes a delta that was drafted; one that does not fit changes nothing. Whether somebody is there to hear it.
    mutating func write(_ draft: (stream: ServerMessage.Stream, frame: [UInt8])) throws(Violation) -> Bool {
        try agent?.write(draft.stream) ?? false
    }

    private static func text(of content: Content) -> String? { String(validating: content.array, as: UTF8.self) }
}

// What applications ask.
extension AgentChatParty {
    /// The client submits whole texts. The agent answers in parts, or in one piece.
    private mutating func say(
        _ text: String, _ part: Part, as id: ContentID, in step: inout Step
    ) throws(Violation) -> [[UInt8]] {
        guard var agent else {
            guard part == .whole else { throw Violation(.type, "unsupported") }
            return absorb(try submit([.text(TextPart(text))], for: id, in: &step), in: &step)
        }
        var outputs: [SideOutput] = []
        let piece = MessagePart.text(TextPart(text, state: .streaming))
        switch part {
        case .delta: outputs.append(try agent.write(piece, limit: step.maximumPayload))
        case .snapshot: outputs.append(try agent.write(piece, consolidated: true, limit: step.maximumPayload))
        case .whole, .cut:
            // What was written before is there already; whole and cut carry all there is.
            let isWritten = agent.chat.job.message.flatMap { agent.chat[$0] }?.parts.isEmpty == false
            if !isWritten, !text.isEmpty { outputs.append(try agent.write(piece, limit: step.maximumPayload)) }
            outputs.append(try Self.end(part, of: &agent))
            isHeadChanged = true
        }
        self.agent = agent
        return outputs.flatMap { absorb($0, in: &step) }
    }

    private static func end(_ part: Part, of agent: inout AgentSide) throws(Violation) -> SideOutput {
        switch part {
        case .cut(.cancelled): try agent.acknowledgeCancel()
        case .cut(.failed(let reason)): try agent.fail(reason)
        default: try agent.finish()
        }
    }

    private mutating func submit(
        _ parts: [MessagePart], for content: ContentID?, in step: inout Step
    ) throws(Violation) -> SideOutput {
        guard isClient else { throw Violation(.role, "the agent submits nothing") }
        let (now, random) = (step.now.milliseconds, Self.number(in: &step))
        let message = Message(id: Self.id("m", from: &step.random), role: .user, parts: parts)
        let output = try client?.send(message, now: now, random: random) ?? SideOutput()
        if let content { contents[message.id] = content }
        (isHeadChanged, changed) = (true, changed.union([message.id]))
        return output
    }

    private mutating func perform(
        _ action: AgentChatAction, in step: inout Step
    ) throws(Violation) -> SideOutput {
        let (now, random) = (step.now.milliseconds, Self.number(in: &step))
        if case .write = action {} else { isHeadChanged = true }
        guard isClient else {
            return try Self.perform(action, on: &agent, in: &step) ?? SideOutput()
        }
        let output: SideOutput?
        switch action {
        case .submit(let parts): output = try submit(parts, for: nil, in: &step)
        case .cancel: output = try client?.cancel(now: now, random: random)
        case .answer(let answers): output = try client?.answer(answers, now: now, random: random)
        case .inject(let text):
            let id = Self.id("i", from: &step.random)
            output = try client?.inject(text, as: id, now: now, random: random)
        case .approve(let id, let approved, let reason):
            output = try client?.approve(id, approved, reason: reason, now: now, random: random)
        default: throw Violation(.role, "that is for the agent to do")
        }
        return output ?? SideOutput()
    }

    private static func perform(
        _ action: AgentChatAction, on agent: inout AgentSide?, in step: inout Step
    ) throws(Violation) -> SideOutput? {
        switch action {
        case .write(let part, let consolidated):
            try agent?.write(part, consolidated: consolidated, limit: step.maximumPayload)
        case .ask(let questions): try agent?.ask(questions, as: id("r", from: &step.random))
        case .split(let inject):
            try agent?.split(at: inject, user: id("u", from: &step.random), new: id("s", from: &step.random))
        case .finish: try agent?.finish()
        case .acknowledgeCancel: try agent?.acknowledgeCancel()
        case .fail(let reason): try agent?.fail(reason)
        case .submit, .cancel, .answer, .inject, .approve: throw Violation(.role, "that is for the client to do")
        }
    }

    /// An id that nobody has drawn before: 64 random bits.
    private static func id(_ prefix: String, from random: inout any RandomSource) -> Identifier {
        Identifier(checking: prefix + Hex.encode(random.bytes(8, for: .identifier))) ?? "x"
    }

    private static func number(in step: inout Step) -> UInt64 {
        step.random.bytes(8, for: .identifier).bigEndian
    }
}

// What applications are told, and what is stored.
extension AgentChatParty {
    private mutating func absorb(_ output: SideOutput?, in step: inout Step) -> [[UInt8]] {
        guard let output else { return [] }
        for event in output.events {
            note(event)
            tell(event, in: &step)
        }
        return output.frames
    }

    /// Deltas are not stored one by one: after a restart a snapshot comes.
    private mutating func note(_ event: SideEvent) {
        switch event {
        case .delta: return
        case .snapshot(let message): changed.insert(message.id)
        // Behind a message that was closed an injected text may stand.
        case .whole(let message): changed.formUnion([message.id] + chat.path.suffix(2))
        case .history(let messages): changed.formUnion(messages.map(\.id))
        case .submitted(let message, _, let writes): changed.formUnion([message.id, writes])
        default: break
        }
        isHeadChanged = true
    }

    /// How a message ended that is whole now.
    private var ending: Part {
        switch chat.job.phase {
        case .ended(.cancelled): .cut(.cancelled)
        case .ended(.failed): .cut(.failed("the job failed"))
        default: .whole
        }
    }

    private mutating func tell(_ event: SideEvent, in step: inout Step) {
        switch event {
        case .delta(let id, .text(let text), false):
            step.report(.content(ReceivedContent(Bytes(text.text), part: .delta, reference: id.text)))
        case .delta(let id, let part, let consolidated):
            step.report(AgentChatEvent.delta(id, part, consolidated: consolidated).event)
        case .snapshot(let message):
            step.report(.content(ReceivedContent(Bytes(message.text), part: .snapshot, reference: message.id.text)))
            step.report(AgentChatEvent.snapshot(message).event)
        case .whole(let message):
            if isClient {
                let content = ReceivedContent(Bytes(message.text), part: ending, reference: message.id.text)
                step.report(.content(content))
            }
            step.report(AgentChatEvent.whole(message).event)
        case .history(let messages): step.report(AgentChatEvent.history(messages).event)
        case .taken(let id):
            if let content = contents.removeValue(forKey: id) { step.report(.status(content, .delivered)) }
        case .refused(let id, let reason):
            guard let content = id.flatMap({ contents.removeValue(forKey: $0) }) else { return }
            step.report(.status(content, .failed(reason)))
        case .submitted(let message, let job, let writes):
            step.report(.content(ReceivedContent(Bytes(message.text), reference: message.id.text)))
            step.report(AgentChatEvent.submitted(message, job: job, writes: writes).event)
        case .asked(let request): step.report(AgentChatEvent.asked(request).event)
        case .answered(let response): step.report(AgentChatEvent.answered(response.answers).event)
        case .cancelAsked:
            if let message = chat.job.message { step.report(.cancelled(.received(message.text))) }
            step.report(AgentChatEvent.cancelAsked.event)
        case .injected(let injection):
            step.report(AgentChatEvent.injected(injection.inject, injection.text).event)
        case .acknowledged(let id): step.report(AgentChatEvent.acknowledged(id).event)
        case .ended(let outcome, let reason, let unread):
            step.report(AgentChatEvent.ended(outcome, reason, unread: unread).event)
        case .violation(let violation): step.report(.refused(Refusal(.invalid, violation)))
        }
    }
}
