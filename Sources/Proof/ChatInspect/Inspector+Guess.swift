import ChatModel

// What bytes are that do not say it: the first kind, from the strictest on, as which they read without a fault.
extension Inspector {
    /// All kinds of bytes, the strictest first, so that one that takes nearly anything comes last.
    static let byStrictness: [Kind] = [
        .bundle, .segment, .directory, .datagram, .ratchet, .handshake, .inboxFrame, .openInvite, .envelope, .payload,
        .libchatFrame, .sds, .reliable, .openBundle, .content, .frame, .plain, .message, .plainFrame,
    ]

    /// The kind that bytes are, or nil: every field is known, nothing is wrong, and what the kind needs is there.
    ///
    /// - Parameter known: what the bytes are as one of the kinds, if that was found out: twice as much work for every
    ///   level of nesting would be far too much for all of them.
    func guess(
        _ run: Run, among kinds: [Kind], depth: Int = 1, known: (kind: Kind, piece: DissectionNode)? = nil
    ) -> (Kind, DissectionNode)? {
        guard depth < Self.maximumDepth else { return nil }
        for kind in Self.byStrictness where kinds.contains(kind) {
            let found = known.flatMap { $0.kind == kind ? $0.piece : nil }
            let piece = found ?? piece(kind, run, depth: depth)
            if piece.faults.isEmpty, piece.unknownFields == 0, piece.hasWhat(kind) { return (kind, piece) }
        }
        return nil
    }

    /// The same for a whole input; where nothing reads without a fault, what reads furthest.
    func guess(whole bytes: Bytes) -> (Kind, DissectionNode)? {
        let run = Run(bytes)
        // Keys are left out: what does not open is of the right kind all the same.
        let plain = Inspector(Keys(routes: keys.routes))
        if let (kind, _) = plain.guess(run, among: Kind.allCases) { return (kind, piece(kind, run, depth: 1)) }
        var best: (kind: Kind, progress: Int)?
        // Of those that read equally far, what one sees most often.
        for kind in [.envelope, .payload] + Self.byStrictness {
            let broken = plain.piece(kind, run, depth: 1)
            guard broken.isRecognized, broken.progress > best?.progress ?? 0 else { continue }
            best = (kind, broken.progress)
        }
        return best.map { ($0.kind, piece($0.kind, run, depth: 1)) }
    }
}

extension DissectionNode {
    /// How far it reads, less what nobody knows.
    fileprivate var progress: Int {
        let end = faults.filter { $0.origin == .input }.map(\.offset).min() ?? count
        return end - unknownBytes * 2
    }

    private var unknownBytes: Int { isUnknown ? count : parts.reduce(0) { $0 + $1.unknownBytes } }

    /// Whether the fields are there without which nobody would send such a thing.
    fileprivate func hasWhat(_ kind: Kind) -> Bool {
        let names = Set(parts.map { String($0.name.prefix { $0 != ":" }) })
        let needed: [[String]] =
            switch kind {
            case .envelope: [["conversation_hint"], ["payload"]]
            case .payload: [["plaintext", "doubleratchet", "inbox_handshake"]]
            case .ratchet: [["dh"], ["ciphertext"]]
            case .handshake: [["header"]]
            case .libchatFrame: [["conversation_id"], ["content", "placeholder"]]
            case .frame: [["timestamp"], ["content", "placeholder"]]
            case .sds, .reliable: [["sender_id"], ["message_id"]]
            default: []
            }
        return needed.allSatisfy { $0.contains(where: names.contains) }
    }
}
