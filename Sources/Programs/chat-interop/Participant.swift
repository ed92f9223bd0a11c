import ChatCodec

/// One participant: a shim process and the operations a driver asks of it.
final class Participant {
    let implementation: Implementation
    private var process: LineExchange
    private var nextID = 1
    private let limit: Duration

    /// A payload on the way, as the driver carries it.
    struct Parcel {
        let address: String
        var payload: [UInt8]
    }

    private let role: String
    private let steps: Steps

    /// Starts one.
    ///
    /// - Parameters:
    ///   - implementation: which one.
    ///   - role: who it is in the scenario.
    ///   - steps: counts what is asked.
    ///   - limit: how long one step may take.
    init(
        _ implementation: Implementation, as role: String = "participant", _ steps: Steps = Steps(),
        within limit: Duration
    ) throws(Failure) {
        (self.implementation, self.role, self.steps, self.limit) = (implementation, role, steps, limit)
        process = try Self.start(implementation)
    }

    private static func start(_ implementation: Implementation) throws(Failure) -> LineExchange {
        do throws(LineExchange.Failure) { return try LineExchange(implementation.command) } catch {
            throw Failure("\(implementation.name): \(error)")
        }
    }

    /// Asks an operation; the answer if it is well-formed, whether `ok` or not.
    func ask(_ op: String, _ fields: [(String, JSON)] = []) throws(Failure) -> JSON {
        var request = JSON.Object()
        request["id"] = JSON(nextID)
        request["op"] = .string(op)
        for (name, value) in fields { request[name] = value }
        defer { nextID += 1 }
        steps.ask(op, of: role)
        let line: [UInt8]
        do throws(LineExchange.Failure) {
            line = try process.exchange(JSON.object(request).description, within: limit)
        } catch { throw Failure("\(implementation.name), \(op): \(error)") }
        guard let answer = try? JSON(parsing: line, maximumBytes: LineExchange.maximumLine), answer.members != nil
        else {
            throw Failure("\(implementation.name), \(op): answered with something that is no JSON object")
        }
        guard answer["id"]?.int == nextID, answer["ok"]?.bool != nil else {
            throw Failure("\(implementation.name), \(op): answered with another id, or without ok")
        }
        return answer
    }

    /// Asks an operation that must succeed.
    func must(_ op: String, _ fields: [(String, JSON)] = []) throws(Failure) -> JSON {
        let answer = try ask(op, fields)
        guard answer["ok"]?.bool == true else {
            let (code, message) = (answer["error"]?["code"]?.text, answer["error"]?["message"]?.text)
            throw Failure("\(implementation.name), \(op): \(message ?? "no reason")", code: code)
        }
        return answer
    }

    /// Ends the process and starts another from its saved state.
    func restart() throws(Failure) {
        let state = try text(try must("save"), "state", of: "save")
        process.end()
        process = try Self.start(implementation)
        _ = try must("restore", [("state", .string(state))])
    }

    /// Ends the process without saving, as one that hangs deserves.
    func end() { process.end() }

    private func text(_ answer: JSON, _ name: String, of op: String) throws(Failure) -> String {
        guard let text = answer[name]?.text else { throw Failure("\(implementation.name), \(op): \(name) is missing") }
        return text
    }
}

// Operations with their types.
extension Participant {
    func profiles() throws(Failure) -> [String] {
        try must("hello")["profiles"]?.list?.compactMap(\.text) ?? []
    }

    /// Lets time pass for it.
    func setTime(_ milliseconds: Int) throws(Failure) { _ = try must("set_time", [("now_ms", JSON(milliseconds))]) }

    /// Whether a profile's conversations send again what was lost: `reference`, and what says so of itself.
    func isReliable(_ profile: String) throws(Failure) -> Bool {
        profile == "reference" ? true : try must("hello")["reliable"]?.bool ?? false
    }

    /// How many payloads may be missing before one in its chain.
    func maximumSkip() throws(Failure) -> Int { try must("hello")["max_skip"]?.int ?? 0 }

    func createIdentity(_ profile: String) throws(Failure) {
        _ = try must("create_identity", [("profile", .string(profile)), ("now_ms", JSON(Stage.start))])
    }

    func createIntro() throws(Failure) -> String { try text(try must("create_intro"), "intro", of: "create_intro") }

    func initiate(_ intro: String, _ content: [UInt8]) throws(Failure) -> String {
        let fields: [(String, JSON)] = [("intro", .string(intro)), ("content", .string(Hex.encode(content)))]
        return try text(try must("initiate", fields), "conversation_id", of: "initiate")
    }

    func send(_ content: [UInt8], in conversation: String) throws(Failure) {
        let fields: [(String, JSON)] = [
            ("conversation_id", .string(conversation)), ("content", .string(Hex.encode(content))),
        ]
        _ = try must("send_content", fields)
    }

    func takeOutbound() throws(Failure) -> [Parcel] {
        var parcels: [Parcel] = []
        for payload in try list(try must("take_outbound"), "payloads", of: "take_outbound") {
            guard let address = payload["address"]?.text, let bytes = try? Hex.decode(payload["payload"]?.text ?? "-")
            else {
                throw Failure("\(implementation.name), take_outbound: a payload without address or bytes")
            }
            parcels.append(Parcel(address: address, payload: bytes))
        }
        return parcels
    }

    /// A link that nobody may accept: it is refused with a code, and nothing came of it.
    func mustRefuse(_ intro: String, _ what: String) throws(Failure) {
        let answer = try ask("initiate", [("intro", .string(intro)), ("content", .string("00"))])
        guard answer["ok"]?.bool == false else {
            throw Failure("\(implementation.name), initiate: accepted \(what): \(intro)")
        }
        guard answer["error"]?["code"]?.text != nil else {
            throw Failure("\(implementation.name), initiate: refused \(what) without a code")
        }
        guard try takeOutbound().isEmpty, try takeEvents().isEmpty else {
            throw Failure("\(implementation.name): payloads or events after \(what) was refused")
        }
    }

    /// Hands over a payload; gives the outcome, which is one of three words, and why it was rejected.
    func receive(_ parcel: Parcel) throws(Failure) -> Received {
        let fields: [(String, JSON)] = [
            ("address", .string(parcel.address)), ("payload", .string(Hex.encode(parcel.payload))),
        ]
        let answer = try must("receive_payload", fields)
        let word = try text(answer, "outcome", of: "receive_payload")
        guard let outcome = Outcome(rawValue: word) else {
            throw Failure(
                "\(implementation.name), receive_payload: the outcome '\(word)' is none of the three",
                payload: parcel.payload)
        }
        let code = answer["code"]?.text
        guard outcome != .rejected || code != nil else {
            throw Failure(
                "\(implementation.name), receive_payload: rejected without a code", payload: parcel.payload)
        }
        return Received(outcome: outcome, code: code, message: answer["message"]?.text)
    }

    /// What happened since the last call, in its order. Types that nobody here knows are left out.
    func takeEvents() throws(Failure) -> Events {
        var events = Events()
        for event in try list(try must("take_events"), "events", of: "take_events") {
            guard let type = event["type"]?.text else { throw malformed("an event without type") }
            guard ["conversation_started", "content"].contains(type) else { continue }
            guard let id = event["conversation_id"]?.text else { throw malformed("\(type) without conversation_id") }
            guard type == "content" else {
                events.started.append(id)
                continue
            }
            guard let content = try? Hex.decode(event["content"]?.text ?? "-") else {
                throw malformed("content is no hex")
            }
            events.contents.append(Events.Received(conversation: id, content: content))
        }
        return events
    }

    private func malformed(_ what: String) -> Failure {
        Failure("\(implementation.name), take_events: \(what)")
    }

    private func list(_ answer: JSON, _ name: String, of op: String) throws(Failure) -> [JSON] {
        guard let list = answer[name]?.list else { throw Failure("\(implementation.name), \(op): \(name) is missing") }
        return list
    }
}

/// What a participant says of a payload.
struct Received {
    let outcome: Outcome
    /// Why it was rejected.
    let code, message: String?
}

/// What became of a payload.
enum Outcome: String {
    case accepted, ignored, rejected
}

/// What a participant tells its application.
struct Events {
    /// A content, and where it came.
    struct Received: Equatable {
        let conversation: String
        let content: [UInt8]
    }

    /// Conversations that began.
    var started: [String] = []
    /// Contents in the order in which they came.
    var contents: [Received] = []
    var isEmpty: Bool { started.isEmpty && contents.isEmpty }
}
