import ChatCodec
import ChatModel
import ChatShim

/// A participant of profile `libchat` behind the shim, with the random values that a file names.
struct ShimPeer {
    let draws = ScriptedDraws()
    private var shim: Shim

    init(identity: String, now: UInt64 = 0) async throws {
        let draws = draws
        shim = Shim { _ in draws }
        _ = try await ask(["op": "create_identity", "identity_private": .string(identity), "now_ms": JSON(now)])
    }

    /// Asks an operation; what the shim refuses is thrown.
    @discardableResult mutating func ask(_ fields: JSON) async throws -> JSON {
        let line = await shim.answer(Array(fields.adding(["id": 1]).description.utf8))
        let answer = try JSON(parsing: line, maximumBytes: Shim.maximumLine)
        guard answer["ok"]?.bool == true else {
            let error = answer["error"] ?? .null
            throw Refused(error["code"]?.text ?? "", error["message"]?.text ?? "")
        }
        return answer
    }

    mutating func setTime(of step: Case) async throws {
        if step.has("now_ms") { try await ask(["op": "set_time", "now_ms": JSON(try step.uint64("now_ms"))]) }
    }

    /// Hands a payload over; what is rejected is thrown.
    mutating func receive(_ payload: String, at address: String = "delivery_address") async throws -> String {
        let answer = try await ask(["op": "receive_payload", "address": .string(address), "payload": .string(payload)])
        if answer["outcome"] == "rejected" {
            throw Refused(answer["code"]?.text ?? "", answer["message"]?.text ?? "")
        }
        return answer["outcome"]?.text ?? ""
    }

    mutating func restart() async throws {
        let state = try await state()
        let draws = draws
        shim = Shim { _ in draws }
        try await ask(["op": "restore", "state": .string(state)])
    }

    /// Everything that is stored.
    mutating func state() async throws -> String { try await ask(["op": "save"])["state"]?.text ?? "" }

    mutating func takeOutbound() async throws -> [JSON] {
        try await ask(["op": "take_outbound"])["payloads"]?.list ?? []
    }

    mutating func takeEvents() async throws -> [JSON] { try await ask(["op": "take_events"])["events"]?.list ?? [] }

    /// Refuses or does a step; a refused one must leave what is stored as it was.
    mutating func attempt(_ step: (inout ShimPeer) async throws -> JSON) async throws -> JSON {
        let before = try await state()
        var output: JSON = [:]
        do { output = try await step(&self) } catch {
            guard let refused = Refused(error) else { throw error }
            guard try await state() == before else {
                throw Problem.differs("a refusal (\(refused.reason)) changed the state")
            }
            return Kind.refusal(refused)
        }
        return output
    }
}
