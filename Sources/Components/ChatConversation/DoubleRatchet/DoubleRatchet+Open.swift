import ChatCodec
import ChatCrypto
public import ChatModel
public import LogosFormats

/// The result of opening a payload.
public struct OpenedPayload<Value> {
    /// The value that the caller decoded.
    public let value: Value
    /// The name of the payload, if it is one that was reported as missing before.
    public let reference: String?
    /// Names of payloads that are now known to be missing, oldest first.
    public let missing: [String]
    /// Names of ranges of missing payloads that cannot be opened any more, since their keys are not kept (DR-7).
    public let lost: [String]
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

        /// Steps of a chain before anything is authenticated.
        var steps: Int {
            switch self {
            case .missing: 0
            case .next(let ahead), .turn(_, let ahead): ahead
            }
        }
    }

    /// Payloads that turned out to be missing.
    private struct Gaps {
        var (names, lost): ([String], [String]) = ([], [])
    }

    /// Decrypts a payload, lets the caller decode the frame, and moves on only if both succeeded.
    ///
    /// Refuses as invalid what is malformed, forged or repeated, and as `early` what more
    /// payloads than ``Parameters/maximumAhead`` are missing before; a refusal leaves everything as it was, but that
    /// the steps it cost are counted (DR-13).
    ///
    /// - Parameters:
    ///   - message: the message.
    ///   - now: when; without a time, steps that were spent in vain are not given back.
    ///   - decode: decodes the frame; refuses by throwing.
    public mutating func open<R>(
        _ message: DoubleRatchetMessage, at now: Timestamp = .zero, decode: (Bytes) throws(Refusal) -> R
    ) throws(Refusal) -> OpenedPayload<R> {
        guard let key = RatchetKey(message.dh.span) else {
            throw .invalid(.invalidHeader("ratchet key of \(message.dh.count) bytes"))
        }
        guard message.ciphertext.count >= Self.minimumCiphertext else {
            throw .invalid(.tooShort(bytes: message.ciphertext.count, minimum: Self.minimumCiphertext))
        }
        let step = try decide(key, message, now)
        do throws(Refusal) {
            let opened = try carryOut(step, message, key, decode)
            isChanged = true
            return opened
        } catch {
            if step.steps > parameters.maximumSkip { effort.spend(step.steps, now) }
            throw error
        }
    }

    private mutating func carryOut<R>(
        _ step: Step, _ message: DoubleRatchetMessage, _ key: RatchetKey, _ decode: (Bytes) throws(Refusal) -> R
    ) throws(Refusal) -> OpenedPayload<R> {
        let info = parameters.messageKeyInfo
        var (gaps, reference) = (Gaps(), String?.none)
        let value: R
        switch step {
        case .missing(let place, let secret):
            value = try decode(secret.lend { key throws(Refusal) in try Self.decrypt(message, key, info: info) })
            skipped.remove(place)
            completeRoutes()
            reference = place.name
        case .next(let ahead):
            guard let chain = Self.unshared(&receiving) else { throw .invalid(.invalidHeader("no receiving chain")) }
            value = try Self.open(message, in: chain, ahead: ahead, info: info, decode)
            take(chain, ahead: ahead, as: key, &gaps)
        case .turn(let missing, let ahead):
            let (nextRoot, chain) = try rootStep(agree(own.secret, key.publicKey))
            value = try Self.open(message, in: chain, ahead: ahead, info: info, decode)
            turn(missing: missing, &gaps)
            // The count of payloads that arrived holds where the header names fewer (DR-12).
            routes.beginReceiving(from: root, behind: missing + received)
            (root, remote, receiving, sending, received) = (nextRoot, key, chain, nil, 0)
            take(chain, ahead: ahead, as: key, &gaps)
        }
        return OpenedPayload(value: value, reference: reference, missing: gaps.names, lost: gaps.lost)
    }

    /// Decides without any cryptography; numbers are at most 32 bits long, so nothing here overflows.
    private func decide(
        _ key: RatchetKey, _ message: DoubleRatchetMessage, _ now: Timestamp
    ) throws(Refusal) -> Step {
        let number = Int(message.number)
        if key == remote {
            guard receiving != nil else { throw .invalid(.invalidHeader("a chain that was never begun")) }
            if number >= received { return .next(ahead: try limited(number - received, now)) }
        }
        let place = SkippedKeys.Place(key: key, number: message.number)
        if let secret = skipped[place] { return .missing(place, secret) }
        guard key != remote, !earlierKeys.contains(key) else { throw .invalid(.replay(number: UInt64(number))) }

        let previous = Int(message.previousChainLength)
        guard receiving != nil || previous == 0 else {
            throw .invalid(.invalidHeader("\(previous) payloads in a chain that was never begun"))
        }
        // A chain that has ended may end in a gap of any length: no key behind it is needed.
        var missing = max(0, previous - received)
        if parameters.refusesLongGaps { missing = try limited(missing, now) }
        return .turn(missing: missing, ahead: try limited(number, now))
    }

    private func limited(_ missing: Int, _ now: Timestamp) throws(Refusal) -> Int {
        guard missing > parameters.maximumSkip else { return missing }
        let limit = max(parameters.maximumSkip, effort.left(now))
        guard missing <= limit, !parameters.refusesLongGaps else {
            throw Refusal(.early, ConversationCause.tooManySkipped(UInt64(missing), limit: limit))
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
    private mutating func take(_ chain: Chain, ahead: Int, as key: RatchetKey, _ gaps: inout Gaps) {
        keep(chain, ahead, under: key, &gaps)
        chain.advance()
        received += ahead + 1
        completeRoutes()
    }

    /// Which sequences are of interest under one of the secrets that are listened to.
    func window(_ index: Int) -> SequenceWindow {
        routes.window(index, received: received, missing: skipped.lowestSequence)
    }

    /// Gives up secrets under which nothing is missing any more.
    private mutating func completeRoutes() {
        routes.complete(below: skipped.lowestSequence ?? routes.start + UInt64(received) + 1)
    }

    /// Ends the receiving chain: keeps the keys of those missing at its end, and remembers its ratchet key.
    private mutating func turn(missing: Int, _ gaps: inout Gaps) {
        guard let remote else { return }
        // Room first: an array that grows by one doubles its memory.
        if earlierKeys.count == Self.maximumEarlierKeys { earlierKeys.removeFirst() }
        earlierKeys.append(remote)
        guard let receiving else { return }
        keep(receiving, missing, under: remote, &gaps)
    }

    /// Keeps the keys of the last of those missing; none where even these are too many steps away.
    private mutating func keep(_ chain: Chain, _ count: Int, under key: RatchetKey, _ gaps: inout Gaps) {
        guard count > 0 else { return }
        func place(_ number: Int) -> SkippedKeys.Place {
            SkippedKeys.Place(key: key, number: UInt32(truncatingIfNeeded: number))
        }
        let passed = count > parameters.maximumAhead ? count : max(0, count - parameters.maximumSkip)
        if passed > 0 { gaps.lost.append("\(place(received).name)-\(received + passed - 1)") }
        guard passed < count else { return }
        let places = (received + passed..<received + count).map(place)
        skipped.insert(
            zip(places, chain.messageKeys(places.count, after: passed)),
            sequence: routes.start + UInt64(received + passed) + 1, limit: parameters.maximumSkippedKeys)
        gaps.names += places.map(\.name)
    }
}
