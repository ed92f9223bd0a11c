internal import ChatCrypto
internal import ChatModel

/// A handshake of pattern XK of the Noise Protocol Framework, revision 34, over X25519 and ChaCha20-Poly1305.
///
/// ```
/// XK:  <- s  ...  -> e, es   <- e, ee   -> s, se
/// ```
///
/// The two sides write and read the three messages in turn. A message that is refused leaves the handshake as it was.
struct NoiseHandshake: Sendable {
    private enum Token { case e, s, ee, es, se }
    private static let pattern: [[Token]] = [[.e, .es], [.e, .ee], [.s, .se]]

    let role: Role
    private var symmetric: NoiseSymmetricState
    private let ownStatic: KeyPair
    private var ownEphemeral: KeyPair?
    /// The other side's long-term key: the initiator has it from the beginning, the responder from the third message.
    private(set) var remoteStatic: PublicKey?
    /// The other side's key of this handshake.
    private(set) var remoteEphemeral: PublicKey?
    private var messages = 0

    /// Begins a handshake.
    ///
    /// - Parameters:
    ///   - remoteStatic: the responder's long-term key; nil on the responder's side.
    ///   - prologue: authenticated by the first message; both sides have the same.
    ///   - hash: names the handshake, together with the rest of `Noise_XK_25519_ChaChaPoly_…`.
    init(
        _ role: Role, ownStatic: KeyPair, remoteStatic: PublicKey? = nil, prologue: [UInt8],
        hash: NoiseHash = .blake2b
    ) {
        (self.role, self.ownStatic, self.remoteStatic) = (role, ownStatic, remoteStatic)
        symmetric = NoiseSymmetricState(protocolName: "Noise_XK_25519_ChaChaPoly_\(hash.name)", hash)
        symmetric.mix(hash: prologue)
        symmetric.mix(hash: (remoteStatic ?? ownStatic.publicKey).bytes)
    }

    /// The hash of everything that was said: the channel binding.
    var hash: [UInt8] { symmetric.digest }
    /// Whether all three messages have been written or read.
    var isFinished: Bool { messages == Self.pattern.count }

    /// Writes the next message.
    ///
    /// - Parameter ephemeral: the key pair of this side, drawn for this handshake alone; its message is the first of
    ///   this side.
    mutating func write(_ payload: [UInt8], ephemeral: KeyPair? = nil) throws(NoiseError) -> [UInt8] {
        var trial = self
        var message: [UInt8] = []
        for token in try trial.next(isWriting: true) {
            switch token {
            case .e:
                guard let ephemeral else { throw .outOfTurn }
                trial.ownEphemeral = ephemeral
                message += ephemeral.publicKey.bytes
                trial.symmetric.mix(hash: ephemeral.publicKey.bytes)
            case .s: message += try trial.symmetric.seal(ownStatic.publicKey.bytes)
            default: try trial.agree(token)
            }
        }
        message += try trial.symmetric.seal(payload)
        self = trial
        return message
    }

    /// Reads the next message and gives its payload.
    mutating func read(_ message: [UInt8]) throws(NoiseError) -> [UInt8] {
        var trial = self
        var rest = message[...]
        for token in try trial.next(isWriting: false) {
            switch token {
            case .e:
                let key = try Self.take(X25519.size, from: &rest)
                trial.remoteEphemeral = PublicKey(key)
                trial.symmetric.mix(hash: key)
            case .s:
                let sealed = try Self.take(X25519.size + AEAD.tagSize, from: &rest)
                trial.remoteStatic = PublicKey(try trial.symmetric.open(sealed))
            default: try trial.agree(token)
            }
        }
        let payload = try trial.symmetric.open(Array(rest))
        self = trial
        return payload
    }

    /// The two keys that the handshake gave: for payloads from the initiator, and for those from the responder.
    func split() -> (fromInitiator: Secret, fromResponder: Secret) { symmetric.split() }

    private mutating func next(isWriting: Bool) throws(NoiseError) -> [Token] {
        let isInitiators = messages % 2 == 0
        guard !isFinished, isWriting == (isInitiators == (role == .initiator)) else { throw .outOfTurn }
        defer { messages += 1 }
        return Self.pattern[messages]
    }

    /// Mixes in a secret that both sides compute: the first letter is the initiator's key, the second the responder's.
    private mutating func agree(_ token: Token) throws(NoiseError) {
        let isOwnStatic =
            switch token {
            case .es: role == .responder
            case .se: role == .initiator
            default: false
            }
        let isRemoteStatic = token == .ee ? false : !isOwnStatic
        guard let own = isOwnStatic ? ownStatic : ownEphemeral,
            let remote = isRemoteStatic ? remoteStatic : remoteEphemeral
        else { throw .outOfTurn }
        do throws(CryptoError) { symmetric.mix(key: try X25519.agree(own.secret, remote)) } catch {
            throw .crypto(error)
        }
    }

    private static func take(_ count: Int, from rest: inout ArraySlice<UInt8>) throws(NoiseError) -> [UInt8] {
        guard rest.count >= count else { throw .truncated(at: rest.endIndex, needed: count - rest.count) }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }
}

/// Why a message of a handshake was not written or read.
enum NoiseError: Error, Equatable {
    /// The message ends before its keys do: at which byte, and how many more are needed.
    case truncated(at: Int, needed: Int)
    /// The other side is to write now, or a key of this side is missing.
    case outOfTurn
    /// A key or a tag was refused.
    case crypto(CryptoError)
}
