import ChatCodec
import ChatEngine

/// Cases of Chat Engine: a list, each case with `id`, `rule`, `kind` and `expect`. What they mean,
/// `Specs/chat-engine.md` says.
enum EngineVectors {
    private static let kinds: [String: @Sendable (EngineCase) throws -> Void] = [
        "value": value, "body": body, "raw-body": rawBody, "event": event, "webhook": webhook, "id": id,
        "query": query, "error-body": errorBody,
        "ndjson": stream, "backend-ndjson": backendStream, "line-limit": lineLimit, "webhook-reply": webhookReply,
        "breaker": breaker, "retry": retry, "timeout": timeout, "fire-and-forget": fireAndForget,
        "trace": trace, "status": status, "client-status": clientStatus,
        "tree": tree, "export": export, "search": search, "paging": paging, "capabilities": capabilities,
        "reaction": reaction, "share": share, "summarize": summarize, "auth": authentication, "owner": owner,
        "missing": missing, "no-such-operation": noSuchOperation,
    ]

    /// Whether a document is such a list.
    static func isOurs(_ document: JSON) -> Bool {
        guard let first = document.list?.first else { return false }
        return ["id", "rule", "kind", "expect"].allSatisfy { first[$0]?.text != nil }
    }

    /// Every case of a file; whatever one case does, the next one is checked.
    static func verify(_ document: JSON, file: String) -> [Verdict] {
        (document.list ?? []).enumerated().map { number, json in
            let (outcome, reason) = check(json)
            return Verdict(outcome: outcome, file: file, name: json["id"]?.text ?? String(number), reason: reason)
        }
    }

    private static func check(_ json: JSON) -> (Verdict.Outcome, String) {
        guard json.members != nil, let kind = json["kind"]?.text else { return (.failed, "a case has a kind") }
        guard let body = kinds[kind] else { return (.notApplicable, "kind \(kind)") }
        do {
            try body(EngineCase(json: json))
            return (.passed, "")
        } catch Problem.notApplicable(let reason) {
            return (.notApplicable, reason)
        } catch {
            return (.failed, "\(error)")
        }
    }
}

/// A case, with readers that say what is missing.
struct EngineCase {
    let json: JSON

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

    func texts(_ key: String) throws -> [String] { try list(key).map { try Self.text($0) } }

    func int(_ key: String) throws -> Int {
        guard let number = try value(key).int else { throw Problem.unreadable("\(key) is not a number") }
        return number
    }

    static func text(_ json: JSON?) throws -> String {
        guard let text = json?.text else { throw Problem.unreadable("\(json ?? .null) is not a text") }
        return text
    }

    /// Throws unless something was taken or refused as the case says.
    func expect(_ error: (any Error)?) throws {
        switch (try text("expect"), error) {
        case ("valid", nil), ("invalid", _?): return
        case ("valid", let error?): throw Problem.differs("it is refused (\(error)), the file takes it")
        case ("invalid", nil): throw Problem.differs("it is taken, the file refuses it")
        case (let other, _): throw Problem.unreadable("expect is \(other)")
        }
    }

    /// Throws unless two things are the same.
    static func expect<Value: Equatable>(_ what: String, _ actual: Value, _ expected: Value) throws {
        guard actual != expected else { return }
        throw Problem.differs("\(what) is \(actual), in the file \(expected)")
    }

    /// What a body refuses.
    static func refusal(of body: () throws -> Void) -> (any Error)? {
        do {
            try body()
            return nil
        } catch { return error }
    }
}
