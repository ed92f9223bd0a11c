import ChatCodec
import ChatContent
import ChatConversation
import ChatCrypto
import ChatDiscovery
import ChatInitialization
import ChatModel
import ChatReliability
import LogosFormats

// What the fields of a message must be together. The verdict is that of the decoders which the components use.
extension Inspector {
    func finish(_ piece: inout DissectionNode, _ kind: Kind, _ run: Run, depth: Int) {
        if piece.faults.isEmpty || kind == .segment, let fault = verdict(on: kind, run) { piece.fault = fault }
        switch kind {
        case .bundle: checkSignature(of: &piece, run)
        case .directory: checkDirectory(&piece, run)
        case .envelope: checkHint(of: &piece, run)
        case .ratchet: openRatchet(&piece, run, depth: depth)
        case .handshake: openInvite(&piece, run, depth: depth)
        case .segment: checkSegment(&piece, run)
        case .content: readEveryday(&piece, run)
        default: return
        }
    }

    /// What a decoder has against bytes in which every field is well-formed.
    private func verdict(on kind: Kind, _ run: Run) -> Fault? {
        let bytes = run.bytes
        do throws(WireError) {
            switch kind {
            case .bundle: _ = try IntroBundle(decoding: bytes)
            case .openBundle: _ = try OpenBundle(decoding: bytes)
            case .openInvite: _ = try OpenFrame(decoding: bytes)
            case .payload: _ = try EncryptedPayload(decoding: bytes)
            case .inboxFrame: _ = try InboxFrame.decode(bytes)
            case .content: _ = try ContentFrame(decoding: bytes)
            case .sds: try checkNames(try SDSMessage(decoding: bytes))
            case .reliable: try checkNames(try SDSMessage(decoding: bytes, .chatProto))
            case .segment: return segmentFault(run)
            case .ratchet: return ratchetFault(run)
            case .handshake: return handshakeFault(run)
            case .directory: return directoryFault(run)
            default: return nil
            }
            return nil
        } catch {
            var fault = run.fault(error.offset ?? bytes.count, error.place, kind.rule, kind.ruleSection)
            fault.outcome = Refusal(error).outcome
            return fault
        }
    }

    private func checkNames(_ message: SDSMessage) throws(WireError) {
        guard message.sender.count > 0 else { throw .missing("sender_id") }
        guard message.id.count > 0 else { throw .missing("message_id") }
        for entry in message.history + message.repairs where entry.id.count == 0 { throw .missing("id of an entry") }
    }

    private func segmentFault(_ run: Run) -> Fault? {
        do throws(Refusal) {
            _ = try SegmentMessage(decoding: run.bytes)
            return nil
        } catch let error where error.cause is WireError {
            return nil
        } catch {
            let section = Section("segmentation.md", "Putting together")
            guard case .deployedSegmentLayout = error.cause as? ReliabilityCause else {
                return run.fault(0, "\(error.cause)", "SEG-07", section)
            }
            return run.fault(0, "the later layout of nim-segmentation, which is not read", "SEG-R6", section)
        }
    }

    private func ratchetFault(_ run: Run) -> Fault? {
        guard let message = try? DoubleRatchetMessage(decoding: run.bytes) else { return nil }
        let section = Section("double-ratchet.md", "Receiving")
        if message.dh.count != X25519.size {
            return run.fault(run.bytes.count, "dh has \(message.dh.count) bytes, not \(X25519.size)", "DR-4", section)
        }
        let minimum = Self.nonceSize + AEAD.tagSize
        guard message.ciphertext.count < minimum else { return nil }
        let reason = "ciphertext has \(message.ciphertext.count) bytes; a nonce and a tag have \(minimum)"
        return run.fault(run.bytes.count, reason, "DR-4", section)
    }

    private func handshakeFault(_ run: Run) -> Fault? {
        guard let handshake = try? InboxHandshakeV1(decoding: run.bytes) else { return nil }
        let section = Section("inbox-v1.md", "Receiving")
        guard let header = handshake.header else {
            return run.fault(run.bytes.count, "header is missing", "INBOX-13", section)
        }
        let sizes = [
            header.initiatorStatic, header.initiatorEphemeral, header.responderStatic, header.responderEphemeral,
        ].map(\.count)
        // libchat does not look at responder_static, so in its profile it may be anything.
        if sizes == [48, 32, 0, 4] || [sizes[0], sizes[1], sizes[3]] == [32, 32, 32] { return nil }
        let reason =
            "the header's fields have \(sizes.map(String.init).joined(separator: ", ")) bytes;"
            + " 32, 32, 32, 32 in profile libchat, 48, 32, 0, 4 in reference"
        return run.fault(0, reason, "INBOX-13", section)
    }

    private func directoryFault(_ run: Run) -> Fault? {
        do throws(DirectoryRejection) {
            _ = try SignedDirectoryEntry(run.bytes)
            return nil
        } catch {
            return run.fault(0, "readers refuse it as \(error)", "DIR-6", Kind.directory.section)
        }
    }
}

extension Inspector {
    private func checkSignature(of piece: inout DissectionNode, _ run: Run) {
        guard let bundle = try? IntroBundle(decoding: run.bytes) else { return }
        let message = Array("logos_chatintro_1_".utf8) + bundle.ephemeral.bytes
        do throws(CryptoError) {
            try XEdDSA.verify(bundle.signature.span, of: message.span, by: bundle.installation)
            piece.proven("the signature is by installation_pubkey over this ephemeral_pubkey", "INTRO-07")
        } catch {
            piece.fault = run.fault(
                0, "the signature does not verify: \(error)", "INTRO-07", Section("intro-links.md", "Form"))
        }
    }

    private func checkDirectory(_ piece: inout DissectionNode, _ run: Run) {
        guard let signed = try? SignedDirectoryEntry(run.bytes) else { return }
        guard (try? signed.verify()) != nil else {
            piece.fault = run.fault(0, "the publisher did not sign this entry", "DIR-3", Kind.directory.section)
            return
        }
        piece.proven("the signature is by publisher over the entry", "DIR-3")
        piece.note(
            "text to search for: \(signed.entry.name)@\(Base64URL.encode(signed.entry.publisher.bytes))", "DIR-2")
    }

    private func checkHint(of piece: inout DissectionNode, _ run: Run) {
        guard let index = piece.parts.lastIndex(where: { $0.name == "conversation_hint" }),
            case .text(let hint) = piece.parts[index].value
        else { return }
        guard piece.parts[index].fault == nil else { return }
        let isHash = hint.utf8.count == 2 * BLAKE2s.digestSize && piece.parts.contains { $0.name == "salt" }
        piece.parts[index].meaning = isHash ? "a salted hash of the route" : "the route in plain, profile libchat"
        guard !keys.routes.isEmpty else { return }
        let isSalt = { (part: DissectionNode) in part.name == "salt" }
        var salt: UInt64 = 0
        if let part = piece.parts.last(where: isSalt), case .number(let number) = part.value { salt = number }
        let salted = (0..<8).map { UInt8(truncatingIfNeeded: salt >> (8 * UInt64($0))) }
        for route in keys.routes {
            let digest = BLAKE2s.hash { input in
                input.update(salted.span)
                input.update(Array(route.utf8).span)
            }
            let isSaltedHash = hint == Hex.encode(digest.indices.map { digest[$0] })
            guard isSaltedHash || hint == route else { continue }
            return piece.parts[index].proven("for \(route), \(isSaltedHash ? "under this salt" : "in plain")", "EV1-2")
        }
        piece.parts[index].note("for none of the ids given: foreign", "EV1-3")
    }

    private func checkSegment(_ piece: inout DissectionNode, _ run: Run) {
        guard let segment = try? SegmentMessage(decoding: run.bytes) else {
            if piece.isOldParity { piece.note("the older form, where a data count of 0 marks parity", "SEG-07") }
            return
        }
        switch segment.place {
        case .parity(let index):
            piece.note("parity segment \(index + 1) of \(segment.parityCount)", "SEG-07")
        case .data(let index) where segment.dataCount > 1:
            piece.note("data segment \(index + 1) of \(segment.dataCount)", "SEG-07")
        case .data:
            let isRight = Bytes(Keccak256.hash(segment.payload.array)) == segment.hash
            if isRight { return piece.proven("the only segment, and its hash is right", "SEG-09") }
            piece.fault = run.fault(
                0, "the hash is not that of the payload", "SEG-09", Section("segmentation.md", "Putting together"))
        }
    }

    private func readEveryday(_ piece: inout DissectionNode, _ run: Run) {
        guard let decoded = try? ContentRegistry.everyday.decode(run.bytes) else {
            guard piece.faults.isEmpty else { return }
            let section = Section("content-frames.md", "Frame")
            piece.fault = run.fault(0, "the payload is none of the type that domain and tag name", "CFR-2", section)
            return
        }
        switch decoded {
        case .known(let text as TextContent): piece.note("text \(text.text.quoted)")
        case .known(let file as FileContent):
            piece.note("file \(file.name.quoted), \(file.mediaType.quoted), \(file.bytes.count) bytes")
        case .known(let contact as ContactContent):
            piece.note("contact \(contact.name.quoted), \(contact.introduction.quoted)")
        case .known: return
        case .unsupported(_, let address):
            piece.note("a type that is not known here\(address.map { "; its domain: \($0)" } ?? "")", "CF-08")
        }
    }
}

extension DissectionNode {
    /// Whether this is a parity segment of the older form.
    fileprivate var isOldParity: Bool {
        let numbers = parts.reduce(into: [String: UInt64]()) { numbers, part in
            if case .number(let value) = part.value { numbers[part.name] = value }
        }
        return numbers["data_segment_count", default: 0] == 0 && numbers["parity_segment_count", default: 0] > 0
    }
}

extension Kind {
    /// What a message of the kind breaks when a field is missing or a limit is passed.
    fileprivate var rule: String {
        switch self {
        case .bundle: "INTRO-07"
        case .openBundle: "OPEN-1"
        case .openInvite: "OPEN-3"
        case .content: "CF-05"
        case .sds, .reliable: "SDS-R3"
        default: "WIRE-7"
        }
    }

    fileprivate var ruleSection: Section {
        switch self {
        case .bundle: Section("intro-links.md", "Form")
        case .openBundle, .openInvite, .content: section
        case .sds, .reliable: Section("sds.md", "Hostile messages")
        default: .messages
        }
    }
}
