import ChatCodec
import ChatCrypto
import ChatInitialization
import ChatModel
import LogosFormats

// Kind `handshake`: invites of profile libchat.
extension Kind {
    static let handshake = Kind(
        name: "handshake", run: operations(["agree": agree, "initiate": initiate, "open": openHandshake]),
        files: handshakeFiles)

    private static func agree(_ one: Case) async throws -> JSON {
        let (saro, fresh) = (
            try one.keyPair("initiator_identity_private"), try one.keyPair("initiator_ephemeral_private")
        )
        let (raya, prekey) = (
            try one.keyPair("responder_identity_private"), try one.keyPair("responder_prekey_private")
        )
        let shares = try [
            X25519.agree(saro.secret, prekey.publicKey), X25519.agree(fresh.secret, raya.publicKey),
            X25519.agree(fresh.secret, prekey.publicKey),
        ]
        let input = Secret.joining(shares)
        let zeros = [UInt8](repeating: 0, count: 32)
        let ours = try KeyAgreement.Initiator(ephemeral: fresh, invited: raya.publicKey, prekey: prekey.publicKey)
            .finish(identity: saro).seed
        let theirs = try KeyAgreement.Responder(identity: raya, prekey: prekey, ephemeral: fresh.publicKey)
            .finish(inviter: saro.publicKey).seed
        guard ours == theirs else { throw Problem.differs("the two sides' seeds") }
        let ids = roleIDs(ours, size: 18)
        return [
            "initiator_identity_public": .hex(saro.publicKey.bytes),
            "initiator_ephemeral_public": .hex(fresh.publicKey.bytes),
            "responder_identity_public": .hex(raya.publicKey.bytes),
            "responder_prekey_public": .hex(prekey.publicKey.bytes), "dh1": .hex(shares[0]), "dh2": .hex(shares[1]),
            "dh3": .hex(shares[2]), "hkdf_prk": .hex(input.lend { HKDF.sha256.extract($0, salt: zeros.span) }),
            "shared_secret": .hex(try HKDF.sha256.derive(input, info: "logos_chat_inbox", count: 32)),
            "seed_key": .hex(ours), "base_conversation_id": ids["base"] ?? .null,
            "initiator_conversation_id": ids["initiator"] ?? .null,
            "responder_conversation_id": ids["responder"] ?? .null,
        ]
    }

    private static func initiate(_ one: Case) async throws -> JSON {
        var saro = try await ShimPeer(identity: one.text("identity_private"))
        try await saro.setTime(of: one)
        let labels = ["handshake_ephemeral_private", "ratchet_private", "nonce"]
        saro.draws.add(
            ScriptedDraws(try labels.compactMap { label in try one.optionalBytes(label).map { (label, $0) } }))
        let answer = try await saro.ask([
            "op": "initiate", "intro": .string(try one.text("intro")), "content": .string(try one.text("content")),
        ])
        try saro.draws.finish()
        let sent = try await saro.takeOutbound()
        guard sent.count == 1 else { throw Problem.differs("\(sent.count) payloads are sent") }
        return ["conversation_id": answer["conversation_id"] ?? .null, "payload": sent[0]["payload"] ?? .null]
    }

    private static func openHandshake(_ one: Case) async throws -> JSON {
        var raya = try await ShimPeer(identity: one.text("identity_private"))
        for key in try one.byteLists("ephemeral_privates") {
            let z = [UInt8](repeating: 7, count: 64)  // of signatures that nobody sees
            raya.draws.add(ScriptedDraws([("intro_ephemeral_private", key), ("intro_signature_z", z)]))
            try await raya.ask(["op": "create_intro"])
        }
        let payload = try one.text("payload")
        var outcome = ""
        let refusal = try await raya.attempt { raya in
            outcome = try await raya.receive(payload)
            return [:]
        }
        if refusal["error"] != nil { return refusal }
        let events = try await raya.takeEvents()
        guard outcome == "accepted" else {
            guard events.isEmpty else { throw Problem.differs("something happened that is not ours") }
            return ["result": "ignored"]
        }
        guard events.count == 2 else { throw Problem.differs("\(events.count) events instead of two") }
        let local = events[0]["conversation_id"]?.text ?? ""
        return [
            "conversation_id": .string(local), "remote_conversation_id": try await remoteID(of: local, at: raya),
            "remote_installation_key": events[0]["remote_installation_key"] ?? .null,
            "content": events[1]["content"] ?? .null,
        ]
    }

    /// What an answer would carry as hint.
    private static func remoteID(of conversation: String, at peer: ShimPeer) async throws -> JSON {
        var peer = peer
        let key = [UInt8](repeating: 9, count: 32)
        peer.draws.add(ScriptedDraws([("ratchet_private", key), ("nonce", [UInt8](repeating: 0, count: 12))]))
        try await peer.ask(["op": "send_content", "conversation_id": .string(conversation), "content": ""])
        let bytes = Bytes(try Case(json: try await peer.takeOutbound().first ?? .null).bytes("payload"))
        var reader = ProtoReader(bytes.span)
        while let field = try reader.next() {
            if field == 1 { return .string(try reader.string(limit: Route.maximumID)) }
        }
        return .null
    }
}

// Making them.
extension Kind {
    private static func handshakeFiles(_ maker: DeterministicValues) async throws -> [VectorFile] {
        var cases: [JSON] = []
        for number in 0..<3 {
            let keys = ["initiator_identity", "initiator_ephemeral", "responder_identity", "responder_prekey"]
            let inputs = keys.reduce(["operation": "agree"] as JSON) { fields, key in
                fields.adding(["\(key)_private": maker.hex(32, "handshake/agree/\(number)/\(key)")])
            }
            cases.append(draft("agree-\(number)", "X3DH, and what it gives (3.6)", inputs))
        }
        for (number, content) in ["", "hello", String(repeating: "long ", count: 100)].enumerated() {
            let (initiate, open) = try await invite(maker, "\(number)", content)
            cases += [draft("initiate-\(number)", "an invite with \(content.utf8.count) bytes of content", initiate)]
            cases += [draft("open-\(number)", "the same invite at its recipient", open)]
        }
        let (_, open) = try await invite(maker, "bad", "hello")
        let stranger = try maker.keyPair("handshake/stranger")
        func add(_ id: String, _ comment: String, error: String? = nil, _ change: (inout Invite) throws -> Void) throws
        {
            var invite = try Invite(Case(json: open).bytes("payload"))
            try change(&invite)
            cases.append(draft(id, comment, open.adding(["payload": .hex(invite.encoded)]), error: error))
        }
        try add("another-recipient", "responder_static is not looked at (3.7)") { invite in
            invite.header.responderStatic = Bytes(stranger.publicKey.bytes)
        }
        try add("no-recipient", "nor whether there is one") { $0.header.responderStatic = [] }
        try add("another-type", "the discriminator is not looked at (3.7)") { $0.discriminator = "another" }
        try add("no-type", "nor whether there is one") { $0.discriminator = "" }
        try add("unknown-key", "a key that is not outstanding (INBOX-05)", error: "unknown_ephemeral_key") { invite in
            invite.header.responderEphemeral = Bytes(stranger.publicKey.bytes)
        }
        try add("another-sender", "the opening does not fit another sender's key", error: "authentication_failed") {
            $0.header.initiatorStatic = Bytes(stranger.publicKey.bytes)
        }
        try add("weak-ephemeral", "a key of small order (INBOX-13)", error: "weak_key") { invite in
            invite.header.initiatorEphemeral = Bytes([UInt8](repeating: 0, count: 32))
        }
        for (name, key) in BadKeys.lowOrder.dropFirst() {
            try add("low-order-ephemeral-\(name)", "another key of small order (INBOX-13)", error: "weak_key") {
                $0.header.initiatorEphemeral = Bytes(key)
            }
            try add("low-order-identity-\(name)", "an identity of small order (INBOX-13)", error: "weak_key") {
                $0.header.initiatorStatic = Bytes(key)
            }
        }
        try add("ephemeral-bit-255", "another spelling of the ephemeral key (CRY-8)", error: "weak_key") { invite in
            invite.header.initiatorEphemeral = Bytes(BadKeys.withTopBit(invite.header.initiatorEphemeral.array))
        }
        try add("identity-bit-255", "another spelling of the identity (CRY-8)", error: "weak_key") { invite in
            invite.header.initiatorStatic = Bytes(BadKeys.withTopBit(invite.header.initiatorStatic.array))
        }
        try add("ephemeral-above-field", "9 + p, which X25519 takes for 9 (CRY-8)", error: "weak_key") { invite in
            invite.header.initiatorEphemeral = Bytes(BadKeys.baseAboveField)
        }
        try add("short-ephemeral", "31 bytes of key", error: "malformed") { invite in
            invite.header.initiatorEphemeral = invite.header.initiatorEphemeral.slice(0..<31)
        }
        try add("no-header", "a handshake without header", error: "malformed") { $0.hasHeader = false }
        try add("tampered", "one bit of the opening's tag flipped", error: "authentication_failed") { invite in
            invite.opening = Bytes(flipped(invite.opening.array, at: -1))
        }
        try add("no-opening", "an invite without opening", error: "malformed") { $0.frame = [0x0a, 0x00] }
        try add("empty-frame", "a frame of no kind", error: "malformed") { $0.frame = [] }
        try add("another-kind", "an invite of a kind that is not known (INIT-04)", error: "unsupported") { invite in
            invite.frame = [0x7a, 0x00]
        }
        try add("not-an-invite", "an inbox takes invites alone (INBOX-08)", error: "unsupported") { invite in
            invite.payload = .plaintext(Bytes("hello"))
        }
        let other = open.adding(["identity_private": .hex(stranger.secret)])
        cases.append(draft("somebody-elses", "not our inbox (ENV-03)", other.adding(["result": "ignored"])))
        let used = open.adding(["ephemeral_privates": []])
        cases.append(draft("used-key", "its key is used up (INBOX-05)", used, error: "unknown_ephemeral_key"))
        return [VectorFile("handshake.json", kind: "handshake", profile: "libchat", cases: cases)]
    }

    /// The inputs of `initiate`, and those of `open` with the payload that it gives.
    private static func invite(_ maker: DeterministicValues, _ name: String, _ content: String) async throws -> (
        JSON, JSON
    ) {
        let name = "handshake/\(name)"
        let (raya, prekey) = (try maker.keyPair("\(name)/responder"), try maker.keyPair("\(name)/prekey"))
        let initiate: JSON = [
            "operation": "initiate", "identity_private": maker.hex(32, "\(name)/initiator"),
            "intro": .string(link(try bundle(raya, prekey, z: maker.bytes(64, "\(name)/z")))),
            "handshake_ephemeral_private": maker.hex(32, "\(name)/ephemeral"),
            "ratchet_private": maker.hex(32, "\(name)/ratchet"), "nonce": maker.hex(12, "\(name)/nonce"),
            "now_ms": 1_700_000_000_000, "content": .hex([UInt8](content.utf8)),
        ]
        let payload = try await Self.initiate(Case(json: initiate))["payload"] ?? .null
        let open: JSON = [
            "operation": "open", "identity_private": .hex(raya.secret),
            "ephemeral_privates": [.hex(prekey.secret)], "payload": payload,
        ]
        return (initiate, open)
    }

    /// An invite of profile libchat, taken apart to be changed.
    private struct Invite {
        var route: String
        var header: InboxHandshakeV1.Header
        var hasHeader = true
        var discriminator: String
        var opening: Bytes
        var frame: Bytes?
        var payload: EncryptedPayload?

        init(_ envelope: [UInt8]) throws {
            var (hint, inner) = ("", Bytes())
            let bytes = Bytes(envelope)
            var reader = ProtoReader(bytes.span)
            while let field = try reader.next() {
                if field == 1 { hint = try reader.string(limit: Route.maximumID) }
                if field == 5 { inner = bytes.slice(try reader.range()) }
            }
            guard case .inboxHandshake(let handshake) = try EncryptedPayload(decoding: inner),
                let header = handshake.header, let frame = try InboxFrame.decode(handshake.payload)
            else { throw Problem.unreadable("no invite") }
            (route, self.header) = (hint, header)
            (discriminator, opening) = (frame.discriminator, frame.initialMessage)
        }

        var encoded: Bytes {
            let frame = frame ?? InboxFrame(discriminator: discriminator, opening: opening).encoded()
            let handshake = InboxHandshakeV1(header: hasHeader ? header : nil, payload: frame)
            let inner = (payload ?? .inboxHandshake(handshake)).encoded()
            let size = ProtoSize.field(1, count: route.utf8.count) + ProtoSize.field(5, count: inner.count)
            return Bytes(headRoom: 0, count: size) { output in
                output.append(field: 1, route)
                output.append(field: 5, inner)
            }
        }
    }
}
