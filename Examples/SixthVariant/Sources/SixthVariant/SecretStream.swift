internal import CSodiumOfSixth
internal import ChatModel

/// One direction of libsodium's `crypto_secretstream_xchacha20poly1305`.
///
/// Payloads open in the order in which they were sealed. Every one ends with a new key, so that keys taken
/// today open nothing of yesterday (`TAG_REKEY`). Sealing and opening give a new value and leave the old
/// one as it is, so a forgery changes nothing.
struct SecretStream: Sendable {
    /// Bytes of a key, of the header that begins a stream, of a stream's state, and of what sealing adds.
    static let keySize = 32, headerSize = 24, stateSize = 52, sealSize = 17

    /// The state as C has it, 52 bytes.
    let state: Secret
    private static let isReady = sodium_init() >= 0
    private typealias State = crypto_secretstream_xchacha20poly1305_state

    /// Takes up a stored state.
    init?(state: Secret) {
        guard Self.isReady, state.count == Self.stateSize else { return nil }
        self.state = state
    }

    /// Begins a stream; both ends begin with the same key and header.
    ///
    /// `init_push` would draw the header from the system. It sets the state as `init_pull` does, so with a
    /// header from the turn's randomness one call serves both ends.
    init?(key: Secret, header: [UInt8]) {
        guard Self.isReady, key.count == Self.keySize, header.count == Self.headerSize else { return nil }
        let empty = Secret(count: Self.stateSize) { _ in }
        let begun = unsafe Self.step(empty) { state in
            key.lend { key in
                unsafe key.withUnsafeBufferPointer { key in
                    guard let key = key.baseAddress else { return false }
                    return unsafe crypto_secretstream_xchacha20poly1305_init_pull(state, header, key) == 0
                }
            }
        }
        guard let begun else { return nil }
        state = begun
    }

    /// Seals the next payload; `context` is authenticated and not sent.
    func seal(_ plaintext: [UInt8], context: [UInt8]) -> (next: SecretStream, sealed: [UInt8])? {
        var sealed = [UInt8](repeating: 0, count: plaintext.count + Self.sealSize)
        let next = unsafe Self.step(state) { state in
            unsafe crypto_secretstream_xchacha20poly1305_push(
                state, &sealed, nil, plaintext, UInt64(plaintext.count), context, UInt64(context.count),
                crypto_secretstream_xchacha20poly1305_tag_rekey()) == 0
        }
        guard let next, let stream = SecretStream(state: next) else { return nil }
        return (stream, sealed)
    }

    /// Opens the next payload; nil unless it is authentic.
    func open(_ sealed: [UInt8], context: [UInt8]) -> (next: SecretStream, plaintext: [UInt8])? {
        guard sealed.count >= Self.sealSize else { return nil }
        var plaintext = [UInt8](repeating: 0, count: sealed.count - Self.sealSize)
        var tag: UInt8 = 0
        let next = unsafe Self.step(state) { state in
            unsafe crypto_secretstream_xchacha20poly1305_pull(
                state, &plaintext, nil, &tag, sealed, UInt64(sealed.count), context, UInt64(context.count)) == 0
        }
        guard let next, let stream = SecretStream(state: next) else { return nil }
        guard tag == crypto_secretstream_xchacha20poly1305_tag_rekey() else { return nil }
        return (stream, plaintext)
    }

    /// Lets C change a copy of a state; the copy is wiped, what it became is a secret again.
    private static func step(_ before: Secret, _ change: (UnsafeMutablePointer<State>) -> Bool) -> Secret? {
        let state = UnsafeMutablePointer<State>.allocate(capacity: 1)
        unsafe state.initialize(to: State())
        defer {
            unsafe sodium_memzero(state, stateSize)
            unsafe state.deallocate()
        }
        return unsafe state.withMemoryRebound(to: UInt8.self, capacity: stateSize) { bytes in
            before.lend { source in
                for index in source.indices { unsafe bytes[index] = source[index] }
            }
            guard unsafe change(state) else { return nil }
            return Secret(copying: unsafe Span(_unsafeStart: bytes, count: stateSize))
        }
    }
}
