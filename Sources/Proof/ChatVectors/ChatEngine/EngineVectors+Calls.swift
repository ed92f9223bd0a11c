import ChatCodec
import ChatEngine
import ChatModel

// Calls of backends, with a clock of their own.
extension EngineVectors {
    static func breaker(_ one: EngineCase) throws {
        var breaker = CircuitBreaker()
        var passes: [CircuitBreaker.Pass] = []
        for step in try one.list("steps") {
            guard let list = step.list, list.count >= 2, let time = list[1].int, time >= 0 else {
                throw Problem.unreadable("a step is a word and a time")
            }
            let now = Timestamp(milliseconds: UInt64(time))
            switch try EngineCase.text(list[0]) {
            case "call":
                let pass = breaker.pass(at: now)
                if let pass { passes.append(pass) }
                try EngineCase.expect(
                    "the call at \(time)", pass == nil ? "rejected" : "allowed", try EngineCase.text(list.last))
            case "open": breaker.open(at: now)
            case let word:
                let outcomes: [String: CircuitBreaker.Outcome] = [
                    "fail": .failure, "success": .success, "neutral": .neutral,
                ]
                guard let outcome = outcomes[word] else { throw Problem.unreadable("no step is called \(word)") }
                // An outcome of a call before, or of one that is made now.
                if let pass = passes.isEmpty ? breaker.pass(at: now) : passes.removeFirst() {
                    breaker.record(outcome, of: pass, at: now)
                }
            }
        }
        try EngineCase.expect("the state at the end", breaker.state.rawValue, try one.text("final"))
    }

    static func retry(_ one: EngineCase) throws {
        guard let kind = WebhookKind(rawValue: try one.text("op")) else { throw Problem.notApplicable("op") }
        var outcomes = try one.texts("outcomes")[...]
        var (call, breaker) = (WebhookCall(kind, configuredTimeout: nil), CircuitBreaker())
        var now = Timestamp.zero
        var delays: [JSON] = []
        for _ in 0..<16 {
            switch call.next(&breaker, at: now) {
            case .attempt:
                guard let outcome = outcomes.popFirst() else {
                    throw Problem.differs("an attempt more than in the file")
                }
                call.finish(try result(outcome), jitter: 1, &breaker, at: now)
            case .wait(let time):
                delays.append(JSON(time.milliseconds - now.milliseconds))
                now = time
            case .done: return try end("ok")
            case .failed(let code): return try end(kind.isAnswered ? code.rawValue : "ignored")
            }
        }
        throw Problem.differs("the call does not end")

        func end(_ result: String) throws {
            try EngineCase.expect("the result", result, try one.text("result"))
            try EngineCase.expect("the number of attempts", call.attempts, try one.int("attempts"))
            guard let nominal = one.json["nominal_delays_ms"]?.list else { return }
            try EngineCase.expect("the delays", delays, nominal)
        }
    }

    private static func result(_ word: String) throws -> WebhookCall.Result {
        switch word {
        case "timeout": return .timedOut
        case "malformed": return .malformed
        case "connect", "refused", "connection": return .connectionFailed
        default:
            guard let status = Int(word) else { throw Problem.unreadable("no outcome is called \(word)") }
            return (200..<300).contains(status) ? .ok : .status(status)
        }
    }

    static func timeout(_ one: EngineCase) throws {
        guard let kind = WebhookKind(rawValue: try one.text("op")) else { throw Problem.notApplicable("op") }
        let timeout = kind.timeout(configured: one.json["configured_s"]?.int)
        try EngineCase.expect("the timeout", timeout, try one.int("effective_s"))
    }

    static func fireAndForget(_ one: EngineCase) throws {
        guard let kind = WebhookKind(rawValue: try one.text("event")) else { throw Problem.notApplicable("event") }
        var (call, breaker) = (WebhookCall(kind, configuredTimeout: nil), CircuitBreaker(threshold: 1))
        while case .attempt = call.next(&breaker, at: .zero) {
            call.finish(try result(try one.text("fault")), jitter: 1, &breaker, at: .zero)
        }
        try EngineCase.expect("the number of attempts", call.attempts, try one.int("attempts"))
        try EngineCase.expect("the failures", breaker.state == .closed ? 0 : 1, try one.int("breaker_failures"))
        try EngineCase.expect("whether an answer is waited for", kind.isAnswered, false)
    }

    static func trace(_ one: EngineCase) throws {
        let steps = try one.texts("trace").map { name in
            guard let step = GenerationStep(rawValue: name) else { throw Problem.unreadable("no step \(name)") }
            return step
        }
        try one.expect(
            EngineCase.refusal {
                var trace = GenerationTrace()
                for step in steps { try trace.follow(step) }
                try trace.end()
            })
    }
}
