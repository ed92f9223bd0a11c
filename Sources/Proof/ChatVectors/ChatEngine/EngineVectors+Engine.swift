import ChatCodec
import ChatEngine
import ChatModel

// What an engine does with sessions, shares, reactions and capabilities.
extension EngineVectors {
    static func owner(_ one: EngineCase) throws {
        var run = try EngineRun()
        try run.send("x")
        try expectStatus(one) { operation in
            try run.perform(operation, run.session, run.replies[0], by: EngineRun.raya)
        }
    }

    static func missing(_ one: EngineCase) throws {
        var run = try EngineRun(summarization: try SummarizationSettings(["enabled": true], .strict))
        try run.send("x")
        var (session, message) = (SessionID(random: &run.random), MessageID(random: &run.random))
        var type = EngineRun.typeID
        switch try one.text("state") {
        case "unknown": break
        case "unknown session type":
            (session, message) = (run.session, run.replies[0])
            type = "gts.hyperspot.chat_engine.session_types.unknown.v1~"
        case "deleted":
            (session, message) = (run.session, run.replies[0])
            _ = try run.engine.delete(session, by: EngineRun.saro, at: run.now)
        case let state: throw Problem.notApplicable("state \(state)")
        }
        try expectStatus(one) { operation in
            try run.perform(operation, session, message, by: EngineRun.saro, type: type)
        }
    }

    private static func expectStatus(_ one: EngineCase, _ body: (Operation) throws -> Void) throws {
        let name = try one.text("operation")
        guard let operation = Operation(rawValue: name) else { throw Problem.notApplicable("operation \(name)") }
        var code: ErrorCode?
        let status = try EngineRun.status {
            do { try body(operation) } catch let error as ErrorBody {
                code = error.code
                throw error
            }
        }
        try EngineCase.expect("the status", String(status), try one.text("expect"))
        if let expected = one.json["error_code"]?.text { try EngineCase.expect("the code", code?.rawValue, expected) }
    }

    static func noSuchOperation(_ one: EngineCase) throws {
        let path = try one.text("path").split(separator: "/").map { $0 == "{id}" ? "id" : $0 }.joined(separator: "/")
        if case .operation(let operation, _) = Operation.match(try one.text("method"), "/" + path) {
            throw Problem.differs("it is \(operation.rawValue), in the file there is no such operation")
        }
    }

    static func capabilities(_ one: EngineCase) throws {
        let available: [EngineCapability] = try one.list("available").map { try EngineCapability($0, .strict) }
        let settings = try SummarizationSettings(["enabled": true], .strict)
        var run = try EngineRun(capabilities: available, summarization: settings)
        var object = JSON.Object()
        if let enabled = one.json["enabled"], enabled != .null { object["enabled_capabilities"] = enabled }
        let operation = try one.text("operation")
        try run.send("x")
        let status = try EngineRun.status {
            let enabled: [String]?
            do throws(Violation) { enabled = try EnableCapabilities(.object(object), .strict).capabilities } catch {
                throw ErrorBody(error)
            }
            switch operation {
            case "sendMessage": try run.send("y", enabled: enabled)
            case "recreateMessage": try run.recreate(enabled: enabled)
            case "summarizeSession": _ = try run.summarize(enabled: enabled)
            default: throw Problem.notApplicable("operation \(operation)")
            }
        }
        try EngineCase.expect("the outcome", status == 200 ? "valid" : "invalid", try one.text("expect"))
        if one.json["status"] != nil { try EngineCase.expect("the status", status, try one.int("status")) }
        if one.json["sent"] != nil { try EngineCase.expect("what is sent", run.sent, try one.texts("sent")) }
    }

    static func reaction(_ one: EngineCase) throws {
        var run = try EngineRun()
        try run.send("x")
        var results: [JSON] = []
        for step in try one.texts("steps") {
            guard let reaction = ReactionType(rawValue: step) else { throw Problem.unreadable("no reaction \(step)") }
            let (answer, ask) = try run.engine.react(
                to: run.replies[0], ReactToMessage(reaction: reaction), by: EngineRun.saro, at: run.now)
            var told: JSON = "no webhook"
            if case .messageReaction(let event)? = ask?.webhook.event {
                told = event.previous.map { .string($0.rawValue) } ?? .null
            }
            results.append([.bool(answer.isApplied), told])
        }
        try EngineCase.expect("the results", results, try one.list("results"))
    }

    static func share(_ one: EngineCase) throws {
        var run = try EngineRun()
        try run.send("first")
        try run.send("last")
        let (first, last) = (run.replies[0], run.replies[1])
        var tokens: [ShareToken] = []
        func token(_ number: Int) throws -> ShareToken {
            guard tokens.indices.contains(number) else { throw Problem.unreadable("there is no link \(number)") }
            return tokens[number]
        }
        var statuses: [JSON] = []
        for step in try one.texts("steps") {
            let words = step.split { $0 == ":" || $0 == " " }.map(String.init)
            switch words.first {
            case "wait":
                run.now = run.now + (try duration(words.last))
                statuses.append(.null)
            case "share":
                let expiry = words.count > 1 ? try expiry(words[1], run.now) : nil
                let body = ShareSession(expiresAt: expiry)
                statuses.append(
                    JSON(
                        try EngineRun.status(201) {
                            tokens.append(
                                try run.engine.share(
                                    run.session, body, by: EngineRun.saro, at: run.now, random: &run.random))
                        }))
            case "read":
                let token = try token(words.count > 1 ? Int(words[1]) ?? 0 : 0)
                statuses.append(JSON(try EngineRun.status { _ = try run.engine.shared(token, at: run.now) }))
            case "revoke":
                let token = try token(0)
                statuses.append(
                    JSON(try EngineRun.status { _ = try run.engine.revoke(token, of: run.session, by: EngineRun.saro) })
                )
            case "guest":
                let parent = words.last == "first" ? first : words.last == "last" ? last : nil
                let token = try token(0)
                statuses.append(
                    JSON(
                        try EngineRun.status {
                            try run.send("pax", parent: parent, by: EngineRun.raya, token: token)
                        }))
            default: throw Problem.notApplicable("step \(step)")
            }
        }
        try EngineCase.expect("the statuses", statuses, try one.list("statuses"))
    }

    /// `expires+1s`, `expires-1h`: a moment, seen from another.
    private static func expiry(_ text: String, _ now: Timestamp) throws -> DateTime {
        guard text.hasPrefix("expires"), let sign = text.dropFirst(7).first else {
            throw Problem.notApplicable("share:\(text)")
        }
        let duration = try duration(String(text.dropFirst(8)))
        if sign == "+" { return DateTime(now + duration) }
        let milliseconds = UInt64(duration / .milliseconds(1))
        return DateTime(Timestamp(milliseconds: now.milliseconds - min(now.milliseconds, milliseconds)))
    }

    private static func duration(_ text: String?) throws -> Duration {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        guard let text, let unit = text.last.flatMap({ units[$0] }), let number = Double(text.dropLast()),
            (0...1e9).contains(number)
        else { throw Problem.unreadable("no duration") }
        return .seconds(number * unit)
    }

    static func summarize(_ one: EngineCase) throws {
        let json = try one.value("summarization_settings")
        var run = try EngineRun(summarization: json == .null ? nil : try SummarizationSettings(json, .strict))
        try run.send("x")
        var ask: Engine.Ask?
        var status = try EngineRun.status { ask = try run.summarize() }
        if let ask, let id = ask.reply {
            // A service that cannot be reached answers nothing; the backend of the case answers.
            var reply = BackendReply(to: .sessionSummary, message: id)
            let isReachable = ask.url == "http://backend/hook"
            let steps =
                isReachable
                ? reply.receive(status: 200, contentType: "application/x-ndjson") : reply.breakOff()
            if case .failed(let failure)? = steps.first { status = failure.error.code.status }
        }
        try EngineCase.expect("the status", String(status), try one.text("expect"))
    }

    static func search(_ one: EngineCase) throws {
        let search = Search(try one.text("query"))
        let hits = try (try one.value("corpus").members ?? []).filter { member in
            search.score(of: try EngineCase.text(member.value)) > 0
        }
        try EngineCase.expect("the hits", hits.map(\.key).sorted(), try one.texts("hits").sorted())
    }

    static func paging(_ one: EngineCase) throws {
        var run = try EngineRun()
        for number in 0..<min(1_000, try one.int("matching")) { try run.send("wombat \(number)") }
        let query = SearchQuery("wombat", limit: try one.int("limit"), offset: try one.int("offset"))
        let results = try run.engine.search(query, in: run.session, by: EngineRun.saro)
        try EngineCase.expect("what is returned", results.results.count, try one.int("returned"))
        try EngineCase.expect("the total", results.total, try one.int("total"))
    }

    static func export(_ one: EngineCase) throws {
        var run = try TreeRun(hidden: nil)
        for op in try one.list("ops") { try run.perform(op) }
        guard let format = ExportFormat(rawValue: try one.text("format")),
            let scope = ExportScope(rawValue: try one.text("scope")), let type = SessionTypeID(EngineRun.typeID)
        else { throw Problem.notApplicable("format or scope") }
        let messages = scope == .active ? run.tree.visiblePath : run.tree.visible
        try EngineCase.expect("the order", try run.labels(messages.map(\.id)), try one.texts("order"))
        let session = Session(
            id: run.tree.session, client: EngineRun.saro, sessionType: type, capabilities: [],
            createdAt: DateTime(.zero))
        let body = ExportSession(format: format, scope: scope)
        let text = String(
            decoding: Export(messages, of: session, as: body, at: DateTime(.zero)).bytes, as: UTF8.self)
        let words = text.split { !($0.isLetter || $0.isNumber) }.map(String.init)
        let labels = Set(try one.texts("order"))
        try EngineCase.expect("what the file says", words.filter(labels.contains), try one.texts("order"))
    }

    static func authentication(_ one: EngineCase) throws {
        let token = try one.value("token")
        var isGood = false
        if let members = token.members, token["secret"] == nil {
            let scheme = token["scheme"]?.text ?? "Bearer"
            let now = Timestamp(milliseconds: 1_000_000_000_000)
            var claims = JSON.Object()
            for member in members where !["alg", "scheme", "exp_in", "nbf_in"].contains(member.key) {
                claims[member.key] = member.value == .null ? nil : member.value
            }
            for (key, claim) in [("exp_in", "exp"), ("nbf_in", "nbf")] {
                guard let value = token[key], value != .null else { continue }
                claims[claim] = value.int.map { JSON(1_000_000_000 + $0) } ?? value
            }
            let header: JSON = ["alg": token["alg"] ?? "HS256"]
            isGood =
                Bearer.token(of: "\(scheme) a.b.c") != nil
                && (try? Bearer(header: header, claims: .object(claims), at: now)) != nil
        }
        try EngineCase.expect("the token", isGood ? "valid" : "invalid", try one.text("expect"))
        if !isGood, one.json["status"] != nil {
            try EngineCase.expect("the status", ErrorCode.authRequired.status, try one.int("status"))
        }
    }
}
