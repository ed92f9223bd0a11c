import AgentChat
public import ChatCodec

/// A script for an agent: turns, each with steps; the README describes the file.
public struct Script: Sendable {
    /// What is done for a message of the user.
    struct Turn: Sendable {
        /// The turn is for messages with this text in them; without it for all others.
        let match: String?
        let steps: [Step]
        /// What is done with a text that is put in.
        let injected: [Step]
    }

    /// One thing that the agent does.
    indirect enum Step: Sendable {
        case text(String, pace: Pace, reasoning: Bool)
        case part(JSON)
        case wait(Int)
        case ask([ServerMessage.Question])
        case tool(Tool)
        case fail(String)
        case `repeat`(Int, [Step])
    }

    /// How a text is streamed: so many characters at once (0: a word), and a pause between them in milliseconds.
    struct Pace: Sendable {
        let characters: Int
        let pause: Int
    }

    /// A call of a tool.
    struct Tool: Sendable {
        let name: String
        let title: String?
        let input: JSON
        let needsApproval: Bool
        let output: JSON
        let error: String?
        let pause: Int
        let denied: [Step]
    }

    let turns: [Turn]

    /// Reads a script; says where it is none.
    public init(_ json: JSON) throws(AgentFailure) {
        guard let list = json["turns"]?.list, !list.isEmpty else { throw AgentFailure("a script has a list turns") }
        var turns: [Turn] = []
        for (number, turn) in list.enumerated() {
            let place = "turns[\(number)]"
            turns.append(
                Turn(
                    match: turn["match"]?.text?.lowercased(),
                    steps: try Self.steps(turn["steps"], place + ".steps"),
                    injected: try turn["injected"].map { (json) throws(AgentFailure) in
                        try Self.steps(json, place + ".injected")
                    } ?? []))
        }
        self.turns = turns
    }

    private static func steps(_ json: JSON?, _ place: String) throws(AgentFailure) -> [Step] {
        guard let list = json?.list else { throw AgentFailure("\(place) is no list of steps") }
        var steps: [Step] = []
        for (number, step) in list.enumerated() { steps.append(try self.step(step, "\(place)[\(number)]")) }
        return steps
    }

    private static func step(_ json: JSON, _ place: String) throws(AgentFailure) -> Step {
        let pace = Pace(characters: max(0, json["characters"]?.int ?? 0), pause: pause(json["pause_ms"], 30))
        if let text = json["text"]?.text { return .text(text, pace: pace, reasoning: false) }
        if let text = json["reasoning"]?.text { return .text(text, pace: pace, reasoning: true) }
        if let part = json["part"] { return .part(part) }
        if json["wait_ms"] != nil { return .wait(pause(json["wait_ms"], 0)) }
        if let reason = json["fail"]?.text { return .fail(reason) }
        if let count = json["repeat"]?.int {
            return .repeat(min(max(0, count), 100_000), try steps(json["steps"], place + ".steps"))
        }
        if let tool = json["tool"] { return .tool(try self.tool(tool, place + ".tool")) }
        if let questions = json["ask"]?.list { return .ask(try self.questions(questions, place)) }
        throw AgentFailure("\(place) is none of text, reasoning, part, wait_ms, ask, tool, fail, repeat")
    }

    private static func tool(_ json: JSON, _ place: String) throws(AgentFailure) -> Tool {
        guard let name = json["name"]?.text, !name.isEmpty else { throw AgentFailure("\(place) has no name") }
        return Tool(
            name: name, title: json["title"]?.text, input: json["input"] ?? [:],
            needsApproval: json["approval"]?.bool == true, output: json["output"] ?? .null, error: json["error"]?.text,
            pause: pause(json["pause_ms"], 300),
            denied: try json["denied"].map { (json) throws(AgentFailure) in try steps(json, place + ".denied") } ?? [])
    }

    /// Questions are written as on the wire, and read by its rules.
    private static func questions(_ list: [JSON], _ place: String) throws(AgentFailure) -> [ServerMessage.Question] {
        let frame: JSON = ["type": "clarify_request", "job_id": "j", "request_id": "r", "questions": .array(list)]
        let bytes = Array(frame.description.utf8)
        do throws(Violation) {
            guard case .clarifyRequest(let request) = try AgentJSON().serverMessage(bytes.span) else { return [] }
            return request.questions
        } catch { throw AgentFailure("\(place).ask: \(error)") }
    }

    /// Milliseconds, a minute at most.
    private static func pause(_ json: JSON?, _ usual: Int) -> Int { min(max(0, json?.int ?? usual), 60_000) }
}
