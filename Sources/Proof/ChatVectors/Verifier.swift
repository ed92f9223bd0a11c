public import ChatCodec

/// What became of one case.
public struct Verdict: Sendable, Hashable {
    /// How it ended.
    public enum Outcome: String, Sendable, Hashable {
        /// It agrees with this package.
        case passed
        /// It does not, or cannot be read.
        case failed
        /// It is of a kind, or about something, that this package does not do.
        case notApplicable = "not applicable"
    }

    /// How it ended.
    public let outcome: Outcome
    /// The file.
    public let file: String
    /// The id of the case, or its place; `file` where it is about the whole file.
    public let name: String
    /// What differs, in a transcript at which step, or why it does not apply.
    public let reason: String
    /// Where a value differs, the whole one that this package has, as JSON.
    public let actual: JSON?
    /// The whole one of the file.
    public let expected: JSON?

    /// A verdict.
    public init(
        outcome: Outcome, file: String, name: String, reason: String, actual: JSON? = nil, expected: JSON? = nil
    ) {
        (self.outcome, self.file, self.name, self.reason) = (outcome, file, name, reason)
        (self.actual, self.expected) = (actual, expected)
    }
}

/// Checks vector files, from anyone.
public enum Verifier {
    /// The largest file in bytes: ten times the largest in use.
    public static let maximumFile = 64 << 20

    /// Every case of a file; whatever one case does, the next one is checked. A JSON Schema has no cases.
    public static func verify(_ bytes: [UInt8], file: String) async -> [Verdict] {
        func whole(_ outcome: Verdict.Outcome, _ reason: String) -> [Verdict] {
            [Verdict(outcome: outcome, file: file, name: "file", reason: reason)]
        }
        let document: JSON
        do { document = try JSON(parsing: bytes, maximumBytes: maximumFile) } catch {
            return whole(.failed, "is no JSON: \(error)")
        }
        if EngineVectors.isOurs(document) { return EngineVectors.verify(document, file: file) }
        // A JSON Schema that lies beside vector files is none of them.
        if document["$schema"] != nil { return [] }
        guard let schema = document["schema"]?.text else {
            return whole(.notApplicable, "has no schema; expected \(VectorFile.format)")
        }
        if schema == AgentChatVectors.format { return AgentChatVectors.verify(document, file: file) }
        if schema == PacketVectors.format { return PacketVectors.verify(document, file: file) }
        guard schema == VectorFile.format else {
            let isOurs = schema.hasPrefix("logos-chat-vectors/")
            return whole(isOurs ? .failed : .notApplicable, "is of format \(schema); expected \(VectorFile.format)")
        }
        guard let cases = document["cases"]?.list else { return whole(.failed, "has no list of cases") }
        guard let name = document["kind"]?.text else { return whole(.failed, "has no kind") }
        guard !cases.isEmpty else { return whole(.failed, "has no cases") }
        let kind = Kind.all.first { $0.name == name }
        var verdicts: [Verdict] = []
        for (number, one) in cases.enumerated() {
            let id = one["id"]?.text ?? String(number)
            let found = await check(Case(json: one, isExact: document["errors"]?.text == "exact"), kind, name)
            verdicts.append(
                Verdict(
                    outcome: found.outcome, file: file, name: id, reason: found.reason, actual: found.values?.actual,
                    expected: found.values?.expected))
        }
        return verdicts
    }

    private typealias Finding = (outcome: Verdict.Outcome, reason: String, values: Problem.Values?)

    private static func check(_ one: Case, _ kind: Kind?, _ name: String) async -> Finding {
        guard let kind else { return (.notApplicable, "kind \(name)", nil) }
        guard one.json.members != nil else { return (.failed, "a case is an object", nil) }
        do {
            let output = try await run(one, kind)
            try kind.compare(one, with: output)
            try kind.checkMembers(one, with: output)
            return (.passed, "", nil)
        } catch Problem.notApplicable(let reason) {
            return (.notApplicable, reason, nil)
        } catch Problem.differs(let reason, let values) {
            return (.failed, reason, values)
        } catch {
            return (.failed, "\(error)", nil)
        }
    }

    /// Runs a case; where a transcript ends before its end, the step at which it did is named.
    private static func run(_ one: Case, _ kind: Kind) async throws -> JSON {
        do {
            let output = try await Kind.outcome { try await kind.run(one) }
            guard let error = output["error"]?.text, let place = one.lastStep, one.result == "valid" else {
                return output
            }
            throw Problem.differs("\(place): refused as \(error), which ends the transcript")
        } catch let problem as Problem {
            throw one.lastStep.map { place in "\(problem)".hasPrefix(place) ? problem : problem.at(place) } ?? problem
        }
    }
}
