import ChatWire

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
        for (number, (step, output)) in zip(try one.list("steps"), outputs.list ?? []).enumerated() {
            do { try compare(step, with: output) } catch let problem as Problem {
                throw Problem.differs("step \(number): \(problem)")
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
            "\(what)\(place) is \(here.dropFirst(start).prefix(80)), the file has \(there.dropFirst(start).prefix(80))")
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
