import ChatCodec
import ChatCrypto
public import ChatModel
import LogosFormats

extension DoubleRatchet {
    /// The size of the payload that ``seal(_:headRoom:random:_:)`` would give for a frame of some bytes.
    public func payloadSize(frame count: Int) -> Int {
        head(isTurn: sending == nil).payloadSize(ciphertext: count + Self.minimumCiphertext)
    }

    /// Encrypts a frame, as an `EncryptedPayload`; refuses while nothing was received by a responder.
    ///
    /// The frame is written once, where it is then encrypted. After the direction has turned a private key
    /// is drawn (`RandomLabel.ratchetPrivate`), then always a nonce (`RandomLabel.nonce`).
    ///
    /// - Parameters:
    ///   - count: the frame's bytes.
    ///   - headRoom: bytes kept free in front of the payload.
    ///   - random: the source of randomness.
    ///   - write: appends exactly `count` bytes.
    public mutating func seal(
        _ count: Int, headRoom: Int = 0, random: inout any RandomSource, _ write: (inout OutputSpan<UInt8>) -> Void
    ) throws(Refusal) -> Payload {
        let chain = try sendingChain(&random)
        chain.prepare()
        var nonce = InlineArray<12, UInt8>(repeating: 0)
        var nonceBytes = nonce.mutableSpan
        random.fill(&nonceBytes, for: .nonce)

        let head = head(isTurn: false)
        let aad = Self.header(own.publicKey.bytes.span, head.number, head.previousChainLength)
        let (size, info) = (count + Self.minimumCiphertext, parameters.messageKeyInfo)
        let payload: Payload
        do {
            payload = try Bytes(headRoom: headRoom, count: head.payloadSize(ciphertext: size)) {
                (output: inout OutputSpan<UInt8>) throws(CryptoError) in
                head.writePayload(upToCiphertext: size, to: &output)
                output.append(bytes: nonce.span)
                let start = output.count
                write(&output)
                precondition(output.count - start == count, "a frame of \(count) bytes got \(output.count - start)")
                try chain.lendMessageKey { messageKey throws(CryptoError) in
                    try Self.withPayloadKey(messageKey, info: info) { key throws(CryptoError) in
                        try AEAD.chaChaPoly.seal(
                            last: count, of: &output, nonce: nonce.span, aad: aad.span, key: key)
                    }
                }
            }
        } catch {
            chain.forget()
            throw Refusal(.unable, error)
        }
        chain.advance()
        sent += 1
        isChanged = true
        return payload
    }

    /// The header of the next payload, which carries no ciphertext yet.
    private func head(isTurn: Bool) -> DoubleRatchetMessage {
        DoubleRatchetMessage(
            dh: Bytes(own.publicKey.bytes), number: isTurn ? 0 : UInt32(truncatingIfNeeded: sent),
            previousChainLength: UInt32(truncatingIfNeeded: isTurn ? sent : previouslySent))
    }

    /// The chain to send in, with no other reference to it; a new one with a new key where the direction has turned.
    private mutating func sendingChain(_ random: inout any RandomSource) throws(Refusal) -> Chain {
        // One less than the wire's 32 bits hold, so that the chain's length fits too.
        guard sending == nil || sent < Int(UInt32.max) else {
            throw Refusal(.unable, ConversationCause.chainExhausted(messages: UInt64(sent)))
        }
        if let chain = Self.unshared(&sending) { return chain }
        guard let remote else { throw Refusal(.unable, ConversationCause.nothingReceived) }
        let fresh = X25519.generate(using: &random, for: .ratchetPrivate)
        let (nextRoot, chain) = try rootStep(agree(fresh.secret, remote.publicKey))
        routes.beginSending(from: root, to: nextRoot, behind: sent)
        (root, own, sending) = (nextRoot, fresh, chain)
        (previouslySent, sent) = (sent, 0)
        return chain
    }

    /// The chain, after a copy where a copy of this ratchet has it too; nil where there is none.
    static func unshared(_ chain: inout Chain?) -> Chain? {
        if !isKnownUniquelyReferenced(&chain) { chain = chain?.copy() }
        return chain
    }
}
