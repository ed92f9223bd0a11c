package import ChatCrypto
package import ChatModel

/// The Noise handshake of the sealed hop: `Noise_NK_25519_ChaChaPoly_BLAKE2b`, revision 34.
///
/// ```
/// <- s
/// ...
/// -> e, es
/// <- e, ee
/// ```
///
/// The client knows the relay's static key and stays nameless. A message that does not authenticate changes nothing.
package enum Noise {
    /// The protocol's name, which begins every hash of a handshake.
    package static let name = "Noise_NK_25519_ChaChaPoly_BLAKE2b"
    /// Bytes that the first and the second message add to their payloads: a key and a tag.
    package static let overhead = X25519.size + AEAD.tagSize

    /// What both sides have once the second message was read.
    package struct Outcome: Sendable, Equatable {
        /// Seals what the client sends; 32 bytes.
        package let toRelay: Secret
        /// Seals what the relay sends; 32 bytes.
        package let toClient: Secret
        /// The hash of the whole handshake, 64 bytes: what signatures bind themselves to.
        package let hash: [UInt8]
        /// The root of keys that are not Noise's own, 64 bytes.
        package let root: Secret
    }
}

/// Hash, chaining key and cipher key of a handshake under way (Noise, section 5.2).
private struct SymmetricState: Sendable, Equatable {
    private(set) var hash: [UInt8]
    private var chaining: Secret
    private var key: Secret?
    private var nonce: UInt64 = 0

    init(prologue: [UInt8], relay: PublicKey) {
        let start = Array(Noise.name.utf8) + [UInt8](repeating: 0, count: 64 - Noise.name.utf8.count)
        (hash, chaining) = (start, Secret(copying: start.span))
        mix(prologue.span)
        mix(relay.bytes.span)
    }

    mutating func mix(_ bytes: Span<UInt8>) {
        hash = HashFunction.blake2b512.hash { input in
            input.update(hash)
            input.update(bytes)
        }
    }

    mutating func mix(key input: Secret) throws(CryptoError) {
        let keys = try HKDF.blake2b512.derive(input, salt: chaining, info: "", count: 128)
        (chaining, key, nonce) = (keys.part(0..<64), keys.part(64..<96), 0)
    }

    /// Appends the sealed form of a payload to a message.
    mutating func seal(_ payload: Span<UInt8>, to message: inout [UInt8]) throws(CryptoError) {
        guard let key else { throw .wrongSize("Noise key", bytes: 0, expected: AEAD.keySize) }
        var sealed: [UInt8] = []
        let (size, unique) = (payload.count + AEAD.tagSize, PacketNonce(nonce))
        try sealed.append(addingCapacity: size) { output throws(CryptoError) in
            try AEAD.chaChaPoly.seal(payload, nonce: unique.bytes.span, aad: hash.span, key: key, into: &output)
        }
        nonce += 1
        mix(sealed.span)
        message += sealed
    }

    mutating func open(_ sealed: Span<UInt8>) throws(CryptoError) -> [UInt8] {
        guard let key, sealed.count >= AEAD.tagSize else {
            throw .wrongSize("Noise payload", bytes: sealed.count, expected: AEAD.tagSize)
        }
        let unique = PacketNonce(nonce)
        var payload: [UInt8] = []
        try payload.append(addingCapacity: sealed.count - AEAD.tagSize) { output throws(CryptoError) in
            try AEAD.chaChaPoly.open(sealed, nonce: unique.bytes.span, aad: hash.span, key: key, into: &output)
        }
        nonce += 1
        mix(sealed)
        return payload
    }

    /// The keys of both directions (Noise's `Split`), and beside them a root for further ones.
    func outcome() throws(CryptoError) -> Noise.Outcome {
        let extracted = chaining.lend { HKDF.blake2b512.extract(Span(), salt: $0) }
        let keys = try HKDF.blake2b512.expand(extracted, info: Span(), count: 128)
        let label = Array("chat-udp 2 root".utf8)
        let root = try HKDF.blake2b512.expand(extracted, info: label.span, count: 64)
        return Noise.Outcome(toRelay: keys.part(0..<32), toClient: keys.part(64..<96), hash: hash, root: root)
    }
}

/// The client's side of a handshake.
package struct NoiseClient: Sendable, Equatable {
    private var state: SymmetricState
    private let ephemeral: KeyPair
    private let relay: PublicKey

    /// Begins a handshake with the owner of a static key.
    ///
    /// - Parameters:
    ///   - prologue: what both sides must agree on without it being sent again.
    ///   - ephemeral: drawn for this handshake alone.
    package init(prologue: [UInt8], relay: PublicKey, ephemeral: KeyPair) {
        (self.relay, self.ephemeral) = (relay, ephemeral)
        state = SymmetricState(prologue: prologue, relay: relay)
    }

    /// The first message; once for each handshake.
    ///
    /// Throws ``CryptoError/weakKey(_:)`` for a relay's key that gives everybody the same result.
    package mutating func first(_ payload: Span<UInt8>) throws(CryptoError) -> [UInt8] {
        var next = state
        var message = ephemeral.publicKey.bytes
        next.mix(message.span)
        try next.mix(key: X25519.agree(ephemeral.secret, relay))
        try next.seal(payload, to: &message)
        state = next
        return message
    }

    /// Reads the second message: its payload, and the keys. The handshake itself stays as it was, so that a forged
    /// answer does not keep out the true one.
    package func second(_ message: Span<UInt8>) throws(CryptoError) -> (payload: [UInt8], Noise.Outcome) {
        var next = state
        let remote = try Noise.key(of: message)
        next.mix(remote.bytes.span)
        try next.mix(key: X25519.agree(ephemeral.secret, remote))
        let payload = try next.open(message.extracting(X25519.size..<message.count))
        return (payload, try next.outcome())
    }
}

/// The relay's side of a handshake, after the first message.
package struct NoiseRelay: Sendable, Equatable {
    private let state: SymmetricState
    private let remote: PublicKey
    /// The payload of the first message.
    package let payload: [UInt8]

    /// Reads the first message.
    package init(prologue: [UInt8], own: KeyPair, first message: Span<UInt8>) throws(CryptoError) {
        var next = SymmetricState(prologue: prologue, relay: own.publicKey)
        let key = try Noise.key(of: message)
        next.mix(key.bytes.span)
        try next.mix(key: X25519.agree(own.secret, key))
        let opened = try next.open(message.extracting(X25519.size..<message.count))
        (state, remote, payload) = (next, key, opened)
    }

    /// The second message, and the keys.
    ///
    /// - Parameter ephemeral: drawn for this handshake alone.
    package func second(
        _ payload: Span<UInt8>, ephemeral: KeyPair
    ) throws(CryptoError) -> (message: [UInt8], Noise.Outcome) {
        var next = state
        var message = ephemeral.publicKey.bytes
        next.mix(message.span)
        try next.mix(key: X25519.agree(ephemeral.secret, remote))
        try next.seal(payload, to: &message)
        return (message, try next.outcome())
    }
}

extension Noise {
    /// The ephemeral key in front of a message.
    fileprivate static func key(of message: Span<UInt8>) throws(CryptoError) -> PublicKey {
        guard message.count >= overhead else {
            throw .wrongSize("Noise message", bytes: message.count, expected: overhead)
        }
        return PublicKey([UInt8](copying: message.extracting(0..<X25519.size)))
    }
}
