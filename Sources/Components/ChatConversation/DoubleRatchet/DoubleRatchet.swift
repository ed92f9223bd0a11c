import ChatCodec
import ChatCrypto
public import ChatModel

/// The Double Ratchet of PRIVATE1: every payload has a key of its own, and every turn of the
/// conversation mixes in a fresh Diffie–Hellman result (`Specs/double-ratchet.md`).
///
/// A value, changed in place. Sealing cannot fail halfway; opening decides, authenticates, lets its
/// caller decode, and only then changes anything.
public struct DoubleRatchet: Sendable {
    /// The constants in which published versions of this ratchet differ.
    public struct Parameters: Sendable {
        /// HKDF info of the root chain (KDF_RK).
        public let rootInfo: StaticString
        /// HKDF info of the step from message key to AEAD key (KDF_MK); nil where there is no such step.
        public let messageKeyInfo: StaticString?
        /// How many keys of the payloads missing before one are kept, the last ones.
        public let maximumSkip: Int
        /// How many payloads may be missing before one in its chain: the steps of KDF_CK that one payload can cause.
        /// Where it is no more than ``maximumSkip``, the same holds for the end of the chain before (DR-7).
        public let maximumAhead: Int
        /// How many keys of missing payloads are kept at once; 2,000 are about a third of a MiB.
        public let maximumSkippedKeys: Int

        /// Sets constants; another set is another conversation type (CT-08).
        public init(
            rootInfo: StaticString, messageKeyInfo: StaticString?, maximumSkip: Int, maximumAhead: Int? = nil,
            maximumSkippedKeys: Int = 2_000
        ) {
            (self.rootInfo, self.messageKeyInfo) = (rootInfo, messageKeyInfo)
            (self.maximumSkip, self.maximumSkippedKeys) = (maximumSkip, maximumSkippedKeys)
            self.maximumAhead = max(maximumAhead ?? maximumSkip, maximumSkip)
        }

        /// Whether no gap may be longer than the keys that are kept, as in the existing implementation.
        var refusesLongGaps: Bool { maximumAhead == maximumSkip }

        /// The parameters of libchat: its own root info, the message key is the AEAD key, ten missing at most.
        public static let libchat = Parameters(
            rootInfo: "DoubleRatchetRootKey", messageKeyInfo: nil, maximumSkip: 10)
        /// The parameters of the PRIVATE1 document, which leaves the number of missing payloads open.
        public static let reference = Parameters(
            rootInfo: "PrivateV1RootKey", messageKeyInfo: "PrivateV1MessageKey", maximumSkip: 1_000,
            maximumAhead: 1 << 18)
    }

    /// Bytes of the root key, which the initialization agreed on.
    static let secretSize = 32
    /// Remote keys that are remembered after their turn, so that a repeated payload is told from a forged one.
    static let maximumEarlierKeys = 16
    /// Bytes in front of and behind the encrypted frame: nonce and tag.
    static let nonceSize = 12
    static let minimumCiphertext = nonceSize + AEAD.tagSize

    let parameters: Parameters
    var root: Secret
    var own: KeyPair
    var remote: RatchetKey?
    var sending: Chain?
    var receiving: Chain?
    /// Payloads sent in the sending chain, received (or owed) in the receiving one, sent in the chain before.
    var (sent, received, previouslySent) = (0, 0, 0)
    /// Oldest first.
    var earlierKeys: [RatchetKey] = []
    var skipped = SkippedKeys()
    /// Steps spent in vain; not stored, and no part of what two ratchets are compared by.
    var effort: ChainEffort
    /// Secrets and sequences of both directions.
    var routes = RatchetRoutes()
    var isChanged = true

    /// Begins as the initiator, whose first ratchet key is drawn at once, under `RandomLabel.ratchetPrivate`.
    ///
    /// - Parameters:
    ///   - secret: 32 bytes that both sides agreed on.
    ///   - remote: the responder's first ratchet key, 32 bytes.
    ///   - random: the source of randomness.
    ///   - parameters: the parameters of the ratchet.
    public init(
        initiatorWith secret: Secret, remote: PublicKey, random: inout any RandomSource, _ parameters: Parameters
    ) throws(Refusal) {
        try self.init(secret, X25519.generate(using: &random, for: .ratchetPrivate), parameters)
        guard let key = RatchetKey(remote.bytes.span) else {
            throw Refusal(.invalid, CryptoError.wrongSize("ratchet key", bytes: remote.bytes.count, expected: 32))
        }
        let shared = try agree(own.secret, remote)
        let (nextRoot, chain) = try rootStep(shared)
        routes.beginSending(from: root, to: nextRoot, behind: 0)
        (root, sending, self.remote) = (nextRoot, chain, key)
    }

    /// Begins as the responder, who cannot send before the initiator's first payload has arrived.
    ///
    /// - Parameters:
    ///   - secret: 32 bytes that both sides agreed on.
    ///   - own: the pair whose public key the initiator has.
    ///   - parameters: the parameters of the ratchet.
    public init(responderWith secret: Secret, own: KeyPair, _ parameters: Parameters) throws(Refusal) {
        try self.init(secret, own, parameters)
    }

    init(_ root: Secret, _ own: KeyPair, _ parameters: Parameters) throws(Refusal) {
        guard root.count == Self.secretSize else {
            throw Refusal(.invalid, CryptoError.wrongSize("root key", bytes: root.count, expected: Self.secretSize))
        }
        (self.root, self.own, self.parameters) = (root, own, parameters)
        effort = ChainEffort(parameters.maximumAhead)
    }

    /// How many keys of missing payloads are kept.
    public var skippedKeyCount: Int { skipped.count }

    /// The sequence of the payload that was sealed last: how many were sealed in all.
    public var sequence: UInt64 { routes.sentBefore + UInt64(sent) }

    /// KDF_RK: the next root key, and the chain that begins with it.
    func rootStep(_ shared: Secret) throws(Refusal) -> (Secret, Chain) {
        do {
            let keys = try HKDF.blake2b512.derive(shared, salt: root, info: parameters.rootInfo, count: 64)
            return (keys.part(0..<32), Chain(keys.part(32..<64)))
        } catch {
            throw Refusal(.invalid, error)
        }
    }

    /// Diffie–Hellman; refuses a remote key that gives everybody the same result.
    func agree(_ secret: Secret, _ key: PublicKey) throws(Refusal) -> Secret {
        do { return try X25519.agree(secret, key) } catch { throw Refusal(.invalid, error) }
    }

    /// Runs a cipher under the key of one payload: the message key itself, or what KDF_MK makes of it.
    static func withPayloadKey(
        _ messageKey: Span<UInt8>, info: StaticString?, _ cipher: (Span<UInt8>) throws(CryptoError) -> Void
    ) throws(CryptoError) {
        guard let info else { return try cipher(messageKey) }
        let key = try HKDF.sha256.derive(Secret(copying: messageKey), info: info, count: AEAD.keySize)
        try key.lend(to: cipher)
    }

    /// The associated data of the AEAD: ratchet key, number and previous chain's length, big-endian.
    static func header(_ key: Span<UInt8>, _ number: UInt32, _ previous: UInt32) -> InlineArray<40, UInt8> {
        InlineArray { output in
            output.append(bytes: key)
            let numbers = UInt64(number) << 32 | UInt64(previous)
            for shift in stride(from: UInt64(56), through: 0, by: -8) {
                output.append(UInt8(truncatingIfNeeded: numbers >> shift))
            }
        }
    }
}

extension DoubleRatchet: Equatable {
    /// Whether both would do the same from here on.
    public static func == (left: DoubleRatchet, right: DoubleRatchet) -> Bool {
        left.root == right.root && left.own == right.own && left.remote == right.remote
            && left.sending == right.sending && left.receiving == right.receiving && left.sent == right.sent
            && left.received == right.received && left.previouslySent == right.previouslySent
            && left.earlierKeys == right.earlierKeys && left.skipped == right.skipped && left.routes == right.routes
    }
}
