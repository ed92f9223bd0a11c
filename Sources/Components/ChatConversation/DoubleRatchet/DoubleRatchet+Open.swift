import ChatCrypto
public import ChatModel
public import ChatWire

/// What opening a payload gave.
public struct OpenedPayload<Value> {
    /// What the caller decoded.
    public let value: Value
    /// The name of the payload, if it is one that was reported as missing before.
    public let reference: String?
    /// Names of payloads that are now known to be missing, oldest first.
    public let missing: [String]
}

extension DoubleRatchet {
    /// Where a received payload stands in what was received before.
    private enum Step {
        /// It was missing until now; its key was kept.
        case missing(SkippedKeys.Place, Secret)
        /// It continues the chain after so many that are missing.
        case next(ahead: Int)
        /// The direction has turned: so many are missing in the old chain, and in front of it in the new one.
        case turn(missing: Int, ahead: Int)
    }

    /// Decrypts a payload, lets the caller decode the frame, and moves on only if both succeeded.
    ///
    /// Refuses as invalid what is malformed, forged or repeated, and as ``Refusal/Outcome/early`` what more
    /// payloads than ``Parameters/maximumSkip`` are missing before; a refusal leaves everything as it was.
    public mutating func open<R>(
        _ message: DoubleRatchetMessage, decode: (Bytes) throws(Refusal) -> R
    ) throws(Refusal) -> OpenedPayload<R> {
        guard let key = RatchetKey(message.dh.span) else {
            throw .invalid(.invalidHeader("ratchet key of \(message.dh.count) bytes"))
        }
        guard message.ciphertext.count >= Self.minimumCiphertext else {
            throw .invalid(.tooShort(bytes: message.ciphertext.count, minimum: Self.minimumCiphertext))
        }
        let opened: OpenedPayload<R>
        let info = parameters.messageKeyInfo
        switch try decide(key, message) {
        case .missing(let place, let secret):
            let value = try decode(secret.lend { key throws(Refusal) in try Self.decrypt(message, key, info: info) })
            skipped.remove(place)
            opened = OpenedPayload(value: value, reference: place.name, missing: [])
        case .next(let ahead):
            guard let chain = Self.unshared(&receiving) else { throw .invalid(.invalidHeader("no receiving chain")) }
            let value = try Self.open(message, in: chain, ahead: ahead, info: info, decode)
            opened = OpenedPayload(value: value, reference: nil, missing: take(chain, ahead: ahead, as: key))
        case .turn(let missing, let ahead):
            let (nextRoot, chain) = try rootStep(agree(own.secret, key.publicKey))
            let value = try Self.open(message, in: chain, ahead: ahead, info: info, decode)
            let before = turn(missing: missing)
            (root, remote, receiving, sending, received) = (nextRoot, key, chain, nil, 0)
            opened = OpenedPayload(value: value, reference: nil, missing: before + take(chain, ahead: ahead, as: key))
        }
        isChanged = true
        return opened
    }

    /// Decides without any cryptography; numbers are at most 32 bits long, so nothing here overflows.
    private func decide(_ key: RatchetKey, _ message: DoubleRatchetMessage) throws(Refusal) -> Step {
        let number = Int(message.number)
        if key == remote {
            guard receiving != nil else { throw .invalid(.invalidHeader("a chain that was never begun")) }
            if number >= received { return .next(ahead: try limited(number - received)) }
        }
        let place = SkippedKeys.Place(key: key, number: message.number)
        if let secret = skipped[place] { return .missing(place, secret) }
        guard key != remote, !earlierKeys.contains(key) else { throw .invalid(.replay(number: UInt64(number))) }

        let previous = Int(message.previousChainLength)
        guard receiving != nil || previous == 0 else {
            throw .invalid(.invalidHeader("\(previous) payloads in a chain that was never begun"))
        }
        let missing = max(0, previous - received)
        return .turn(missing: try limited(missing), ahead: try limited(number))
    }

    private func limited(_ missing: Int) throws(Refusal) -> Int {
        guard missing <= parameters.maximumSkip else {
            throw Refusal(.early, ConversationCause.tooManySkipped(UInt64(missing), limit: parameters.maximumSkip))
        }
        return missing
    }

    private static func open<R>(
        _ message: DoubleRatchetMessage, in chain: Chain, ahead: Int, info: StaticString?,
        _ decode: (Bytes) throws(Refusal) -> R
    ) throws(Refusal) -> R {
        chain.prepare(ahead: ahead)
        do throws(Refusal) {
            return try decode(chain.lendMessageKey { key throws(Refusal) in try decrypt(message, key, info: info) })
        } catch {
            chain.forget()
            throw error
        }
    }

    /// Decrypts into one new buffer.
    package static func decrypt(
        _ message: DoubleRatchetMessage, _ messageKey: Span<UInt8>, info: StaticString?
    ) throws(Refusal) -> Bytes {
        let aad = header(message.dh.span, message.number, message.previousChainLength)
        let bytes = message.ciphertext.span
        let (nonce, sealed) = (bytes.extracting(first: nonceSize), bytes.extracting(droppingFirst: nonceSize))
        do {
            return try Bytes(headRoom: 0, count: sealed.count - AEAD.tagSize) {
                (output: inout OutputSpan<UInt8>) throws(CryptoError) in
                try withPayloadKey(messageKey, info: info) { key throws(CryptoError) in
                    try AEAD.chaChaPoly.open(sealed, nonce: nonce, aad: aad.span, key: key, into: &output)
                }
            }
        } catch {
            throw Refusal(.invalid, error)
        }
    }

    /// Moves the chain behind an authentic payload and keeps the keys of those missing before it.
    private mutating func take(_ chain: Chain, ahead: Int, as key: RatchetKey) -> [String] {
        let missing = keep(chain, ahead, under: key)
        chain.advance()
        received += ahead + 1
        return missing
    }

    /// Ends the receiving chain: keeps the keys of those missing at its end, and remembers its ratchet key.
    private mutating func turn(missing: Int) -> [String] {
        guard let remote else { return [] }
        // Room first: an array that grows by one doubles its memory.
        if earlierKeys.count == Self.maximumEarlierKeys { earlierKeys.removeFirst() }
        earlierKeys.append(remote)
        guard let receiving else { return [] }
        return keep(receiving, missing, under: remote)
    }

    private mutating func keep(_ chain: Chain, _ count: Int, under key: RatchetKey) -> [String] {
        guard count > 0 else { return [] }
        let places = (received..<received + count).map {
            SkippedKeys.Place(key: key, number: UInt32(truncatingIfNeeded: $0))
        }
        skipped.insert(zip(places, chain.messageKeys(count)), limit: parameters.maximumSkippedKeys)
        return places.map(\.name)
    }
}
