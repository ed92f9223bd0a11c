import AgentChat
import ChatCodec
import ChatCrypto
import ChatModel

/// Does what a script says, so that every state of the protocol can be produced on purpose.
///
/// It keeps nothing between jobs: the id of a tool's call says at which step of which turn it stands, so that an
/// approval goes on at the right place after any restart.
public struct ScriptAgent: Agent {
    private let script: Script

    /// An agent of a script.
    public init(_ script: Script) { self.script = script }

    /// Plays the turn that fits the message, or goes on behind the approval that was answered.
    public func run(_ job: AgentJob) async throws {
        guard job.message.role == .assistant else {
            let text = job.message.text
            guard let number = turn(for: text) else { throw AgentFailure("the script has no turn for this") }
            var play = Play(job, script.turns[number], number, words: ["user": text])
            return try await play.go(from: 0)
        }
        for case .tool(let tool) in job.message.parts {
            guard case .approvalResponded(_, let approval) = tool.state, let (turn, step) = Play.place(tool.callID),
                script.turns.indices.contains(turn), script.turns[turn].steps.indices.contains(step)
            else { continue }
            var play = Play(job, script.turns[turn], turn, words: [:])
            return try await play.resume(tool, approval, at: step)
        }
        throw AgentFailure("the script knows nothing of this approval")
    }

    private func turn(for text: String) -> Int? {
        let text = text.lowercased()
        let fitting = script.turns.firstIndex { $0.match.map { text.contains($0) } ?? false }
        return fitting ?? script.turns.firstIndex { $0.match == nil }
    }
}

/// One turn in one job. Words in braces in its texts stand for what is known: `{user}`, `{answer.when}`, `{input.seats}`.
private struct Play {
    private let job: AgentJob
    private let turn: Script.Turn
    private let number: Int
    private var words: [String: String]
    /// An approval was asked for: the job ends, and its answer is another job.
    private var isWaiting = false

    init(_ job: AgentJob, _ turn: Script.Turn, _ number: Int, words: [String: String]) {
        (self.job, self.turn, self.number, self.words) = (job, turn, number, words)
    }

    mutating func go(from step: Int) async throws {
        for index in turn.steps.indices.dropFirst(step) {
            try await takeInjections()
            try await perform(turn.steps[index], at: index)
            if isWaiting { return }
        }
        try await takeInjections()
    }

    /// Goes on behind an approval.
    mutating func resume(_ tool: ToolPart, _ approval: ToolPart.Approval, at step: Int) async throws {
        guard case .tool(let planned) = turn.steps[step], let input = tool.state.input else { return }
        learn(input)
        guard approval.approved else {
            try await write(tool, .outputDenied(input: input, approval))
            for next in planned.denied { try await perform(next, at: step) }
            return
        }
        try await finish(tool, planned, input, approval)
        try await go(from: step + 1)
    }

    private mutating func perform(_ step: Script.Step, at index: Int) async throws {
        switch step {
        case .text(let text, let pace, let reasoning): try await stream(filled(text), pace, reasoning)
        case .part(let json): try await job.write(try AgentJSON().part(json))
        case .wait(let time): try await Task.sleep(for: .milliseconds(time))
        case .fail(let reason): throw AgentFailure(filled(reason))
        case .ask(let questions): try await ask(questions)
        case .tool(let tool): try await call(tool, at: index)
        case .repeat(let count, let steps):
            for _ in 0..<count { for step in steps { try await perform(step, at: index) } }
        }
    }

    private mutating func stream(_ text: String, _ pace: Script.Pace, _ reasoning: Bool) async throws {
        for piece in cut(text, pace) {
            try await takeInjections()
            let part = TextPart(piece, state: .streaming)
            try await job.write(reasoning ? .reasoning(part) : .text(part))
            if pace.pause > 0 { try await Task.sleep(for: .milliseconds(pace.pause)) }
        }
    }

    private func cut(_ text: String, _ pace: Script.Pace) -> [String] {
        guard pace.characters > 0 else { return pieces(of: text) }
        var (rest, result) = (text[...], [String]())
        while !rest.isEmpty {
            result.append(String(rest.prefix(pace.characters)))
            rest = rest.dropFirst(pace.characters)
        }
        return result
    }

    private mutating func ask(_ questions: [ServerMessage.Question]) async throws {
        try await job.ask(questions)
        for answer in try await job.answers() {
            let options = questions.first { $0.id == answer.question }?.options ?? []
            let chosen = (answer.options ?? []).map { id in options.first { $0.id == id }?.label ?? id.text }
            words["answer." + answer.question.text] = (chosen + [answer.text].compactMap(\.self)).joined(
                separator: ", ")
        }
    }

    /// Texts that were put in close the message, and stand behind it.
    private mutating func takeInjections() async throws {
        guard !turn.injected.isEmpty else { return }
        for injection in job.takeInjections() {
            try await job.split(at: injection.id)
            words["injected"] = injection.text
            for step in turn.injected { try await perform(step, at: 0) }
        }
    }
}

// Tools.
extension Play {
    private mutating func call(_ planned: Script.Tool, at index: Int) async throws {
        let (input, id) = (filled(planned.input), Self.callID(number, index, in: job))
        var tool = ToolPart(
            name: .fixed(planned.name), callID: id, state: .inputStreaming(input: nil), title: planned.title)
        try await job.write(.tool(tool))
        try await Task.sleep(for: .milliseconds(planned.pause))
        try await write(tool, .inputAvailable(input: input))
        tool.state = .inputAvailable(input: input)
        learn(input)
        guard planned.needsApproval else { return try await finish(tool, planned, input, nil) }
        guard let approval = Identifier(checking: "approval_" + id.text) else { return }
        try await write(tool, .approvalRequested(input: input, id: approval))
        isWaiting = true
    }

    private func finish(
        _ tool: ToolPart, _ planned: Script.Tool, _ input: JSON, _ approval: ToolPart.Approval?
    ) async throws {
        try await Task.sleep(for: .milliseconds(planned.pause))
        if let error = planned.error {
            return try await write(
                tool, .outputError(input: input, rawInput: nil, errorText: filled(error), approval))
        }
        try await write(
            tool, .outputAvailable(input: input, output: filled(planned.output), approval, preliminary: nil))
    }

    private func write(_ tool: ToolPart, _ state: ToolPart.State) async throws {
        var tool = tool
        tool.state = state
        try await job.write(.tool(tool))
    }

    /// The call at a step of a turn. A step that is repeated in one message has a number behind it.
    private static func callID(_ turn: Int, _ step: Int, in job: AgentJob) -> Identifier {
        var random: any RandomSource = SystemRandom()
        let text = "call_\(turn)_\(step)_" + Hex.encode(random.bytes(4, for: .identifier))
        return Identifier(checking: text) ?? job.id
    }

    static func place(_ call: Identifier) -> (turn: Int, step: Int)? {
        let pieces = call.text.split(separator: "_")
        guard pieces.count == 4, let turn = Int(pieces[1]), let step = Int(pieces[2]) else { return nil }
        return (turn, step)
    }

    private mutating func learn(_ input: JSON) {
        for member in input.members ?? [] {
            words["input." + member.key] = member.value.text ?? member.value.description
        }
    }

    private func filled(_ text: String) -> String {
        var (result, rest) = ("", text[...])
        while let start = rest.firstIndex(of: "{"), let end = rest[start...].firstIndex(of: "}") {
            let name = String(rest[rest.index(after: start)..<end])
            result += rest[..<start]
            result += words[name] ?? String(rest[start...end])
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }

    private func filled(_ json: JSON) -> JSON {
        if let text = json.text { return .string(filled(text)) }
        if let list = json.list { return .array(list.map(filled)) }
        guard let members = json.members else { return json }
        return .object(JSON.Object(pairs: members.map { (key: $0.key, value: filled($0.value)) }))
    }
}
