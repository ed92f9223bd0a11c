import ChatCodec
import ChatModel
import ChatReliability

// Kind `sds`: messages, and what participants make of them.
extension Kind {
    static let sds = Kind(
        name: "sds",
        run: operations(["roundtrip": roundtrip, "decode": decode, "message_id": messageID, "transcript": transcript]),
        files: sdsFiles, optional: ["view"], normal: ["view": sortedView])

    private static func messageID(_ one: Case) async throws -> JSON {
        guard let lamport = Int32(exactly: try one.int("lamport")) else { throw Problem.unreadable("lamport") }
        let id = SDSMessage.libchatID(
            channel: try one.text("channel"), sender: try one.text("sender"), lamport: lamport,
            content: Bytes(try one.bytes("content")))
        return ["message_id": .string(id?.text ?? "")]
    }

    /// Lists whose order nobody sees are sorted.
    @Sendable private static func sortedView(_ view: JSON) -> JSON {
        let buffered = (view["buffered"]?.list ?? []).compactMap(\.text).sorted()
        return view.adding(["buffered": .texts(buffered)])
    }

    /// One participant, without Bloom filter and repair.
    private struct Participant {
        var channel: SDSChannel
        /// What is known of own messages, in the order in which they were sent.
        var outgoing: [String: String] = [:]

        init(_ name: String, _ one: Case, count: Int) throws {
            var settings = SDSSettings()
            settings.historyLength = Int(try one.number("causal_history_length", UInt16.self))
            (settings.filter, settings.repair, settings.frontierLength) = (nil, nil, 0)
            channel = SDSChannel(
                try identifier(name), channel: try identifier(one.text("channel")), settings: settings, now: .zero,
                lamport: try one.uint64("initial_lamport"))
            channel.participants = count
        }

        var view: JSON {
            [
                "lamport": JSON(channel.lamport),
                "log": .array(
                    channel.order.map { ["lamport": JSON($0.lamport), "message_id": .string($0.id.text)] }),
                "buffered": .texts(channel.waiting.map(\.text)),
                "outgoing": .object(
                    outgoing.sorted { $0.key < $1.key }.reduce(into: JSON.Object()) { $0[$1.key] = .string($1.value) }),
            ]
        }

        mutating func note(_ step: SDSStep) -> [String] {
            var delivered: [String] = []
            for event in step.events {
                switch event {
                case .delivered(let delivery): delivered.append(delivery.id.text)
                case .acknowledged(let id): outgoing[id.text] = "acknowledged"
                default: continue
                }
            }
            return delivered
        }
    }

    private static func transcript(_ one: Case) async throws -> JSON {
        let names = try one.texts("participants")
        var peers: [String: Participant] = [:]
        for name in names { peers[name] = try Participant(name, one, count: names.count) }
        var (outputs, now): ([JSON], UInt64) = ([], 0)
        for step in try one.list("steps") {
            let name = try step.text("by")
            guard var peer = peers[name] else { throw Problem.unreadable("there is no participant \(name)") }
            if step.has("now_ms") { now = try step.uint64("now_ms") }
            let before = peer.view
            var trial = peer
            var turn = SDSStep(now: Timestamp(milliseconds: now))
            var output: JSON
            switch try step.text("op") {
            case "send":
                let id = try step.text("message_id")
                try trial.channel.send(Bytes(try step.bytes("content")), id: identifier(id), in: &turn)
                trial.outgoing[id] = "unacknowledged"
                output = ["message": turn.broadcasts.first.map { .hex($0.bytes) } ?? .null]
            case "receive":
                let message = Bytes(try step.bytes("message"))
                output = try await outcome(unchanged: { trial.view == before }) {
                    try trial.channel.receive(message, in: &turn)
                    return ["delivers": .texts(trial.note(turn))]
                }
            case let other: throw Problem.notApplicable("step \(other)")
            }
            peer = trial
            peers[name] = peer
            outputs.append(output.adding(["view": peer.view]))
        }
        return ["steps": .array(outputs)]
    }

    private static func sdsFiles(_ maker: DeterministicValues) async throws -> [VectorFile] {
        var cases: [JSON] = []
        func message(_ id: String, _ comment: String, _ layout: String, _ fields: JSON) {
            cases.append(draft(id, comment, ["operation": "roundtrip", "message": .string(layout), "fields": fields]))
        }
        let content = maker.hex(20, "sds/content")
        message(
            "message", "a message of the document", "SdsMessage",
            [
                "sender_id": "saro", "message_id": "a1", "channel_id": "c", "lamport_timestamp": 1_700_000_000_000,
                "causal_history": [
                    ["message_id": "a0"], ["message_id": "b0", "retrieval_hint": "cafe", "sender_id": "raya"],
                ], "bloom_filter": "00ff", "repair_request": [["message_id": "x", "sender_id": "pax"]],
                "content": content,
            ])
        message(
            "sync", "a sync message has no content (SDS-12)", "SdsMessage",
            ["sender_id": "saro", "message_id": "s", "channel_id": "c", "lamport_timestamp": 7])
        message(
            "ephemeral", "an ephemeral message has no time (SDS-14)", "SdsMessage",
            ["sender_id": "saro", "message_id": "e", "channel_id": "c", "content": content])
        message(
            "presence", "optional fields that are there and empty", "SdsMessage",
            ["message_id": "p", "lamport_timestamp": 0, "bloom_filter": "", "content": ""])
        message(
            "reliable-payload", "the layout of chat_proto", "ReliablePayload",
            [
                "message_id": "m", "channel_id": "c", "sender_id": "saro", "lamport_timestamp": 7,
                "causal_history": [["message_id": "a0", "sender_id": "raya"]], "content": content,
            ])
        for (id, comment, bytes) in [
            ("cut", "a field goes beyond the end", "0a0573"), ("not-utf8", "an id that is not UTF-8", "1202c328"),
        ] {
            cases.append(
                draft(
                    "bad-\(id)", comment, ["operation": "decode", "message": "SdsMessage", "bytes": .string(bytes)],
                    error: "malformed"))
        }
        for (number, lamport) in [1, 0, -1, 2_147_483_647].enumerated() {
            cases.append(
                draft(
                    "message-id-\(number)", "the id of libchat's groups",
                    [
                        "operation": "message_id", "channel": "c", "sender": "alice", "lamport": JSON(lamport),
                        "content": number == 0 ? "31" : content,
                    ]))
        }
        let scripts: [(String, String, [(String, String)])] = [
            (
                "in-order", "two participants, everything arrives",
                [("saro", "a1"), ("raya", ">a1"), ("raya", "b1"), ("saro", ">b1"), ("saro", "a2"), ("raya", ">a2")]
            ),
            (
                "reordered", "a message waits for its causal past (SDS-07)",
                [("saro", "a1"), ("saro", "a2"), ("saro", "a3"), ("raya", ">a3"), ("raya", ">a2"), ("raya", ">a1")]
            ),
            (
                "lost-and-repeated", "one is lost at first, one comes twice, own ones are ignored (SDS-06)",
                [
                    ("saro", "a1"), ("saro", "a2"), ("raya", ">a2"), ("raya", ">a2"), ("saro", ">a1"), ("raya", ">a1"),
                    ("raya", ">a1"),
                ]
            ),
            (
                "acknowledged", "what a causal history names is acknowledged (SDS-09)",
                [
                    ("saro", "a1"), ("saro", "a2"), ("raya", ">a1"), ("raya", "b1"), ("saro", ">b1"), ("raya", ">a2"),
                    ("raya", "b2"), ("saro", ">b2"),
                ]
            ),
            (
                "concurrent", "equal times are ordered by id (SDS-08)",
                [("raya", "b1"), ("saro", "a1"), ("saro", ">b1"), ("raya", ">a1")]
            ),
        ]
        for (id, comment, moves) in scripts { cases.append(try await script(id, comment, moves, bad: nil)) }
        cases.append(
            try await script(
                "malformed", "bytes that are no message change nothing",
                [("saro", "a1"), ("raya", "!0a0573"), ("raya", ">a1")], bad: "malformed"))
        return [VectorFile("sds.json", kind: "sds", profile: "libchat and reference", cases: cases)]
    }

    /// A transcript out of moves: an id is sent, `>id` is received, and `!bytes` is to be refused.
    private static func script(
        _ id: String, _ comment: String, _ moves: [(String, String)], bad: String?
    ) async throws -> JSON {
        let head: JSON = [
            "operation": "transcript", "channel": "channel", "causal_history_length": 2,
            "participants": ["saro", "raya"], "initial_lamport": 0,
        ]
        var (steps, sent): ([JSON], [String: JSON]) = ([], [:])
        for (number, (by, move)) in moves.enumerated() {
            let now = JSON(id == "concurrent" ? 1_000 : 1_000 + number)
            if move.hasPrefix(">") {
                steps.append(["op": "receive", "by": .string(by), "message": sent[String(move.dropFirst())] ?? .null])
            } else if move.hasPrefix("!") {
                let step: JSON = ["op": "receive", "by": .string(by), "message": .string(String(move.dropFirst()))]
                steps.append(refusedStep(step, error: bad ?? ""))
            } else {
                steps.append([
                    "op": "send", "by": .string(by), "now_ms": now, "message_id": .string(move),
                    "content": .hex([UInt8](move.utf8)),
                ])
                let played = try await transcript(Case(json: head.adding(["steps": .array(steps)])))
                sent[move] = played["steps"]?.list?.last?["message"]
            }
        }
        return draft(id, comment, head.adding(["steps": .array(steps)]))
    }
}
