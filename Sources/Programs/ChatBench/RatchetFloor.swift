import CSodium

/// The libsodium calls that a Double Ratchet cannot do without, on memory that is there already.
///
/// What the package does beside them (headers, frames, buffers, state) is what the ratio shows.
final class RatchetFloor {
    private var frame: [UInt8]
    private var (sending, receiving, key, root) = (zeros(32), zeros(32), zeros(32), zeros(32))
    private var (own, shared) = (zeros(32), zeros(32))
    private var (public1, nonce, tag, aad) = (zeros(32), zeros(12), zeros(16), zeros(40))
    private var (okm, pads) = (zeros(64), zeros(128))
    private var state = zeros(crypto_generichash_statebytes() + 64)
    private var personal = [UInt8](repeating: 0x6D, count: 16)

    private let hasMessageKeyStep: Bool

    /// - Parameters:
    ///   - frame: bytes that are encrypted for each message.
    ///   - hasMessageKeyStep: whether each key takes the step KDF_MK, an HKDF-SHA256.
    init(frame count: Int, hasMessageKeyStep: Bool = false) {
        frame = zeros(count)
        self.hasMessageKeyStep = hasMessageKeyStep
        unsafe randombytes_buf(&public1, 32)
        unsafe crypto_scalarmult_base(&public1, zeros(32))
    }

    /// Sends and receives so many messages in one direction.
    func oneWay(_ messages: Int) {
        for _ in 0..<messages {
            send()
            receive()
        }
    }

    /// The same, turning the direction with each.
    func pingPong(_ messages: Int) {
        for _ in 0..<messages {
            unsafe randombytes_buf(&own, 32)
            unsafe crypto_scalarmult_base(&public1, own)
            turn()
            send()
            turn()
            receive()
        }
    }

    /// The same in one direction, with an answer after 16: it and what follows it turn the ratchet.
    func batches(_ messages: Int) {
        for _ in 0..<max(1, messages / 16) {
            oneWay(15)
            pingPong(2)
        }
    }

    /// Two keyed BLAKE2b, a nonce, a seal.
    private func send() {
        Self.step(&sending, &key, personal)
        if hasMessageKeyStep { expand() }
        unsafe randombytes_buf(&nonce, 12)
        unsafe crypto_aead_chacha20poly1305_ietf_encrypt_detached(
            &frame, &tag, nil, frame, UInt64(frame.count), aad, 40, nil, nonce, key)
    }

    /// Two keyed BLAKE2b, an open.
    private func receive() {
        Self.step(&receiving, &key, personal)
        if hasMessageKeyStep { expand() }
        let status = unsafe crypto_aead_chacha20poly1305_ietf_decrypt_detached(
            &frame, nil, frame, UInt64(frame.count), tag, aad, 40, nonce, key)
        precondition(status == 0, "a floor that does not decrypt is no floor")
    }

    private static func step(_ chain: inout [UInt8], _ key: inout [UInt8], _ personal: [UInt8]) {
        unsafe crypto_generichash_blake2b_salt_personal(&key, 32, nil, 0, chain, 32, nil, personal)
        unsafe crypto_generichash_blake2b_salt_personal(&chain, 32, nil, 0, chain, 32, nil, personal)
    }

    /// HKDF-SHA256 to 32 bytes: two HMACs.
    private func expand() {
        unsafe crypto_auth_hmacsha256(&root, key, 32, public1)
        unsafe crypto_auth_hmacsha256(&shared, personal, 16, root)
    }

    /// Diffie–Hellman, and HKDF-BLAKE2b-512: two HMACs of two hashes each.
    private func turn() {
        _ = unsafe crypto_scalarmult(&shared, own, public1)
        hmac(shared)
        hmac(root)
    }

    private func hmac(_ message: [UInt8]) {
        unsafe state.withUnsafeMutableBytes { memory in
            // The state wants 64-byte alignment, for which there is room.
            guard let start = unsafe memory.baseAddress?.alignedUp(toMultipleOf: 64) else { return }
            let state = OpaquePointer(start)
            for part in [message, okm] {
                unsafe crypto_generichash_blake2b_init(state, nil, 0, 64)
                unsafe crypto_generichash_blake2b_update(state, pads, 128)
                unsafe crypto_generichash_blake2b_update(state, part, UInt64(part.count))
                unsafe crypto_generichash_blake2b_final(state, &okm, 64)
            }
        }
    }
}

private func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
