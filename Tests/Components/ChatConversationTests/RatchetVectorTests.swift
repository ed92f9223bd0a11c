import ChatCodec
import ChatCrypto
import ChatModel
import LogosFormats
import TestSupport
import Testing

@testable import ChatConversation

/// The two sides of a transcript.
private struct Sides {
    private var initiator, responder: DoubleRatchet

    init(_ vector: Vector) throws {
        let isDocument = try vector.text("info") == "PrivateV1RootKey"
        let base = isDocument ? DoubleRatchet.Parameters.reference : .libchat
        let parameters = DoubleRatchet.Parameters(
            rootInfo: base.rootInfo, messageKeyInfo: base.messageKeyInfo, maximumSkip: try vector.number("max_skip"))
        #expect("\(base.rootInfo)" == (try vector.text("info")))
        #expect(
            base.messageKeyInfo.map { "\($0)" }
                == (vector.has("message_key_info") ? try vector.text("message_key_info") : nil))

        let (shared, own) = (try vector.bytes("shared_secret"), try vector.bytes("responder_dh_private"))
        let secret = Secret(copying: shared.span)
        let pair = try X25519.keyPair(Secret(copying: own.span))
        #expect(pair.publicKey.bytes == (try vector.bytes("responder_dh_public")))
        var random: any RandomSource = ScriptedRandom([(.ratchetPrivate, try vector.bytes("initiator_dh_private"))])
        initiator = try DoubleRatchet(
            initiatorWith: secret, remote: pair.publicKey, random: &random, parameters)
        responder = try DoubleRatchet(responderWith: secret, own: pair, parameters)
    }

    subscript(name: String) -> DoubleRatchet {
        get { name == "initiator" ? initiator : responder }
        set { if name == "initiator" { initiator = newValue } else { responder = newValue } }
    }
}

/// A ratchet in the byte form of the vectors, without the counter that the wire never shows.
private func stateBytes(_ ratchet: DoubleRatchet) -> [UInt8] {
    func bytes(_ secret: Secret) -> [UInt8] { secret.lend { Bytes(copying: $0).array } }
    func optional(_ value: [UInt8]?) -> [UInt8] { value.map { [1] + $0 } ?? [0] }
    func number(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
    var all = [1] + bytes(ratchet.root) + optional(ratchet.sending.map { bytes($0.key) })
    all += optional(ratchet.receiving.map { bytes($0.key) }) + bytes(ratchet.own.secret)
    all += optional(ratchet.remote?.publicKey.bytes) + number(ratchet.sent) + number(ratchet.received)
    var copy = ratchet
    let owed = copy.skipped.takeChanges().compactMap { change in
        change.secret.map { change.place.key.publicKey.bytes + number(Int(change.place.number)) + bytes($0) }
    }
    all += number(owed.count) + owed.sorted { $0.lexicographicallyPrecedes($1) }.flatMap(\.self)
    return all
}

/// The state of a vector without that counter: four bytes in front of the number of skipped keys.
private func expectedState(_ vector: Vector) throws -> [UInt8] {
    var bytes = try vector.bytes("state")
    var offset = 33
    for _ in 0..<2 { offset += bytes[offset] == 0 ? 1 : 33 }
    offset += 32
    offset += bytes[offset] == 0 ? 1 : 33
    bytes.removeSubrange(offset + 8..<offset + 12)
    return bytes
}

private func message(_ vector: Vector) throws -> DoubleRatchetMessage {
    DoubleRatchetMessage(
        dh: Bytes(try vector.bytes("dh")), number: UInt32(try vector.number64("msg_num")),
        previousChainLength: UInt32(try vector.number64("prev_chain_len")),
        ciphertext: Bytes(try vector.bytes("ciphertext")))
}

@Test func `ratchet transcripts of the vectors give the same messages, contents and states (PV1-14, PV1-15)`() throws {
    try Vectors.run("logos/ratchet.json") { vector in
        var sides = try Sides(vector)
        for step in try vector.list("steps") {
            let name = try step.text("by")
            let before = sides[name]
            if try step.text("op") == "send" {
                let script = ScriptedRandom([(.nonce, try step.bytes("nonce"))])
                if let fresh = try step.optionalBytes("fresh_dh_private") { script.add(.ratchetPrivate, fresh) }
                var random: any RandomSource = script
                let plaintext = try step.bytes("plaintext")
                let payload = try sides[name].seal(plaintext.count, headRoom: 7, random: &random) {
                    $0.append(bytes: plaintext.span)
                }
                #expect(payload.count == before.payloadSize(frame: plaintext.count))
                #expect(
                    try EncryptedPayload(decoding: payload) == .doubleRatchet(message(step.at("message"))), "\(step)")
                #expect(script.undrawn.isEmpty)
            } else if try step.text("result") == "valid" {
                let plaintext = try sides[name].open(message(step.at("message"))) { $0 }.value
                #expect(plaintext.array == (try step.bytes("plaintext")), "\(step)")
            } else {
                let refusal = #expect(throws: Refusal.self, "\(step)") {
                    try sides[name].open(message(step.at("message"))) { $0 }
                }
                #expect(refusal?.cause.code == (try step.text("error")), "\(step)")
                #expect(sides[name] == before, "\(step)")
            }
            #expect(stateBytes(sides[name]) == (try expectedState(step)), "\(step)")
        }
    }
}
