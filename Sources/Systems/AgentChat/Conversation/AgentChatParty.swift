import ChatModel
import ChatWire

/// One side of an agent chat as a machine keeps it: the side, what an application waits for, and what is to be stored.
struct AgentChatParty: Sendable {
    /// Which machine it is.
    enum Side: Sendable {
        case client(ClientSide)
        case agent(AgentSide)
    }

    var side: Side
    /// The contents whose messages have not been taken.
    var contents: [Identifier: ContentID] = [:]
    /// Messages that are to be stored, and those that are.
    var changed: Set<Identifier> = []
    var stored: Set<Identifier> = []
    var isHeadChanged = true

    init(_ side: Side) { self.side = side }

    init(isClient: Bool, chat: Identifier) {
        side = isClient ? .client(ClientSide(chat: chat)) : .agent(AgentSide(chat: chat))
    }

    var isClient: Bool { if case .client = side { true } else { false } }

    var chat: ChatState {
        switch side {
        case .client(let client): client.chat
        case .agent(let agent): agent.chat
        }
    }

    var nextWake: Timestamp? {
        guard case .client(let client) = side else { return nil }
        return client.deadline.map { Timestamp(milliseconds: $0) }
    }

    /// Does what the application asks, and gives the frames to send.
    mutating func perform(
        _ action: Action, as id: ContentID, type: String, in step: inout Step
    ) throws(Refusal) -> [[UInt8]] {
        do throws(Violation) {
            switch action {
            case .send(let content, let part, _):
                guard let text = String(validating: content.array, as: UTF8.self) else {
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
        let (now, random, limit) = (step.now.milliseconds, Self.number(in: &step), step.maximumPayload)
        switch side {
        case .client(var client):
            do throws(Violation) {
                let output = try client.receive(payload.span, now: now, random: random)
                side = .client(client)
                return absorb(output, in: &step)
            } catch { throw Refusal(.invalid, error) }
        case .agent(var agent):
            var random = step.random
            let output = agent.receive(payload.span, limit: limit) { Self.id("s", from: &random) }
            step.random = random
            side = .agent(agent)
            return absorb(output, in: &step)
        }
    }

    mutating func handle(_ signal: Signal, in step: inout Step) -> [[UInt8]] {
        let (now, random) = (step.now.milliseconds, Self.number(in: &step))
        switch (side, signal) {
        case (.client(var client), .restored), (.client(var client), .linkBack):
            isHeadChanged = true
            // What there was of a message is shown until more comes.
            if signal == .restored, chat.job.isLive, let id = chat.job.message, let message = chat[id] {
                tell(.snapshot(message), in: &step)
            }
            let output = client.begin(now: now, random: random)
            side = .client(client)
            return absorb(output, in: &step)
        case (.client(var client), .linkLost):
            client.lose()
            side = .client(client)
        case (.client(var client), .due):
            let output = client.wake(now: now, random: random)
            side = .client(client)
            return absorb(output, in: &step)
        case (.agent(var agent), .restored):
            let output = agent.settleRestart()
            side = .agent(agent)
            return absorb(output, in: &step)
        default: break
        }
        return []
    }

    /// The client's first words.
    mutating func begin(in step: inout Step) -> [[UInt8]] {
        guard case .client(var client) = side else { return [] }
        let output = client.begin(now: step.now.milliseconds, random: Self.number(in: &step))
        side = .client(client)
        return absorb(output, in: &step)
    }
}

// What applications ask.
extension AgentChatParty {
    /// The client submits whole texts. The agent answers in parts, or in one piece.
    private mutating func say(
        _ text: String, _ part: Part, as id: ContentID, in step: inout Step
    ) throws(Violation) -> [[UInt8]] {
        guard case .agent(var agent) = side else {
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
        side = .agent(agent)
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
        guard case .client(var client) = side else { throw Violation(.role, "the agent submits nothing") }
        let (now, random) = (step.now.milliseconds, Self.number(in: &step))
        let message = Message(id: Self.id("m", from: &step.random), role: .user, parts: parts)
        let output = try client.send(message, now: now, random: random)
        side = .client(client)
        if let content { contents[message.id] = content }
        (isHeadChanged, changed) = (true, changed.union([message.id]))
        return output
    }

    private mutating func perform(
        _ action: AgentChatAction, in step: inout Step
    ) throws(Violation) -> SideOutput {
        let (now, random) = (step.now.milliseconds, Self.number(in: &step))
        if case .write = action {} else { isHeadChanged = true }
        switch (side, action) {
        case (.client, .submit(let parts)): return try submit(parts, for: nil, in: &step)
        case (.client(var client), .cancel):
            defer { side = .client(client) }
            return try client.cancel(now: now, random: random)
        case (.client(var client), .answer(let answers)):
            defer { side = .client(client) }
            return try client.answer(answers, now: now, random: random)
        case (.client(var client), .inject(let text)):
            defer { side = .client(client) }
            return try client.inject(text, as: Self.id("i", from: &step.random), now: now, random: random)
        case (.client(var client), .approve(let id, let approved, let reason)):
            defer { side = .client(client) }
            return try client.approve(id, approved, reason: reason, now: now, random: random)
        case (.agent(var agent), _):
            defer { side = .agent(agent) }
            return try Self.perform(action, on: &agent, in: &step)
        default: throw Violation(.role, "that is for the agent to do")
        }
    }

    private static func perform(
        _ action: AgentChatAction, on agent: inout AgentSide, in step: inout Step
    ) throws(Violation) -> SideOutput {
        switch action {
        case .write(let part, let consolidated):
            try agent.write(part, consolidated: consolidated, limit: step.maximumPayload)
        case .ask(let questions): try agent.ask(questions, as: id("r", from: &step.random))
        case .split(let inject):
            try agent.split(at: inject, user: id("u", from: &step.random), new: id("s", from: &step.random))
        case .finish: try agent.finish()
        case .acknowledgeCancel: try agent.acknowledgeCancel()
        case .fail(let reason): try agent.fail(reason)
        case .submit, .cancel, .answer, .inject, .approve: throw Violation(.role, "that is for the client to do")
        }
    }

    /// An id that nobody has drawn before: 64 random bits.
    private static func id(_ prefix: String, from random: inout any RandomSource) -> Identifier {
        Identifier(checking: prefix + Hex.encode(random.bytes(8, for: .identifier))) ?? "x"
    }

    private static func number(in step: inout Step) -> UInt64 {
        step.random.bytes(8, for: .identifier).reduce(0) { $0 << 8 | UInt64($1) }
    }
}

// What applications are told, and what is stored.
extension AgentChatParty {
    private mutating func absorb(_ output: SideOutput, in step: inout Step) -> [[UInt8]] {
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
