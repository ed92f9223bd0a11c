import ChatClient
import ChatCodec
import ChatModel
import ChatShim

extension FuzzTarget {
    /// Two participants behind the shim, and a driver that asks for anything in any order, at any time.
    static let requests = generated("requests", inputs: 60) { choices, steps in
        var run = ShimRun(choices.isOne(of: 2) ? Shim.libchat : Shim.reference)
        try await run.begin()
        for _ in 0..<min(steps, 24) where !choices.isOver { try await run.step(&choices) }
    }
}

/// Two shims, and what a driver has learned from them.
private struct ShimRun {
    private var shims: [Shim]
    private var id = 0
    private var intros: [String] = []
    private var conversations: [String] = []
    private var states: [[String]] = [[], []]
    private var payloads: [(address: String, payload: String)] = []

    init(_ suite: SuiteName) {
        shims = (0..<2).map { side in Shim(suite) { RepeatableRandom(seed: $0, stream: UInt64(side)) } }
    }

    mutating func begin() async throws {
        for side in 0..<2 { try await ask(side, ["op": "create_identity", "now_ms": 1_700_000_000_000]) }
        if let intro = try await ask(1, ["op": "create_intro"])["intro"]?.text { intros.append(intro) }
        // A conversation begins, so that there are records of every kind; its second content is on its way.
        let begin: JSON = ["op": "initiate", "intro": .string(intros.first ?? ""), "content": "6869"]
        let id = try await ask(0, begin)["conversation_id"] ?? ""
        for payload in try await takeOutbound(0) {
            let received: JSON = ["op": "receive_payload", "address": payload.0, "payload": payload.1]
            try await ask(1, received)
        }
        for side in 0..<2 {
            let list = try await ask(side, ["op": "list_conversations"])["conversations"]?.list ?? []
            conversations += list.compactMap(\.text)
            try await ask(side, ["op": "send_content", "conversation_id": list.first ?? id, "content": "6f6e65"])
            if let state = try await ask(side, ["op": "save"])["state"]?.text { states[side].append(state) }
        }
    }

    private mutating func takeOutbound(_ side: Int) async throws -> [(JSON, JSON)] {
        let payloads = try await ask(side, ["op": "take_outbound"])["payloads"]?.list ?? []
        return payloads.map { ($0["address"] ?? "", $0["payload"] ?? "") }
    }

    mutating func step(_ choices: inout Choices) async throws {
        let side = choices.below(2)
        let request = request(&choices, side)
        let answer = try await ask(side, choices.isOne(of: 10) ? spoiled(request, &choices) : request)
        if let intro = answer["intro"]?.text { intros.append(intro) }
        if let state = answer["state"]?.text { states[side].append(state) }
        if let conversation = answer["conversation_id"]?.text { conversations.append(conversation) }
        for one in answer["payloads"]?.list ?? [] {
            payloads.append((one["address"]?.text ?? "", one["payload"]?.text ?? ""))
        }
    }

    private func request(_ choices: inout Choices, _ side: Int) -> JSON {
        let content: JSON = .string(Hex.encode(choices.bytes(choices.one(of: 0, 1, 5))))
        switch choices.below(12) {
        case 0: return ["op": "set_time", "now_ms": JSON(choices.number(near: 1_700_000_000_000))]
        case 1: return ["op": "create_intro"]
        case 2:
            let intro = choices.one(of: intros) ?? ""
            return ["op": "initiate", "intro": .string(intro), "content": content]
        case 3, 4:
            let id = choices.one(of: conversations) ?? ""
            return ["op": "send_content", "conversation_id": .string(id), "content": content]
        case 5, 6: return ["op": "take_outbound"]
        case 7: return ["op": choices.one(of: "take_events", "list_conversations", "hello")]
        case 8: return ["op": "save"]
        case 9:
            let state = choices.one(of: states[side]) ?? "7b7d"
            return ["op": "restore", "state": .string(choices.isOne(of: 3) ? state : spoiled(state: state, &choices))]
        default:
            guard let one = choices.one(of: payloads) else { return ["op": "take_outbound"] }
            let bytes = (try? Hex.decode(one.payload)) ?? []
            let payload = choices.isOne(of: 2) ? bytes.changed(&choices) : bytes
            return ["op": "receive_payload", "address": .string(one.address), "payload": .string(Hex.encode(payload))]
        }
    }

    /// A request without some member, or with one of another type.
    private func spoiled(_ request: JSON, _ choices: inout Choices) -> JSON {
        var object = JSON.Object()
        for member in request.members ?? [] where !choices.isOne(of: 6) {
            let other: JSON = choices.one(
                of: .null, true, .integer(-1), .unsigned(.max), .number(0.5), [], [:], "", "zz")
            object[member.key] = choices.isOne(of: 3) ? other : member.value
        }
        return .object(object)
    }

    /// A state in which a number, a key or a record is another one; numbers of a client's records have eight bytes.
    private func spoiled(state: String, _ choices: inout Choices) -> String {
        guard let bytes = try? Hex.decode(state), let json = try? JSON(parsing: bytes),
            let records = json["records"]?.members, !records.isEmpty
        else { return Hex.encode(choices.nearly(Array(state.utf8))) }
        var object = JSON.Object()
        for member in json.members ?? [] { object[member.key] = member.value }
        if choices.isOne(of: 4) {
            object[choices.one(of: "now_ms", "run", "version")] = JSON(choices.number())
        } else {
            var changed = JSON.Object()
            let place = choices.below(records.count)
            for (index, member) in records.enumerated() {
                guard index == place, let text = member.value.text, let old = try? Hex.decode(text) else {
                    changed[member.key] = member.value
                    continue
                }
                changed[member.key] = .string(Hex.encode(spoiled(record: old, &choices)))
            }
            object["records"] = .object(changed)
        }
        return Hex.encode(Array(JSON.object(object).description.utf8))
    }

    private func spoiled(record bytes: [UInt8], _ choices: inout Choices) -> [UInt8] {
        guard bytes.count >= 9, choices.isOne(of: 2) else {
            return Array(bytes.prefix(1)) + Array(bytes.dropFirst()).changed(&choices)
        }
        var bytes = bytes
        let (free, number) = (choices.below(bytes.count - 8), choices.number())
        let place = 1 + (choices.isOne(of: 3) ? free : min(bytes.count - 9, 8 * choices.below(3)))
        for index in 0..<8 { bytes[place + index] = UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * index)) }
        return bytes
    }

    @discardableResult
    private mutating func ask(_ side: Int, _ request: JSON) async throws -> JSON {
        id += 1
        var line = JSON.Object()
        line["id"] = JSON(id)
        for member in request.members ?? [] { line[member.key] = member.value }
        let answer = await shims[side].answer(Array(JSON.object(line).description.utf8))
        guard let json = try? JSON(parsing: Array(answer.utf8), maximumBytes: 1 << 24) else {
            throw FuzzTarget.Violation(description: "no JSON: \(answer)")
        }
        try demand([JSON(id), .null].contains(json["id"]), "another id: \(answer)")
        try demand(json["ok"] == true || json["error"]?["code"]?.text != nil, "no outcome: \(answer)")
        return json
    }
}
