import ChatCodec
import ChatConversation
import ChatCrypto
import ChatModel
import LogosFormats

/// A conversation with a double ratchet in a file of vectors, played with the keys of its case, so that what its payloads
/// carry can be looked into.
///
/// Both ratchets turn as those of the case did, since the private keys that were drawn stand in it. Where a file has
/// a payload by its hash alone, another one under the same key takes its place.
struct PlayedTranscript {
    /// What a payload carries, by where it stands: `steps[2].payloads[0].payload`.
    private(set) var opened: [(path: String, plaintext: Bytes)] = []

    private struct Sent {
        let path: String
        /// The payload of the file, where it is there.
        let payload: Bytes?
        /// Ours under the same key.
        let standIn: Payload
    }

    private var sides: [String: DoubleRatchet] = [:]
    private var sent: [Sent] = []

    /// Plays a case; nil where it is none of these.
    init?(_ json: JSON) {
        guard let secret = json["secret"]?.key, let initiator = json["initiator_private"]?.key,
            let responder = json["responder_private"]?.key, let steps = json["steps"]?.list,
            let pair = try? X25519.keyPair(responder)
        else { return nil }
        var random: any RandomSource = DrawnKeys([initiator])
        guard
            let first = try? DoubleRatchet(
                initiatorWith: secret, remote: pair.publicKey, random: &random, .reference),
            let second = try? DoubleRatchet(responderWith: secret, own: pair, .reference)
        else { return nil }
        sides = ["initiator": first, "responder": second]
        for (number, step) in steps.enumerated() { play(step, number) }
    }

    private mutating func play(_ step: JSON, _ number: Int) {
        guard let by = step["by"]?.text, step["result"]?.text == "valid" else { return }
        if step["flip"] == nil, let place = step["sent"]?.int, sent.indices.contains(place) { receive(sent[place], by) }
        let keys = (step["randomness"]?.list ?? []).filter { $0["label"]?.text == "ratchet_private" }
        var random: any RandomSource = DrawnKeys(keys.compactMap { $0["bytes"]?.key })
        for (index, payload) in (step["payloads"]?.list ?? []).enumerated() {
            guard let standIn = try? sides[by]?.seal(1, random: &random, { $0.append(0) }) else { return }
            sent.append(
                Sent(
                    path: "steps[\(number)].payloads[\(index)].payload",
                    payload: payload["payload"]?.text.flatMap { try? Hex.decode($0) }.map { Bytes($0) },
                    standIn: standIn))
        }
    }

    private mutating func receive(_ one: Sent, _ by: String) {
        if var side = sides[by], let message = one.payload?.ratchetMessage,
            let found = try? side.open(message, decode: { $0 })
        {
            opened.append((one.path, found.value))
        }
        if let message = one.standIn.ratchetMessage { _ = try? sides[by]?.open(message, decode: { _ in }) }
    }
}

extension Bytes {
    /// The ratchet message in a payload.
    fileprivate var ratchetMessage: DoubleRatchetMessage? {
        guard case .doubleRatchet(let message)? = try? EncryptedPayload(decoding: self) else { return nil }
        return message
    }
}

extension JSON {
    fileprivate var key: Secret? {
        text.flatMap { try? Hex.decode($0) }.flatMap { $0.count == X25519.size ? Secret(copying: $0.span) : nil }
    }
}

/// The private keys that a step drew; whatever else is drawn is zeros, since nothing is sent.
private struct DrawnKeys: RandomSource {
    var keys: [Secret]

    init(_ keys: [Secret]) { self.keys = keys }

    mutating func fill(_ bytes: inout MutableSpan<UInt8>, for label: RandomLabel) {
        let key = label == .ratchetPrivate && !keys.isEmpty ? keys.removeFirst() : nil
        let drawn = key?.lend { Bytes(copying: $0) }
        for index in bytes.indices { bytes[index] = drawn.map { index < $0.count ? $0[index] : 0 } ?? 0 }
    }
}
