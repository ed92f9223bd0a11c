import ChatCodec
import ChatCrypto
import ChatDiscovery
import ChatInitialization
import ChatModel
import LogosFormats

// Kind `sealed_invite`: invites of profile reference.
extension Kind {
    static let sealedInvite = Kind(
        name: "sealed_invite", run: operations(["seal": sealInvite, "open": openSealed]), files: sealedFiles)

    private static func sealInvite(_ one: Case) async throws -> JSON {
        let draws = ScriptedDraws([
            ("handshake_ephemeral_private", try one.bytes("handshake_ephemeral_private")),
            ("nonce", try one.bytes("nonce")),
        ])
        var step = Step(now: .zero, random: draws)
        var inbox = try InboxV1(identity: one.keyPair("identity_private"))
        let bundle = try IntroLink(one.text("intro")).bundle
        let type = ConversationType(try one.text("conversation_type"))
        guard let seed = try inbox.begin(type, with: bundle, as: ContactID(1), in: &step) else {
            throw Problem.differs("there is no seed")
        }
        try inbox.invite(ContactID(1), opening: Bytes(try one.bytes("opening")), for: nil, in: &step)
        try draws.finish()
        let routed = step.sends[0].routed
        return [
            "seed_key": seed.secret.map { .hex($0) } ?? .null, "address": .string(routed.address.text),
            "route": .string(routed.route.id), "payload": .hex(routed.payload),
        ]
    }

    private static func openSealed(_ one: Case) async throws -> JSON {
        let keys = try one.byteLists("ephemeral_privates")
        let z = [UInt8](repeating: 7, count: 64)  // of signatures that nobody sees
        var step = Step(
            now: .zero,
            random: ScriptedDraws(keys.flatMap { [("intro_ephemeral_private", $0), ("intro_signature_z", z)] }))
        var inbox = try InboxV1(identity: one.keyPair("identity_private"))
        _ = try inbox.introduce(keys.count, in: &step)
        _ = inbox.takeChanges()
        let (listening, payload) = (inbox.listening[0], Bytes(try one.bytes("payload")))
        let routed = Routed(listening.address, listening.route, payload: payload)
        if one.has("is_repeated"), try one.bool("is_repeated") { try inbox.receive(routed, in: &step) }
        step.clear()
        _ = inbox.takeChanges()
        do { try inbox.receive(routed, in: &step) } catch {
            guard inbox.takeChanges().isEmpty, step.seeds.isEmpty else {
                throw Problem.differs("a refusal changed the state")
            }
            throw error
        }
        let seed = step.seeds[0]
        return [
            "conversation_type": .string(seed.type.name), "opening": seed.opening.map { .hex($0) } ?? .null,
            "seed_key": seed.secret.map { .hex($0) } ?? .null,
            "remote_installation_key": .string(seed.peers.first?.description ?? ""),
        ]
    }

    private static func sealedFiles(_ maker: DeterministicValues) async throws -> [VectorFile] {
        var cases: [JSON] = []
        var (first, last): (JSON, JSON) = ([:], [:])
        let openings = ["plain": "hello", "private-v1": "", "x": String(repeating: "o", count: 300)]
        for (number, (type, opening)) in openings.sorted(by: { $0.key < $1.key }).enumerated() {
            let name = "sealed_invite/\(number)"
            let (raya, prekey) = (try maker.keyPair("\(name)/responder"), try maker.keyPair("\(name)/prekey"))
            let seal: JSON = [
                "operation": "seal", "identity_private": maker.hex(32, "\(name)/initiator"),
                "intro": .string(link(try bundle(raya, prekey, z: maker.bytes(64, "\(name)/z")))),
                "handshake_ephemeral_private": maker.hex(32, "\(name)/ephemeral"),
                "nonce": maker.hex(12, "\(name)/nonce"),
                "conversation_type": .string(type), "opening": .hex([UInt8](opening.utf8)),
            ]
            if number == 0 { first = seal }
            cases.append(draft("seal-\(number)", "an invite to a conversation of type \(type) (IBX-3, IBX-4)", seal))
            last = [
                "operation": "open", "identity_private": .hex(raya.secret),
                "ephemeral_privates": [.hex(prekey.secret)],
                "payload": try await sealInvite(Case(json: seal))["payload"] ?? .null,
            ]
            cases.append(draft("open-\(number)", "the same invite at its recipient", last))
        }
        func add(_ id: String, _ comment: String, _ fields: JSON, error: String) {
            cases.append(draft(id, comment, last.adding(fields), error: error))
        }
        let raya = try maker.keyPair("sealed_invite/0/responder")
        for (name, prekey) in [
            ("bit-255", BadKeys.withTopBit(try maker.keyPair("sealed_invite/0/prekey").publicKey.bytes)),
            ("above-field", BadKeys.baseAboveField), ("low-order", BadKeys.lowOrder[2].bytes),
        ] {
            let bundle = try bundle(raya, PublicKey(prekey), z: maker.bytes(64, "sealed_invite/0/z"))
            cases.append(
                draft(
                    "seal-prekey-\(name)", "a link whose single-use key nobody may agree with (CRY-1, CRY-8)",
                    first.adding(["intro": .string(link(bundle))]), error: "weak_key"))
        }
        guard case .inboxHandshake(let good) = try EncryptedPayload(decoding: Bytes(Case(json: last).bytes("payload")))
        else { return [] }
        func changed(_ change: (inout InboxHandshakeV1) -> Void) -> JSON {
            var handshake = good
            change(&handshake)
            return ["payload": .hex(EncryptedPayload.inboxHandshake(handshake).encoded())]
        }
        let zeros = Bytes([UInt8](repeating: 0, count: 32))
        add("repeated", "an invite is good once (INBOX-05)", ["is_repeated": true], error: "replay")
        add(
            "unknown-key", "no outstanding key has this name", ["ephemeral_privates": []],
            error: "unknown_ephemeral_key")
        add(
            "another-identity", "at somebody else who has the same single-use key",
            ["identity_private": maker.hex(32, "sealed_invite/stranger")], error: "authentication_failed")
        add(
            "tampered-identity", "one bit of the sealed identity flipped",
            changed { $0.header?.initiatorStatic = Bytes(flipped(good.header?.initiatorStatic.array ?? [], at: 5)) },
            error: "authentication_failed")
        add(
            "tampered-frame", "one bit of the sealed frame flipped",
            changed { $0.payload = Bytes(flipped($0.payload.array, at: -1)) }, error: "authentication_failed")
        add(
            "short-frame", "no room for nonce and tag", changed { $0.payload = $0.payload.slice(0..<27) },
            error: "malformed")
        add(
            "weak-key", "a key of small order (INBOX-13)", changed { $0.header?.initiatorEphemeral = zeros },
            error: "weak_key")
        for (name, key) in BadKeys.lowOrder.dropFirst() {
            add(
                "low-order-\(name)", "another key of small order (INBOX-13)",
                changed { $0.header?.initiatorEphemeral = Bytes(key) }, error: "weak_key")
        }
        add(
            "ephemeral-bit-255", "another spelling of the ephemeral key (CRY-8)",
            changed {
                let key = $0.header?.initiatorEphemeral.array ?? []
                $0.header?.initiatorEphemeral = Bytes(BadKeys.withTopBit(key))
            }, error: "weak_key")
        add(
            "ephemeral-above-field", "9 + p, which X25519 takes for 9 (CRY-8)",
            changed { $0.header?.initiatorEphemeral = Bytes(BadKeys.baseAboveField) }, error: "weak_key")
        add(
            "named-recipient", "field 3 is absent here (IBX-3)", changed { $0.header?.responderStatic = zeros },
            error: "malformed")
        add(
            "identity-in-clear", "an identity that is not sealed", changed { $0.header?.initiatorStatic = zeros },
            error: "malformed")
        add("no-header", "a handshake without header", changed { $0.header = nil }, error: "malformed")
        add(
            "not-an-invite", "an inbox takes invites alone (INBOX-08)", ["payload": "0a070a0568656c6c6f"],
            error: "unsupported")
        add("no-proto3", "bytes that are no message", ["payload": "ff"], error: "malformed")
        return [VectorFile("sealed_invite.json", kind: "sealed_invite", profile: "reference", cases: cases)]
    }
}
