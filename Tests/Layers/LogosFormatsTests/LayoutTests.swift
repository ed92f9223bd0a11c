import ChatCodec
import ChatModel
import LogosFormats
import TestSupport
import Testing

/// The fields of a vector as the message that they describe.
private func encryptedPayload(_ fields: Vector) throws -> EncryptedPayload {
    func bytes(_ vector: Vector, _ key: String) throws -> Bytes { Bytes(try vector.optionalBytes(key) ?? []) }
    if fields.has("plaintext") { return .plaintext(try bytes(fields.at("plaintext"), "payload")) }
    if fields.has("doubleratchet") {
        let ratchet = try fields.at("doubleratchet")
        return .doubleRatchet(
            DoubleRatchetMessage(
                dh: try bytes(ratchet, "dh"),
                number: ratchet.has("msgNum") ? UInt32(try ratchet.number64("msgNum")) : 0,
                previousChainLength: ratchet.has("prevChainLen") ? UInt32(try ratchet.number64("prevChainLen")) : 0,
                ciphertext: try bytes(ratchet, "ciphertext")))
    }
    let handshake = try fields.at("inbox_handshake")
    let header = try handshake.has("header") ? handshake.at("header") : nil
    return .inboxHandshake(
        InboxHandshakeV1(
            header: try header.map {
                InboxHandshakeV1.Header(
                    initiatorStatic: try bytes($0, "initiator_static"),
                    initiatorEphemeral: try bytes($0, "initiator_ephemeral"),
                    responderStatic: try bytes($0, "responder_static"),
                    responderEphemeral: try bytes($0, "responder_ephemeral"))
            }, payload: try bytes(handshake, "payload")))
}

/// The worked example of `Specs/wire.md`.
private let example = EncryptedPayload.doubleRatchet(
    DoubleRatchetMessage(
        dh: Bytes([UInt8](repeating: 0x11, count: 32)), number: 300, previousChainLength: 2,
        ciphertext: Bytes([UInt8](repeating: 0x22, count: 28))))
private let exampleBytes = [UInt8](
    hex: "1245 0a20" + String(repeating: "11", count: 32) + "10ac02 1802 221c" + String(repeating: "22", count: 28))

struct LayoutTests {
    @Test func `vectors of EncryptedPayload encode and decode (WIRE-1)`() throws {
        try Vectors.run("logos/envelope.json", only: { try $0.text("message") == "EncryptedPayload" }) { vector in
            let message = try encryptedPayload(vector.at("fields"))
            let bytes = try vector.bytes("bytes")
            #expect(try EncryptedPayload(decoding: Bytes(bytes)) == message, "\(vector)")
            if try vector.text("operation") == "roundtrip" { #expect(message.encoded().array == bytes, "\(vector)") }
        }
    }

    @Test func `the worked example of the specification is what is written (WIRE-1)`() throws {
        #expect(example.encoded(headRoom: 9).array == exampleBytes)
        #expect(example.size == exampleBytes.count)
        #expect(try EncryptedPayload(decoding: Bytes(exampleBytes)) == example)
    }

    @Test func `without a known arm a payload is invalid, or of a later version (WIRE-7)`() {
        let (missing, unknown) = (WireError.missing("oneof encryption"), WireError.unknownArm("oneof encryption"))
        #expect(throws: missing) { try EncryptedPayload(decoding: []) }
        for bytes: Bytes in [[0x22, 0x00], [0x20, 0x00], [0x23, 0x24]] {
            #expect(throws: unknown) { try EncryptedPayload(decoding: bytes) }
        }
        #expect(Refusal(missing).outcome == .invalid && missing.code == "malformed")
        #expect(Refusal(unknown).outcome == .unsupported && unknown.code == "unsupported")
    }

    @Test func `of several arms the last one counts, and the same arm twice is merged (WIRE-8)`() throws {
        let ratchet: Bytes = [0x12, 0x02, 0x10, 0x07]
        let plain: Bytes = [0x0a, 0x03, 0x0a, 0x01, 0x2a]
        let both = try EncryptedPayload(decoding: Bytes(ratchet.array + plain.array))
        #expect(both == .plaintext([0x2a]))
        let merged = try EncryptedPayload(decoding: Bytes(ratchet.array + [0x12, 0x02, 0x18, 0x09]))
        #expect(merged == .doubleRatchet(DoubleRatchetMessage(number: 7, previousChainLength: 9)))
        let replaced = try DoubleRatchetMessage(decoding: [0x10, 0x07, 0x10, 0x08])
        #expect(replaced.number == 8)
    }

    @Test func `the field aux of a ratchet message is skipped (WIRE-3)`() throws {
        let message = try DoubleRatchetMessage(decoding: [0x10, 0x07, 0x2a, 0x02, 0x68, 0x69])
        #expect(message == DoubleRatchetMessage(number: 7))
    }

    @Test func `an invite without header is told from one with an empty header`() throws {
        let without = InboxHandshakeV1(payload: [1])
        let empty = InboxHandshakeV1(header: .init(), payload: [1])
        #expect(without.encoded().array == [0x12, 0x01, 0x01])
        #expect(empty.encoded().array == [0x0a, 0x00, 0x12, 0x01, 0x01])
        #expect(try InboxHandshakeV1(decoding: without.encoded()) == without)
        #expect(try InboxHandshakeV1(decoding: empty.encoded()) == empty)
    }

    @Test func `an introduction bundle has 134 bytes and keys of exactly their sizes (INTRO-07)`() throws {
        let key = PublicKey([UInt8](repeating: 1, count: 32))
        let short = PublicKey([UInt8](repeating: 1, count: 31))
        let bundle = try IntroBundle(
            installation: key, ephemeral: key, signature: [UInt8](repeating: 2, count: 64))
        #expect(bundle.encoded().count == 134 && bundle.size == 134)
        #expect(try IntroBundle(decoding: bundle.encoded()) == bundle)
        #expect(throws: WireError.wrongLength("ephemeral_pubkey", bytes: 31, expected: 32)) {
            try IntroBundle(installation: key, ephemeral: short, signature: bundle.signature)
        }
        #expect(throws: WireError.wrongLength("signature", bytes: 0, expected: 64)) {
            try IntroBundle(decoding: bundle.encoded().slice(0..<68))
        }
        #expect(throws: WireError.wrongLength("installation_pubkey", bytes: 0, expected: 32)) {
            try IntroBundle(decoding: [])
        }
    }

    @Test func `another order and unknown fields are no harm (INTRO-05)`() throws {
        let part = { (field: UInt8, count: Int) in
            [field << 3 | 2, UInt8(count)] + [UInt8](repeating: field, count: count)
        }
        let bundle = try IntroBundle(decoding: Bytes(part(3, 64) + part(2, 32) + [0x20, 0x01] + part(1, 32)))
        #expect(bundle.installation.bytes[0] == 1 && bundle.ephemeral.bytes[0] == 2 && bundle.signature[0] == 3)
    }

    @Test func `what was decoded from 200,000 hostile inputs encodes to the same message (WIRE-2)`() throws {
        let handshake = EncryptedPayload.inboxHandshake(
            InboxHandshakeV1(header: .init(initiatorStatic: [1, 2], responderEphemeral: [3]), payload: [4]))
        let small = EncryptedPayload.doubleRatchet(
            DoubleRatchetMessage(dh: [5, 6], number: 7, previousChainLength: 300, ciphertext: [8]))
        let valid = [handshake, small, .plaintext([9])].map { $0.encoded().array }
        var inputs = HostileInputs(seed: 2, valid: valid, longest: 32)
        var (decoded, failed) = (0, 0)
        inputs.forEach { bytes in
            guard let message = try? EncryptedPayload(decoding: Bytes(bytes)) else { return }
            decoded += 1
            // Encoding is canonical, decoding is not: sizes may differ, messages may not.
            if decoded % 4 == 0, (try? EncryptedPayload(decoding: message.encoded())) != message { failed += 1 }
        }
        #expect(decoded > HostileInputs.usualCount / 200 && failed == 0)
    }

    @Test func `200,000 hostile introduction bundles are read or refused (INTRO-07)`() throws {
        let key = PublicKey([UInt8](repeating: 1, count: 32))
        let bundle = try IntroBundle(installation: key, ephemeral: key, signature: [UInt8](repeating: 2, count: 64))
        var inputs = HostileInputs(seed: 3, valid: [bundle.encoded().array], longest: 32)
        var decoded = 0
        inputs.forEach { bytes in
            if (try? IntroBundle(decoding: Bytes(bytes))) != nil { decoded += 1 }
        }
        #expect(decoded > HostileInputs.usualCount / 200)
    }
}
