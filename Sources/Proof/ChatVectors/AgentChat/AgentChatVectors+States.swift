import AgentChat
import ChatCodec

// State machines.
extension AgentChatVectors {
    /// The life of one tool call.
    @Sendable static func tool(_ one: AgentChatCase) throws {
        let parts = try one.json["parts"]?.list ?? templates(one)
        let failing = try one.text("expect") == "valid" ? nil : try one.int("at")
        var previous: ToolPart?
        for (step, json) in parts.enumerated() {
            guard case .tool(let next) = try AgentChatCase.part(json) else {
                throw Problem.unreadable("part \(step) is no tool")
            }
            let violation = AgentChatCase.violation { () throws(Violation) in
                try ToolLifeCycle.check(next, after: previous)
            }
            try AgentChatCase.expect(step == failing ? one.json["rule"] : nil, "step \(step)", violation)
            if step == failing { return }
            previous = next
        }
    }

    private static func templates(_ one: AgentChatCase) throws -> [JSON] {
        let form = try one.text("form")
        return try one.text("path").split(separator: " ").map { token in
            guard let part = one.templates?[form]?[String(token)] else {
                throw Problem.unreadable("there is no template \(form) \(token)")
            }
            return part
        }
    }

    /// Deltas, and the parts that they give; once more from a snapshot in the middle.
    @Sendable static func fold(_ one: AgentChatCase) throws {
        let deltas = try one.list("deltas")
        let failing = try one.text("expect") == "valid" ? nil : try one.int("at")
        var folded = PartAccumulator()
        for (step, json) in deltas.enumerated() {
            let before = folded
            let violation = try apply(json, to: &folded)
            try AgentChatCase.expect(step == failing ? one.json["rule"] : nil, "delta \(step)", violation)
            guard violation == nil else {
                guard folded == before else { throw Problem.differs("a refused delta changed the parts") }
                break
            }
        }
        try AgentChatCase.expect("parts", AgentChatCase.json(folded.parts), one.value("parts"))
        guard let resume = one.json["resume"] else { return }
        let snapshot = AgentChatCase(json: resume, templates: nil)
        let after = try snapshot.int("after")
        guard (0...deltas.count).contains(after) else { throw Problem.unreadable("resume.after is \(after)") }
        var resumed = PartAccumulator(try snapshot.list("parts").map(AgentChatCase.part))
        for json in deltas[after...] {
            if let violation = try apply(json, to: &resumed) { throw violation }
        }
        try AgentChatCase.expect("parts after resume", AgentChatCase.json(resumed.parts), one.value("parts"))
    }

    /// Deltas of the SDK's streams, onto parts that are there already.
    @Sendable static func stream(_ one: AgentChatCase) throws {
        var folded = PartAccumulator(try one.list("initial").map(AgentChatCase.part))
        let failing = try one.text("expect") == "valid" ? nil : try one.int("at")
        for (step, json) in try one.list("deltas").enumerated() {
            let violation = try apply(json, to: &folded)
            try AgentChatCase.expect(step == failing ? one.json["rule"] : nil, "delta \(step)", violation)
            if violation != nil { break }
        }
        try AgentChatCase.expect("parts", AgentChatCase.json(folded.parts), one.value("parts"))
    }

    private static func apply(_ json: JSON, to folded: inout PartAccumulator) throws -> Violation? {
        let isWrapped = json["consolidated"] != nil
        let part = try AgentChatCase.part(isWrapped ? json["part"] ?? .null : json)
        return AgentChatCase.violation { () throws(Violation) in
            try folded.apply(part, consolidated: json["consolidated"]?.bool == true)
        }
    }
}
