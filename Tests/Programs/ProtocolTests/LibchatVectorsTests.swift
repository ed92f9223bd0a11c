import ChatCodec
import ChatModel
import ChatShim
import TestSupport
import Testing

// Whole conversations of the existing implementation, byte for byte, through the shim that drivers use.

/// Draws what a vector names from its script, and ids of payloads, which no vector knows, from elsewhere.
private struct VectorRandom: RandomSource {
    let script: ScriptedRandom
    private var other = RepeatableRandom(seed: 1)

    init(_ script: ScriptedRandom) {
        self.script = script
    }

    mutating func fill(_ bytes: inout MutableSpan<UInt8>, for label: RandomLabel) {
        guard label != RandomLabel(rawValue: "payload_id") else { return other.fill(&bytes, for: label) }
        let script = script
        script.fill(&bytes, for: label)
    }
}

/// A shim and the script that its randomness comes from.
private final class VectorPeer {
    let script = ScriptedRandom([])
    private var shim: Shim

    init(identity: String) async throws {
        let script = script
        shim = Shim { _ in VectorRandom(script) }
        _ = try await ask(["op": "create_identity", "identity_private": .string(identity), "now_ms": 0])
    }

    /// Asks an operation that must succeed.
    func ask(_ fields: JSON) async throws -> JSON {
        guard case .object(var request) = fields else { return .null }
        request["id"] = 1
        let line = await shim.answer(Array(JSON.object(request).description.utf8))
        let answer = try JSON(parsing: line, maximumBytes: 64 << 20)
        try #require(answer["ok"]?.bool == true, "\(answer)")
        return answer
    }

    func restart() async throws {
        let state = try #require(try await ask(["op": "save"])["state"])
        let script = script
        shim = Shim { _ in VectorRandom(script) }
        _ = try await ask(["op": "restore", "state": state])
    }

    func outbound() async throws -> [JSON] { try await ask(["op": "take_outbound"])["payloads"]?.list ?? [] }
    func events() async throws -> [JSON] { try await ask(["op": "take_events"])["events"]?.list ?? [] }

    func receive(_ payload: String) async throws -> JSON {
        try await ask(["op": "receive_payload", "address": "delivery_address", "payload": .string(payload)])
    }
}

@Test(.timeLimit(.minutes(30)))
func `whole conversations agree byte for byte with the suite vectors (INBOX-04, PV1-14)`() async throws {
    guard let file = try Vectors.load("logos/suite.json") else { return }
    let cases = try file.list("cases")
    for one in cases {
        var peers: [String: VectorPeer] = [:]
        for name in try one.at("participants").keys {
            peers[name] = try await VectorPeer(identity: one.at("participants").at(name).text("identity_private"))
        }
        for step in try one.list("steps") {
            let peer = try #require(peers[try step.text("by")], "\(step)")
            try await play(step, by: peer)
        }
    }
    print("vectors: logos/suite.json: \(cases.count) cases")
}

private func play(_ step: Vector, by peer: VectorPeer) async throws {
    if step.has("now_ms") {
        _ = try await peer.ask(["op": "set_time", "now_ms": JSON(try step.number64("now_ms"))])
    }
    for draw in step.has("randomness") ? try step.list("randomness") : [] {
        peer.script.add(RandomLabel(rawValue: try draw.text("label")), try draw.bytes("bytes"))
    }
    switch try step.text("op") {
    case "create_intro":
        let intro = try await peer.ask(["op": "create_intro"])
        #expect(intro["intro"]?.text == (try step.text("intro")), "\(step)")
    case "initiate":
        let fields: JSON = [
            "op": "initiate", "intro": .string(try step.text("intro")), "content": .string(try step.text("content")),
        ]
        #expect(try await peer.ask(fields)["conversation_id"]?.text == (try step.text("conversation_id")), "\(step)")
    case "send_content":
        _ = try await peer.ask([
            "op": "send_content", "conversation_id": .string(try step.text("conversation_id")),
            "content": .string(try step.text("content")),
        ])
    case "receive_payload":
        let outcome = try await peer.receive(try step.text("payload"))
        #expect(outcome["outcome"]?.text == (try step.text("result")), "\(step): \(outcome)")
    case "restart": try await peer.restart()
    case let other: Issue.record("\(step): no op \(other)")
    }
    if step.has("outbound") {
        let expected = try step.list("outbound").map { [try $0.text("address"), try $0.text("payload")] }
        let found = try await peer.outbound().map { [$0["address"]?.text, $0["payload"]?.text] }
        #expect(found == expected, "\(step)")
    }
    if step.has("events") {
        let expected = try step.list("events").map { event in
            try event.keys.map { "\($0)=\(try event.text($0))" }.sorted()
        }
        let found = try await peer.events().map { event in
            (event.members ?? []).map { "\($0.key)=\($0.value.text ?? "")" }.sorted()
        }
        #expect(found == expected, "\(step)")
    }
}

@Test(.timeLimit(.minutes(30)))
func `invites agree byte for byte with the handshake vectors (INBOX-03, INBOX-05, INBOX-13)`() async throws {
    guard let file = try Vectors.load("logos/handshake.json") else { return }
    var count = 0
    for one in try file.list("cases") {
        switch try one.text("operation") {
        case "initiate": try await initiate(one)
        case "open": try await open(one)
        default: continue
        }
        count += 1
    }
    print("vectors: logos/handshake.json: \(count) cases of initiate and open")
}

private func initiate(_ one: Vector) async throws {
    let peer = try await VectorPeer(identity: one.text("identity_private"))
    _ = try await peer.ask(["op": "set_time", "now_ms": JSON(try one.number64("now_ms"))])
    peer.script.add(.handshakeEphemeralPrivate, try one.bytes("handshake_ephemeral_private"))
    peer.script.add(.ratchetPrivate, try one.bytes("ratchet_private"))
    peer.script.add(.nonce, try one.bytes("nonce"))
    let answer = try await peer.ask([
        "op": "initiate", "intro": .string(try one.text("intro")), "content": .string(try one.text("content")),
    ])
    #expect(answer["conversation_id"]?.text == (try one.text("conversation_id")), "\(one)")
    #expect(try await peer.outbound().map { $0["payload"]?.text } == [try one.text("payload")], "\(one)")
}

private func open(_ one: Vector) async throws {
    let peer = try await VectorPeer(identity: one.text("identity_private"))
    for key in try one.texts("ephemeral_privates") {
        peer.script.add(.introEphemeralPrivate, [UInt8](hex: key))
        peer.script.add(.introSignatureZ, [UInt8](repeating: 7, count: 64))
        _ = try await peer.ask(["op": "create_intro"])
    }
    let outcome = try await peer.receive(try one.text("payload"))["outcome"]?.text
    let events = try await peer.events()
    switch try one.text("result") {
    case "valid":
        #expect(outcome == "accepted", "\(one)")
        #expect(events.first?["conversation_id"]?.text == (try one.text("conversation_id")), "\(one)")
        #expect(events.first?["remote_installation_key"]?.text == (try one.text("remote_installation_key")), "\(one)")
        #expect(events.last?["content"]?.text == (try one.text("content")), "\(one)")
    case "ignored":
        #expect(outcome == "ignored" && events.isEmpty, "\(one)")
    case "invalid", "unsupported":
        #expect(outcome == "rejected" && events.isEmpty, "\(one)")
    default: break  // no document settles it; that nothing crashed is the test
    }
}
