import AgentChat
import ChatCodec

/// Vector files of agent chat, format `agent-chat-vectors/1`: decoding in both modes, lives of tools, folding, whole
/// chats, and messages and streams of a widely used SDK. What the files mean, `Specs/agent-chat.md` says.
enum AgentChatVectors {
    /// What every file says under `schema`.
    static let format = "agent-chat-vectors/1"

    private static let kinds: [String: @Sendable (AgentChatCase) throws -> Void] = [
        "decode": decode, "tool": tool, "fold": fold, "trace": trace, "sdk-messages": messages,
        "sdk-streams": stream,
    ]

    /// Every case of a file; whatever one case does, the next one is checked.
    static func verify(_ document: JSON, file: String) -> [Verdict] {
        func whole(_ outcome: Verdict.Outcome, _ reason: String) -> [Verdict] {
            [Verdict(outcome: outcome, file: file, name: "file", reason: reason)]
        }
        guard let name = document["kind"]?.text else { return whole(.failed, "has no kind") }
        guard let cases = document["cases"]?.list else { return whole(.failed, "has no list of cases") }
        guard !cases.isEmpty else { return whole(.failed, "has no cases") }
        return cases.enumerated().map { number, json in
            let (outcome, reason) = check(AgentChatCase(json: json, templates: document["templates"]), name)
            return Verdict(outcome: outcome, file: file, name: json["id"]?.text ?? String(number), reason: reason)
        }
    }

    private static func check(_ one: AgentChatCase, _ kind: String) -> (Verdict.Outcome, String) {
        guard let body = kinds[kind] else { return (.notApplicable, "kind \(kind)") }
        guard one.json.members != nil else { return (.failed, "a case is an object") }
        do {
            try body(one)
            return (.passed, "")
        } catch Problem.notApplicable(let reason) {
            return (.notApplicable, reason)
        } catch {
            return (.failed, "\(error)")
        }
    }
}

/// A case, with readers that say what is missing.
struct AgentChatCase {
    let json: JSON
    let templates: JSON?

    func value(_ key: String) throws -> JSON {
        guard let value = json[key] else { throw Problem.unreadable("there is no \(key)") }
        return value
    }

    func text(_ key: String) throws -> String {
        guard let text = try value(key).text else { throw Problem.unreadable("\(key) is not a text") }
        return text
    }

    func list(_ key: String) throws -> [JSON] {
        guard let list = try value(key).list else { throw Problem.unreadable("\(key) is not a list") }
        return list
    }

    func int(_ key: String) throws -> Int {
        guard let number = try value(key).int else { throw Problem.unreadable("\(key) is not a number") }
        return number
    }

    /// Throws unless a step did what the case says of it: nothing wrong (nil), or one of the rules broken.
    static func expect(_ expected: JSON?, _ what: String, _ violation: Violation?) throws {
        guard let rules = expected?.list else {
            guard let violation else { return }
            throw Problem.differs("\(what) is refused (\(violation)), the file takes it")
        }
        let names = rules.map { $0.text ?? "" }
        guard let violation else { throw Problem.differs("\(what) is taken, the file refuses it (\(names))") }
        guard names.contains(violation.rule.rawValue) else {
            throw Problem.differs("\(what) is refused by \(violation), in the file by \(names)")
        }
    }

    /// Throws unless two values mean the same.
    static func expect(_ what: String, _ actual: JSON, _ expected: JSON) throws {
        guard !actual.isSameValue(as: expected) else { return }
        throw Problem.differs(
            "\(what) is \(actual.description.prefix(200)), in the file \(expected.description.prefix(200))")
    }

    /// A part as a file has it; the streams of the SDK have parts that only the conformant mode keeps.
    static func part(_ json: JSON) throws -> MessagePart { try AgentJSON(.conformant).part(json) }

    /// Parts as a file has them.
    static func json(_ parts: [MessagePart]) throws -> JSON {
        .array(try parts.map { try JSON(parsing: AgentJSON().encode($0)) })
    }

    /// What a body refuses.
    static func violation(of body: () throws(Violation) -> Void) -> Violation? {
        do {
            try body()
            return nil
        } catch { return error }
    }
}
