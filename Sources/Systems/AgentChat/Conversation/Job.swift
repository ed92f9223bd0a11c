import ChatCodec

/// A job from the command that starts it to its one end, as a state machine of its own (7.3 of the document).
///
/// It knows ids and phases, not messages: what a step does to messages its owner does after the step was accepted.
/// A step that is refused changes nothing, and a job that ended stays ended.
public struct Job: Hashable, Sendable {
    /// How a job ends.
    public enum Outcome: String, Hashable, Sendable {
        /// `done`.
        case completed
        /// `cancel`.
        case cancelled
        /// `error` with its id.
        case failed
    }

    /// How far it is.
    public enum Phase: Hashable, Sendable {
        /// There is none.
        case idle
        /// `run` was sent.
        case submitted
        /// A message is written.
        case running
        /// It waits for answers.
        case clarifying
        /// `cancel` was sent.
        case cancelling
        /// It is over.
        case ended(Outcome)
    }

    /// The most texts that are injected into one job.
    public static let maximumInjections = 1_000

    /// A text on its way into the job.
    private struct Injection: Hashable {
        /// Nil if another client sent it.
        var text: String?
        var isAcknowledged = false
        var isConsumed = false
    }

    /// How far it is.
    public private(set) var phase = Phase.idle
    /// Its id, once the service gave it one.
    public private(set) var id: Identifier?
    /// The message that is written, or was written last.
    public private(set) var message: Identifier?
    /// The questions that wait for an answer.
    public private(set) var request: ServerMessage.ClarifyRequest?
    private var injections: [Identifier: Injection] = [:]
    /// The JSON of the texts that were injected, in bytes.
    private var injectedSize = 0
    /// The number of the last delta that was applied.
    private var sequence: UInt64?
    /// The number of the last delta that was applied, where deltas are numbered.
    var lastSequence: UInt64? { sequence }
    /// The job before this one, whose late messages are known from its id.
    private(set) var previous: Identifier?

    /// No job.
    public init() {}

    /// Whether it lives: the service works on it.
    public var isLive: Bool {
        switch phase {
        case .running, .clarifying, .cancelling: true
        case .idle, .submitted, .ended: false
        }
    }

    /// Whether another may be submitted.
    public var isBusy: Bool { isLive || phase == .submitted }
}

// What the client does.
extension Job {
    /// Submits a message.
    public mutating func submit() throws(Violation) {
        guard !isBusy else { throw Violation(.busy, "a job is there already") }
        let previous = id ?? self.previous
        self = Job()
        (phase, self.previous) = (.submitted, previous)
    }

    /// Asks to end the job; asking twice changes nothing.
    public mutating func cancel(_ job: Identifier) throws(Violation) {
        try checkLive(job)
        (phase, request) = (.cancelling, nil)
    }

    /// Answers the questions.
    public mutating func answer(_ response: Command.ClarifyResponse) throws(Violation) {
        try checkLive(response.job)
        guard let request, request.request == response.request else {
            throw Violation(.clarification, "no such request is open")
        }
        try request.check(response.answers)
        (phase, self.request) = (.running, nil)
    }

    /// Puts a text in; the same id again changes nothing. False if it was there already.
    public mutating func inject(_ injection: Command.InjectMessage) throws(Violation) -> Bool {
        try checkLive(injection.job)
        guard !injection.text.unicodeScalars.allSatisfy(\.properties.isWhitespace) else {
            throw Violation(.injection, "the text is blank")
        }
        if let known = injections[injection.inject] {
            guard known.text.map({ ExactText.isSame($0, injection.text) }) ?? true else {
                throw Violation(.injection, "the inject_id belongs to another text")
            }
            return false
        }
        guard phase != .cancelling else { throw Violation(.injection, "the job is being cancelled") }
        try makeRoom()
        let size = PartAccumulator.escapedSize(of: injection.text)
        guard injectedSize + size <= PartAccumulator.maximumSize else {
            throw Violation(.frame, "the texts of a job have at most \(PartAccumulator.maximumSize) bytes")
        }
        injections[injection.inject] = Injection(text: injection.text)
        injectedSize += size
        return true
    }

    /// Whether a text was acknowledged; nil where there is none.
    func isAcknowledged(_ inject: Identifier) -> Bool? { injections[inject]?.isAcknowledged }

    /// The texts that the job has not taken in; after its end they may be sent again as messages of their own.
    public var unreadInjections: [(id: Identifier, text: String)] {
        injections.compactMap { id, injection in
            guard let text = injection.text, !injection.isAcknowledged else { return nil }
            return (id, text)
        }
        .sorted { $0.id.text < $1.id.text }
    }

    private func checkLive(_ job: Identifier) throws(Violation) {
        guard isLive, id == nil || id == job else { throw Violation(.noSuchJob, "no such job lives") }
    }

    private func makeRoom() throws(Violation) {
        guard injections.count < Self.maximumInjections else {
            throw Violation(.injection, "a job takes at most \(Self.maximumInjections) texts")
        }
    }
}

// What the service says.
extension Job {
    /// The job has started: this client's, or that of another client of the chat.
    public mutating func start(_ job: Identifier, message: Identifier) throws(Violation) {
        guard !isLive else { throw Violation(.busy, "a second job starts while one lives") }
        let wasSubmitted = phase == .submitted
        guard job != (wasSubmitted ? previous : id) else { throw Violation(.order, "a job that ended starts again") }
        let previous = wasSubmitted ? previous : id
        self = Job()
        (phase, id, self.message, self.previous) = (.running, job, message, previous)
    }

    /// A delta. False if it was applied already.
    public func accepts(_ stream: ServerMessage.Stream) throws(Violation) -> Bool {
        guard isLive, stream.message == message, stream.job == nil || id == nil || stream.job == id else {
            throw Violation(.stream, "no job writes this message")
        }
        guard let number = stream.sequence, let sequence else { return true }
        return number > sequence
    }

    /// A delta was applied.
    mutating func note(_ stream: ServerMessage.Stream) {
        if let number = stream.sequence { sequence = number }
    }

    /// A snapshot: the job lives, and writes this message.
    public mutating func resume(_ resume: ServerMessage.StreamResume, job: Identifier?) throws(Violation) {
        let named = resume.job ?? job
        if !isLive {
            let isOver = phase != .submitted && (named.map { $0 == id } ?? (id != nil && resume.message == message))
            guard !isOver, named == nil || named != previous else {
                throw Violation(.order, "a job that ended goes on")
            }
            let previous = phase == .submitted ? previous : id
            self = Job()
            (phase, self.previous) = (.running, previous)
        } else if let named, let id, named != id {
            // The one that was known has ended while nobody listened.
            self = Job()
            (phase, previous) = (.running, id)
        }
        if let named { id = named }
        (message, sequence) = (resume.message, resume.sequence)
    }

    /// Questions. The same request again changes nothing; one that crosses a cancel is dropped.
    public mutating func ask(_ request: ServerMessage.ClarifyRequest) throws(Violation) {
        try checkOwn(request.job)
        switch phase {
        case .cancelling: return
        case .clarifying where self.request?.request == request.request: return
        case .running: (phase, self.request) = (.clarifying, request)
        default: throw Violation(.clarification, "another request is open")
        }
    }

    /// A text was accepted.
    public mutating func acknowledge(_ job: Identifier, _ inject: Identifier) throws(Violation) {
        try checkOwn(job)
        if injections[inject] == nil { try makeRoom() }
        injections[inject, default: Injection(text: nil)].isAcknowledged = true
    }

    /// A text was read: another message goes on. Gives the text, unless another client sent it.
    public mutating func split(_ split: ServerMessage.InjectSplit) throws(Violation) -> String? {
        try checkOwn(split.job)
        guard let injection = injections[split.inject], injection.isAcknowledged, !injection.isConsumed else {
            throw Violation(.order, "a split comes once, behind the acknowledgement of its text")
        }
        guard split.closed == message else { throw Violation(.order, "the split closes another message") }
        injections[split.inject]?.isConsumed = true
        message = split.new
        return injection.text
    }

    /// The end, but for errors.
    public mutating func end(_ outcome: Outcome, job: Identifier?) throws(Violation) {
        guard isLive, job == nil || id == nil || job == id else {
            throw Violation(.order, "no such job lives: it ends once")
        }
        (phase, request) = (.ended(outcome), nil)
    }

    /// An error. It ends the job that it names, or what was submitted; any other changes nothing.
    public mutating func fail(job: Identifier?) throws(Violation) {
        if phase == .submitted {
            guard job == nil || job != previous else { throw Violation(.order, "a job that ended fails") }
            let previous = previous
            self = Job()
            self.previous = previous
            return
        }
        guard let job else { return }
        try end(.failed, job: job)
    }

    /// The job, or what was submitted, is known to be over, though nobody saw how.
    mutating func vanish(_ outcome: Outcome?) {
        let (id, previous, message) = (id, previous, message)
        if let outcome {
            (phase, request) = (.ended(outcome), nil)
        } else {
            self = Job()
            (self.id, self.previous, self.message) = (id, previous, message)
        }
    }

    private func checkOwn(_ job: Identifier) throws(Violation) {
        guard isLive, id == nil || id == job else { throw Violation(.order, "no such job lives") }
    }
}

extension ServerMessage.ClarifyRequest {
    /// Refuses answers that do not answer every question once, with what was offered.
    public func check(_ answers: [Command.Answer]) throws(Violation) {
        var open: [Identifier: ServerMessage.Question] = [:]
        for question in questions { open[question.id] = question }
        for answer in answers {
            guard let question = open.removeValue(forKey: answer.question) else {
                throw Violation(.clarification, "no such question is open")
            }
            let chosen = answer.options ?? []
            let offered = Set((question.options ?? []).map(\.id))
            guard Set(chosen).isSubset(of: offered) else {
                throw Violation(.clarification, "no such option was offered")
            }
            guard chosen.count <= 1 || question.multiple == true, Set(chosen).count == chosen.count else {
                throw Violation(.clarification, "one option may be chosen, once")
            }
            let isBlank = answer.text?.unicodeScalars.allSatisfy(\.properties.isWhitespace) ?? true
            guard !chosen.isEmpty || !isBlank else {
                throw Violation(.clarification, "an answer has a text that is not blank, or an option")
            }
        }
        guard open.isEmpty else { throw Violation(.clarification, "a question has no answer") }
    }
}

// What is kept over restarts.
extension Job {
    /// As JSON.
    var stored: JSON {
        var object = JSON.Object()
        object["phase"] = .string(word)
        object["id"] = id.map { .string($0.text) }
        object["message"] = message.map { .string($0.text) }
        object["previous"] = previous.map { .string($0.text) }
        object["seq"] = sequence.map { JSON($0) }
        if let request {
            object["request"] = .string(String(decoding: AgentJSON().encode(.clarifyRequest(request)), as: UTF8.self))
        }
        object["injections"] = .array(
            injections.sorted { $0.key.text < $1.key.text }.map { id, injection in
                [
                    "id": .string(id.text), "text": injection.text.map { .string($0) } ?? .null,
                    "acked": .bool(injection.isAcknowledged), "used": .bool(injection.isConsumed),
                ]
            })
        return .object(object)
    }

    /// A job as it was kept; nil for anything else.
    init?(stored: JSON) {
        guard let phase = stored["phase"]?.text.flatMap(Self.phase), let list = stored["injections"]?.list else {
            return nil
        }
        self.phase = phase
        (id, message, previous) = (stored.id("id"), stored.id("message"), stored.id("previous"))
        sequence = stored["seq"]?.uint64
        if let text = stored["request"]?.text {
            let bytes = Array(text.utf8)
            guard case .clarifyRequest(let request)? = try? AgentJSON().serverMessage(bytes.span) else { return nil }
            self.request = request
        }
        for one in list {
            guard let id = one.id("id"), let acked = one["acked"]?.bool, let used = one["used"]?.bool else {
                return nil
            }
            let text = one["text"]?.text
            injections[id] = Injection(text: text, isAcknowledged: acked, isConsumed: used)
            injectedSize += text.map(PartAccumulator.escapedSize) ?? 0
        }
        guard !isLive || message != nil, injections.count <= Self.maximumInjections else { return nil }
    }

    /// A word for the phase: `running`, `ended:cancelled`.
    public var word: String {
        switch phase {
        case .idle: "idle"
        case .submitted: "submitted"
        case .running: "running"
        case .clarifying: "clarifying"
        case .cancelling: "cancelling"
        case .ended(let outcome): "ended:\(outcome.rawValue)"
        }
    }

    private static func phase(_ word: String) -> Phase? {
        switch word {
        case "idle": .idle
        case "submitted": .submitted
        case "running": .running
        case "clarifying": .clarifying
        case "cancelling": .cancelling
        case "ended:completed": .ended(.completed)
        case "ended:cancelled": .ended(.cancelled)
        case "ended:failed": .ended(.failed)
        default: nil
        }
    }
}
