import ChatCodec

// Whether what an operation gave is what the file has.
extension Kind {
    private static let refusals: Set<String> = ["invalid", "unsupported", "rejected"]
    private static let acceptances: Set<String> = ["valid", "accepted", "ignored"]

    /// Throws the first difference.
    func compare(_ one: Case, with output: JSON) throws {
        let (demanded, given) = (one.result, output["result"]?.text ?? "valid")
        if demanded == "policy" { return }
        guard Self.refusals.union(Self.acceptances).union([given]).contains(demanded) else {
            throw Problem.differs("\(given), the file has \(demanded)")
        }
        if let error = output["error"]?.text {
            guard Self.refusals.contains(demanded) else {
                throw Problem.differs("refused as \(error), the file has \(demanded)")
            }
            // Which check speaks first is free, unless the file was made to have one mistake only in every case.
            if one.isExact {
                try Self.expect("result", .string(given), .string(demanded))
                try Self.expect("error", .string(error), one.json["error"] ?? .null)
            }
        } else {
            guard !Self.refusals.contains(demanded) else { throw Problem.differs("accepted, the file has \(demanded)") }
            guard (given == "ignored") == (demanded == "ignored") else {
                throw Problem.differs("\(given), the file has \(demanded)")
            }
        }
        for member in output.members ?? [] where !["result", "error"].contains(member.key) {
            if member.key == "steps" {
                try compareSteps(one, member.value)
            } else {
                try compare(member.key, member.value, one.json[member.key])
            }
        }
    }

    private func compare(_ key: String, _ actual: JSON, _ expected: JSON?) throws {
        let form = normal[key] ?? { $0 }
        guard let expected else {
            if actual == .null || optional.contains(key) { return }
            throw Problem.unreadable("there is no \(key)")
        }
        try Self.expect(key, form(actual), form(expected))
    }

    private func compareSteps(_ one: Case, _ outputs: JSON) throws {
        try Self.eachStep(of: one, outputs) { step, output in try compare(step, with: output) }
    }

    private static func eachStep(
        of one: Case, _ outputs: JSON, _ body: (Case, JSON) throws -> Void
    ) throws {
        let (steps, outputs) = (try one.list("steps"), outputs.list ?? [])
        guard steps.count == outputs.count else {
            throw Problem.differs("\(outputs.count) steps, the file has \(steps.count)")
        }
        for (number, (step, output)) in zip(steps, outputs).enumerated() {
            do { try body(step, output) } catch let problem as Problem { throw problem.at(step.place(number)) }
        }
    }

    /// Members that say something about a case and are neither given to an operation nor had from it.
    private static let remarks: Set<String> = ["id", "comment", "flags", "operation", "result", "error", "source"]

    /// Throws for a member that the operation neither asked for nor gave: it would look as if it had been checked.
    ///
    /// A refusal ends an operation before it has asked for everything, so the members of a refused case, or step,
    /// are not looked at.
    func checkMembers(_ one: Case, with output: JSON) throws {
        guard output["error"] == nil, one.result != "policy" else { return }
        for member in one.json.members ?? [] where !Self.remarks.contains(member.key) {
            switch member.key {
            case "steps" where output["steps"] != nil:
                try Self.eachStep(of: one, output["steps"] ?? .null) { step, output in
                    try checkMembers(step, with: output)
                }
            case _ where output[member.key] != nil || optional.contains(member.key): continue
            default: try checkAsked(member.key, member.value, in: one.asked)
            }
        }
    }

    /// Throws unless a member was asked for, and so was everything in it of which a part was.
    private func checkAsked(_ key: String, _ value: JSON, in asked: Asked) throws {
        guard asked.has(key) else {
            throw Problem.differs("the file has \(key), which the operation neither takes nor gives")
        }
        for (place, element) in (value.list ?? [value]).enumerated() {
            let part = asked.part(key, place)
            guard !part.isEmpty else { continue }
            for member in element.members ?? [] where !Self.remarks.contains(member.key) {
                try checkAsked(member.key, member.value, in: part)
            }
        }
    }

    /// Throws unless two values are the same, whatever the order of keys.
    static func expect(_ what: String, _ actual: JSON, _ expected: JSON) throws {
        guard !isSame(actual, expected) else { return }
        let (here, there) = (actual.description, expected.description)
        let start = max(0, zip(here, there).prefix { $0 == $1 }.count - 20)
        let place = start > 0 ? " from character \(start) on" : ""
        throw Problem.differs(
            "\(what)\(place) is \(here.dropFirst(start).prefix(80)), the file has \(there.dropFirst(start).prefix(80))",
            Problem.Values(actual: actual, expected: expected))
    }

    private static func isSame(_ left: JSON, _ right: JSON) -> Bool {
        switch (left, right) {
        case (.object(let first), .object(let second)):
            first.members.count == second.members.count
                && first.members.allSatisfy { member in second[member.key].map { isSame(member.value, $0) } ?? false }
        case (.array(let first), .array(let second)):
            first.count == second.count && zip(first, second).allSatisfy { isSame($0, $1) }
        default: left == right
        }
    }
}
