import ChatCodec
import ChatConversation
import ChatCrypto
import ChatInitialization
import ChatModel
import LogosFormats

// What keys open: invites with those of the one invited, ratchet messages with several.
extension Inspector {
    static let nonceSize = 12

    /// Shows the parts of a ciphertext, and what is in it where a key opens it.
    func openRatchet(_ piece: inout DissectionNode, _ run: Run, depth: Int) {
        guard let message = try? DoubleRatchetMessage(decoding: run.bytes),
            let index = piece.parts.lastIndex(where: { $0.name == "ciphertext" }),
            message.ciphertext.count >= Self.nonceSize + AEAD.tagSize
        else { return }
        piece.parts[index].showSealed(message.ciphertext)
        guard message.dh.count == X25519.size, hasRatchetKeys else { return }
        guard let (bytes, how) = opened(message) else {
            let section = Section("double-ratchet.md", "Receiving")
            piece.parts[index].fault = run.fault(
                run.bytes.count - message.ciphertext.count, "none of the keys opens it: forged, or of others", "DR-3",
                section)
            return
        }
        piece.parts[index].add(opened: bytes, how, "DR-3", among: [.libchatFrame, .sds, .frame], self, depth: depth)
    }

    private var hasRatchetKeys: Bool {
        !keys.messageKeys.isEmpty || !keys.states.isEmpty || !keys.secrets.isEmpty && !keys.ephemerals.isEmpty
    }

    private func opened(_ message: DoubleRatchetMessage) -> (Bytes, String)? {
        let profiles = [("libchat", DoubleRatchet.Parameters.libchat), ("reference", .reference)]
        for key in keys.messageKeys {
            for (profile, parameters) in profiles {
                let bytes = try? key.lend { key throws(Refusal) in
                    try DoubleRatchet.decrypt(message, key, info: parameters.messageKeyInfo)
                }
                if let bytes { return (bytes, "opened by a message key, profile \(profile)") }
            }
        }
        for secret in keys.secrets {
            for ephemeral in keys.ephemerals {
                for (profile, parameters) in profiles {
                    guard let own = try? X25519.keyPair(ephemeral),
                        var ratchet = try? DoubleRatchet(responderWith: secret, own: own, parameters),
                        let opened = try? ratchet.open(message, decode: { $0 })
                    else { continue }
                    return (opened.value, "opened by the conversation's secret, profile \(profile)")
                }
            }
        }
        for state in keys.states {
            let record = Record("state", state.lend { Bytes(copying: $0) })
            // Both store the same; they differ in the constants of their ratchets.
            let stored = [
                try? PrivateV1.Libchat(restoring: [record]).ratchet,
                try? PrivateV1.Ratchet(restoring: [record]).ratchet,
            ]
            for case var ratchet? in stored {
                guard let opened = try? ratchet.open(message, decode: { $0 }) else { continue }
                return (opened.value, "opened by a stored conversation")
            }
        }
        return nil
    }

    /// Says of which profile an invite is, and opens it.
    func openInvite(_ piece: inout DissectionNode, _ run: Run, depth: Int) {
        guard let handshake = try? InboxHandshakeV1(decoding: run.bytes), let header = handshake.header else { return }
        let isSealed = header.responderStatic.isEmpty && header.initiatorStatic.count == X25519.size + AEAD.tagSize
        piece.note("profile \(isSealed ? "reference: who invites and what it says are sealed" : "libchat: in clear")")
        let index = piece.parts.lastIndex { $0.name.hasPrefix("payload") }
        if isSealed, let index { piece.parts[index].showSealed(handshake.payload) }
        guard let identity = keys.identity, !keys.ephemerals.isEmpty, piece.faults.isEmpty else { return }
        let profile = isSealed ? InboxV1.Profile.reference : .libchat
        guard
            let prekey = keys.ephemerals.lazy.compactMap({ try? X25519.keyPair($0) }).first(where: {
                Bytes(profile.keyName(of: $0.publicKey)) == header.responderEphemeral
            })
        else {
            return piece.note("names another single-use key than those given", "INBOX-05")
        }
        do {
            let inbox = try InboxV1(identity: X25519.keyPair(identity), profile: profile)
            let invite = try inbox.open(handshake, with: prekey)
            var inner = self
            inner.keys.secrets = [invite.secret]
            inner.keys.ephemerals = [prekey.secret]
            piece.proven("invited by \(Hex.encode(invite.inviter.bytes))", "INBOX-03")
            guard let index else { return }
            if isSealed {
                let how = "opened by identity and single-use key"
                piece.parts[index].add(opened: invite.frame, how, "IBX-4", among: [.inboxFrame], inner, depth: depth)
            } else {
                let start = run.start + run.bytes.count - handshake.payload.count
                let payload = Run(handshake.payload, start: start, origin: run.origin)
                var again = DissectionNode("payload", payload)
                (again.offset, again.count) = (piece.parts[index].offset, piece.parts[index].count)
                inner.look(inside: &again, .inboxFrame, payload, depth: depth + 1)
                piece.parts[index] = again
            }
        } catch {
            let reason = "the keys given do not open it: \((error as? Refusal)?.cause.description ?? "\(error)")"
            piece.fault = run.fault(0, reason, "INBOX-13", Section("inbox-v1.md", "Receiving"))
        }
    }
}

extension DissectionNode {
    /// Nonce, ciphertext and tag as parts of a field whose last bytes they are.
    fileprivate mutating func showSealed(_ sealed: Bytes) {
        let (nonce, tag) = (Inspector.nonceSize, AEAD.tagSize)
        guard let offset, sealed.count >= nonce + tag else { return }
        let start = offset + count - sealed.count
        let cuts = [
            ("nonce", 0..<nonce), ("sealed", nonce..<sealed.count - tag), ("tag", sealed.count - tag..<sealed.count),
        ]
        if let colon = name.firstIndex(of: ":") { name = String(name[..<colon]) }
        section = nil
        (value, fault) = (.none, nil)
        parts = cuts.map { name, range in
            var part = DissectionNode(name, Run(sealed.slice(range), start: start + range.lowerBound, origin: origin))
            part.value = .bytes(sealed.slice(range))
            return part
        }
    }

    /// What a key opened, looked into; its offsets count anew.
    fileprivate mutating func add(
        opened bytes: Bytes, _ how: String, _ requirement: String, among kinds: [Kind], _ inspector: Inspector,
        depth: Int
    ) {
        let run = Run(bytes, origin: .opened)
        var inside = DissectionNode(how, run)
        (inside.requirement, inside.value) = (requirement, .bytes(bytes))
        if let (_, found) = inspector.guess(run, among: kinds, depth: depth + 1) {
            inside.adopt(found)
        } else {
            inspector.lookForContent(inside: &inside, run, depth: depth + 1)
        }
        parts.append(inside)
    }
}
