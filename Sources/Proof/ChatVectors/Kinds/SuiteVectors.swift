import ChatCodec
import ChatModel

// Kind `suite`: whole conversations of profile libchat, from a bundle to the last message.
extension Kind {
    static let suite = Kind(
        name: "suite", run: playSuite, files: suiteFiles, optional: ["outbound", "events"])

    private static func playSuite(_ one: Case) async throws -> JSON {
        var (peers, participants): ([String: ShimPeer], JSON) = ([:], [:])
        for member in try one.at("participants").json.members ?? [] {
            let given = Case(json: member.value)
            var peer = try await ShimPeer(identity: given.text("identity_private"))
            let about = try await peer.ask(["op": "restore", "state": .string(try await peer.state())])
            participants = participants.adding([
                member.key: given.json.adding([
                    "installation_key": about["installation_key"] ?? .null, "inbox_id": about["inbox_id"] ?? .null,
                ])
            ])
            peers[member.key] = peer
        }
        var outputs: [JSON] = []
        for step in try one.list("steps") {
            let name = try step.text("by")
            guard var peer = peers[name] else { throw Problem.unreadable("there is no participant \(name)") }
            outputs.append(try await play(step, &peer))
            peers[name] = peer
        }
        return ["participants": participants, "steps": .array(outputs)]
    }

    private static func play(_ step: Case, _ peer: inout ShimPeer) async throws -> JSON {
        try await peer.setTime(of: step)
        peer.draws.add(try ScriptedDraws(step))
        var output: JSON
        switch try step.text("op") {
        case "create_intro":
            output = ["intro": try await peer.ask(["op": "create_intro"])["intro"] ?? .null]
        case "initiate":
            let fields: JSON = [
                "op": "initiate", "intro": .string(try step.text("intro")),
                "content": .string(try step.text("content")),
            ]
            output = ["conversation_id": try await peer.ask(fields)["conversation_id"] ?? .null]
        case "send_content":
            let fields = ["op": "send_content", "conversation_id": .string(try step.text("conversation_id"))] as JSON
            try await peer.ask(fields.adding(["content": .string(try step.text("content"))]))
            output = [:]
        case "receive_payload":
            let address = step.has("address") ? try step.text("address") : "delivery_address"
            let payload = try step.text("payload")
            output = try await peer.attempt { peer in
                ["result": .string(try await peer.receive(payload, at: address))]
            }
            if output["error"] != nil { output = output.adding(["result": "rejected"]) }
        case "restart":
            try await peer.restart()
            output = [:]
        case let other: throw Problem.notApplicable("step \(other)")
        }
        if step.result == "valid" || step.result == "accepted" { try peer.draws.finish() }
        return output.adding([
            "outbound": .array(try await peer.takeOutbound()), "events": .array(try await peer.takeEvents()),
        ])
    }
}

// Making them: a script of who does what, played once to learn links, ids and payloads.
extension Kind {
    private enum Act {
        case introduce, initiate, restart
        case send(String, String)
        case receive(String, Int, error: String? = nil, flip: Int? = nil)
    }

    private static func suiteFiles(_ maker: DeterministicValues) async throws -> [VectorFile] {
        let scripts: [(String, String, [Act])] = [
            (
                "hello", "bundle, invite, answer",
                [.introduce, .initiate, .receive("raya", 0), .send("raya", "hi"), .receive("saro", 1)]
            ),
            (
                "out-of-order", "three messages, the last first",
                [
                    .introduce, .initiate, .receive("raya", 0), .send("saro", "1"), .send("saro", "2"),
                    .send("saro", "3"), .receive("raya", 3), .receive("raya", 1), .receive("raya", 2),
                ]
            ),
            (
                "early", "a message that overtakes its invite belongs to nobody yet",
                [
                    .introduce, .initiate, .send("saro", "early"), .receive("raya", 1), .receive("raya", 0),
                    .receive("raya", 1),
                ]
            ),
            (
                "replayed", "invite and message again, tampered messages, and one for somebody else",
                [
                    .introduce, .initiate, .receive("raya", 0), .receive("raya", 0, error: "unknown_ephemeral_key"),
                    .send("saro", "once"), .receive("raya", 1, error: "authentication_failed", flip: -1),
                    .receive("raya", 1), .receive("raya", 1, error: "replay"), .receive("saro", 1),
                ]
            ),
            (
                "restarted", "both are restarted between all steps",
                [
                    .introduce, .restart, .initiate, .restart, .receive("raya", 0), .restart,
                    .send("raya", "still here"), .restart, .receive("saro", 1), .restart, .send("saro", "me too"),
                    .restart, .receive("raya", 2),
                ]
            ),
        ]
        var cases: [JSON] = []
        for (id, comment, acts) in scripts {
            cases.append(draft(id, comment, try await play(acts, maker, "suite/\(id)")))
        }
        return [VectorFile("suite.json", kind: "suite", profile: "libchat", cases: cases)]
    }

    private static func play(_ acts: [Act], _ maker: DeterministicValues, _ name: String) async throws -> JSON {
        let keys = ["saro": maker.hex(32, "\(name)/saro"), "raya": maker.hex(32, "\(name)/raya")]
        var peers: [String: ShimPeer] = [:]
        for (peer, key) in keys { peers[peer] = try await ShimPeer(identity: key.text ?? "") }
        var (steps, sent, intro, ids): ([JSON], [JSON], JSON, [String: JSON]) = ([], [], .null, [:])
        // Who has received since it last sent has to draw a ratchet key; the initiator's first is drawn with the invite.
        var mustTurn: Set<String> = []
        for (number, act) in acts.enumerated() {
            func value(_ label: String, _ count: Int) -> JSON {
                ["label": .string(label), "bytes": maker.hex(count, "\(name)/\(number)/\(label)")]
            }
            var (by, step): (String, JSON)
            switch act {
            case .introduce:
                (by, step) = ("raya", ["op": "create_intro"])
                step = step.adding([
                    "randomness": [value("intro_ephemeral_private", 32), value("intro_signature_z", 64)]
                ])
            case .initiate:
                (by, step) = ("saro", ["op": "initiate", "intro": intro, "content": .hex([UInt8]("hello".utf8))])
                step = step.adding([
                    "randomness": [
                        value("handshake_ephemeral_private", 32), value("ratchet_private", 32), value("nonce", 12),
                    ]
                ])
            case .send(let sender, let text):
                by = sender
                step = ["op": "send_content", "conversation_id": ids[by] ?? .null, "content": .hex([UInt8](text.utf8))]
                let turn = mustTurn.remove(by) != nil ? [value("ratchet_private", 32)] : []
                step = step.adding(["randomness": .array(turn + [value("nonce", 12)])])
            case .receive(let receiver, let index, let error, let flip):
                by = receiver
                var bytes = try Case(json: sent[index]).bytes("payload")
                if let flip { bytes = flipped(bytes, at: flip) }
                step = ["op": "receive_payload", "payload": .hex(bytes)]
                if let error { step = step.adding(["result": "rejected", "error": .string(error)]) }
            case .restart: (by, step) = (number % 4 < 2 ? "saro" : "raya", ["op": "restart"])
            }
            step =
                (["op": step["op"] ?? .null, "by": .string(by), "now_ms": JSON(1_700_000_000_000 + 1_000 * number)]
                as JSON)
                .adding(step)
            guard var peer = peers[by] else { continue }
            let output = try await play(Case(json: step), &peer)
            peers[by] = peer
            if let link = output["intro"] { intro = link }
            sent += output["outbound"]?.list ?? []
            for event in output["events"]?.list ?? [] where event["type"] == "conversation_started" {
                ids[by] = event["conversation_id"]
            }
            if let id = output["conversation_id"], case .initiate = act { ids[by] = id }
            if case .receive = act, output["events"]?.list?.isEmpty == false { mustTurn.insert(by) }
            steps.append(step)
        }
        return [
            "participants": .object(
                ["saro", "raya"].reduce(into: JSON.Object()) { object, peer in
                    object[peer] = ["identity_private": keys[peer] ?? .null]
                }),
            "steps": .array(steps),
        ]
    }
}
