import ChatCodec
import ChatConversation
import ChatModel

// Kind `plain_conversation`: numbers and content.
extension Kind {
    static let plainConversation = Kind(name: "plain_conversation", run: converse, files: conversationFiles)

    private static func converse(_ one: Case) async throws -> JSON {
        let secret = try one.secret("secret")
        var turn = Step(now: .zero, random: ScriptedDraws())
        var peers: [String: PlainConversation] = [:]
        let seed = ConversationSeed(type: PlainConversation.type.name, side: .inviting(), secret: secret)
        peers["initiator"] = try PlainConversation(seed, in: &turn)
        var outputs: [JSON] = []
        for step in try one.list("steps") {
            let by = try step.text("by")
            switch try step.text("op") {
            case "send":
                guard var peer = peers[by] else { throw Problem.unreadable("\(by) has not begun") }
                turn.clear()
                let content = Bytes(try step.bytes("content"))
                try peer.perform(.send(content), as: ContentID(1), in: &turn)
                let payload = turn.sends.first?.routed.payload ?? turn.openings.first?.payload
                peers[by] = peer
                outputs.append([
                    "payload": payload.map { .hex($0) } ?? .null,
                    "route": (turn.sends.first?.routed.route.id).map { .string($0) } ?? .null,
                ])
            case "receive":
                let payload = Bytes(try step.bytes("payload"))
                outputs.append(try await receive(payload, by, secret, &peers))
            case let other: throw Problem.notApplicable("step \(other)")
            }
        }
        return ["steps": .array(outputs)]
    }

    /// The first payload that the responder gets is the opening of its conversation.
    private static func receive(
        _ payload: Bytes, _ by: String, _ secret: Secret, _ peers: inout [String: PlainConversation]
    ) async throws -> JSON {
        var turn = Step(now: .zero, random: ScriptedDraws())
        var trial = peers[by]
        let before = trial
        let output = try await outcome(unchanged: { trial == before }) {
            if var peer = trial {
                try peer.receive(Routed("a", Route(peer.id.text), payload: payload), in: &turn)
                trial = peer
            } else {
                trial = try PlainConversation(
                    ConversationSeed(
                        type: PlainConversation.type.name, side: .invited(opening: payload), secret: secret), in: &turn)
            }
            for case .content(let received) in turn.events { return ["content": .hex(received.content)] }
            throw Problem.differs("there is no content")
        }
        peers[by] = trial
        return output
    }

    private static func conversationFiles(_ maker: DeterministicValues) async throws -> [VectorFile] {
        var cases: [JSON] = []
        func payload(_ number: UInt64, _ text: String) -> JSON {
            let digits = String(number, radix: 16)
            return .string("0101" + String(repeating: "0", count: 16 - digits.count) + digits + hex([UInt8](text.utf8)))
        }
        func add(_ id: String, _ comment: String, _ steps: [JSON]) {
            let secret = maker.hex(32, "plain_conversation/\(id)")
            cases.append(draft(id, comment, ["secret": secret, "steps": .array(steps)]))
        }
        func send(_ by: String, _ text: String) -> JSON {
            ["op": "send", "by": .string(by), "content": .hex([UInt8](text.utf8))]
        }
        func receive(_ by: String, _ payload: JSON, _ error: String? = nil) -> JSON {
            let step: JSON = ["op": "receive", "by": .string(by), "payload": payload]
            return error.map { refusedStep(step, error: $0) } ?? step
        }
        let opening = payload(0, "hello")
        add(
            "both-ways", "the opening, an answer, and one more",
            [
                send("initiator", "hello"), receive("responder", opening), send("responder", "hi"),
                receive("initiator", payload(0, "hi")), send("initiator", ""), receive("responder", payload(1, "")),
            ])
        add(
            "reordered", "the last of three first",
            [
                receive("responder", opening), receive("responder", payload(3, "3")),
                receive("responder", payload(1, "1")),
                receive("responder", payload(2, "2")),
            ])
        add(
            "repeated", "every number counts once",
            [
                receive("responder", opening), receive("responder", opening, "replay"),
                receive("responder", payload(2, "2")), receive("responder", payload(2, "x"), "replay"),
                receive("responder", payload(1, "1")), receive("responder", payload(1, "1"), "replay"),
            ])
        add(
            "far-ahead", "any number of payloads may be missing",
            [
                receive("responder", opening), receive("responder", payload(1_002, "x")),
                receive("responder", payload(1, "1")), receive("responder", payload(1 << 62, "x")),
                receive("responder", payload(1_003, "2")), receive("responder", payload(500_000, "3")),
                receive("responder", payload(500_000, "3"), "replay"), receive("responder", payload(1_004, "4")),
                receive("responder", payload(1 << 63, "x"), "invalid_header"),
            ])
        add(
            "malformed", "payloads that nobody sends",
            [
                receive("responder", opening), receive("responder", "", "malformed"),
                receive("responder", "010100000000000000", "malformed"),
                receive("responder", "02010000000000000001", "unsupported"),
                receive("responder", "01020000000000000001", "unsupported"),
                receive("responder", payload(.max, "x"), "invalid_header"), receive("responder", payload(1, "1")),
            ])
        return [VectorFile("plain_conversation.json", kind: "plain_conversation", profile: "all", cases: cases)]
    }
}
