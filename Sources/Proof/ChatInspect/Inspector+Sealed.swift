import ChatDeliveryService
import ChatModel

// Datagrams of sealed hops; packets are opened with keys out of a key log.
extension Inspector {
    private static let section = Section("udp-sealed.md", "Datagrams")

    /// Whether a datagram says that it is of a sealed hop.
    static func isSealed(_ bytes: Bytes) -> Bool { !bytes.isEmpty && bytes[0] == SealedFormat.version }

    func sealedDatagram(_ run: Run, depth: Int) -> DissectionNode {
        var piece = DissectionNode(.datagram, run)
        piece.section = Self.section
        var walk = FieldWalk(piece, run, requirement: "UDP2-1")
        walk.number("version", 1, "sealed")
        let kind = walk.number("kind", 1).flatMap { SealedHandshake.Kind(rawValue: UInt8(truncatingIfNeeded: $0)) }
        if let kind { walk.explain(kind.name) }
        walk.bytes("connection id", 8, kind == .reset ? "of the datagram that it answers" : "of the receiver")
        switch kind {
        case .hello:
            walk.bytes("ephemeral key", 32, "of the client, for this handshake alone")
            walk.bytes("sealed parameters", SealedHandshake.messageSize - 32, "for who has the relay's key")
            walk.bytes("first code", 16, "the sender knows the relay's key")
            walk.bytes("second code", 16, "zeros, or the sender has a cookie")
        case .retry:
            walk.bytes("nonce", 24)
            walk.bytes("sealed cookie", 32)
        case .welcome:
            walk.bytes("ephemeral key", 32, "of the relay, for this handshake alone")
            walk.bytes("sealed parameters", SealedHandshake.answerSize - 32)
        case .reset: walk.bytes("token", 16, "proves that the relay ends the session")
        case .packet: packet(&walk, depth: depth)
        case nil: walk.fail(at: 1, "no kind of datagram")
        }
        walk.end()
        return walk.piece
    }

    private func packet(_ walk: inout FieldWalk, depth: Int) {
        walk.bytes("masked", SealedFormat.maskedSize, "flags and packet number")
        guard !walk.isBroken, walk.rest >= 16 else { return walk.fail(at: walk.offset, "a tag of 16 bytes expected") }
        guard let opened = opened(walk.run.bytes) else {
            let why = keys.hops.isEmpty ? "give --key-log to look inside" : "no key of the log opens it"
            walk.bytes("sealed frames", walk.rest, why)
            return
        }
        let run = Run(Bytes(opened.frames), origin: .opened)
        var frames = FieldWalk(DissectionNode("sealed frames", run), run, requirement: "UDP-7")
        self.frames(&frames, depth: depth + 1, isSealed: true)
        var piece = frames.piece
        piece.count = walk.rest
        let direction = opened.isToRelay ? "to the relay" : "to the client"
        piece.proven("packet \(opened.number) \(direction), key \(opened.generation)", "UDP2-8")
        walk.add(piece, bytes: walk.rest)
    }

    private func opened(_ packet: Bytes) -> HopKeys.Opened? {
        for hop in keys.hops { if let opened = hop.open(packet.span) { return opened } }
        return nil
    }

    /// A frame that only sealed hops have; false for others.
    func sealedFrame(_ code: UInt8, _ walk: inout FieldWalk) -> Bool {
        switch code {
        case 7: inner(&walk, "CHALLENGE") { $0.bytes("challenge", 8, "to be sent back from the same place") }
        case 8: inner(&walk, "RESPONSE") { $0.bytes("response", 8, "what the challenge said") }
        case 9:
            inner(&walk, "KEY") { frame in
                frame.number("generation", 8)
                frame.bytes("key", 32, "a half of the exchange")
            }
        case 11:
            inner(&walk, "CLOSE") { frame in
                frame.number("reason", 1)
                frame.number("pause", 4, "ms until it makes sense to come back")
            }
        default: return false
        }
        return true
    }
}

extension SealedHandshake.Kind {
    fileprivate var name: String {
        switch self {
        case .hello: "HELLO: let me in"
        case .retry: "RETRY: come again with this cookie"
        case .welcome: "WELCOME: you are in"
        case .reset: "RESET: there is no such session"
        case .packet: "PACKET: sealed frames"
        }
    }
}
