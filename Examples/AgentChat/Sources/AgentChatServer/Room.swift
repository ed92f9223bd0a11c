import AgentChat
import ChatClient
import ChatCodec
import ChatCrypto
import ChatModel
import ChatStorage
import NIOCore
import NIOWebSocket

/// One chat: the agent's machine of the framework, the sockets of its clients, and the job that runs.
///
/// Everything goes through one queue. The steps that wait together are carried out together, what they changed is
/// stored, and only then frames leave and callers return: what anybody heard of is on disk (AC-37). On the wire the
/// chat is the delivery address, and a text frame the payload; a socket that comes says what `{}` says elsewhere.
actor Room {
    /// What happens to a chat.
    enum Work: Sendable {
        case came(Outbox)
        case frame(Bytes, from: Outbox)
        case act(Act, in: Identifier)
        case end(Result<Void, AgentFailure>?, of: Identifier)
    }

    /// What an agent does.
    enum Act: Sendable {
        case text(String)
        case frame(AgentChatAction)

        var action: Action {
            switch self {
            case .text(let text): .send(Bytes(text), part: .delta)
            case .frame(let action): action.action
            }
        }
    }

    private typealias Waiting = (work: Work, done: CheckedContinuation<Refusal?, Never>)

    /// A client's socket, and whether it saw the job that runs begin, or go on: then it gets the pieces.
    private struct Member {
        let outbox: Outbox
        var follows = false
    }

    private struct Running {
        let id: Identifier
        let job: AgentJob
        var task: Task<Void, Never>?
    }

    let chat: Identifier
    /// Messages that were stored and could not be read.
    nonisolated let unreadable: [Identifier]
    private let house: House
    private var machine: AgentChatConversation
    private var members: [Member] = []
    private var waiting: [Waiting] = []
    private var isWorking = false
    private var isBroken = false
    private var isStopped = false
    private var running: Running?
    /// Why the last job failed, where that is known.
    private var failure: String?
    private var content: UInt64 = 0
    private var outgoing: [(frame: ByteBuffer, to: Outbox)] = []

    init(_ chat: Identifier, records: [Record], house: House) throws(Refusal) {
        (self.chat, self.house) = (chat, house)
        let type = AgentChat()
        var step = Step(now: .wallClock(), maximumPayload: AgentJSON.maximumFrame, random: SystemRandom())
        let seed = ConversationSeed(
            type: ConversationType(AgentChat.name), side: .invited(opening: Bytes(SideOutput.hello)),
            bundle: AgentReady.bundle(for: chat))
        let made = records.isEmpty ? try type.begin(seed, in: &step) : try type.restore(records)
        guard let machine = made as? AgentChatConversation else {
            throw Refusal(.unable, CommonCause.unsupportedAction("agent", type: made.id.description))
        }
        (self.machine, unreadable) = (machine, machine.unreadableMessages)
        // A job that lived when the service ended is told to have failed.
        if !records.isEmpty { self.machine.handle(.restored, in: &step) }
    }

    /// Whether a job runs.
    var isBusy: Bool { running != nil }

    /// A socket came; it gets `ready`. False where the chat has too many.
    func join(_ outbox: Outbox) async -> Bool {
        members.removeAll { $0.outbox.isClosed }
        guard members.count < house.limits.socketsOfChat, !isBroken, !isStopped else { return false }
        _ = await add(.came(outbox))
        return true
    }

    /// A socket is gone. The job goes on.
    func leave(_ outbox: Outbox) { members.removeAll { $0.outbox === outbox } }

    /// A text of a socket came; returns when what follows from it is stored and on its way.
    func receive(_ bytes: Bytes, from outbox: Outbox) async { _ = await add(.frame(bytes, from: outbox)) }

    /// The agent does something; refused where the job is not the one that lives, or a rule forbids it.
    func act(_ act: Act, in job: Identifier) async throws {
        if let refusal = await add(.act(act, in: job)) { throw AgentFailure(refusal.description) }
    }

    /// The service stops: the job fails, and the sockets close.
    func stop() async {
        isStopped = true
        if let running {
            running.task?.cancel()
            _ = await add(.end(.failure(AgentFailure("the service was stopped")), of: running.id))
        }
        for member in members { member.outbox.close(.goingAway) }
    }

    /// Carries a step out, at once where nothing waits: pieces of a text are many, and store nothing.
    private func add(_ work: Work) async -> Refusal? {
        guard !isBroken else { return Self.stopped }
        guard !isWorking else { return await withCheckedContinuation { waiting.append((work, $0)) } }
        isWorking = true
        let refusal = carryOut(work)
        await settle()
        if waiting.isEmpty { isWorking = false } else { Task { await self.work() } }
        return isBroken ? Self.stopped : refusal
    }
}

// The queue.
extension Room {
    private func work() async {
        while !waiting.isEmpty, !isBroken {
            let batch = waiting
            waiting = []
            let refusals = batch.map { carryOut($0.work) }
            await settle()
            for (waiting, refusal) in zip(batch, refusals) {
                waiting.done.resume(returning: isBroken ? Self.stopped : refusal)
            }
        }
        for one in waiting { one.done.resume(returning: Self.stopped) }
        (waiting, isWorking) = ([], false)
    }

    /// Stores what changed, and lets frames leave.
    private func settle() async {
        let records = machine.takeChanges()
        if !records.isEmpty {
            do throws(StorageError) { try await house.store(records, of: chat) } catch { breakDown(error) }
        }
        for (frame, outbox) in outgoing where !isBroken { outbox.push(frame) }
        outgoing = []
    }

    private static let stopped = Refusal(.unable, Violation(.order, "the chat could not be stored"))

    /// What is in memory is more than what is on disk: the chat is given up, and taken up anew from there.
    private func breakDown(_ error: StorageError) {
        isBroken = true
        house.log("storage_failed", [("chat", .string(chat.text)), ("reason", .string("\(error)"))])
        running?.task?.cancel()
        for member in members { member.outbox.close(.unexpectedServerError, dropping: true) }
        members = []
        Task { await house.forget(chat) }
    }

    private func carryOut(_ work: Work) -> Refusal? {
        var step = Step(now: .wallClock(), maximumPayload: AgentJSON.maximumFrame, random: SystemRandom())
        switch work {
        case .came(let outbox):
            members.append(Member(outbox: outbox))
            tellFailure(to: outbox)
            return receive(Bytes(SideOutput.hello), from: outbox, in: &step)
        case .frame(let bytes, let outbox):
            // Over a socket `{}` says nothing: it is a frame without a type (AC-02).
            let isHello = bytes == Bytes(SideOutput.hello)
            return receive(isHello ? Bytes("{ }") : bytes, from: outbox, in: &step)
        case .act(let act, let job): return perform(act.action, in: job, &step)
        case .end(let result, let job): return end(result, of: job, &step)
        }
    }

    /// Where the last job of the chat failed, whoever comes is told so before `ready` (7.4): a history does not say it.
    private func tellFailure(to outbox: Outbox) {
        guard machine.job.phase == .ended(.failed), let job = machine.job.id else { return }
        let error = ServerMessage.Failure(failure ?? "the service was started again", code: "internal", job: job)
        outgoing.append((ByteBuffer(bytes: AgentJSON().encode(.error(error))), outbox))
    }

    private func receive(_ bytes: Bytes, from outbox: Outbox, in step: inout Step) -> Refusal? {
        do throws(Refusal) {
            try machine.receive(Routed(DeliveryAddress(chat.text), Self.route, payload: bytes), in: &step)
        } catch { return error }
        let events = step.events.compactMap(AgentChatEvent.init)
        answer(step.sends.map(\.routed.payload), events, to: outbox)
        for event in events { take(event) }
        return nil
    }

    private static let route = Route("agent")

    private func perform(_ action: Action, in job: Identifier, _ step: inout Step) -> Refusal? {
        guard machine.job.id == job, machine.job.isLive else {
            return Refusal(.unable, Violation(.order, "no such job lives"))
        }
        content &+= 1
        do throws(Refusal) { try machine.perform(action, as: ContentID(content), in: &step) } catch { return error }
        tell(step.sends.map(\.routed.payload))
        return nil
    }
}

// Who gets what.
extension Room {
    /// What answers a client is for its socket alone, but for what concerns all: a job that starts, a text put in.
    private func answer(_ frames: [Bytes], _ events: [AgentChatEvent], to outbox: Outbox) {
        let isShared = events.contains {
            switch $0 {
            case .submitted, .injected: true
            default: false
            }
        }
        for bytes in frames {
            let (frame, kind) = (ByteBuffer(bytes: bytes.array), try? AgentJSON().serverMessage(bytes.span))
            switch kind {
            case .run where isShared:
                for index in members.indices { members[index].follows = true }
                send(frame)
            case .injectAck where isShared: send(frame)
            case .run, .streamResume:
                for index in members.indices where members[index].outbox === outbox { members[index].follows = true }
                outgoing.append((frame, outbox))
            default: outgoing.append((frame, outbox))
            }
        }
    }

    /// What the agent does is for all who follow the job.
    private func tell(_ frames: [Bytes]) {
        for bytes in frames { send(ByteBuffer(bytes: bytes.array)) }
    }

    private func send(_ frame: ByteBuffer) {
        for member in members where member.follows { outgoing.append((frame, member.outbox)) }
    }

    /// A socket that was told of a job by `ready`, and did not ask for more before the end, gets what there is of it
    /// first: so it may be told of the end.
    private func catchUp() {
        let job = machine.job
        guard let id = job.message, let message = machine.chat[id] else { return }
        let resume = AgentJSON().encode(.streamResume(.init(message: id, parts: message.parts, job: job.id)))
        for index in members.indices where !members[index].follows {
            members[index].follows = true
            outgoing.append((ByteBuffer(bytes: resume), members[index].outbox))
        }
    }
}

// Jobs.
extension Room {
    private func take(_ event: AgentChatEvent) {
        switch event {
        case .submitted(let message, let job, let writes): start(message, job, writes)
        case .answered(let answers): running?.job.mail.put(.answered(answers))
        case .injected(let id, let text): running?.job.mail.put(.injected(id, text))
        case .cancelAsked: cancel()
        default: break
        }
    }

    private func start(_ message: Message, _ id: Identifier, _ writes: Identifier) {
        let history = machine.chat.shown.filter { $0.id != writes || $0.id == message.id }
        let job = AgentJob(id: id, chat: chat, message: message, history: history, room: self)
        guard house.slots.take() else {
            let failure = AgentFailure("the service works on \(house.limits.jobs) jobs; try again later")
            Task { _ = await add(.end(.failure(failure), of: id)) }
            return
        }
        house.log("job_started", [("chat", .string(chat.text)), ("job", .string(id.text))])
        let (agent, slots) = (house.agent, house.slots)
        let task = Task {
            var result: Result<Void, AgentFailure>? = .success(())
            do { try await agent.run(job) } catch is CancellationError {
                result = nil
            } catch { result = .failure(error as? AgentFailure ?? AgentFailure("the agent failed: \(error)")) }
            _ = await add(.end(result, of: id))
            slots.give()
        }
        running = Running(id: id, job: job, task: task)
    }

    private func cancel() {
        guard let running else { return }
        running.task?.cancel()
        let (id, time) = (running.id, house.limits.cancelTime)
        Task {
            try? await Task.sleep(for: time)
            _ = await add(.end(nil, of: id))
        }
    }

    /// The agent is done, failed, or stopped because the person wanted it. Whoever is late changes nothing.
    private func end(_ result: Result<Void, AgentFailure>?, of id: Identifier, _ step: inout Step) -> Refusal? {
        guard machine.job.id == id, machine.job.isLive else { return nil }
        catchUp()
        let isCancelling = machine.job.phase == .cancelling
        let action: AgentChatAction =
            switch result {
            case .success: .finish
            case .failure where isCancelling: .acknowledgeCancel
            case .failure(let failure): .fail(failure.description)
            case nil: isCancelling ? .acknowledgeCancel : .fail("the agent stopped")
            }
        let refusal = perform(action.action, in: id, &step)
        if case .failure(let reason)? = result { failure = reason.description } else { failure = "the agent stopped" }
        if running?.id == id { running = nil }
        var fields: [(String, JSON)] = [("chat", .string(chat.text)), ("job", .string(id.text))]
        fields.append(("end", .string(machine.job.word)))
        if case .failure(let failure) = result { fields.append(("reason", .string(failure.description))) }
        house.log("job_ended", fields)
        return refusal
    }
}
